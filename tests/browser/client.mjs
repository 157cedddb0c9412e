// The room client against a scripted hub: a socket that the test writes to, and peer connections of the same page in place of the hub's.
// What the client sends, pauses, shares, receives and makes anew is tried without any server. Run: node tests/browser/client.mjs

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { launch } from './lib/hub.mjs';
import { chapter, check, close, until } from './lib/tally.mjs';

const scripts = new URL('../../src/web/assets/js/', import.meta.url);

/** The hub of the page: answers offers, offers what the test wants received, and keeps what the client said. */
function scriptedHub() {
  const said = [];
  const hub = { said, sockets: 0, answers: true, opens: true, ends: [], offered: null };
  hub.last = (type) => said.findLast((message) => message.type === type);
  hub.count = (type) => said.filter((message) => message.type === type).length;
  hub.tell = (message) => hub.socket.onmessage({ data: JSON.stringify(message) });
  hub.welcome = () => {
    hub.tell({ type: 'welcome', me: 'me', seat: 'seat-1', notice_version: null, room: { id: 'r', session: { state: 'not_started', since: 0, recording: 'off' } }, ice_servers: [{ urls: ['stun:127.0.0.1:9'] }] });
    hub.tell({ type: 'admitted' });
  };
  // Simulcast is taken as the hub does: each layer that is offered is wanted.
  const accept = (sdp, offer) => {
    const sections = offer.split(/^(?=m=)/m).slice(1);
    return sdp.split(/^(?=m=)/m).map((section, index) => {
      const rids = [...(sections[index - 1] ?? '').matchAll(/^a=rid:(\S+) send/gm)].map(([, rid]) => rid);
      if (index === 0 || rids.length === 0 || section.includes('a=simulcast')) return section;
      return `${section}${rids.map((rid) => `a=rid:${rid} recv\r\n`).join('')}a=simulcast:recv ${rids.join(';')}\r\n`;
    }).join('');
  };
  const link = (from, to) => {
    from.onicecandidate = ({ candidate }) => { if (candidate) to.addIceCandidate(candidate).catch(() => {}); };
  };
  hub.hear = async (message) => {
    said.push(message);
    if (message.type === 'hello') hub.welcome();
    if (message.type === 'ping') hub.tell({ type: 'pong' });
    if (message.type === 'offer' && hub.answers) {
      const ours = globalThis.client.publishing;
      hub.publish = hub.publishFor === ours ? hub.publish : new RTCPeerConnection();
      if (hub.publishFor !== ours) {
        hub.publishFor = ours;
        link(hub.publish, ours);
        ours.addEventListener('icecandidate', ({ candidate }) => { if (candidate) hub.publish.addIceCandidate(candidate).catch(() => {}); });
      }
      await hub.publish.setRemoteDescription({ type: 'offer', sdp: message.sdp });
      const answer = await hub.publish.createAnswer();
      await hub.publish.setLocalDescription({ type: 'answer', sdp: accept(answer.sdp, message.sdp) });
      hub.tell({ type: 'answer', sdp: hub.publish.localDescription.sdp });
    }
    if (message.type === 'answer') await hub.subscribe.setRemoteDescription({ type: 'answer', sdp: message.sdp });
  };
  /** Offers sections that carry a moving picture each. */
  hub.offer = async (slots, tracks) => {
    hub.subscribe = new RTCPeerConnection();
    for (const slot of slots) {
      const canvas = document.createElement('canvas');
      const draw = canvas.getContext('2d');
      setInterval(() => { draw.fillStyle = `hsl(${Date.now() % 360} 50% 50%)`; draw.fillRect(0, 0, 300, 150); }, 50);
      const stream = canvas.captureStream(20);
      // Another name of a stream cannot be given to a track; the description is where it stands.
      hub.subscribe.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream] });
      hub.names = { ...hub.names, [stream.id]: slot };
    }
    await hub.subscribe.setLocalDescription(await hub.subscribe.createOffer());
    await new Promise((resolve) => { hub.subscribe.onicegatheringstatechange = () => hub.subscribe.iceGatheringState === 'complete' && resolve(); });
    let { sdp } = hub.subscribe.localDescription;
    for (const [id, slot] of Object.entries(hub.names)) sdp = sdp.replaceAll(id, slot);
    hub.tell({ type: 'offer', sdp, tracks });
    await new Promise((resolve) => { const look = setInterval(() => { if (client.subscribing?.localDescription) { clearInterval(look); resolve(); } }, 20); });
  };
  globalThis.hub = hub;
  globalThis.WebSocket = class {
    static OPEN = 1;
    readyState = 0;
    constructor(url) {
      hub.url = url;
      hub.sockets += 1;
      setTimeout(() => {
        if (hub.opens) {
          hub.socket = this;
          this.readyState = 1;
          this.onopen?.();
        } else {
          this.readyState = 3;
          this.onclose?.();
        }
      }, 5);
    }
    send(text) { setTimeout(() => hub.hear(JSON.parse(text)), 1); }
    /** As on a dead line: the good-bye is never answered. */
    close() { this.readyState = 2; }
  };
}

