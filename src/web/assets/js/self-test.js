// Before the hearing: camera, microphone, sound and line as four ticks. The testing itself is media.js's; here it is shown.

import { playTestTone, selfTest } from "./media.js";
import { byId } from "./page.js";

/**
 * Wires the test's buttons.
 * @param {(id: string) => string} say
 * @param {string|undefined} probeUrl where the hub answers a trial connection
 */
export function offerSelfTest(say, probeUrl) {
  const start = byId("test-start");
  start?.addEventListener("click", async () => {
    start.disabled = true;
    try {
      await run(say, probeUrl);
    } finally {
      start.disabled = false;
    }
  });
}

async function run(say, probeUrl) {
  for (const step of ["camera", "microphone", "sound", "network"]) show(step, null, say("test-running"));
  const closeMirror = await openMirror();
  try {
    await selfTest({ probeUrl, onStep: ({ name, ok, detailKey }) => {
      // A microphone that is open but silent is not ready either.
      show(name, ok && detailKey !== "selftest-microphone-silent", say(detailKey));
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
