// @ts-check
/**
 * The publish connection: what one sends. Three sections at most, in this order: sound, camera, screen. The hub answers each offer; it
 * answers any authenticated check too, so no candidates are exchanged.
 */

import { wantedLayers } from './line.js';

/** @typedef {{on: boolean, rids: string[]}} Demand what of a picture is watched; `rids` empty: all of it */
/**
 * @typedef {object} Wish what is to be sent
 * @property {{audio: MediaStreamTrack|null, video: MediaStreamTrack|null, screen: MediaStreamTrack|null}} local
 * @property {{audio: boolean, video: boolean}} on
 * @property {{video: Demand, screen: Demand}} demand
 * @property {boolean} narrow the line takes hardly more than sound
 */

/** A speaker needs 24 to 32 kbit/s of Opus, its forward error correction the rest. */
const VOICE = [{ maxBitrate: 40_000, priority: 'high', networkPriority: 'high' }];
/** A thumbnail, a tile, the podium: 180, 360 and 720 lines of a camera of 720. */
const CAMERA = [
  { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 90_000 },
  { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 300_000 },
  { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 900_000 },
];
/** Text wants sharpness and can do with few frames. */
const SCREEN = [
  { rid: 'l', scaleResolutionDownBy: 2, maxBitrate: 250_000, maxFramerate: 5 },
  { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_200_000, maxFramerate: 15 },
];

export class Publisher {
  /** Changes to senders follow one another: two at a time would undo each other's parameters. */
  #work = Promise.resolve();
  #offering = false;
  #offerAgain = false;
  #restartNext = false;
  /** @type {RTCRtpTransceiver|null} */ #screen = null;
  #wish;
  #send;

  /**
   * @param {RTCConfiguration} configuration
   * @param {() => Wish} wish what is to be sent, asked at each change
   * @param {(sdp: string) => void} send takes our offers to the hub
   */
  constructor(configuration, wish, send) {
    this.#wish = wish;
    this.#send = send;
    this.connection = new RTCPeerConnection({ ...configuration, bundlePolicy: 'max-bundle' });
    this.audio = this.connection.addTransceiver('audio', { direction: 'sendonly', sendEncodings: /** @type {any} */ (VOICE) });
    this.video = this.connection.addTransceiver('video', { direction: 'sendonly', sendEncodings: CAMERA });
  }

  /** An offer has been sent and nothing came back yet. */
  get isWaiting() {
    return this.#offering;
  }

  /** Sends what is wished for, and offers when the connection needs it. */
  apply() {
    this.#work = this.#work.then(() => this.#apply()).catch((error) => {
      // A track that ended meanwhile, or a connection that was closed: the next change starts from what is then true.
      if (this.connection.signalingState !== 'closed') console.warn('publish', error);
    });
    return this.#work;
  }

  async #apply() {
    const { local, on, demand, narrow } = this.#wish();
    let isNew = this.connection.signalingState === 'stable' && !this.connection.localDescription;
    if (local.screen && !this.#screen) {
      this.#screen = this.connection.addTransceiver('video', { direction: 'sendonly', sendEncodings: SCREEN });
      isNew = true;
    }
    if (this.audio.sender.track !== local.audio) await this.audio.sender.replaceTrack(local.audio);
    await picture(this.video.sender, on.video ? local.video : null, demand.video, narrow);
    // What is read from a screen goes before faces: it is not thinned out by ourselves.
    if (this.#screen) await picture(this.#screen.sender, local.screen, demand.screen, false);
    if (isNew) await this.#offer();
  }

  /** Restarts ICE: the network changed, or the line is silent. */
  restart() {
    this.#restartNext = true;
    this.#work = this.#work.then(() => this.#offer()).catch(() => {});
  }

  async #offer() {
    if (this.#offering) {
      this.#offerAgain = true;
      return;
    }
    this.#offering = true;
    this.#offerAgain = false;
    const iceRestart = this.#restartNext;
    this.#restartNext = false;
    await this.connection.setLocalDescription(await this.connection.createOffer({ iceRestart }));
    this.#send(this.connection.localDescription?.sdp ?? '');
  }

  /** The hub's answer to our offer. @param {string} sdp */
  async answered(sdp) {
    if (this.connection.signalingState !== 'have-local-offer') return;
    await this.connection.setRemoteDescription({ type: 'answer', sdp });
    this.#offering = false;
    if (this.#offerAgain) await this.#offer();
    // Some browsers take the layers' parameters only once a section is negotiated.
    void this.apply();
  }

  close() {
    this.connection.close();
  }
}

/**
 * Puts a picture on its section. What nobody watches is taken off altogether, so the encoder rests; the layers' flags then stay as they
 * are, because a section whose layers are all off does not come back in every browser.
 * @param {RTCRtpSender} sender @param {MediaStreamTrack|null} track @param {Demand} demand @param {boolean} narrow
 */
async function picture(sender, track, demand, narrow) {
  const parameters = sender.getParameters();
  const encodings = parameters.encodings ?? [];
  const wanted = wantedLayers(encodings.map(({ rid }) => rid), demand, narrow);
  const sent = demand.on ? track : null;
  if (sent && wanted.includes(true) && encodings.some((encoding, index) => (encoding.active ?? true) !== wanted[index])) {
    encodings.forEach((encoding, index) => { encoding.active = wanted[index] ?? true; });
    await sender.setParameters(parameters);
  }
  if (sender.track !== sent) await sender.replaceTrack(sent);
}
