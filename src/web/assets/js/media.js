// @ts-check
/**
 * The room client: signalling and media of one member in one room. No user interface; the page listens to events.
 * The protocol is specified in signaling/src/message.rs.
 *
 * Two peer connections: we offer `publish`, the hub offers `subscribe`. The hub answers any authenticated connectivity check, so no
 * candidates need to be exchanged. When the socket is lost we come back with the seat token; both connections are then made anew.
 *
 * Events: `state` {state, …}, `members` {members}, `session` {state, since, recording}, `chat` {member, name, text, at}, `muted`, `refusal` {code};
 * `track` and `trackgone` {member, kind, slot, track, stream}: what is received of whom, told again when another member takes a section over;
 * `speakers` {active, loud}, `speaking` {member}, `podium` {member, by}; `sharing` {on}: one's own screen;
 * `quality` {level, rtt, loss, audioOnly}: one's own line as client and hub judge it; `blocked` {on}: media does not pass through this network.
 */

import { levelOf, Meter, Patience, retryWait, worse } from './line.js';
import { Publisher } from './publish.js';
import { Subscriber } from './subscribe.js';

export { playTestTone, selfTest } from './probe.js';

/** @typedef {'connecting'|'notice'|'waiting'|'in_room'|'reconnecting'|'ended'|'replaced'|'removed'|'refused'} ClientState */
/** @typedef {'audio'|'video'|'screen'} Kind */
/** @typedef {import('./line.js').Level} Level */
/** @typedef {{id: string, name: string, role: string, status: 'waiting'|'in_room'|'away', audio: boolean, video: boolean, screen?: boolean, quality?: Level, hand: boolean, me: boolean}} Member */
/** @typedef {{mid: string, member: string, kind: Kind}} TrackView */
/** @typedef {{member: string, kind: Kind, slot: string, track: MediaStreamTrack, stream: MediaStream}} Received slot: the hub's name of the place, such as `podium` */
/** @typedef {{state: string, since: number, recording: 'off'|'on'|'failed'}} Session */
/** @typedef {{layout: 'podium'|'grid'|'wall'|'audio', tiles?: number, pinned?: string|null}} View how this viewer wants to see the room */

/** How long the hub keeps a seat, in milliseconds; past it coming back means waiting again. */
const SEAT_KEPT_MS = 30_000;
/** Silence on the socket after which it counts as lost. */
const SOCKET_SILENCE_MS = 15_000;
/** The same, after the network is known to have changed. */
const SOCKET_PROOF_MS = 4_000;
const PING_EVERY_MS = 5_000;
/** A connection that is not up for so long, or an offer without answer, is made anew; each time in vain doubles it up to the second. */
const LINE_PATIENCE_MS = 10_000;
const LINE_PATIENCE_MOST_MS = 60_000;
const WATCH_EVERY_MS = 1_000;
const MEASURE_EVERY_MS = 2_000;
/** What is measured is told to the hub so often, and at once when the level changes. */
const TELL_EVERY_MS = 10_000;
/** Restarts of ICE follow each other at this distance at least. */
const RESTART_REST_MS = 3_000;
/** So many tries of the address in vain before a fresh one is asked for. */
const TRIES_BEFORE_RENEWAL = 3;
/** Text is read at five frames a second as well as at thirty. */
const SCREEN = { video: { frameRate: { max: 15 }, width: { max: 1920 }, height: { max: 1080 } }, audio: false };
/** Seat tokens live as long as the tab: a reload keeps the seat, a second tab takes it over. */
const SEAT_KEY = 'champions-hub-seat:';

const everything = () => ({ video: { on: true, rids: /** @type {string[]} */ ([]) }, screen: { on: true, rids: /** @type {string[]} */ ([]) } });

