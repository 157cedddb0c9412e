// Before the hearing: camera, microphone, sound and line as four ticks. The testing itself is media.js's; here it is shown.

import { playTestTone, selfTest } from "./media.js";
import { byId, element } from "./page.js";

/**
 * Wires the test's buttons.
 * @param {(id: string) => string} say
 * @param {{probe?: string|null, ice_servers?: RTCIceServer[]}|null} room where the hub answers a trial connection, and the relays
 */
export function offerSelfTest(say, room) {
  const start = byId("test-start");
  start?.addEventListener("click", async () => {
    start.disabled = true;
    try {
      await run(say, room);
    } finally {
      start.disabled = false;
    }
  });
}

async function run(say, room) {
  for (const step of ["camera", "microphone", "sound", "network"]) show(step, null, say("test-running"));
  const closeMirror = await openMirror();
  try {
    await selfTest({ probeUrl: room?.probe ?? undefined, iceServers: room?.ice_servers ?? [], onStep: (step) => {
      // A microphone that is open but silent is not ready either.
      show(step.name, step.ok && step.detailKey !== "selftest-microphone-silent", say(step.detailKey));
      if (step.name === "network") showWays(say, step);
    } });
    await askForTone(say);
  } finally {
    closeMirror();
  }
}

/** One's own picture and loudness as long as the test runs. Without devices there is nothing to show. */
async function openMirror() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
    .catch(() => navigator.mediaDevices.getUserMedia({ audio: true }))
    .catch(() => null);
  if (!stream) return () => {};
  const mirror = byId("mirror");
  mirror.srcObject = stream;
  mirror.play().catch(() => {});
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const meter = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    byId("level").value = Math.min(1, samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) * 2);
  }, 100);
  return () => {
    clearInterval(meter);
    for (const track of stream.getTracks()) track.stop();
    mirror.srcObject = null;
    byId("level").value = 0;
    context.close();
  };
}

/** Each way through this network in words, and what to ask of whoever runs it. */
function showWays(say, { ways, askKey, host, port }) {
  const list = byId("ways");
  const lines = ["udp", "tcp", "relay"].filter((way) => ways && ways[way] !== null)
    .map((way) => element("li", { text: `${say(`way-${way}`)}: ${say(ways[way] ? "way-open" : "way-closed")}` }));
  list.replaceChildren(...lines);
  list.hidden = lines.length === 0;
  const ask = byId("ways-ask");
  ask.hidden = !askKey || !host;
  ask.textContent = askKey ? say(askKey).replaceAll("[port]", String(port)).replaceAll("[host]", () => host ?? "") : "";
}

async function askForTone(say) {
  await playTestTone();
  const question = byId("sound-question");
  question.hidden = false;
  const heard = await new Promise((resolve) => {
    byId("sound-yes").onclick = () => resolve(true);
    byId("sound-no").onclick = () => resolve(false);
    byId("sound-yes").focus();
  });
  question.hidden = true;
  byId("test-start").focus();
  show("sound", heard, say(heard ? "test-sound-ok" : "test-sound-failed"));
}

/**
 * @param {string} step
 * @param {boolean|null} ok null while it runs
 * @param {string} words
 */
function show(step, ok, words) {
  const line = document.querySelector(`.ticks [data-step="${step}"]`);
  line.dataset.state = ok === null ? "running" : ok ? "ok" : "failed";
  line.querySelector(".tick").textContent = ok === null ? "…" : ok ? "✓" : "✕";
  line.querySelector(".result").textContent = words;
}
