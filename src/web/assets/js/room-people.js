// The people of a room: tiles with picture, name and role, and the officer's rail. Sound plays from elements of its own,
// because a tile that moves between the large place and the row would stop for a moment.

import { byId, element } from "./page.js";

/**
 * @typedef {{id: string, name: string, role: string, status: 'waiting'|'in_room'|'away', audio: boolean, video: boolean, hand: boolean, me: boolean}} Member
 * @typedef {{onAdmit: (id: string) => void, onSendBack: (id: string) => void, onMute: (id: string) => void}} RailActions
 */

export class People {
  /** @type {Map<string, Member>} */ #members = new Map();
  /** @type {Map<string, {tile: HTMLElement, video: HTMLVideoElement}>} */ #tiles = new Map();
  /** @type {Map<string, HTMLAudioElement>} */ #sounds = new Map();
  /** @type {Map<string, MediaStream>} */ #pictures = new Map();
  /** @type {MediaStream|null} */ #own = null;
  #speaking = "";
  /** @type {Member} */ #self;
  #say;
  #rail;

  /**
   * @param {(id: string) => string} say
   * @param {RailActions|null} rail the officer's actions, or null for everyone else
   * @param {{name: string, role: string}} self oneself, until the hub tells who is there
   */
  constructor(say, rail, self) {
    this.#self = { ...self, id: "", status: "waiting", audio: true, video: true, hand: false, me: true };
    this.#say = say;
    this.#rail = rail;
  }

  /** @param {MediaStream|null} stream one's own picture */
  showSelf(stream) {
    this.#own = stream;
    this.#arrange();
  }

  /** @param {Member[]} members */
  update(members) {
    this.#members = new Map(members.map((member) => [member.id, member]));
    for (const id of [...this.#sounds.keys()]) if (!this.#members.has(id)) this.removeTrack(id, "audio");
    for (const id of [...this.#pictures.keys()]) if (!this.#members.has(id)) this.removeTrack(id, "video");
    this.#arrange();
    if (this.#rail) this.#drawRail();
  }

  addTrack(member, kind, track) {
    const stream = new MediaStream([track]);
    if (kind === "video") {
      this.#pictures.set(member, stream);
      this.#arrange();
      return;
    }
    const sound = this.#sounds.get(member) ?? new Audio();
    sound.autoplay = true;
    sound.srcObject = stream;
    sound.play().catch(() => {});
    this.#sounds.set(member, sound);
  }

  removeTrack(member, kind) {
    if (kind === "video") {
      this.#pictures.delete(member);
      this.#arrange();
      return;
    }
    const sound = this.#sounds.get(member);
    if (sound) sound.srcObject = null;
    this.#sounds.delete(member);
  }

  /** @param {string} member who speaks now; one's own voice never takes the large place */
  speaking(member) {
    if (this.#speaking === member) return;
    this.#speaking = member;
    this.#arrange();
  }

  /** Whom the large place belongs to: the speaker, else the first other person, else oneself. */
  #large(present) {
    const others = present.filter((member) => !member.me);
    const now = byId("speaker").firstElementChild?.dataset.member;
    const wanted = [this.#speaking, now].map((id) => others.find((member) => member.id === id)).find(Boolean);
    return wanted ?? others[0] ?? present[0];
  }

  /** Who is to be seen. Before the door there is no list of members: one sees oneself. */
  #present() {
    const present = [...this.#members.values()].filter((member) => member.status !== "waiting" || member.me);
    return present.length > 0 || !this.#own ? present : [this.#self];
  }

  #arrange() {
    const present = this.#present();
    for (const [id, { tile }] of this.#tiles) {
      if (present.some((member) => member.id === id)) continue;
      tile.remove();
      this.#tiles.delete(id);
    }
    const large = this.#large(present);
    for (const member of present) {
      const { tile, video } = this.#tileOf(member);
      this.#describe(tile, video, member);
      const home = member === large ? byId("speaker") : byId("tiles");
      if (tile.parentElement === home) continue;
      home.append(tile);
      video.play().catch(() => {});
    }
  }

  #tileOf(member) {
    const known = this.#tiles.get(member.id);
    if (known) return known;
    const video = /** @type {HTMLVideoElement} */ (element("video"));
    video.muted = true;
    video.playsInline = true;
    video.autoplay = true;
    const tile = element("li", { class: "tile" }, video, element("span", { class: "no-picture", text: this.#say("no-picture") }),
      element("span", { class: "label" }, element("strong"), element("span")));
    tile.dataset.member = member.id;
    const made = { tile, video };
    this.#tiles.set(member.id, made);
    return made;
  }

  #describe(tile, video, member) {
    const stream = member.me ? this.#own : (this.#pictures.get(member.id) ?? null);
    if (video.srcObject !== stream) {
      video.srcObject = stream;
      if (stream) video.play().catch(() => {});
    }
    tile.classList.toggle("me", member.me);
    tile.classList.toggle("speaking", member.id === this.#speaking);
    tile.querySelector(".no-picture").hidden = member.video && Boolean(stream?.getVideoTracks().length);
    tile.querySelector(".label strong").textContent = this.#named(member);
    tile.querySelector(".label span").textContent = [this.#say(`role-${member.role}`), ...this.#signs(member)].join(" · ");
  }

  #named(member) {
    return member.me ? `${member.name} (${this.#say("you")})` : member.name;
  }

  #signs(member) {
    return [member.hand && "hand-up", !member.audio && "no-sound", member.status === "away" && "away"]
      .filter(Boolean)
      .map((id) => this.#say(/** @type {string} */ (id)));
  }

  #drawRail() {
    const all = [...this.#members.values()];
    const waiting = all.filter((member) => member.status === "waiting");
    const inRoom = all.filter((member) => member.status !== "waiting");
    this.#fill("waiting", waiting, "waiting-none", (member) => [
      this.#button("admit", member, this.#rail.onAdmit, "primary"),
    ]);
    this.#fill("in-room", inRoom, "in-room-none", (member) => member.me ? [] : [
      this.#button("mute", member, this.#rail.onMute, "", !member.audio),
      this.#button("send-back", member, this.#rail.onSendBack, ""),
    ]);
  }

  #fill(id, members, none, buttons) {
    const list = byId(id);
    const held = list.contains(document.activeElement) ? document.activeElement.dataset.what : null;
    list.replaceChildren(...members.map((member) => element("li", {},
      element("span", { class: "person", text: this.#named(member) },
        element("span", { text: [this.#say(`role-${member.role}`), ...this.#signs(member)].join(" · ") })),
      ...buttons(member))));
    if (members.length === 0) list.append(element("li", { class: "quiet", text: this.#say(none) }));
    // The list is drawn again at each change: whoever stood on a button stands there again.
    if (held) list.querySelector(`[data-what="${CSS.escape(held)}"]`)?.focus();
  }

  #button(id, member, act, style, disabled = false) {
    const button = element("button", { class: style, text: this.#say(id) });
    button.type = "button";
    button.disabled = disabled;
    button.dataset.what = `${id} ${member.id}`;
    button.setAttribute("aria-label", `${this.#say(id)}: ${member.name}`);
    button.addEventListener("click", () => act(member.id));
    return button;
  }
}