export class RoomClient extends EventTarget {
  /**
   * @param {{url: string, renew?: () => Promise<string|null>}} options the WebSocket's address, with the join token; and who gives a
   *   fresh one when the hub takes it no longer
   */
  constructor({ url, renew }) {
    super();
    this.url = url;
    this.renew = renew;
    /** @type {WebSocket|null} */
    this.socket = null;
    /** @type {ClientState} */
    this.state = 'connecting';
    /** @type {string|null} */
    this.me = null;
    /** @type {Member[]} */
    this.members = [];
    /** @type {{audio: MediaStreamTrack|null, video: MediaStreamTrack|null, screen: MediaStreamTrack|null}} */
    this.local = { audio: null, video: null, screen: null };
    this.on = { audio: true, video: true };
    this.demand = everything();
    /** The hub found the line too narrow for pictures. */
    this.narrow = false;
    /** @type {View|null} */
    this.view = null;
    /** @type {RTCConfiguration} */
    this.configuration = {};
    /** @type {Publisher|null} */
    this.publisher = null;
    /** @type {Subscriber|null} */
    this.subscriber = null;
    /** Offers and answers are handled one after the other. */
    this.work = Promise.resolve();
    this.attempt = 0;
    this.lostAt = 0;
    this.heardAt = 0;
    this.restartedAt = -Infinity;
    this.toldAt = -Infinity;
    this.retry = 0;
    /** @type {Map<string, number>} */
    this.timers = new Map();
    this.patience = new Patience(LINE_PATIENCE_MS, LINE_PATIENCE_MOST_MS);
    this.meter = new Meter();
    this.quality = { level: /** @type {Level|''} */ (''), rtt: 0, loss: 0, audioOnly: false };
    /** What we measured last, as the hub knows it. @type {Level|''} */
    this.ownLevel = '';
    /** What the hub measures. @type {Level} */
    this.hubLevel = 'good';
    /** Freezes that the hub was not told of yet. */
    this.freezes = 0;
    this.onNetworkChange = () => this.#networkChanged();
    this.seatKey = SEAT_KEY + url.split('?')[0];
  }

  /** Opens the socket and says hello. Resolves when the hub has answered, or the visit is over. */
  async connect() {
    globalThis.addEventListener?.('online', this.onNetworkChange);
    // @ts-ignore: not in every browser
    navigator.connection?.addEventListener?.('change', this.onNetworkChange);
    await this.#open();
  }

  /** The recording notice of this version was read and accepted. @param {string} version */
  acknowledge(version) {
    this.#send({ type: 'acknowledge', version });
  }

  /**
   * What to send. May be called before admission (it is kept), and again to replace a track.
   * @param {{audio?: MediaStreamTrack|null, video?: MediaStreamTrack|null}} tracks
   */
  async publish({ audio = null, video = null }) {
    this.local = { ...this.local, audio, video };
    if (audio) audio.enabled = this.on.audio;
    await this.#publish();
  }

  /** @param {boolean} on */
  setMicrophone(on) {
    this.on.audio = on;
    // At once: nothing may be heard of what is said after the press.
    if (this.local.audio) this.local.audio.enabled = on;
    this.#sendSwitch('audio');
  }

  /** @param {boolean} on */
  setCamera(on) {
    this.on.video = on;
    void this.#publish().then(() => this.#sendSwitch('video'));
  }

