// Plays all participants of a recording together. Every file counts its time from the start of the recording, so one
// position holds for all; whatever drifts from it is set right.

import { byId, clockFace } from "./page.js";

/** As the page writes lengths: hours only where there are any. */
const face = (seconds) => clockFace(seconds).replace(/^00:/, "");

/** A file may be this far from the common position before it is moved, in seconds. */
const TOLERANCE = 0.2;

const files = [...document.querySelectorAll("#player video, #player audio")];
const [play, seek, position] = ["play", "seek", "position"].map(byId);

let playing = false;
let from = 0;
let since = 0;
const length = () => Math.max(Number(seek.max), ...files.map((file) => (Number.isFinite(file.duration) ? file.duration : 0)));
const now = () => Math.min(length(), playing ? from + (performance.now() - since) / 1000 : from);

function keepTogether() {
  const at = now();
  for (const file of files) {
    const within = !Number.isFinite(file.duration) || at < file.duration;
    if (Math.abs(file.currentTime - at) > TOLERANCE && within && !file.seeking) file.currentTime = at;
    if (playing && within && file.paused) file.play().catch(() => {});
    if ((!playing || !within) && !file.paused) file.pause();
  }
  if (playing && at >= length()) setPlaying(false);
  seek.value = String(at);
  position.textContent = face(at);
}

function setPlaying(on) {
  from = on && now() >= length() ? 0 : now();
  since = performance.now();
  playing = on;
  play.textContent = on ? play.dataset.pause : play.dataset.play;
  keepTogether();
}

function goTo(at) {
  from = at;
  since = performance.now();
  for (const file of files) if (!Number.isFinite(file.duration) || at < file.duration) file.currentTime = at;
  keepTogether();
}

for (const file of files) {
  file.controls = false;
  file.addEventListener("loadedmetadata", () => { seek.max = String(length()); });
}
byId("player-controls").hidden = false;
play.addEventListener("click", () => setPlaying(!playing));
seek.addEventListener("input", () => goTo(Number(seek.value)));
setInterval(() => { if (playing) keepTogether(); }, 250);
