// @ts-check
/**
 * The subscribe connection: what one receives. The hub offers; its sections keep their places, and a list of its own tells which member
 * is on which of them now.
 */

import { changedTracks, leanAnswer } from './line.js';

/** @typedef {import('./media.js').Received} Received */
/** @typedef {import('./media.js').TrackView} TrackView */

export class Subscriber {
  /** What comes on each section. @type {Map<string, Received>} */
  received = new Map();
  /** The hub's names of the sections' places. @type {Map<string, string>} */ #slots = new Map();
  #isClosed = false;
  #outside;

  /**
   * @param {RTCConfiguration} configuration
   * @param {{answer: (sdp: string) => void, come: (received: Received) => void, gone: (received: Received) => void}} outside
   */
  constructor(configuration, outside) {
    this.#outside = outside;
    this.connection = new RTCPeerConnection({ ...configuration, bundlePolicy: 'max-bundle' });
    this.connection.ontrack = ({ transceiver, streams }) => {
      if (transceiver.mid !== null) this.#slots.set(transceiver.mid, streams[0]?.id ?? '');
    };
  }

  /** The hub's offer, with what comes on its sections. @param {string} sdp @param {TrackView[]} tracks */
  async offered(sdp, tracks) {
    await this.connection.setRemoteDescription({ type: 'offer', sdp });
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    if (this.#isClosed) return;
    this.#outside.answer(leanAnswer(this.connection.localDescription?.sdp ?? ''));
    this.carries(tracks);
  }

  /** What each section carries is told by the hub's list, not by the sections' own ids: sections are used again. @param {TrackView[]} tracks */
  carries(tracks) {
    const { gone, come } = changedTracks(this.received, tracks);
    for (const mid of gone) {
      const old = this.received.get(mid);
      this.received.delete(mid);
      if (old) this.#outside.gone(old);
    }
    const sections = new Map(this.connection.getTransceivers().map((transceiver) => [transceiver.mid, transceiver]));
    for (const { mid, member, kind } of come) {
      const track = sections.get(mid)?.receiver.track;
      if (!track) continue;
      const received = { member, kind, slot: this.#slots.get(mid) ?? '', track, stream: new MediaStream([track]) };
      this.received.set(mid, received);
      this.#outside.come(received);
    }
  }

  /** What was received is gone. */
  close() {
    this.#isClosed = true;
    this.connection.close();
    this.carries([]);
  }
}
