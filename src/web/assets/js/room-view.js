// How this viewer sees the room: the choice of layout by buttons and by the keys 1 to 4, sound only, one's own screen; and what is
// said to those who do not see it.

import { byId } from "./page.js";
import { changesAmong, sentences, wantedTiles } from "./room-layout.js";

/** @typedef {import('./room-layout.js').Layout} Layout */

/** In the order of the keys. @type {Layout[]} */
const LAYOUTS = ["podium", "grid", "wall", "audio"];
/** Kept in this browser: whoever dictates or strays over the keyboard can switch the keys off (WCAG 2.1.4). */
const KEYS_OFF = "champions-hub-view-keys-off";

export class ViewChoice {
  /** @type {Layout} */ layout = "podium";
  #onChoice;

  /** @param {(layout: Layout) => void} onChoice */
  constructor(onChoice) {
    this.#onChoice = onChoice;
    const button = byId("view-button");
    if (!button) return;
    button.addEventListener("click", () => this.#unfold(byId("view").hidden));
    byId("view").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.#unfold(false);
      button.focus();
    });
    for (const layout of LAYOUTS) byId(`view-${layout}`).addEventListener("change", () => this.choose(layout));
    const keys = byId("view-keys");
    keys.checked = localStorage.getItem(KEYS_OFF) === null;
    keys.addEventListener("change", () => (keys.checked ? localStorage.removeItem(KEYS_OFF) : localStorage.setItem(KEYS_OFF, "1")));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** What the hub is asked for. @param {string|null} pinned */
  wish(pinned) {
    return { layout: this.layout, tiles: wantedTiles(this.layout, innerWidth), pinned };
  }

  /** @param {Layout} layout */
  choose(layout) {
    if (layout === this.layout) return;
    this.layout = layout;
    byId(`view-${layout}`).checked = true;
    this.#onChoice(layout);
  }

  #unfold(open) {
    byId("view").hidden = !open;
    byId("view-button").setAttribute("aria-expanded", String(open));
    if (open) byId(`view-${this.layout}`).focus();
  }

  #key(event) {
    if (!byId("view-keys").checked || byId("room").hidden || event.ctrlKey || event.altKey || event.metaKey) return;
    // What is typed is typed, not obeyed; a radio button takes no digits.
    if (event.target.closest("textarea, select, input:not([type=radio], [type=checkbox])")) return;
    const layout = LAYOUTS[["1", "2", "3", "4"].indexOf(event.key)];
    if (layout) this.choose(layout);
  }
}

/** Says what changes in the room to those who do not see it: politely, at most once in a second and a half. */
export class Announcer {
  /** @type {Map<string, import('./media.js').Member>|null} */ #members = null;
  /** @type {{what: string, name: string}[]} */ #changes = [];
  /** @type {string[]} */ #words = [];
  #timer = 0;
  #say;

  /** @param {(id: string) => string} say */
  constructor(say) {
    this.#say = say;
  }

  /** @param {import('./media.js').Member[]} members */
  update(members) {
    // Who is there already when one enters is read in the list, not told.
    if (this.#members) this.#changes.push(...changesAmong(this.#members, members));
    this.#members = members.some((member) => member.me && member.status !== "waiting") ? new Map(members.map((member) => [member.id, member])) : null;
    this.#soon();
  }

  /** @param {string} words */
  tell(words) {
    this.#words.push(words);
    this.#soon();
  }

  #soon() {
    if (this.#timer || (this.#changes.length === 0 && this.#words.length === 0)) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      byId("announce").textContent = [...this.#words, ...sentences(this.#changes, this.#say)].join(" ");
      this.#words = [];
      this.#changes = [];
    }, 1_500);
  }
}
