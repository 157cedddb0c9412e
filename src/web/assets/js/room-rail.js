// The officer's rail: who waits, who is in the room, and what the officer may do with each.

import { byId, element } from "./page.js";
import { named, signsOf } from "./room-people.js";

/**
 * @typedef {import('./media.js').Member} Member
 * @typedef {{onAdmit: (id: string) => void, onSendBack: (id: string) => void, onMute: (id: string) => void, onPodium: (id: string|null) => void}} RailActions
 */

export class Rail {
  /** @type {Member[]} */ #members = [];
  /** Whom the officer put on the podium. @type {string|null} */ #podium = null;
  #say;
  #actions;

  /** @param {(id: string) => string} say @param {RailActions} actions */
  constructor(say, actions) {
    this.#say = say;
    this.#actions = actions;
  }

  /** @param {Member[]} members */
  update(members) {
    this.#members = members;
    this.#draw();
  }

  /** @param {string|null} member put there by the officer; null when nobody was, though somebody may stand there by speaking */
  podium(member) {
    if (this.#podium === member) return;
    this.#podium = member;
    this.#draw();
  }

  #draw() {
    const waiting = this.#members.filter((member) => member.status === "waiting");
    const inRoom = this.#members.filter((member) => member.status !== "waiting");
    this.#fill("waiting", waiting, "waiting-none", (member) => [this.#button("admit", member, this.#actions.onAdmit, "primary")]);
    this.#fill("in-room", inRoom, "in-room-none", (member) => [
      ...(member.me ? [] : [this.#button("mute", member, this.#actions.onMute, "", !member.audio), this.#button("send-back", member, this.#actions.onSendBack, "")]),
      ...(inRoom.length > 2 ? [this.#podiumButton(member)] : []),
    ]);
  }

  #podiumButton(member) {
    const stands = this.#podium === member.id;
    const button = this.#button("podium", member, (id) => this.#actions.onPodium(stands ? null : id), "");
    button.setAttribute("aria-pressed", String(stands));
    return button;
  }

  #fill(id, members, none, buttons) {
    const list = byId(id);
    const held = list.contains(document.activeElement) ? document.activeElement.dataset.what : null;
    list.replaceChildren(...members.map((member) => element("li", {},
      element("span", { class: "person", text: named(member, this.#say) },
        element("span", { text: [this.#say(`role-${member.role}`), ...signsOf(member, this.#say)].join(" · ") })),
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