  /**
   * Shows one's screen to the room, after the browser has asked which. Resolves when it is on its way, or was declined.
   * @param {MediaStreamTrack} [track] a picture in place of what the browser asks for
   */
  async shareScreen(track) {
    const screen = track ?? (await navigator.mediaDevices.getDisplayMedia(SCREEN)).getVideoTracks()[0];
    if (!screen || this.#isOver()) return;
    this.#dropScreen();
    screen.contentHint = 'detail';
    // The browser's own "stop sharing" ends the track.
    screen.onended = () => this.stopSharing();
    this.local.screen = screen;
    this.#emit('sharing', { on: true });
    await this.#publish();
    this.#sendShare(true);
  }

  stopSharing() {
    if (!this.local.screen) return;
    this.#dropScreen();
    this.#emit('sharing', { on: false });
    void this.#publish().then(() => {
      if (!this.local.screen) this.#sendShare(false);
    });
  }

  /** How this viewer wants to see the room; kept across reconnections. @param {View} view */
  setView(view) {
    this.view = { ...view };
    this.#sendView();
  }

  /** Moderators: puts a member on the podium for everybody; null takes it back. @param {string|null} member */
  pin(member) {
    this.#send({ type: 'pin', member });
  }

  /** @param {boolean} up */
  raiseHand(up) {
    this.#send({ type: 'hand', up });
  }

  /** @param {string} text */
  chat(text) {
    this.#send({ type: 'chat', text });
  }

  /** Moderators: switch a member's microphone off. @param {string} id */
  muteMember(id) {
    this.#send({ type: 'mute_member', member: id });
  }

  /** Gives the seat up. The tracks stay the page's, but for the screen's. */
  leave() {
    this.#send({ type: 'leave' });
    sessionStorage.removeItem(this.seatKey);
    this.#over('ended', { reason: 'left' });
  }

  /** Restarts ICE on both connections: the network changed, or the line is silent. */
  restart() {
    if (this.state !== 'in_room') return;
    this.restartedAt = performance.now();
    this.publisher?.restart();
    if (this.subscribing) this.#send({ type: 'restart_ice' });
  }

  /** The connection that we send on, while there is one. */
  get publishing() {
    return this.publisher?.connection ?? null;
  }

  /** The connection that we receive on, while there is one. */
  get subscribing() {
    return this.subscriber?.connection ?? null;
  }

  /** What comes on each section. @type {Map<string, Received>} */
  get received() {
    return this.subscriber?.received ?? new Map();
  }

  // ---- the socket -------------------------------------------------------------------------------------------------------------

  #open() {
    return new Promise((resolve) => {
      const socket = new WebSocket(this.url);
      this.socket = socket;
      this.heardAt = performance.now();
      let [opened, welcomed] = [false, false];
      socket.onopen = () => {
        opened = true;
        this.heardAt = performance.now();
        const resume = sessionStorage.getItem(this.seatKey);
        this.#send(resume ? { type: 'hello', resume } : { type: 'hello' });
      };
      socket.onmessage = ({ data }) => {
        if (socket !== this.socket) return;
        this.heardAt = performance.now();
        const message = JSON.parse(data);
        if (message.type === 'welcome') {
          welcomed = true;
          this.attempt = 0;
          this.lostAt = 0;
        }
        this.#receive(message);
        if (welcomed) resolve(undefined);
      };
      socket.onclose = () => {
        resolve(undefined);
        if (socket !== this.socket) return;
        // A token that the hub does not take closes the socket before any word; on the first try that is a refusal.
        if (!welcomed && this.state === 'connecting') this.#over('refused', { reason: 'connection' });
        else this.#lost(!opened);
      };
      this.#every(PING_EVERY_MS, 'ping', () => {
        if (performance.now() - this.heardAt > SOCKET_SILENCE_MS) this.#reopen();
        else this.#send({ type: 'ping' });
      });
    });
  }

  /** Gives the socket up without waiting for the other side's good-bye, which a dead line never brings. */
  #reopen() {
    const socket = this.socket;
    if (!socket || this.#isOver()) return;
    this.socket = null;
    socket.close();
    this.#lost(false);
  }

  /** @param {boolean} unheard the hub, or the way to it, did not even open the socket */
  #lost(unheard) {
    if (this.#isOver()) return;
    const now = performance.now();
    this.lostAt ||= now;
    this.#set('reconnecting');
    const wait = retryWait(this.attempt, now - this.lostAt, SEAT_KEPT_MS);
    this.attempt += 1;
    const renew = unheard && this.attempt >= TRIES_BEFORE_RENEWAL;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.#again(renew), wait * (0.75 + Math.random() / 2));
  }

  /** @param {boolean} renew whether the token may be what is wrong: a browser does not tell why a socket was refused */
  async #again(renew) {
    // Without an answer the old address is as good as any.
    const url = renew ? await this.renew?.().catch(() => null) : null;
    if (this.#isOver()) return;
    if (url) this.url = url;
    void this.#open();
  }

  #networkChanged() {
    if (this.#isOver()) return;
    if (this.state === 'reconnecting') {
      this.attempt = 0;
      clearTimeout(this.retry);
      this.socket = null;
      void this.#open();
      return;
    }
    this.restart();
    // The socket went with the old network, most likely: it has to prove that it lives.
    const asked = performance.now();
    const socket = this.socket;
    this.#send({ type: 'ping' });
    setTimeout(() => {
      if (socket === this.socket && this.heardAt < asked) this.#reopen();
    }, SOCKET_PROOF_MS);
  }

  /** @param {object} message */
  #send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Before the door there is nothing to switch; who is let in says it then. @param {'audio'|'video'} kind */
  #sendSwitch(kind) {
    if (this.state === 'in_room') this.#send({ type: this.on[kind] ? 'unmute' : 'mute', kind });
  }

  /** @param {boolean} on */
  #sendShare(on) {
    if (this.state === 'in_room') this.#send({ type: 'share', on });
  }

  #sendView() {
    if (this.state !== 'in_room' || !this.view) return;
    const { layout, tiles, pinned } = this.view;
    this.#send({ type: 'view', layout, ...(tiles === undefined ? {} : { tiles }), ...(pinned ? { pinned } : {}) });
  }

  /** @param {any} message */
  #receive(message) {
    switch (message.type) {
      case 'welcome':
        this.me = message.me;
        sessionStorage.setItem(this.seatKey, message.seat);
        this.configuration = { iceServers: message.ice_servers ?? [] };
        this.#release();
        this.#emit('session', message.room.session);
        if (message.notice_version) this.#set('notice', { noticeVersion: message.notice_version });
        break;
      case 'waiting':
        this.#release();
        this.#set('waiting', { position: message.position });
        break;
      case 'admitted':
        this.#admitted();
        break;
      case 'members':
        this.members = message.members;
        this.#emit('members', { members: message.members });
        break;
      case 'answer':
        this.#queue(async () => this.publisher?.answered(message.sdp));
        break;
      case 'offer':
        this.#queue(() => this.#subscribe(message.sdp, message.tracks));
        break;
      case 'tracks':
        this.#queue(() => this.subscriber?.carries(message.tracks));
        break;
      case 'demand':
        if (message.kind !== 'video' && message.kind !== 'screen') break;
        this.demand[/** @type {'video'|'screen'} */ (message.kind)] = { on: message.on, rids: message.rids ?? [] };
        void this.publisher?.apply();
        break;
      case 'speakers':
        this.#emit('speakers', { active: message.active, loud: message.loud });
        if (message.active) this.#emit('speaking', { member: message.active });
        break;
      case 'podium':
        this.#emit('podium', { member: message.member, by: message.by });
        break;
      case 'line':
        this.#lineTold(message);
        break;
      case 'session':
        this.#emit('session', { state: message.state, since: message.since, recording: message.recording });
        break;
      case 'muted':
        this.on.audio = false;
        if (this.local.audio) this.local.audio.enabled = false;
        this.#emit('muted', {});
        break;
      case 'chat':
        this.#emit('chat', { member: message.member, name: message.name, text: message.text, at: message.at });
        break;
      case 'removed':
        this.#over('removed', { reason: message.reason });
        break;
      case 'replaced':
        // The newer tab has the seat; our token is worth nothing.
        sessionStorage.removeItem(this.seatKey);
        this.#over('replaced');
        break;
      case 'ended':
        this.#over('ended', { reason: 'closed' });
        break;
      case 'error':
        this.#emit('refusal', { code: message.code, messageKey: message.message_key });
        break;
      default:
        break;
    }
  }

  #admitted() {
    this.#set('in_room');
    if (!this.on.audio) this.#sendSwitch('audio');
    if (!this.on.video) this.#sendSwitch('video');
    if (this.local.screen) this.#sendShare(true);
    this.#sendView();
    void this.#publish();
    this.#every(WATCH_EVERY_MS, 'watch', () => this.#watch());
    this.#every(MEASURE_EVERY_MS, 'measure', () => void this.#measure());
  }

  // ---- sending and receiving --------------------------------------------------------------------------------------------------

  /** Sends what there is to be sent, as soon as one is in the room. */
  async #publish() {
    if (this.state !== 'in_room') return;
    if (!this.publisher) {
      if (!this.local.audio && !this.local.video && !this.local.screen) return;
      const publisher = new Publisher(this.configuration, () => this, (sdp) => {
        if (publisher === this.publisher) this.#send({ type: 'offer', sdp });
      });
      this.publisher = publisher;
      publisher.connection.oniceconnectionstatechange = () => this.#lineChanged(publisher.connection);
    }
    await this.publisher.apply();
  }

  /** @param {string} sdp @param {TrackView[]} tracks */
  async #subscribe(sdp, tracks) {
    if (!this.subscriber) {
      const subscriber = new Subscriber(this.configuration, {
        answer: (answer) => this.#send({ type: 'answer', sdp: answer }),
        come: (received) => this.#emit('track', received),
        gone: (received) => this.#emit('trackgone', received),
      });
      this.subscriber = subscriber;
      subscriber.connection.oniceconnectionstatechange = () => this.#lineChanged(subscriber.connection);
    }
    await this.subscriber.offered(sdp, tracks);
  }

  #dropScreen() {
    const { screen } = this.local;
    this.local.screen = null;
    if (!screen) return;
    screen.onended = null;
    screen.stop();
  }

  // ---- watching the line ------------------------------------------------------------------------------------------------------

  /** @param {RTCPeerConnection} connection */
  #lineChanged(connection) {
    const state = connection.iceConnectionState;
    if (connection !== this.publishing && connection !== this.subscribing) return;
    if (state !== 'disconnected' && state !== 'failed') return;
    if (performance.now() - this.restartedAt > RESTART_REST_MS) this.restart();
  }

  /** A handshake can get stuck, an answer can get lost, and a restart does not help. Coming back to the seat makes everything anew. */
  #watch() {
    if (this.state !== 'in_room') return;
    const now = performance.now();
    const connections = [this.publishing, this.subscribing].filter((connection) => connection !== null);
    const isOut = connections.map((connection) => this.patience.isOut(connection, connection?.connectionState === 'connected', now));
    isOut.push(this.patience.isOut('offer', !this.publisher?.isWaiting, now));
    if (!isOut.includes(true)) {
      if (connections.length === 0 || connections.some((connection) => connection?.connectionState !== 'connected')) return;
      if (this.patience.failures > 1) this.#emit('blocked', { on: false });
      this.patience.recovered();
      return;
    }
    this.patience.failed();
    // Once may be an accident; the second time in a row the network does not let it through.
    if (this.patience.failures > 1) this.#emit('blocked', { on: true });
    this.#reopen();
  }

  async #measure() {
    if (this.state !== 'in_room') return;
    const connections = [this.publishing, this.subscribing].filter((connection) => connection !== null);
    const reports = await Promise.all(connections.map((connection) => connection?.getStats()));
    const { rtt, loss, jitter, freezes, layer } = this.meter.read(reports.map((report) => report?.values() ?? []));
    const level = levelOf({ rtt, loss });
    const now = performance.now();
    if (level !== this.ownLevel || now - this.toldAt > TELL_EVERY_MS) {
      this.ownLevel = level;
      this.toldAt = now;
      const stats = { type: 'stats', rtt_ms: rtt, loss, jitter_ms: jitter, freezes: freezes + this.freezes };
      this.freezes = 0;
      this.#send(layer ? { ...stats, layer } : stats);
    } else {
      this.freezes += freezes;
    }
    this.quality = { ...this.quality, rtt, loss };
    this.#tellQuality();
  }

  /** @param {{level: Level, audio_only: boolean}} line */
  #lineTold({ level, audio_only: audioOnly }) {
    this.hubLevel = level;
    this.quality = { ...this.quality, audioOnly };
    if (this.narrow !== audioOnly) {
      this.narrow = audioOnly;
      void this.publisher?.apply();
    }
    this.#tellQuality();
  }

  #tellQuality() {
    this.quality.level = worse(this.ownLevel || 'good', this.hubLevel);
    this.#emit('quality', { ...this.quality });
  }

  // ---- small things -----------------------------------------------------------------------------------------------------------

  /** Ends both connections; what was received is gone. */
  #release() {
    this.publisher?.close();
    this.subscriber?.close();
    this.publisher = null;
    this.subscriber = null;
    this.demand = everything();
    this.narrow = false;
    this.hubLevel = 'good';
    this.quality.audioOnly = false;
    this.meter = new Meter();
    this.patience.forget();
  }

  /** @param {ClientState} state @param {object} [detail] */
  #over(state, detail = {}) {
    this.stopSharing();
    this.#set(state, detail);
    for (const timer of this.timers.values()) clearInterval(timer);
    this.timers.clear();
    clearTimeout(this.retry);
    globalThis.removeEventListener?.('online', this.onNetworkChange);
    // @ts-ignore: not in every browser
    navigator.connection?.removeEventListener?.('change', this.onNetworkChange);
    this.#release();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  #isOver() {
    return ['ended', 'replaced', 'removed', 'refused'].includes(this.state);
  }

  /** @param {ClientState} state @param {object} [detail] */
  #set(state, detail = {}) {
    this.state = state;
    this.#emit('state', { state, ...detail });
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {() => Promise<void>|void} step */
  #queue(step) {
    this.work = this.work.then(step).catch((error) => this.#emit('refusal', { code: 'client', messageKey: 'room-error-client', error }));
  }

  /** One timer of a name at a time. @param {number} ms @param {string} name @param {() => void} run */
  #every(ms, name, run) {
    clearInterval(this.timers.get(name));
    this.timers.set(name, setInterval(run, ms));
  }
}
