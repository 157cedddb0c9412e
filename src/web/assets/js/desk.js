// The desk by keyboard: j and k walk the list, o opens, r t d open the forms of the case, ? tells the keys.
// Everything here can also be done with links and buttons; without this module nothing is lost.

import { byId } from "./page.js";

const rows = () => [...document.querySelectorAll("#rows .row")];
const usable = (row) => row.offsetParent !== null;

function walk(by) {
  const all = rows().filter(usable);
  if (all.length === 0) return;
  const picked = all.findIndex((row) => row.classList.contains("picked"));
  const open = all.findIndex((row) => row.hasAttribute("aria-current"));
  const from = picked >= 0 ? picked : open;
  const to = from < 0 ? 0 : Math.min(all.length - 1, Math.max(0, from + by));
  for (const row of all) row.classList.remove("picked");
  all[to].classList.add("picked");
  all[to].focus({ preventScroll: true });
  all[to].scrollIntoView({ block: "nearest" });
}

function openPicked() {
  const row = document.querySelector("#rows .row.picked") ?? document.activeElement?.closest?.("#rows .row");
  row?.click();
}

function openAction(key) {
  const action = document.querySelector(`details.action[data-key="${key}"]`);
  if (!action) return false;
  action.open = true;
  action.scrollIntoView({ block: "nearest" });
  action.querySelector("textarea, select, input:not([type=hidden])")?.focus();
  return true;
}

/** Letters belong to whoever types. A dialog just closed may still hold the focus for a moment: it types no more. */
function isTyping(target) {
  return target instanceof Element && target.closest("input:not([type=radio], [type=checkbox]), textarea, select, dialog[open]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target)) return;
  switch (event.key) {
    case "j": walk(1); break;
    case "k": walk(-1); break;
    case "o": openPicked(); break;
    case "r": case "t": case "d":
      if (!openAction(event.key)) return;
      break;
    case "?": byId("keys").showModal(); break;
    default: return;
  }
  event.preventDefault();
});

// What the rules refused, or what is wrong in a form, is read first.
document.querySelector("#refusal, .error-summary")?.focus();