const server = createServer((request, response) => {
  const name = request.url.slice(1);
  if (!/^[a-z-]+\.js$/.test(name)) {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>client</title>');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/javascript' });
  response.end(readFileSync(new URL(name, scripts)));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await launch();

/** A page with the scripted hub and a client that has joined. */
async function visit() {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => check('no error on the page', false, String(error)));
  await page.addInitScript(scriptedHub);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(async () => {
    const { RoomClient } = await import('/media.js');
    const client = new RoomClient({ url: '/rooms/r/signal?token=t', renew: async () => '/rooms/r/signal?token=fresh' });
    globalThis.client = client;
    globalThis.seen = [];
    for (const name of ['state', 'track', 'trackgone', 'speakers', 'speaking', 'podium', 'quality', 'sharing', 'blocked', 'refusal']) {
      client.addEventListener(name, ({ detail }) => seen.push([name, { ...detail, track: undefined, stream: undefined }]));
    }
    await client.connect();
  });
  return page;
}
const publishOwn = (page) => page.evaluate(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } });
  await client.publish({ audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0] });
});
/** Layers that send frames, by rid, in half a second. */
const flowing = (page) => page.evaluate(async () => {
  const look = async () => {
    const frames = {};
    for (const report of (await client.publishing.getStats()).values()) {
      if (report.type === 'outbound-rtp' && report.kind === 'video') frames[`${report.mid} ${report.rid ?? '-'}`] = report.framesSent ?? 0;
    }
    return frames;
  };
  const before = await look();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await look();
  return Object.keys(after).filter((key) => after[key] > (before[key] ?? 0)).sort().join();
});
const sends = (page, what, wanted) => until(what, async () => (await flowing(page)) === wanted);
const heard = (page, type) => page.evaluate((type) => hub.last(type), type);
const events = (page, name) => page.evaluate((name) => seen.filter(([what]) => what === name).map(([, detail]) => detail), name);

await chapter('Three layers are offered, and those are sent that are watched', async () => {
  const page = await visit();
  await publishOwn(page);
  await sends(page, 'without a word of the hub all three', '1 h,1 l,1 m');
  const { sdp } = await heard(page, 'offer');
  check('the offer names the layers, smallest first', /a=simulcast:send l;m;h/.test(sdp));
  check('sound comes before picture, with error correction and without pauses', /^m=audio[^]*^m=video/m.test(sdp) && /useinbandfec=1/.test(sdp) && !/usedtx=1/.test(sdp));
  check('the hub\'s relays are used', await page.evaluate(() => client.publishing.getConfiguration().iceServers[0].urls[0] === 'stun:127.0.0.1:9'));
  const demand = (on, rids) => page.evaluate((message) => hub.tell(message), { type: 'demand', kind: 'video', on, rids });
  await demand(true, ['l']);
  await sends(page, 'the smallest alone', '1 l');
  await demand(false, []);
  await sends(page, 'none', '');
  check('and the camera rests', await page.evaluate(() => client.publisher.video.sender.track === null && client.local.video.readyState === 'live'));
  await demand(true, ['l', 'h']);
  await sends(page, 'two again', '1 h,1 l');
  await page.evaluate(() => client.setCamera(false));
  await until('the switch is told', async () => (await heard(page, 'mute'))?.kind === 'video');
  await sends(page, 'camera off: none', '');
  await demand(true, []);
  await page.evaluate(() => client.setCamera(true));
  await sends(page, 'camera on: all', '1 h,1 l,1 m');
  await page.evaluate(() => hub.tell({ type: 'line', level: 'poor', rtt_ms: 300, loss_percent: 9, bits_per_second: 60_000, audio_only: true }));
  await sends(page, 'a line for sound only: the smallest alone', '1 l');
  check('and the page is told', (await events(page, 'quality')).some((quality) => quality.audioOnly && quality.level === 'poor'));
  await page.evaluate(() => hub.tell({ type: 'line', level: 'good', rtt_ms: 30, loss_percent: 0, bits_per_second: 6_000_000, audio_only: false }));
  await sends(page, 'a good line again: all', '1 h,1 l,1 m');
  await page.context().close();
});

