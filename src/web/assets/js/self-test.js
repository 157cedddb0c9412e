// Before the hearing: camera, microphone, sound and line as four ticks.

import { selfTest } from "./media.js";
import { byId } from "./page.js";

/** How long a voice is waited for, in milliseconds. */
const LISTEN_MS = 6000;
/** Loudness (0 to 1) from which a voice counts as heard. */
const HEARD = 0.02;

/**
 * Wires the test's buttons.
 * @param {(id: string) => string} say
 */
export function offerSelfTest(say) {
  const start = byId("test-start");
  if (!start) return;
  start.addEventListener("click", async () => {
    start.disabled = true;
    try {
      await run(say);
    } finally {
      start.disabled = false;
    }
  });
}

async function run(say) {
  for (const step of ["camera", "microphone", "sound", "network"]) show(step, "running", say("test-running"));
  const line = testLine(say);
  const stream = await open();
  showCamera(stream, say);
  await listen(stream, say);
  for (const track of stream?.getAudioTracks() ?? []) track.stop();
  await askForTone(say);
  await line;
  for (const track of stream?.getTracks() ?? []) track.stop();
}

async function open() {
  for (const wish of [{ audio: true, video: true }, { audio: true }, { video: true }]) {
    try {
      return await navigator.mediaDevices.getUserMedia(wish);
    } catch {
      // The next wish asks for less.
    }
  }
  return null;
}

function showCamera(stream, say) {
  const works = (stream?.getVideoTracks().length ?? 0) > 0;
  if (works) {
    const mirror = byId("mirror");
    mirror.srcObject = stream;
    mirror.play().catch(() => {});
  }
  show("camera", works ? "ok" : "failed", say(works ? "test-camera-ok" : "test-camera-failed"));
}

async function listen(stream, say) {
  let heard = false;
  if ((stream?.getAudioTracks().length ?? 0) > 0) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const until = performance.now() + LISTEN_MS;
    while (!heard && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      analyser.getFloatTimeDomainData(samples);
      const loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      byId("level").value = Math.min(1, loudness * 6);
      heard = loudness > HEARD;
    }
    await context.close();
  }
  show("microphone", heard ? "ok" : "failed", say(heard ? "test-microphone-ok" : "test-microphone-failed"));
}

async function askForTone(say) {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = 440;
  volume.gain.value = 0.2;
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 1);
  const question = byId("sound-question");
  question.hidden = false;
  const heard = await new Promise((resolve) => {
    byId("sound-yes").onclick = () => resolve(true);
    byId("sound-no").onclick = () => resolve(false);
    byId("sound-yes").focus();
  });
  question.hidden = true;
  await context.close();
  show("sound", heard ? "ok" : "failed", say(heard ? "test-sound-ok" : "test-sound-failed"));
}

async function testLine(say) {
  let ok = false;
  try {
    ok = Boolean((await selfTest({ onStep: () => {} })).network?.ok);
  } catch {
    // Said below as a line that does not work.
  }
  show("network", ok ? "ok" : "failed", say(ok ? "test-network-ok" : "test-network-failed"));
}

function show(step, state, words) {
  const line = document.querySelector(`.ticks [data-step="${step}"]`);
  line.dataset.state = state;
  line.querySelector(".tick").textContent = { ok: "✓", failed: "✕" }[state] ?? "…";
  line.querySelector(".result").textContent = words;
}
