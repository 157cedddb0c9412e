// The people of a room: tiles with picture, name, role and line, as the viewer's layout places them. Sound plays from elements of
// its own, because a tile that moves between the large place and the row would stop for a moment.

import { byId, element } from "./page.js";
import { arrange, fitGrid } from "./room-layout.js";

/** @typedef {import('./media.js').Member} Member */
/** @typedef {import('./media.js').Received} Received */
/** @typedef {{tile: HTMLElement, video: HTMLVideoElement, sign: HTMLElement, pin: HTMLButtonElement|null}} Tile */

/** Between tiles, in pixels; the style sheet's own. */
const GAP = 8;
const WALL_GAP = 4;

export class People {
  /** @type {Map<string, Member>} */ #members = new Map();
  /** @type {Map<string, Tile>} */ #tiles = new Map();
  /** What is received. @type {Set<Received>} */ #received = new Set();
  /** Sound by its track: the track stays when another voice takes its place. @type {Map<MediaStreamTrack, HTMLAudioElement>} */ #sounds = new Map();
  /** @type {MediaStream|null} */ #own = null;
  /** @type {import('./room-layout.js').Layout} */ #layout = "podium";
  /** @type {string|null} */ #pinned = null;
  /** @type {string|null} */ #podium = null;
  /** @type {string|null} */ #speaking = null;
  /** @type {Set<string>} */ #loud = new Set();
  #planned = false;
  /** @type {Member} */ #self;
  #held = false;
  #say;
  #outside;

  /**
   * @param {(id: string) => string} say
   * @param {{name: string, role: string}} self oneself, until the hub tells who is there
   * @param {{onPin: (pinned: string|null) => void, onHeld: (held: boolean) => void}} outside this viewer wants somebody large, or nobody in
   *   particular; the browser holds the sound back until this page is touched, or no longer
   */
  constructor(say, self, outside) {
    this.#self = { ...self, id: "", status: "waiting", audio: true, video: true, hand: false, me: true };
    this.#say = say;
    this.#outside = outside;
    const people = byId("tiles")?.parentElement;
    if (!people) return;
    new ResizeObserver(() => this.#fit()).observe(people);
    people.addEventListener("keydown", (event) => this.#walk(event));
  }

  /** @param {MediaStream|null} stream one's own picture */
  showSelf(stream) {
    this.#own = stream;
    this.#arrange();
  }

  /** @param {Member[]} members */
  update(members) {
    this.#members = new Map(members.map((member) => [member.id, member]));
    if (this.#pinned && !this.#members.has(this.#pinned)) this.#pinned = null;
    this.#arrange();
  }

  /** @param {Received} received */
  addTrack(received) {
    this.#received.add(received);
    this.#soon();
  }

  /** @param {Received} received */
  removeTrack(received) {
    this.#received.delete(received);
    this.#soon();
  }

  /** @param {string|null} active @param {string[]} loud the loudest now, the active one mostly among them */
  speakers(active, loud) {
    this.#speaking = active;
    this.#loud = new Set(loud);
    this.#soon();
  }

  /** @param {string|null} member who stands large for everybody */
  podium(member) {
    this.#podium = member;
    this.#soon();
  }

  /** @param {import('./room-layout.js').Layout} layout */
  show(layout) {
    this.#layout = layout;
    this.#arrange();
  }

  /** @param {string|null} member */
  roleOf(member) {
    return this.#members.get(member ?? "")?.role;
  }

  /** Whom this viewer wants large. @type {string|null} */
  get pinned() {
    return this.#pinned;
  }

  /** Several changes that come together are drawn once. */
  #soon() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#arrange();
    });
  }

  /** Who is to be seen. Before the door there is no list of members: one sees oneself. */
  #present() {
    const present = [...this.#members.values()].filter((member) => member.status !== "waiting" || member.me);
    return present.length > 0 || !this.#own ? present : [this.#self];
  }

