// @ts-check
/**
 * Judging a line: what the statistics of the connections say, when to lose patience, what a trial connection proved. No connection is
 * made here, and nothing here needs a browser but the figures that one gives.
 */

/** @typedef {'good'|'fair'|'poor'} Level */
/** @typedef {'low'|'mid'|'high'} Layer */
/** @typedef {{rtt: number, loss: number, jitter: number, freezes: number, layer: Layer|null}} Reading rtt and jitter in milliseconds, loss 0 to 1 */

/** @type {Level[]} best first */
const LEVELS = ['good', 'fair', 'poor'];

/** The same bounds as QualityLevel::of in signaling/src/event.rs. @param {{loss: number, rtt: number}} reading @returns {Level} */
export function levelOf({ loss, rtt }) {
  if (loss > 0.1 || rtt > 500) return 'poor';
  return loss > 0.03 || rtt > 250 ? 'fair' : 'good';
}

/** @param {Level} one @param {Level} other */
export const worse = (one, other) => LEVELS[Math.max(LEVELS.indexOf(one), LEVELS.indexOf(other))] ?? one;

/** Which of a camera's three sizes a picture is: 180, 360 or 720 lines, or as many columns of an upright telephone. @param {number} width @param {number} height @returns {Layer} */
export function layerOf(width, height) {
  const short = Math.min(width, height);
  if (short < 270) return 'low';
  return short < 540 ? 'mid' : 'high';
}

/** Reads the statistics of connections; what they count since the beginning becomes what happened since the last reading. */
export class Meter {
  /** @type {Map<string, {lost: number, received: number, freezes: number}>} */ #before = new Map();

  /** @param {Iterable<any>[]} reports the values of each connection's getStats() @returns {Reading} */
  read(reports) {
    const reading = { rtt: 0, loss: 0, jitter: 0, freezes: 0, layer: /** @type {Layer|null} */ (null) };
    let [lost, received, sentLoss, largest] = [0, 0, 0, 0];
    const seen = new Map();
    reports.forEach((connection, index) => {
      for (const report of connection) {
        if (report.type === 'candidate-pair' && report.nominated) reading.rtt = Math.max(reading.rtt, (report.currentRoundTripTime ?? 0) * 1000);
        if (report.type === 'remote-inbound-rtp') sentLoss = Math.max(sentLoss, report.fractionLost ?? 0);
        if (report.type !== 'inbound-rtp') continue;
        const now = { lost: report.packetsLost ?? 0, received: report.packetsReceived ?? 0, freezes: report.freezeCount ?? 0 };
        const key = `${index} ${report.id}`;
        const before = this.#before.get(key) ?? { lost: 0, received: 0, freezes: 0 };
        seen.set(key, now);
        lost += Math.max(now.lost - before.lost, 0);
        received += Math.max(now.received - before.received, 0);
        reading.freezes += Math.max(now.freezes - before.freezes, 0);
        // A section that lies idle keeps its last jitter.
        if (now.received > before.received) reading.jitter = Math.max(reading.jitter, (report.jitter ?? 0) * 1000);
        const size = (report.frameWidth ?? 0) * (report.frameHeight ?? 0);
        if (size > largest && now.received > before.received) {
          largest = size;
          reading.layer = layerOf(report.frameWidth, report.frameHeight);
        }
      }
    });
    this.#before = seen;
    const total = lost + received;
    reading.loss = Math.max(total > 0 ? lost / total : 0, sentLoss);
    return reading;
  }
}

/** Notices what has not been well for too long. Each time it ends in vain, it waits longer: a line that passes nothing is not hammered. */
export class Patience {
  /** @type {Map<unknown, number>} */ #badSince = new Map();
  #failures = 0;

  /** @param {number} first milliseconds of patience at first @param {number} most milliseconds of patience at most */
  constructor(first, most) {
    this.first = first;
    this.most = most;
  }

