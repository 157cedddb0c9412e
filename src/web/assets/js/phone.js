// The demo's telephone and SMS handset. The hub answers each thing done with steps to play: say, play back, gather,
// record, hang up. This page performs them one after the other, as a telephone would.

import { byId, element, pageData, postJson, readAnswer } from "./page.js";
import { Voice } from "./phone-voice.js";

const { texts } = pageData("phone-data");
/** @param {string} id */
const say = (id) => texts[id] ?? id;

/** How often messages are asked for, in milliseconds. */
const POLL_MS = 2000;

/** Sounds of single digits and letters. */
const SPELT = /\/(digit|letter)-/;

const voice = new Voice();
/** @type {string|null} the call that is on */ let call = null;
/** @type {{digits: number, finish_on?: string, timeout_s: number}|null} */ let gathering = null;
/** @type {ReturnType<typeof setTimeout>|undefined} */ let silence;
let pressed = "";
/** Whether a key may cut short what is being said. */
let mayInterrupt = true;
/** Counts what was done, so that steps that were overtaken are dropped. */
let turn = 0;

const number = () => byId("from").value.trim();

/* Calling. */

byId("dial").addEventListener("click", async () => {
  if (!number()) {
    byId("call-state").textContent = say("phone-no-number");
    byId("from").focus();
    return;
  }
  byId("captions").replaceChildren();
  inCall(true, "phone-calling");
  try {
    const answer = await postJson("/demo/phone/calls", { from: number() });
    call = answer.call;
    inCall(true, "phone-in-call");
    await perform(answer.steps);
  } catch (problem) {
    broken(problem);
  }
});

byId("hang-up").addEventListener("click", async () => {
  const ended = call;
  over();
  if (ended) await postJson(`/demo/phone/calls/${ended}/hangup`, {}).catch(() => {});
});

async function send(what, body) {
  const mine = call;
  if (!mine) return;
  gathering = null;
  clearTimeout(silence);
  try {
    const answer = await postJson(`/demo/phone/calls/${mine}/${what}`, body);
    if (call === mine) await perform(answer.steps);
  } catch (problem) {
    broken(problem);
  }
}

async function perform(steps = []) {
  const mine = ++turn;
  pressed = "";
  for (const [index, step] of steps.entries()) {
    if (mine !== turn || !call) return;
    const next = steps[index + 1];
    // A key that is pressed while something is said counts for the question that follows it.
    if (next?.gather) gathering = next.gather;
    if (step.say) {
      mayInterrupt = step.barge_in !== false;
      await speak(step.say, mine);
      mayInterrupt = true;
    } else if (step.play_back) {
      caption(say("phone-play-back"), "note");
      await voice.play(step.play_back);
    } else if (step.gather) {
      await gather(step.gather, mine);
      return;
    } else if (step.record) {
      await record(step.record, mine);
      return;
    } else if (step.hangup) over();
  }
}

async function speak(pieces, mine) {
  let line = null;
  let spelling = false;
  for (const piece of pieces) {
    if (mine !== turn || !call || pressed) break;
    const spelt = SPELT.test(piece.file ?? "");
    if (piece.caption) {
      // A number is spoken digit by digit, and read as one line.
      if (spelt && spelling) line.append(` ${piece.caption}`);
      else {
        line?.classList.remove("speaking");
        line = caption(piece.caption, "speaking");
      }
      spelling = spelt;
    }
    if (piece.file) await voice.play(piece.file);
  }
  line?.classList.remove("speaking");
}

async function gather(wanted, mine) {
  gathering = wanted;
  if (complete()) {
    await sendDigits();
    return;
  }
  byId("call-state").textContent = say("phone-press");
  silence = setTimeout(() => {
    if (mine !== turn || !call) return;
    if (pressed) sendDigits(); else send("silence", {});
  }, (wanted.timeout_s ?? 8) * 1000);
}

const complete = () => gathering !== null && (pressed.length >= gathering.digits || pressed.endsWith(gathering.finish_on || "\0"));

async function sendDigits() {
  const finish = gathering?.finish_on;
  const digits = finish && pressed.endsWith(finish) ? pressed.slice(0, -finish.length) : pressed;
  caption(`${say("phone-you-pressed")} ${pressed}`, "me");
  byId("call-state").textContent = say("phone-in-call");
  ++turn;
  await send("digits", { digits });
}

function press(digit) {
  if (!call) return;
  voice.key(digit);
  if (finishRecording && digit === recordFinish) {
    finishRecording();
    return;
  }
  if (!gathering || !mayInterrupt) return;
  voice.stop();
  pressed += digit;
  clearTimeout(silence);
  if (complete()) sendDigits();
  else silence = setTimeout(sendDigits, (gathering.timeout_s ?? 8) * 1000);
}

