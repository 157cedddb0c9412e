// @ts-check
/**
 * The room client: signalling and media of one member in one room. No user interface; the page listens to events.
 * The protocol is specified in signaling/src/message.rs.
 *
 * Two peer connections: we offer `publish`, the hub offers `subscribe`. The hub answers any authenticated connectivity check, so no
 * candidates need to be exchanged. When the socket is lost we come back with the seat token; both connections are then made anew.
 */

/** @typedef {'connecting'|'notice'|'waiting'|'in_room'|'reconnecting'|'ended'|'replaced'|'removed'|'refused'} ClientState */
/** @typedef {'audio'|'video'} Kind */
/** @typedef {{id: string, name: string, role: string, status: 'waiting'|'in_room'|'away', audio: boolean, video: boolean, hand: boolean, me: boolean}} Member */
/** @typedef {{mid: string, member: string, kind: Kind}} TrackView */
/** @typedef {{state: string, since: number, recording: 'off'|'on'|'failed'}} Session */

/** How long the hub keeps a seat, in milliseconds; past it coming back means waiting again. */
const SEAT_KEPT_MS = 30_000;
/** Silence on the socket after which it counts as lost. */
const SOCKET_SILENCE_MS = 15_000;
const PING_EVERY_MS = 5_000;
/** A connection that is not up for so long, restarts included, is made anew. */
const LINE_PATIENCE_MS = 10_000;
const STATS_EVERY_MS = 2_000;
const SPEAKING_EVERY_MS = 300;
/** Mean sound level (0 to 1) that counts as speech. */
const SPEECH_LEVEL = 0.01;
const MAX_VIDEO_BITS_PER_SECOND = 900_000;
/** Seat tokens live as long as the tab: a reload keeps the seat, a second tab takes it over. */
const SEAT_KEY = 'champions-hub-seat:';

export class RoomClient extends EventTarget {
  /** @param {{url: string}} options the WebSocket's address, with the join token */
  constructor({ url }) {
    super();
    this.url = url;
    /** @type {WebSocket|null} */
    this.socket = null;
    /** @type {ClientState} */
    this.state = 'connecting';
    /** @type {string|null} */
    this.me = null;
    /** @type {Member[]} */
    this.members = [];
    /** @type {{audio: MediaStreamTrack|null, video: MediaStreamTrack|null}} */
    this.local = { audio: null, video: null };
    this.on = { audio: true, video: true };
    /** @type {RTCPeerConnection|null} */
    this.publishing = null;
    /** @type {RTCPeerConnection|null} */
    this.subscribing = null;
    /** @type {Map<string, {member: string, kind: Kind, track: MediaStreamTrack, stream: MediaStream, transceiver: RTCRtpTransceiver}>} */
    this.received = new Map();
    /** Offers and answers are handled one after the other. */
    this.work = Promise.resolve();
    this.offering = false;
    this.offerAgain = false;
    this.restartNext = false;
    this.attempt = 0;
    this.lostAt = 0;
    this.heardAt = 0;
    /** @type {number[]} */
    this.timers = [];
    /** @type {string|null} */
    this.speaker = null;
    this.before = { lost: 0, received: 0 };
    this.quality = { level: '', rtt: 0, loss: 0 };
    /** When each connection was last seen up. @type {WeakMap<RTCPeerConnection, number>} */
    this.upAt = new WeakMap();
    /** Sound so far on each section. @type {Map<string, {energy: number, seconds: number}>} */
    this.sound = new Map();
    this.onNetworkChange = () => this.restart();
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
    this.local = { audio, video };
    if (this.state === 'in_room') await this.#publish();
  }

  /** @param {boolean} on */
  setMicrophone(on) {
    this.#switch('audio', on);
  }

