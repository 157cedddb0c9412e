// The room client on the engine itself, by the media example: layers that nobody watches rest, a screen is shown, a small room becomes a
// large one whose sections change hands without an offer, and a wall of a hundred and twenty is answered in one message.
// Run: cargo build -p signaling --example room && node tests/browser/conference.mjs [path of the example]

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launch } from './lib/hub.mjs';
import { chapter, check, close, until } from './lib/tally.mjs';

const example = process.argv[2] ?? `${process.env.CARGO_TARGET_DIR ?? 'target'}/debug/examples/room`;
const hub = spawn(example, ['127.0.0.1:0', '127.0.0.1:0', mkdtempSync(join(tmpdir(), 'conference-'))], { stdio: ['ignore', 'pipe', 'inherit'] });
const url = await new Promise((resolve) => {
  createInterface({ input: hub.stdout }).on('line', (line) => { if (line.startsWith('http')) resolve(line.split(' ')[0]); });
});
const browser = await launch();

/** Keeps what goes over the socket, and its size. */
function listen() {
  globalThis.said = [];
  globalThis.heard = [];
  const Plain = globalThis.WebSocket;
  globalThis.WebSocket = class extends Plain {
    constructor(address) {
      super(address);
      this.addEventListener('message', ({ data }) => heard.push({ ...JSON.parse(data), size: data.length }));
    }
    send(text) {
      said.push({ ...JSON.parse(text), size: text.length });
      super.send(text);
    }
  };
}

async function open(query) {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => check('no error on the page', false, String(error)));
  await page.addInitScript(listen);
  await page.goto(`${url}/?${new URLSearchParams({ room: 'c', admitted: 1, ...query })}`);
  await until(`${query.member} is in`, () => page.evaluate(() => window.client?.state === 'in_room'));
  return page;
}
/** What is received of whom: `member kind slot` and the frames so far. */
const received = (page) => page.evaluate(async () => {
  const frames = {};
  for (const report of (await client.subscribing?.getStats() ?? new Map()).values()) if (report.type === 'inbound-rtp') frames[report.mid] = report.framesDecoded ?? 0;
  return [...client.received].map(([mid, { member, kind, slot }]) => ({ member, kind, slot, frames: frames[mid] ?? 0 }));
});
const framesOf = async (page, member, kind) => (await received(page)).find((one) => one.member === member && one.kind === kind)?.frames ?? 0;
const grows = async (page, what, member, kind = 'video', least = 15) => {
  await until(what, async () => (await framesOf(page, member, kind)) > 0);
  const before = await framesOf(page, member, kind);
  await until(`${what}, on and on`, async () => (await framesOf(page, member, kind)) > before + least);
};
const sent = (page) => page.evaluate(async () => {
  const look = async () => Object.fromEntries([...(await client.publishing.getStats()).values()]
    .filter((report) => report.type === 'outbound-rtp' && report.kind === 'video').map((report) => [`${report.mid}${report.rid ?? ''}`, report.framesSent ?? 0]));
  const before = await look();
  await new Promise((resolve) => setTimeout(resolve, 700));
  return Object.entries(await look()).filter(([key, frames]) => frames > (before[key] ?? 0)).map(([key]) => key).sort().join();
});
const count = (page, what, type) => page.evaluate(([what, type]) => globalThis[what].filter((message) => message.type === type).length, [what, type]);
const refusals = (page) => page.evaluate(() => seen.filter(([name]) => name === 'refusal').map(([, { code }]) => code));

/** Members whose cameras are offered and never come: they fill a room. One page speaks for all of them. */
const crowd = await (await browser.newContext()).newPage();
await crowd.goto(`${url}/line.js`);
const fill = (from, to) => crowd.evaluate(async ([address, from, to]) => {
  const connection = new RTCPeerConnection();
  for (const kind of ['audio', 'video']) connection.addTransceiver(kind, { direction: 'sendonly' });
  const { sdp } = await connection.createOffer();
  await Promise.all(Array.from({ length: to - from }, (_, n) => new Promise((resolve, reject) => {
  const socket = new WebSocket(`${address}/rooms/c/signal?member=x${from + n}&role=party&admitted=1`);
  socket.onerror = reject;
  socket.onopen = () => socket.send('{"type":"hello"}');
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'welcome') socket.send(JSON.stringify({ type: 'acknowledge', version: message.notice_version }));
    if (message.type === 'admitted') socket.send(JSON.stringify({ type: 'offer', sdp }));
    if (message.type === 'answer') resolve(undefined);
  };
})));
}, [url.replace('http', 'ws'), from, to]);