byId("keypad").addEventListener("click", (event) => {
  const digit = event.target.closest("button")?.dataset.digit;
  if (digit) press(digit);
});
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, textarea");
  if (!typing && call && !event.ctrlKey && !event.metaKey && /^[0-9*#]$/.test(event.key)) press(event.key);
});

/* Speaking after the tone. */

/** @type {(() => void)|null} */ let finishRecording = null;
let recordFinish = "#";

async function record({ max_seconds = 120, silence_s = 0, finish_on = "#", beep = true }, mine) {
  recordFinish = finish_on;
  byId("record-words").textContent = say("phone-after-tone");
  byId("record").hidden = false;
  byId("record-stop").focus();
  if (beep) await voice.beep();
  const taking = voice.record(max_seconds, silence_s);
  finishRecording = () => voice.finishRecording();
  byId("call-state").textContent = say("phone-recording");
  taking.then(
    (sound) => { if (mine === turn && sound) upload(sound); },
    () => { byId("record-words").textContent = say("phone-no-microphone"); },
  );
}

byId("record-stop").addEventListener("click", () => voice.finishRecording());
for (const button of document.querySelectorAll(".sample")) {
  button.addEventListener("click", async () => {
    voice.dropRecording();
    try {
      const answer = await fetch(button.dataset.sample);
      if (!answer.ok) throw new Error(String(answer.status));
      await upload(await answer.blob(), button.textContent);
    } catch (problem) {
      broken(problem);
    }
  });
}

async function upload(sound, words = "") {
  const mine = call;
  finishRecording = null;
  byId("record").hidden = true;
  byId("call-state").textContent = say("phone-in-call");
  caption(words || say("phone-you-said"), "me");
  ++turn;
  try {
    const answer = await fetch(`/demo/phone/calls/${mine}/recording`, {
      method: "POST",
      headers: { "Content-Type": sound.type || "audio/wav", Accept: "application/json" },
      body: sound,
    });
    const { steps } = await readAnswer(answer);
    if (call === mine) await perform(steps);
  } catch (problem) {
    broken(problem);
  }
}

/* The state of the call. */

function inCall(on, state) {
  byId("dial").disabled = on;
  byId("hang-up").disabled = !on;
  byId("call-state").textContent = say(state);
}

function over() {
  call = null;
  gathering = null;
  finishRecording = null;
  ++turn;
  clearTimeout(silence);
  mayInterrupt = true;
  voice.stop();
  voice.dropRecording();
  byId("record").hidden = true;
  inCall(false, "phone-ended");
}

function broken(problem) {
  over();
  byId("call-state").textContent = say("phone-failed");
  caption(problem.message, "note");
}

function caption(words, kind) {
  const captions = byId("captions");
  const line = element("p", { class: kind, text: words });
  captions.append(line);
  captions.scrollTop = captions.scrollHeight;
  return line;
}

/* The SMS handset. */

byId("from-form").addEventListener("submit", (event) => event.preventDefault());
byId("sms-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = byId("sms-text").value;
  if (!number()) {
    byId("sms-state").textContent = say("phone-no-number");
    byId("from").focus();
    return;
  }
  try {
    await postJson("/demo/phone/sms", { from: number(), text });
    byId("sms-text").value = "";
    byId("sms-state").textContent = say("sms-sent");
    await readMessages();
  } catch (problem) {
    byId("sms-state").textContent = `${say("sms-failed")} ${problem.message}`;
  }
});

/** Links in a text can be followed, as on a telephone: in a window of their own, because the handset stays. */
function withLinks(text) {
  return text.split(/(https?:\/\/\S+)/).map((part, index) => {
    if (index % 2 === 0) return document.createTextNode(part);
    const link = element("a", { text: part });
    Object.assign(link, { href: part, target: "_blank", rel: "noopener" });
    return link;
  });
}

let shown = "";

async function readMessages() {
  const items = number()
    ? (await readAnswer(await fetch(`/demo/phone/messages?number=${encodeURIComponent(number())}`))).items
    : [];
  const now = JSON.stringify(items);
  if (now === shown) return;
  shown = now;
  const own = number().replace(/\D/g, "").slice(-10);
  const time = new Intl.DateTimeFormat(`${document.documentElement.lang}-IN`, { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Kolkata", hour12: false });
  const list = byId("messages");
  list.replaceChildren(...items.map((item) => {
    const mine = String(item.from).replace(/\D/g, "").slice(-10) === own;
    return element("p", { class: mine ? "me" : "" }, ...withLinks(item.text), element("time", { text: time.format(new Date(item.at)) }));
  }));
  if (items.length === 0) list.append(element("p", { class: "none", text: say("sms-none") }));
  list.scrollTop = list.scrollHeight;
}

async function poll() {
  if (!document.hidden) await readMessages().catch(() => {});
  setTimeout(poll, POLL_MS);
}
poll();