  #arrange() {
    this.#listen();
    const members = this.#present();
    const of = (kind) => [...this.#received].filter((received) => received.kind === kind);
    const onPodium = of("video").find((received) => received.slot === "podium")?.member;
    const now = byId("speaker").firstElementChild?.dataset;
    const { large, beside, unseen } = arrange({
      members,
      layout: this.#layout,
      pictures: new Set(of("video").map((received) => received.member)),
      screens: of("screen").map((received) => received.member),
      pinned: this.#pinned,
      podium: onPodium ?? this.#podium ?? this.#speaking,
      loud: this.#loud,
      before: now?.kind === "video" ? now.member : null,
    });
    const places = [...(large ? [large] : []), ...beside];
    const wanted = new Set(places.map(keyOf));
    for (const [key, { tile }] of this.#tiles) {
      if (wanted.has(key)) continue;
      tile.remove();
      this.#tiles.delete(key);
    }
    const people = byId("tiles").parentElement;
    people.dataset.layout = this.#layout;
    people.dataset.large = large ? large.kind : "none";
    byId("speaker").hidden = !large;
    this.#place(byId("speaker"), large ? [large] : []);
    this.#place(byId("tiles"), beside);
    byId("unseen").hidden = unseen === 0;
    byId("unseen").textContent = this.#say("unseen").replace("[number]", String(unseen));
    this.#rove();
    this.#fit();
  }