  /** @param {boolean} on */
  setCamera(on) {
    this.#switch('video', on);
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

  /** Gives the seat up. The tracks stay the page's. */
  leave() {
    this.#send({ type: 'leave' });
    sessionStorage.removeItem(this.seatKey);
    this.#over('ended', { reason: 'left' });
  }

  /** Restarts ICE on both connections: the network changed, or the line is silent. */
  restart() {
    if (this.state !== 'in_room') return;
    if (this.publishing) {
      this.restartNext = true;
      void this.#offer();
    }
    if (this.subscribing) this.#send({ type: 'restart_ice' });
  }

  // ---- the socket -------------------------------------------------------------------------------------------------------------

  #open() {
    return new Promise((resolve) => {
      const socket = new WebSocket(this.url);
      this.socket = socket;
      let welcomed = false;
      socket.onopen = () => {
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
        if (socket !== this.socket) return;
        // A token that the hub does not take closes the socket before any word; on the first try that is a refusal.
        if (!welcomed && this.state === 'connecting') this.#over('refused', { reason: 'connection' });
        else this.#lost();
        resolve(undefined);
      };
      this.#every(PING_EVERY_MS, 'ping', () => {
        if (socket.readyState !== WebSocket.OPEN) return;
        if (performance.now() - this.heardAt > SOCKET_SILENCE_MS) socket.close();
        else this.#send({ type: 'ping' });
      });
    });
  }

  #lost() {
    if (this.#isOver()) return;
    const now = performance.now();
    this.lostAt ||= now;
    this.#set('reconnecting');
    // Quickly at first; after the seat is gone, gently for as long as the page is open.
    const wait = now - this.lostAt < SEAT_KEPT_MS ? Math.min(250 * 2 ** this.attempt, 3_000) : 10_000;
    this.attempt += 1;
    setTimeout(() => {
      if (!this.#isOver()) void this.#open();
    }, wait * (0.75 + Math.random() / 2));
  }

  /** @param {object} message */
  #send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** @param {any} message */
  #receive(message) {
    switch (message.type) {
      case 'welcome':
        this.me = message.me;
        sessionStorage.setItem(this.seatKey, message.seat);
        this.#release();
        this.#emit('session', message.room.session);
        if (message.notice_version) this.#set('notice', { noticeVersion: message.notice_version });
        break;
      case 'waiting':
        this.#release();
        this.#set('waiting', { position: message.position });
        break;
      case 'admitted':
        this.#set('in_room');
        for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) if (!this.on[kind]) this.#send({ type: 'mute', kind });
        if (this.local.audio || this.local.video) void this.#publish();
        this.#watch();
        break;
      case 'members':
        this.members = message.members;
        this.#emit('members', { members: message.members });
        break;
      case 'answer':
        this.#queue(async () => {
          if (this.publishing?.signalingState !== 'have-local-offer') return;
          await this.publishing.setRemoteDescription({ type: 'answer', sdp: message.sdp });
          this.offering = false;
          if (this.offerAgain) await this.#offer();
        });
        break;
      case 'offer':
        this.#queue(() => this.#subscribe(message.sdp, message.tracks));
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
        if (message.code === 'bad_sdp') this.offering = false;
        this.#emit('refusal', { code: message.code, messageKey: message.message_key });
        break;
      default:
        break;
    }
  }

  // ---- publishing -------------------------------------------------------------------------------------------------------------

  async #publish() {
    if (!this.publishing) {
      const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
      this.publishing = connection;
      connection.addTransceiver('audio', { direction: 'sendonly' });
      connection.addTransceiver('video', { direction: 'sendonly', sendEncodings: [{ maxBitrate: MAX_VIDEO_BITS_PER_SECOND }] });
      connection.oniceconnectionstatechange = () => this.#lineChanged(connection);
      await this.#apply();
      await this.#offer();
    } else {
      await this.#apply();
    }
  }

  /** Puts the tracks, as they are switched, into the connection. A camera that is off sends nothing at all. */
  async #apply() {
    const [audio, video] = this.publishing?.getTransceivers() ?? [];
    if (this.local.audio) this.local.audio.enabled = this.on.audio;
    await audio?.sender.replaceTrack(this.local.audio);
    await video?.sender.replaceTrack(this.on.video ? this.local.video : null);
  }

  /** @param {Kind} kind @param {boolean} on */
  #switch(kind, on) {
    this.on[kind] = on;
    void this.#apply().then(() => this.#send({ type: on ? 'unmute' : 'mute', kind }));
  }

  async #offer() {
    if (this.offering) {
      this.offerAgain = true;
      return;
    }
    const connection = this.publishing;
    if (!connection) return;
    this.offering = true;
    this.offerAgain = false;
    const iceRestart = this.restartNext;
    this.restartNext = false;
    await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
    if (connection === this.publishing) this.#send({ type: 'offer', sdp: connection.localDescription?.sdp });
  }

  // ---- subscribing ------------------------------------------------------------------------------------------------------------

  /** @param {string} sdp @param {TrackView[]} tracks */
  async #subscribe(sdp, tracks) {
    if (!this.subscribing) {
      const fresh = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
      fresh.oniceconnectionstatechange = () => this.#lineChanged(fresh);
      this.subscribing = fresh;
    }
    const connection = this.subscribing;
    await connection.setRemoteDescription({ type: 'offer', sdp });
    await connection.setLocalDescription(await connection.createAnswer());
    if (connection !== this.subscribing) return;
    this.#send({ type: 'answer', sdp: connection.localDescription?.sdp });
    this.#compare(connection, tracks);
  }

  /** What each section carries is told by the hub's list, not by the sections' own ids: sections are used again. */
  #compare(/** @type {RTCPeerConnection} */ connection, /** @type {TrackView[]} */ tracks) {
    const now = new Map(tracks.map((view) => [view.mid, view]));
    for (const [mid, old] of this.received) {
      const view = now.get(mid);
      if (view?.member === old.member && view.kind === old.kind) continue;
      this.received.delete(mid);
      this.#emit('trackgone', { member: old.member, kind: old.kind });
    }
    for (const transceiver of connection.getTransceivers()) {
      const view = transceiver.mid === null ? undefined : now.get(transceiver.mid);
      if (!view || this.received.has(view.mid)) continue;
      const track = transceiver.receiver.track;
      const stream = new MediaStream([track]);
      this.received.set(view.mid, { member: view.member, kind: view.kind, track, stream, transceiver });
      this.#emit('track', { member: view.member, kind: view.kind, stream, track });
    }
  }

  /** @param {RTCPeerConnection} connection */
  #lineChanged(connection) {
    const state = connection.iceConnectionState;
    if (connection !== this.publishing && connection !== this.subscribing) return;
    if (state === 'disconnected' || state === 'failed') this.restart();
  }

  /**
   * A handshake can get stuck on a bad line, and a restart does not help it. Coming back to the seat makes both connections anew.
   * @param {RTCPeerConnection} connection
   */
  #keepUp(connection) {
    const now = performance.now();
    if (connection.connectionState === 'connected' || !this.upAt.has(connection)) this.upAt.set(connection, now);
    if (now - (this.upAt.get(connection) ?? now) > LINE_PATIENCE_MS) this.socket?.close();
  }

  // ---- watching the line ------------------------------------------------------------------------------------------------------

  #watch() {
    this.#every(STATS_EVERY_MS, 'stats', () => void this.#measure());
    this.#every(SPEAKING_EVERY_MS, 'speaking', () => void this.#listen());
  }

  async #measure() {
    let [rtt, lost, received, sentLoss] = [0, 0, 0, 0];
    for (const connection of [this.publishing, this.subscribing]) {
      if (!connection) continue;
      this.#keepUp(connection);
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'candidate-pair' && report.nominated) rtt = Math.max(rtt, (report.currentRoundTripTime ?? 0) * 1000);
        if (report.type === 'inbound-rtp') {
          lost += Math.max(report.packetsLost ?? 0, 0);
          received += report.packetsReceived ?? 0;
        }
        if (report.type === 'remote-inbound-rtp') sentLoss = Math.max(sentLoss, report.fractionLost ?? 0);
      }
    }
    const [newLost, newReceived] = [lost - this.before.lost, received - this.before.received];
    this.before = { lost, received };
    const total = newLost + newReceived;
    const loss = Math.max(total > 0 ? Math.max(newLost, 0) / total : 0, sentLoss);
    // The same bounds as QualityLevel::of in signaling/src/event.rs.
    const level = loss > 0.1 || rtt > 500 ? 'poor' : loss > 0.03 || rtt > 250 ? 'fair' : 'good';
    if (level !== this.quality.level) this.#send({ type: 'stats', rtt_ms: rtt, loss });
    this.quality = { level, rtt, loss };
    this.#emit('quality', this.quality);
  }

  async #listen() {
    if (!this.subscribing || this.received.size === 0) return;
    let [loudest, level] = [/** @type {string|null} */ (null), SPEECH_LEVEL];
    for (const report of (await this.subscribing.getStats()).values()) {
      if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
      const now = { energy: report.totalAudioEnergy ?? 0, seconds: report.totalSamplesDuration ?? 0 };
      const before = this.sound.get(report.mid) ?? now;
      this.sound.set(report.mid, now);
      // The mean level since the last look; the momentary one would miss what lies between.
      const mean = Math.sqrt(Math.max(now.energy - before.energy, 0) / Math.max(now.seconds - before.seconds, 0.02));
      const from = this.received.get(report.mid);
      if (from && mean > level) [loudest, level] = [from.member, mean];
    }
    if (loudest && loudest !== this.speaker) {
      this.speaker = loudest;
      this.#emit('speaking', { member: loudest });
    }
  }

  // ---- small things -----------------------------------------------------------------------------------------------------------

  /** Ends both connections; what was received is gone. */
  #release() {
    for (const { member, kind } of this.received.values()) this.#emit('trackgone', { member, kind });
    this.received.clear();
    this.publishing?.close();
    this.subscribing?.close();
    this.publishing = null;
    this.subscribing = null;
    this.offering = false;
    this.offerAgain = false;
    this.restartNext = false;
    this.before = { lost: 0, received: 0 };
    this.sound.clear();
  }

  /** @param {ClientState} state @param {object} [detail] */
  #over(state, detail = {}) {
    this.#set(state, detail);
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
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
    this.named ??= /** @type {Map<string, number>} */ (new Map());
    const old = this.named.get(name);
    if (old !== undefined) clearInterval(old);
    const timer = setInterval(run, ms);
    this.named.set(name, timer);
    this.timers.push(timer);
  }
}