  /** @param {unknown} what @param {boolean} well @param {number} now milliseconds @returns {boolean} whether it has been unwell for too long */
  isOut(what, well, now) {
    if (well) {
      this.#badSince.delete(what);
      return false;
    }
    const since = this.#badSince.get(what) ?? now;
    this.#badSince.set(what, since);
    return now - since > Math.min(this.first * 2 ** this.#failures, this.most);
  }

  /** Everything is made anew. */
  failed() {
    this.#failures += 1;
    this.#badSince.clear();
  }

  /** It works again. */
  recovered() {
    this.#failures = 0;
  }

  /** How often in a row it was in vain. */
  get failures() {
    return this.#failures;
  }

  /** Forgets what it was waiting for, not how often it was in vain. */
  forget() {
    this.#badSince.clear();
  }
}

/**
 * The wait before the next try to get the socket back, in milliseconds: quickly while the seat is kept, gently after that.
 * @param {number} attempt from 0 @param {number} lostFor milliseconds since the loss @param {number} seatKept milliseconds
 */
export const retryWait = (attempt, lostFor, seatKept) => (lostFor < seatKept ? Math.min(250 * 2 ** attempt, 3_000) : 10_000);

/**
 * Which layers to send. On a line too narrow for pictures the smallest alone, since voice goes first.
 * @param {(string|undefined)[]} rids the section's layers, smallest first
 * @param {{on: boolean, rids: string[]}} demand what is watched; without names: all
 * @param {boolean} narrow
 * @returns {boolean[]}
 */
export function wantedLayers(rids, demand, narrow) {
  const watched = rids.map((rid) => demand.on && (demand.rids.length === 0 || rid === undefined || demand.rids.includes(rid)));
  if (!narrow || rids.length < 2) return watched;
  return watched.map((_, index) => index === 0 && demand.on);
}

/**
 * What changed on the sections: what is gone, what has come.
 * @template {{member: string, kind: string}} Old
 * @template {{mid: string, member: string, kind: string}} View
 * @param {Map<string, Old>} before by section @param {View[]} now
 */
export function changedTracks(before, now) {
  const views = new Map(now.map((view) => [view.mid, view]));
  const gone = [...before].filter(([mid, old]) => views.get(mid)?.member !== old.member || views.get(mid)?.kind !== old.kind).map(([mid]) => mid);
  const come = [...views.values()].filter(({ mid }) => !before.has(mid) || gone.includes(mid));
  return { gone, come };
}

/** The hub's addresses as its description names them. @param {string} sdp @returns {{protocol: 'udp'|'tcp', address: string, port: number}[]} */
export function addressesOf(sdp) {
  return [...sdp.matchAll(/^a=candidate:\S+ 1 (udp|tcp) \d+ (\S+) (\d+) /gim)]
    .map(([, protocol, address, port]) => ({ protocol: protocol.toLowerCase() === 'tcp' ? 'tcp' : 'udp', address, port: Number(port) }));
}

/** The description with the candidates of one protocol alone. @param {string} sdp @param {'udp'|'tcp'} protocol */
export function onlyProtocol(sdp, protocol) {
  const other = protocol === 'udp' ? 'tcp' : 'udp';
  return sdp.split(/\r?\n/).filter((line) => !new RegExp(`^a=candidate:\\S+ \\d+ ${other} `, 'i').test(line)).join('\r\n');
}

/** From so many sections on, an answer is sent lean: as a browser writes it, the one for a wall has a quarter of a megabyte. */
const MANY_SECTIONS = 16;
const TRANSPORT = /^a=(ice-ufrag|ice-pwd|ice-options|fingerprint|setup):/;
const NEEDLESS = /^a=(rtcp:|rtcp-xr:|candidate:|rtcp-fb:\S+ (?!transport-cc))/;

/**
 * An answer of many bundled sections without what every one of them repeats: the transport is said once, for the session (RFC 8859), and
 * what the hub does not need at all. That its feedback for the whole line is taken (`transport-cc`) it must hear.
 * @param {string} sdp
 */
export function leanAnswer(sdp) {
  const [head, ...sections] = sdp.split(/^(?=m=)/m);
  if (sections.length < MANY_SECTIONS) return sdp;
  const lines = (/** @type {string} */ text) => text.split(/(?<=\n)/);
  const first = sections.find((section) => !/^m=\w+ 0 /.test(section)) ?? '';
  const transport = lines(first).filter((line) => TRANSPORT.test(line));
  const lean = sections.map((section) => lines(section).filter((line) => !TRANSPORT.test(line) && !NEEDLESS.test(line)));
  return [head, ...transport, ...lean.flat()].join('');
}

/**
 * What the tried ways mean, and what to ask the network's administrator for.
 * @param {{udp: boolean, tcp: boolean, relay: boolean|null}} ways relay is null where no relay is offered
 * @returns {{ok: boolean, detailKey: string, askKey: string|null}}
 */
export function verdictOf({ udp, tcp, relay }) {
  if (udp) return { ok: true, detailKey: 'selftest-network-ok', askKey: null };
  if (tcp) return { ok: true, detailKey: 'selftest-network-tcp', askKey: 'selftest-ask-udp' };
  if (relay) return { ok: true, detailKey: 'selftest-network-relay', askKey: 'selftest-ask-udp' };
  return { ok: false, detailKey: 'selftest-network-blocked', askKey: 'selftest-ask-any' };
}