  /** Puts tiles into a list in their order. One that stands right is not moved: moving stops a picture for a moment. */
  #place(home, places) {
    let next = home.firstElementChild;
    for (const place of places) {
      const member = this.#members.get(place.member) ?? this.#self;
      const known = this.#tileOf(place, member);
      this.#describe(known, place, member);
      if (known.tile === next) {
        next = next.nextElementSibling;
        continue;
      }
      home.insertBefore(known.tile, next);
      known.video.play().catch(() => {});
    }
  }

  /** @returns {Tile} */
  #tileOf(place, member) {
    const known = this.#tiles.get(keyOf(place));
    if (known) return known;
    const video = /** @type {HTMLVideoElement} */ (element("video"));
    video.muted = true;
    video.playsInline = true;
    video.autoplay = true;
    const sign = lineSign(this.#say);
    const tile = element("li", { class: "tile" }, video, element("span", { class: "no-picture", text: this.#say("no-picture") }),
      element("span", { class: "note" }), element("span", { class: "label" }, element("span", { class: "who" }, element("strong"), element("span")), sign));
    tile.dataset.member = place.member;
    tile.dataset.kind = place.kind;
    let pin = null;
    if (!member.me && place.kind === "video") {
      pin = element("button", { class: "pin" });
      pin.type = "button";
      pin.innerHTML = '<svg aria-hidden="true" viewBox="0 0 24 24"><path d="M15 3l6 6-4 1-4 4-1 5-3-3-5 5-1-1 5-5-3-3 5-1 4-4Z"/></svg>';
      pin.addEventListener("click", () => {
        this.#pinned = this.#pinned === place.member ? null : place.member;
        this.#outside.onPin(this.#pinned);
        this.#arrange();
      });
      tile.append(pin);
    }
    const made = { tile, video, sign, pin };
    this.#tiles.set(keyOf(place), made);
    return made;
  }

  #describe({ tile, video, sign, pin }, place, member) {
    const stream = member.me && place.kind === "video" ? this.#own : this.#streamOf(place);
    const wanted = this.#layout === "audio" && place.kind === "video" ? null : stream;
    if (video.srcObject !== wanted) {
      video.srcObject = wanted;
      if (wanted) video.play().catch(() => {});
    }
    tile.classList.toggle("me", member.me && place.kind === "video");
    tile.classList.toggle("speaking", place.kind === "video" && (member.id === this.#speaking || this.#loud.has(member.id)));
    const isOn = place.kind === "screen" || member.video;
    tile.querySelector(".no-picture").hidden = isOn && Boolean(wanted?.getVideoTracks().length);
    put(tile.querySelector(".who strong"), named(member, this.#say));
    put(tile.querySelector(".who span"), place.kind === "screen" ? this.#say("screen-of") : [this.#say(`role-${member.role}`), ...signsOf(member, this.#say)].join(" · "));
    const note = member.status === "away" ? "away" : member.hand ? "hand-up" : null;
    put(tile.querySelector(".note"), note && place.kind === "video" ? this.#say(note) : "");
    sign.hidden = place.kind === "screen" || member.status === "away";
    showLevel(sign, member.quality ?? "good", this.#say);
    if (!pin) return;
    const isPinned = this.#pinned === member.id;
    pin.setAttribute("aria-pressed", String(isPinned));
    pin.setAttribute("aria-label", `${this.#say("show-large")}: ${member.name}`);
    pin.title = this.#say(isPinned ? "show-large-off" : "show-large");
    pin.hidden = this.#members.size < 3 && !isPinned;
  }

  #streamOf(place) {
    return [...this.#received].find((received) => received.member === place.member && received.kind === place.kind)?.stream ?? null;
  }

  /** An element for each track of sound that comes. */
  #listen() {
    const heard = new Map([...this.#received].filter(({ kind }) => kind === "audio").map((received) => [received.track, received.stream]));
    for (const [track, sound] of this.#sounds) {
      if (heard.has(track)) continue;
      sound.srcObject = null;
      this.#sounds.delete(track);
    }
    for (const [track, stream] of heard) {
      if (this.#sounds.has(track)) continue;
      const sound = new Audio();
      sound.autoplay = true;
      sound.srcObject = stream;
      sound.play().catch(({ name }) => { if (name === "NotAllowedError") this.#hold(); });
      this.#sounds.set(track, sound);
    }
  }

  /** After a reload nobody has touched the page, and a browser may let it be silent until somebody does. */
  #hold() {
    if (this.#held) return;
    this.#held = true;
    this.#outside.onHeld(true);
    const free = () => {
      for (const event of ["pointerup", "keydown"]) document.removeEventListener(event, free);
      this.#held = false;
      for (const sound of this.#sounds.values()) sound.play().catch(() => {});
      this.#outside.onHeld(false);
    };
    for (const event of ["pointerup", "keydown"]) document.addEventListener(event, free);
  }

  /** The tiles of a grid are as large as the window lets them be. */
  #fit() {
    const tiles = byId("tiles");
    const isGrid = (this.#layout === "grid" || this.#layout === "wall") && tiles.parentElement.dataset.large === "none";
    if (!isGrid) {
      tiles.style.removeProperty("--columns");
      tiles.style.removeProperty("--tile");
      return;
    }
    const gap = this.#layout === "wall" ? WALL_GAP : GAP;
    const { columns, width } = fitGrid(tiles.childElementCount, tiles.clientWidth, tiles.clientHeight, gap);
    tiles.style.setProperty("--columns", String(columns));
    tiles.style.setProperty("--tile", `${width}px`);
  }

  /** One stop of the Tab key for all tiles; the arrow keys go from one to the next. */
  #rove() {
    const pins = this.#pins();
    if (pins.some((pin) => pin.tabIndex === 0)) {
      for (const pin of pins.filter((pin) => pin.tabIndex === 0).slice(1)) pin.tabIndex = -1;
    } else if (pins[0]) {
      pins[0].tabIndex = 0;
    }
  }

  #walk(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const pins = this.#pins();
    const at = pins.indexOf(event.target);
    const next = step === undefined || at < 0 ? undefined : pins[at + step];
    if (!next) return;
    event.preventDefault();
    pins[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  #pins() {
    return /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll(".people .pin:not([hidden])")]);
  }
}

/** @param {import('./room-layout.js').Place} place */
const keyOf = ({ member, kind }) => `${kind} ${member}`;

/** Text that has not changed is left alone. */
function put(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

export const named = (member, say) => (member.me ? `${member.name} (${say("you")})` : member.name);

/** What is to be known of a person, in words. */
export function signsOf(member, say) {
  const line = member.status !== "away" && member.quality && member.quality !== "good" && `line-${member.quality}`;
  return [member.hand && "hand-up", !member.audio && "no-sound", member.screen && "shares-screen", member.status === "away" && "away", line]
    .filter(Boolean)
    .map((id) => say(/** @type {string} */ (id)));
}

/** Three bars, and the same in a word for whoever does not see them. */
export function lineSign(say) {
  const sign = element("span", { class: "line-sign" }, element("span", { class: "bars" }, element("i"), element("i"), element("i")), element("span", { class: "unseen" }));
  sign.firstElementChild.setAttribute("aria-hidden", "true");
  showLevel(sign, "good", say);
  return sign;
}

function showLevel(sign, level, say) {
  if (sign.dataset.level === level) return;
  sign.dataset.level = level;
  sign.title = say(`quality-${level}`);
  sign.lastElementChild.textContent = say(`quality-${level}`);
}
