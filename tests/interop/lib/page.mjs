// What a page does here, in Chromium: it is put into the page with lib/room.mjs before it.
/* global RoomClient */

/** A camera and a microphone that are not there; the sound is a tone, since the browser's own beeps only now and then. */
async function devices() {
  const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240, frameRate: 15 } });
  const context = new AudioContext();
  const tone = context.createOscillator();
  const out = context.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  await context.resume();
  return [...out.stream.getAudioTracks(), ...camera.getVideoTracks()];
}

/** Sound that nobody plays is not decoded either. */
function play(track) {
  if (track.kind !== 'audio') return;
  const speaker = new Audio();
  speaker.srcObject = new MediaStream([track]);
  speaker.play();
}

globalThis.joinRoom = async (url) => {
  globalThis.client = new RoomClient(url, globalThis);
  globalThis.client.ontrack = play;
  await globalThis.client.join(await devices());
};

/** What came on each section so far. */
globalThis.sections = async (connection) => {
  const found = {};
  for (const report of (await connection.getStats()).values()) {
    if (report.type !== 'inbound-rtp') continue;
    found[report.mid] = { frames: report.framesDecoded ?? 0, energy: report.totalAudioEnergy ?? 0 };
  }
  return found;
};

/** By member. */
globalThis.received = async () => {
  const sum = {};
  const { subscribing, tracks } = globalThis.client;
  if (!subscribing) return sum;
  for (const [mid, { frames, energy }] of Object.entries(await globalThis.sections(subscribing))) {
    const member = tracks.get(mid)?.member;
    if (!member) continue;
    sum[member] ??= { frames: 0, energy: 0 };
    sum[member].frames += frames;
    sum[member].energy += energy;
  }
  return sum;
};

const connected = (connection) => new Promise((resolve) => {
  const look = () => connection.connectionState === 'connected' && resolve();
  connection.addEventListener('connectionstatechange', look);
  look();
});

/** An encoder or a player in a page, by fetch alone. */
globalThis.Http = class {
  async open(url, token, kind) {
    this.headers = { authorization: `Bearer ${token}` };
    this.connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    if (kind === 'whip') for (const track of await devices()) this.connection.addTransceiver(track, { direction: 'sendonly' });
    else for (const media of ['audio', 'video']) this.connection.addTransceiver(media, { direction: 'recvonly' });
    this.connection.ontrack = ({ track }) => play(track);
    await this.connection.setLocalDescription();
    const answer = await fetch(url, { method: 'POST', headers: { ...this.headers, 'content-type': 'application/sdp' }, body: this.connection.localDescription.sdp });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    this.session = new URL(answer.headers.get('location'), url);
    this.tag = answer.headers.get('etag');
    await this.connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    await connected(this.connection);
  }

  async patch(tag, fragment) {
    return fetch(this.session, { method: 'PATCH', headers: { ...this.headers, 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': tag }, body: fragment });
  }

  /** RFC 9725, 4.3.3: our new credentials in a fragment, the hub's put into its old answer. */
  async restart() {
    const answer = this.connection.remoteDescription.sdp;
    await this.connection.setLocalDescription(await this.connection.createOffer({ iceRestart: true }));
    const of = (sdp, name) => sdp.match(new RegExp(`^a=${name}:(.*?)\r?$`, 'm'))[1];
    const { sdp } = this.connection.localDescription;
    const fragment = ['ice-ufrag', 'ice-pwd'].map((name) => `a=${name}:${of(sdp, name)}\r\n`).join('');
    const restarted = await this.patch('*', fragment);
    if (restarted.status !== 200) throw new Error(`${restarted.status} ${await restarted.text()}`);
    const theirs = await restarted.text();
    this.tag = restarted.headers.get('etag');
    const renewed = ['ice-ufrag', 'ice-pwd'].reduce((text, name) => text.replace(new RegExp(`^a=${name}:.*$`, 'gm'), `a=${name}:${of(theirs, name)}`), answer);
    await this.connection.setRemoteDescription({ type: 'answer', sdp: renewed });
    return { ours: of(sdp, 'ice-ufrag'), theirs: of(theirs, 'ice-ufrag') };
  }

  async end() {
    const ended = await fetch(this.session, { method: 'DELETE', headers: this.headers });
    this.connection.close();
    return ended.status;
  }
};