let officer;
let party;

await chapter('Layers follow what is watched', async () => {
  officer = await open({ member: 'officer', role: 'presiding_officer', hd: 1 });
  party = await open({ member: 'party', role: 'party', hd: 1, tone: 1 });
  await grows(officer, 'the officer sees the party', 'party');
  await grows(party, 'the party sees the officer', 'officer');
  await until('the largest layer comes', () => officer.evaluate(async () => [...(await client.subscribing.getStats()).values()].some((report) => report.frameHeight >= 700)), 40_000);
  await officer.evaluate(() => client.setView({ layout: 'audio' }));
  await until('nobody watches: the camera rests', async () => (await sent(party)) === '', 30_000);
  const before = (await received(officer)).length;
  await officer.evaluate(() => client.setView({ layout: 'podium' }));
  await until('it is watched again', async () => (await sent(party)) !== '', 30_000);
  await grows(officer, 'and seen', 'party');
  check('sound went on', before >= 1, `${before} sections`);
});

await chapter('A screen is shown and taken away', async () => {
  await party.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
    const draw = canvas.getContext('2d');
    setInterval(() => { draw.fillStyle = `hsl(${Date.now() % 360} 50% 50%)`; draw.fillRect(0, 0, 1280, 720); }, 100);
    return client.shareScreen(canvas.captureStream(10).getVideoTracks()[0]);
  });
  await grows(officer, 'the officer sees the screen', 'party', 'screen', 5);
  await grows(officer, 'and the face', 'party');
  await until('everybody knows', () => officer.evaluate(() => client.members.some((member) => member.id === 'party' && member.screen)));
  await party.evaluate(() => client.stopSharing());
  await until('the screen is gone', async () => !(await received(officer)).some(({ kind }) => kind === 'screen'));
  await grows(officer, 'the face stays', 'party');
  await party.evaluate(() => client.setCamera(false));
  await until('the camera is off', () => officer.evaluate(() => client.members.some((member) => member.id === 'party' && !member.video)));
  await party.evaluate(() => client.setCamera(true));
  await grows(officer, 'and on again', 'party');
});

await chapter('A large room changes hands without an offer', async () => {
  const third = await open({ member: 'third', role: 'party', hd: 1 });
  await fill(0, 8);
  await until('the room has places', async () => (await received(officer)).some(({ slot, kind }) => slot === 'podium' && kind === 'video'), 30_000);
  const podium = async () => (await received(officer)).find(({ slot, kind }) => slot === 'podium' && kind === 'video')?.member;
  for (const member of ['third', 'party', 'third']) {
    await officer.evaluate((id) => client.pin(id), member);
    await until(`${member} stands on the podium`, async () => (await podium()) === member);
    await grows(officer, `${member} is seen there`, member);
  }
  const offers = await count(officer, 'heard', 'offer');
  await officer.evaluate(() => client.pin('party'));
  await until('the podium changes hands', async () => (await podium()) === 'party');
  check('by a list alone', (await count(officer, 'heard', 'offer')) === offers, `${offers} offers`);
  check('who stands there is told', await officer.evaluate(() => window.last.podium.member === 'party' && window.last.podium.by === 'chair'));
  check('the party may not pin', await party.evaluate(async () => {
    client.pin('party');
    await new Promise((resolve) => setTimeout(resolve, 500));
    return seen.some(([name, detail]) => name === 'refusal' && detail.code === 'not_allowed');
  }));
  await third.close();
});

await chapter('A wall of a hundred and twenty', async () => {
  await fill(8, 117);
  await officer.evaluate(() => client.setView({ layout: 'wall', tiles: 120 }));
  await until('everybody is in the list', () => officer.evaluate(() => client.members.length >= 119), 40_000);
  await grows(officer, 'those with a camera are seen', 'party');
  const largest = await officer.evaluate(() => ({ offer: Math.max(...heard.filter(({ type }) => type === 'offer').map(({ size }) => size)), answer: Math.max(...said.filter(({ type }) => type === 'answer').map(({ size }) => size)), sections: client.subscribing.getTransceivers().length }));
  check('nothing was refused', (await refusals(officer)).length === 0, `${JSON.stringify(largest)} ${await refusals(officer)}`);
});

await browser.close();
hub.kill('SIGKILL');
process.exit(close());
