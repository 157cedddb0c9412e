// @ts-check
/** The test before a hearing: camera, microphone, and which ways through this network lead to the hub. No user interface. */

import { addressesOf, onlyProtocol, verdictOf } from './line.js';

/** @typedef {{udp: boolean, tcp: boolean, relay: boolean|null}} Ways relay is null where no relay is offered */
/** @typedef {{ok: boolean, detailKey: string, askKey?: string|null, ways?: Ways, host?: string, port?: number}} Network */

/** A way that has not come up by then counts as closed, in milliseconds. */
const WAY_PATIENCE_MS = 8_000;

/**
 * Tries camera, microphone and the ways to the hub, before a hearing. Nothing is sent to anybody; the tracks are stopped at the end.
 *
 * A way to the hub is tried with an SDP offer posted to `probeUrl`, which answers the SDP that MediaServer::probe gives; without an
 * address the network stays untested.
 * @param {{onStep?: (step: {name: 'camera'|'microphone'|'network', ok: boolean, detailKey: string, level?: number} & Partial<Network>) => void,
 *   probeUrl?: string, iceServers?: RTCIceServer[]}} [options]
 */
export async function selfTest({ onStep = () => {}, probeUrl, iceServers = [] } = {}) {
  const result = { camera: false, microphone: false, network: /** @type {Network} */ ({ ok: false, detailKey: 'selftest-network-untested' }) };
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
  if (probeUrl) result.network = await tryNetwork(probeUrl, iceServers);
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

/**
 * Three trial connections at once: by UDP alone, by TCP alone, and through a relay if there is one.
 * @param {string} probeUrl @param {RTCIceServer[]} iceServers @returns {Promise<Network>}
 */
async function tryNetwork(probeUrl, iceServers) {
  const hasRelay = iceServers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
  const trials = await Promise.all([
    tryWay(probeUrl, {}, 'udp'),
    tryWay(probeUrl, {}, 'tcp'),
    hasRelay ? tryWay(probeUrl, { iceServers, iceTransportPolicy: 'relay' }, null) : null,
  ]);
  const [udp, tcp, relay] = trials;
  if (trials.every((trial) => !trial?.answer)) return { ok: false, detailKey: 'selftest-network-hub' };
  const ways = { udp: udp?.open ?? false, tcp: tcp?.open ?? false, relay: relay ? relay.open : null };
  const [address] = addressesOf(trials.find((trial) => trial?.answer)?.answer ?? '');
  return { ...verdictOf(ways), ways, host: address?.address, port: address?.port };
}

/**
 * One trial connection. @param {string} probeUrl @param {RTCConfiguration} configuration
 * @param {'udp'|'tcp'|null} protocol the only one that the hub's addresses are taken of; null: any
 * @returns {Promise<{open: boolean, answer: string|null}>} `answer` is null when the hub did not speak
 */
async function tryWay(probeUrl, configuration, protocol) {
  const connection = new RTCPeerConnection(configuration);
  let answer = null;
  try {
    connection.addTransceiver('audio', { direction: 'sendonly' });
    await connection.setLocalDescription(await connection.createOffer());
    const said = await fetch(probeUrl, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: connection.localDescription?.sdp });
    if (!said.ok) return { open: false, answer };
    answer = await said.text();
    if (protocol && !addressesOf(answer).some((address) => address.protocol === protocol)) return { open: false, answer };
    await connection.setRemoteDescription({ type: 'answer', sdp: protocol ? onlyProtocol(answer, protocol) : answer });
    return { open: await comesUp(connection), answer };
  } catch {
    return { open: false, answer };
  } finally {
    connection.close();
  }
}

/** @param {RTCPeerConnection} connection @returns {Promise<boolean>} */
function comesUp(connection) {
  return new Promise((resolve) => {
    const end = setTimeout(() => resolve(false), WAY_PATIENCE_MS);
    connection.onconnectionstatechange = () => {
      if (connection.connectionState !== 'connected' && connection.connectionState !== 'failed') return;
      clearTimeout(end);
      resolve(connection.connectionState === 'connected');
    };
  });
}
