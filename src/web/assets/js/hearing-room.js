// The hearing room: joins by RoomClient, shows the session, wires the controls. What the hub decides (admission, start,
// end) goes to its HTTP API; everything else to the room. People are drawn by room-people.js and room-rail.js, how this viewer sees
// the room is room-view.js's.

import { RoomClient } from "./media.js";
import { byId, clockFace, element, pageData, postJson } from "./page.js";
import { People } from "./room-people.js";
import { Rail } from "./room-rail.js";
import { Announcer, ViewChoice } from "./room-view.js";
import { offerSelfTest } from "./self-test.js";

const data = pageData("room-data");
/** @param {string} id */
const say = (id) => data.texts?.[id] ?? id;

/** The wish for a picture: large enough for three layers, of which the hub asks for what is watched and what the line carries. */
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** Kept as long as this tab: the version of the notice that was read before joining. */
const JOINED_KEY = `champions-hub-joined:${data.hearing}`;

/** @type {RoomClient|null} */ let client = null;
/** @type {MediaStream|null} */ let own = null;
/** Whom the officer of this page put on the podium. @type {string|null} */ let pinnedForAll = null;
const people = new People(say, { name: data.name, role: data.role }, {
  onPin: (pinned) => client?.setView(view.wish(pinned)),
  onHeld: (held) => tell(held ? say("room-sound-held") : ""),
});
const rail = data.presides ? new Rail(say, {
  onAdmit: (member) => act("admit", { member }),
  onSendBack: (member) => act("send_back", { member }),
  onMute: (member) => client?.muteMember(member),
  onPodium: (member) => {
    pinnedForAll = member;
    client?.pin(member);
  },
}) : null;
const announcer = new Announcer(say);
const view = new ViewChoice(showLayout);

offerSelfTest(say, data.room);
byId("join")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const acknowledged = byId("acknowledge").checked;
  byId("acknowledge-error").hidden = acknowledged;
  if (!acknowledged) {
    byId("acknowledge").focus();
    return;
  }
  sessionStorage.setItem(JOINED_KEY, data.notice);
  join();
});
// A reload in the middle leads back into the seat without asking again: this tab has read this notice.
if (byId("join") && sessionStorage.getItem(JOINED_KEY) === data.notice) join();

async function join() {
  byId("join-button").disabled = true;
  own = await openDevices();
  document.body.classList.add("in-room");
  byId("room").hidden = false;
  // The log of attempts belongs to the officer's rail as long as the room is open.
  if (data.presides) document.querySelector(".rail").append(byId("attempts"));
  people.showSelf(own);
  showDevices();
  tell(own ? say("room-connecting") : say("media-denied"));
  keepAwake();

  client = new RoomClient({ url: data.room.url, renew: freshAddress });
  const on = (name, act) => client.addEventListener(name, ({ detail }) => act(detail));
  on("state", showState);
  on("members", ({ members }) => {
    people.update(members);
    rail?.update(members);
    announcer.update(members);
  });
  on("track", (received) => people.addTrack(received));
  on("trackgone", (received) => people.removeTrack(received));
  on("speakers", ({ active, loud }) => people.speakers(active, loud));
  on("podium", showPodium);
  on("session", showSession);
  on("chat", showChat);
  on("muted", () => {
    setToggle("microphone", false);
    announcer.tell(say("told-muted"));
  });
  on("sharing", showSharing);
  on("blocked", ({ on }) => tell(on ? say("room-blocked") : ""));
  on("refusal", ({ code }) => {
    const result = byId("action-result");
    if (result) result.textContent = `${say("action-failed")} ${code}`;
  });
  on("quality", showQuality);
  client.setView(view.wish(null));
  try {
    await client.connect();
    await client.publish({ audio: own?.getAudioTracks()[0] ?? null, video: own?.getVideoTracks()[0] ?? null });
  } catch {
    showState({ state: "refused" });
  }
}

async function openDevices() {
  const wishes = [{ audio: SOUND, video: PICTURE }, { audio: SOUND }, { video: PICTURE }];
  for (const wish of wishes) {
    try {
      return await navigator.mediaDevices.getUserMedia(wish);
    } catch {
      // The next wish asks for less.
    }
  }
  return null;
}