await chapter('A screen is the second picture', async () => {
  const page = await visit();
  await publishOwn(page);
  await sends(page, 'the camera flows', '1 h,1 l,1 m');
  const offers = await page.evaluate(() => hub.count('offer'));
  await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 1280;
    canvas.height = 720;
    const draw = canvas.getContext('2d');
    setInterval(() => { draw.fillStyle = `hsl(${Date.now() % 360} 50% 50%)`; draw.fillRect(0, 0, 1280, 720); }, 50);
    return client.shareScreen(canvas.captureStream(15).getVideoTracks()[0]);
  });
  await until('it is told', async () => (await heard(page, 'share'))?.on === true);
  await until('both flow', async () => /^1 h,1 l,1 m,2 /.test(await flowing(page)));
  const { sdp } = await heard(page, 'offer');
  check('with one more offer, one more section, after the camera\'s', (await page.evaluate(() => hub.count('offer'))) === offers + 1 && sdp.match(/^m=/gm).length === 3 && sdp.match(/^m=(\w+)/gm).join() === 'm=audio,m=video,m=video');
  check('for reading, not for movement', await page.evaluate(() => client.local.screen.contentHint === 'detail'));
  await page.evaluate(() => client.stopSharing());
  await until('the end is told', async () => (await heard(page, 'share'))?.on === false);
  await sends(page, 'the camera goes on alone', '1 h,1 l,1 m');
  check('the page is told of both', JSON.stringify(await events(page, 'sharing')) === '[{"on":true},{"on":false}]');
  await page.context().close();
});

await chapter('What comes on a section changes without an offer', async () => {
  const page = await visit();
  const view = (mid, member, kind = 'video') => ({ mid, member, kind });
  await page.evaluate((tracks) => hub.offer(['podium', 'tile-1'], tracks), [view('0', 'anil'), view('1', 'bina')]);
  await until('frames arrive', () => page.evaluate(async () => [...(await client.subscribing.getStats()).values()].filter((report) => report.framesDecoded > 5).length === 2));
  check('two are seen, in named places', (await events(page, 'track')).map(({ member, kind, slot }) => `${member} ${kind} ${slot}`).join() === 'anil video podium,bina video tile-1', JSON.stringify(await events(page, 'track')));
  await page.evaluate((tracks) => hub.tell({ type: 'tracks', tracks }), [view('0', 'chitra'), view('1', 'bina')]);
  await until('another member takes the podium', async () => (await events(page, 'track')).at(-1).member === 'chitra');
  check('the old one is gone, the other stays', (await events(page, 'trackgone')).map(({ member }) => member).join() === 'anil');
  await page.evaluate((tracks) => hub.tell({ type: 'tracks', tracks }), [view('1', 'bina', 'screen')]);
  await until('a section lies idle, another carries a screen', async () => (await events(page, 'trackgone')).length === 3 && (await events(page, 'track')).at(-1).kind === 'screen');
  check('all of it without an answer more', (await page.evaluate(() => hub.count('answer'))) === 1);
  await page.evaluate(() => {
    hub.tell({ type: 'speakers', active: 'bina', loud: ['bina', 'anil'] });
    hub.tell({ type: 'podium', member: 'bina', by: 'speaker' });
  });
  check('speakers and podium are told', (await events(page, 'speakers')).at(-1).loud.length === 2 && (await events(page, 'podium')).at(-1).by === 'speaker' && (await events(page, 'speaking')).at(-1).member === 'bina');
  await page.evaluate(() => client.setView({ layout: 'wall', tiles: 120, pinned: 'bina' }));
  await until('the view is asked for', async () => JSON.stringify(await heard(page, 'view')) === '{"type":"view","layout":"wall","tiles":120,"pinned":"bina"}');
  await page.context().close();
});

await chapter('A lost answer, a dead socket and an old token do not end the visit', async () => {
  const page = await visit();
  await page.evaluate(() => { hub.answers = false; client.setView({ layout: 'grid' }); });
  await publishOwn(page);
  await until('an offer is sent', async () => (await page.evaluate(() => hub.count('offer'))) === 1);
  await until('without an answer everything is made anew', async () => (await page.evaluate(() => hub.count('hello'))) === 2, 15_000);
  check('with the seat token', (await heard(page, 'hello')).resume === 'seat-1');
  await until('and offered again', async () => (await page.evaluate(() => hub.count('offer'))) === 2);
  check('the view is asked for again', (await page.evaluate(() => hub.count('view'))) === 2);
  await page.evaluate(() => { hub.answers = true; });
  await until('the second time in vain is told as a closed network', async () => (await events(page, 'blocked')).at(-1)?.on === true, 30_000);
  await sends(page, 'with an answer media flows', '1 h,1 l,1 m');
  await until('and the network is open again', async () => (await events(page, 'blocked')).at(-1)?.on === false);
  // The network changes, and the old socket says nothing any more.
  await page.evaluate(() => {
    hub.socket.send = (text) => hub.said.push(JSON.parse(text));
    hub.opens = false;
    dispatchEvent(new Event('online'));
  });
  await until('a silent socket is given up', async () => (await events(page, 'state')).at(-1).state === 'reconnecting');
  await until('a fresh address is asked for when the hub does not open', async () => (await page.evaluate(() => hub.url)).endsWith('token=fresh'));
  await page.evaluate(() => { hub.opens = true; });
  await until('and leads back', async () => (await events(page, 'state')).at(-1).state === 'in_room');
  await sends(page, 'media flows', '1 h,1 l,1 m');
  await page.context().close();
});

await browser.close();
server.close();
process.exit(close());
