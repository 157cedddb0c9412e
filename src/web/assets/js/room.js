// The countdown of a control room's console. The hub's clock counts, not this machine's.

import { clockFace } from "./page.js";

let skew = null;

function tick() {
  const face = document.querySelector(".countdown[data-starts]");
  if (!face || face.closest(".now")) return;
  skew ??= Number(face.dataset.now) - Date.now();
  const left = (Number(face.dataset.starts) - Date.now() - skew) / 1000;
  // Beyond a day the words of the page say more than a long row of digits.
  if (left > 0 && left < 86_400) face.textContent = clockFace(left);
}

tick();
setInterval(tick, 1000);