/** The hub took the token no longer, perhaps: a token lives for a day, a page may stay open longer. This page, loaded again, has a new one. */
async function freshAddress() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = JSON.parse(page.getElementById("room-data")?.textContent || "{}");
  // Without a room the hearing is over, or the reader is not signed in any more: the page itself says which.
  if (!fresh.room) location.reload();
  return fresh.room?.url ?? null;
}

async function keepAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // A screen that goes dark is a nuisance, not a failure.
  }
}

function showState({ state, reason, position, noticeVersion }) {
  document.body.dataset.roomState = state;
  // Before the door there is nobody to see a hand or to read a line, and no line to judge.
  for (const id of ["hand", "chat-button", "share", "view-button"]) byId(id).disabled = state !== "in_room";
  byId("quality").hidden = state !== "in_room";
  switch (state) {
    case "notice":
      if (!noticeVersion || noticeVersion === data.notice) {
        client?.acknowledge(data.notice);
        return;
      }
      // The notice has changed since this page was loaded: the new one must be read first.
      location.reload();
      return;
    case "waiting":
      tell(position ? `${say("room-waiting")} ${say("room-waiting-position")} ${position}` : say("room-waiting"));
      return;
    case "in_room": tell(""); return;
    case "ended":
      tell(say("room-ended"));
      stop();
      location.reload();
      return;
    case "replaced": case "refused":
      sessionStorage.removeItem(JOINED_KEY);
      tell(say(`room-${state}`));
      stop();
      return;
    case "removed":
      sessionStorage.removeItem(JOINED_KEY);
      // The reason is the officer's own words.
      tell([say("room-removed"), reason].filter(Boolean).join(" "));
      stop();
      return;
    default: tell(say(`room-${state}`));
  }
}

function tell(words) {
  const message = byId("room-message");
  message.textContent = words;
  message.hidden = words === "";
}

function stop() {
  for (const track of own?.getTracks() ?? []) track.stop();
}

/* The session: one bar across the top. */

let session = { state: data.state === "in_session" || data.state === "paused" ? data.state : "not_started", since: null, recording: "off" };

function showSession(detail) {
  session = detail;
  const bar = byId("session");
  bar.dataset.state = detail.state;
  bar.dataset.recording = detail.recording;
  const words = [say(`session-${detail.state}`)];
  if (detail.state === "in_session" || detail.recording === "failed") words.push(say(`recording-${detail.recording}`));
  byId("session-words").textContent = words.join(" · ");
  tick();
  const shown = { not_started: ["start"], in_session: ["pause", "end"], paused: ["resume", "end"], ended: [] }[detail.state] ?? [];
  for (const button of document.querySelectorAll(".session-buttons [data-action]")) {
    button.hidden = !shown.includes(button.dataset.action);
  }
}

function tick() {
  const since = session.since ? new Date(session.since).getTime() : NaN;
  const running = session.state === "in_session" && Number.isFinite(since);
  byId("session-clock").textContent = running ? clockFace((Date.now() - since) / 1000) : "";
}

if (byId("room")) {
  showSession(session);
  setInterval(tick, 1000);
}

/* What the officer decides. */

async function act(action, body = {}) {
  const result = byId("action-result");
  try {
    await postJson(data.actions + action, body);
    if (result) result.textContent = "";
    return true;
  } catch (problem) {
    if (result) result.textContent = `${say("action-failed")} ${problem.message}`;
    return false;
  }
}

for (const button of document.querySelectorAll(".session-buttons [data-action]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    await act(button.dataset.action);
    button.disabled = false;
  });
}

// Inside the room the forms of the rail go to the API, because a page load would drop the camera.
for (const form of document.querySelectorAll("form[data-api]")) {
  form.addEventListener("submit", async (event) => {
    if (!document.body.classList.contains("in-room")) return;
    event.preventDefault();
    if (await act(form.dataset.api, Object.fromEntries(new FormData(form)))) {
      form.reset();
      form.closest("details").open = false;
      byId("action-result").textContent = say("action-done");
    }
  });
}

/* Controls: each says its state in words. */