/**
 * Tries camera, microphone and the way to the hub, before a hearing. Nothing is sent to anybody; the tracks are stopped at the end.
 *
 * The way to the hub is tried with an SDP offer posted to `probeUrl`, which answers the SDP that MediaServer::probe gives; without an
 * address the network stays untested.
 * @param {{onStep?: (step: {name: 'camera'|'microphone'|'network', ok: boolean, detailKey: string, level?: number}) => void, probeUrl?: string}} [options]
 */
export async function selfTest({ onStep = () => {}, probeUrl } = {}) {
  const result = { camera: false, microphone: false, network: { ok: false, detailKey: 'selftest-network-untested' } };
  const camera = await device({ video: true });
  result.camera = camera.ok && (await hasPicture(camera.stream));
  onStep({ name: 'camera', ok: result.camera, detailKey: result.camera ? 'selftest-camera-ok' : camera.detailKey ?? 'selftest-camera-black' });
  camera.stream?.getTracks().forEach((track) => track.stop());
  const microphone = await device({ audio: true });
  result.microphone = microphone.ok;
  const level = microphone.stream ? await loudness(microphone.stream) : 0;
  const heard = microphone.detailKey ?? (level > 0.01 ? 'selftest-microphone-ok' : 'selftest-microphone-silent');
  onStep({ name: 'microphone', ok: result.microphone, detailKey: heard, level });
  microphone.stream?.getTracks().forEach((track) => track.stop());
  result.network = await way(probeUrl);
  onStep({ name: 'network', ...result.network });
  return result;
}

/** Plays a short tone, so that the person can say whether it was heard. */
export async function playTestTone() {
  const context = new AudioContext();
  const [tone, volume] = [context.createOscillator(), context.createGain()];
  tone.frequency.value = 440;
  volume.gain.setValueAtTime(0.15, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.8);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.8);
  await new Promise((resolve) => (tone.onended = resolve));
  await context.close();
}

/** @param {MediaStreamConstraints} constraints @returns {Promise<{ok: boolean, stream?: MediaStream, detailKey?: string}>} */
async function device(constraints) {
  const what = constraints.video ? 'camera' : 'microphone';
  try {
    return { ok: true, stream: await navigator.mediaDevices.getUserMedia(constraints) };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    const why = name === 'NotAllowedError' ? 'denied' : name === 'NotFoundError' ? 'missing' : 'busy';
    return { ok: false, detailKey: `selftest-${what}-${why}` };
  }
}

/** A frame arrives within three seconds. @param {MediaStream|undefined} stream */
async function hasPicture(stream) {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = stream ?? null;
  await video.play().catch(() => {});
  for (let n = 0; n < 30; n += 1) {
    if (video.videoWidth > 0 && video.readyState >= 2) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** The loudest level in a second and a half, 0 to 1. @param {MediaStream} stream */
async function loudness(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let loudest = 0;
  for (let n = 0; n < 15; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    analyser.getFloatTimeDomainData(samples);
    for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
  }
  await context.close();
  return loudest;
}

/** @param {string|undefined} probeUrl */
async function way(probeUrl) {
  const connection = new RTCPeerConnection();
  try {
    connection.addTransceiver('audio', { direction: 'sendonly' });
    await connection.setLocalDescription(await connection.createOffer());
    if (!probeUrl) return { ok: false, detailKey: 'selftest-network-untested' };
    const answer = await fetch(probeUrl, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: connection.localDescription?.sdp });
    if (!answer.ok) return { ok: false, detailKey: 'selftest-network-hub' };
    await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    const ok = await new Promise((resolve) => {
      const end = setTimeout(() => resolve(false), 8_000);
      connection.onconnectionstatechange = () => {
        if (connection.connectionState !== 'connected') return;
        clearTimeout(end);
        resolve(true);
      };
    });
    return { ok, detailKey: ok ? 'selftest-network-ok' : 'selftest-network-blocked' };
  } catch {
    return { ok: false, detailKey: 'selftest-network-hub' };
  } finally {
    connection.close();
  }
}