function showDevices() {
  for (const [id, tracks] of [["microphone", own?.getAudioTracks()], ["camera", own?.getVideoTracks()]]) {
    const track = tracks?.[0];
    byId(id).disabled = !track;
    setToggle(id, Boolean(track?.enabled));
  }
  setToggle("hand", false);
  setToggle("share", false);
}

function setToggle(id, on) {
  const words = id === "hand" ? ["down", "up"] : ["off", "on"];
  byId(id).setAttribute("aria-pressed", String(on));
  byId(id).querySelector(".state").textContent = say(words[on ? 1 : 0]);
}

function onToggle(id, act) {
  byId(id)?.addEventListener("click", () => {
    const on = byId(id).getAttribute("aria-pressed") !== "true";
    setToggle(id, on);
    act(on);
  });
}

onToggle("microphone", (on) => client?.setMicrophone(on));
onToggle("camera", (on) => client?.setCamera(on));
onToggle("hand", (up) => client?.raiseHand(up));
byId("leave")?.addEventListener("click", () => {
  if (!confirm(say("leave-sure"))) return;
  sessionStorage.removeItem(JOINED_KEY);
  client?.leave();
  stop();
  location.reload();
});

/* Chat. */

let unread = 0;

byId("chat-button")?.addEventListener("click", () => {
  const chat = byId("chat");
  chat.hidden = !chat.hidden;
  byId("chat-button").setAttribute("aria-expanded", String(!chat.hidden));
  unread = 0;
  byId("chat-new").textContent = "";
  if (!chat.hidden) byId("chat-text").focus();
});

byId("chat-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("chat-text").value.trim();
  if (text) client?.chat(text);
  byId("chat-text").value = "";
});

function showChat({ name, text }) {
  const list = byId("chat-list");
  list.append(element("p", {}, element("strong", { text: `${name}: ` }), document.createTextNode(text)));
  list.scrollTop = list.scrollHeight;
  if (byId("chat").hidden) byId("chat-new").textContent = String(++unread);
}

/* How the room is seen. */

/** Whether the camera was on before one chose sound only. */
let cameraBefore = false;

function showLayout(layout) {
  const soundOnly = layout === "audio";
  if (soundOnly !== (document.body.dataset.layout === "audio")) {
    if (soundOnly) cameraBefore = byId("camera").getAttribute("aria-pressed") === "true";
    const camera = !soundOnly && cameraBefore;
    if (!byId("camera").disabled && (soundOnly || cameraBefore)) {
      setToggle("camera", camera);
      client?.setCamera(camera);
    }
  }
  document.body.dataset.layout = layout;
  people.show(layout);
  client?.setView(view.wish(people.pinned));
  announcer.tell(say(`told-view-${layout}`));
}

function showPodium({ member, by }) {
  people.podium(member);
  // By right the chair stands there too, when nobody else is called for; that is no press of this button.
  const byButton = by === "chair" && (member === pinnedForAll || people.roleOf(member) !== "presiding_officer");
  rail?.podium(byButton ? member : null);
}

/* One's own screen. */

// Telephones cannot show theirs, and observers have nothing to show.
if (byId("share")) byId("share").hidden = !navigator.mediaDevices?.getDisplayMedia || data.role === "observer";
byId("share")?.addEventListener("click", async () => {
  if (byId("share").getAttribute("aria-pressed") === "true") {
    client?.stopSharing();
    return;
  }
  try {
    await client?.shareScreen();
  } catch {
    // Declined, in the browser's own question.
  }
});
byId("sharing-stop")?.addEventListener("click", () => client?.stopSharing());

function showSharing({ on }) {
  setToggle("share", on);
  byId("sharing").hidden = !on;
}

/* The line, in three words with advice. */

let toldLine = "";

function showQuality({ level, audioOnly }) {
  const advice = say(audioOnly ? "quality-advice-sound-only" : `quality-advice-${level}`);
  // It is a live region: only what changes is told.
  if (toldLine === level + advice) return;
  toldLine = level + advice;
  byId("quality").dataset.level = level;
  byId("quality-word").textContent = say(`quality-${level}`);
  byId("quality-advice").textContent = advice;
}
