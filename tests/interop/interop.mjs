// One room of the real hub; everybody in it is of another make. Each is seen and heard by the others, and sees and hears them. See ./run.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hub, launch } from '../browser/lib/hub.mjs';
import { NodeMember } from './lib/node.mjs';
import { Program } from './lib/program.mjs';

const python = process.env.INTEROP_PYTHON ?? 'python3';
/** GStreamer's bindings are Debian's, for Debian's own Python. */
const debianPython = '/usr/bin/python3';
const here = new URL('.', import.meta.url).pathname;
const [FRAMES, ENERGY] = [20, 0.01];

let [passed, failed] = [0, 0];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function check(what, ok, detail = '') {
  ok ? (passed += 1) : (failed += 1);
  console.log(ok ? `ok   ${what}` : `FAIL ${what} ${detail}`);
}

/** Waits until `probe` gives something true; what it gave last is told when it does not. */
async function until(what, probe, ms = 15_000) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await probe()) return check(what, true);
    await sleep(200);
  }
  check(what, false, `after ${ms} ms: ${JSON.stringify(await probe.last?.())}`);
}

/** Decoded pictures and sound that is not silence. @param {() => Promise<{frames: number, energy: number}|undefined>} got */
function flows(got) {
  const probe = async () => {
    const { frames, energy } = (await got()) ?? { frames: 0, energy: 0 };
    return frames >= FRAMES && energy >= ENERGY;
  };
  probe.last = got;
  return probe;
}

/** And go on doing so from now. */
async function goesOn(what, got) {
  const before = { frames: 0, energy: 0, ...(await got()) };
  const since = async () => {
    const now = await got();
    return now && { frames: now.frames - before.frames, energy: now.energy - before.energy };
  };
  await until(what, flows(since));
}

function hasGStreamer() {
  try {
    const look = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst, GstWebRTC; Gst.init(None); "
      + "assert all(map(Gst.ElementFactory.find, ['webrtcbin', 'nicesrc', 'vp8enc', 'openh264enc', 'h264parse', 'opusenc', 'dtlssrtpdec', 'appsink']))";
    execFileSync(debianPython, ['-c', look], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('\nSKIPPED: GStreamer with webrtcbin, libnice and Python bindings is not on this machine\n');
    return false;
  }
}

const hub = await Hub.open();
// `localhost` may be asked for at ::1 first, where nobody listens.
const url = hub.facts.plain_url.replace('localhost', '127.0.0.1');

/** The interface for programs. */
async function ask(method, path, body, token) {
  const answer = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** A hearing's room, and who gives tokens to it. */
async function openRoom() {
  const { password } = hub.facts.accounts.find(({ username }) => username === 'officer.finance');
  const { token } = await ask('POST', '/api/v1/session', { username: 'officer.finance', password });
  const complaint = { series: 'GR', text: 'My bank refused my working capital loan', language: 'en', applicant: { kind: 'unit', name: 'Asha Pawar' } };
  const { number } = await ask('POST', '/api/v1/cases', complaint, token);
  await ask('POST', `/api/v1/cases/${number}/actions/attend`, { note: 'read' }, token);
  const { now } = await ask('POST', '/demo/clock', { advance: 'PT0S' });
  const starts_at = new Date(Date.parse(now) + 3_600_000).toISOString();
  const { room } = await ask('POST', `/api/v1/cases/${number}/hearings`, { medium: 'video', starts_at, control_room: 'MUM' }, token);
  // With this part nobody waits at the door.
  return { room, seat: (name) => ask('POST', `/api/v1/rooms/${room}/tokens`, { name, role: 'presiding_officer' }, token) };
}

const { room, seat } = await openRoom();
const socket = ({ token }) => `${url.replace('http', 'ws')}/rooms/${room}/signal?token=${token}`;
const http = (kind, whom) => `${url}/${kind}/${room}${whom ? `?member=${encodeURIComponent(whom.member)}` : ''}`;

const browser = await launch();
/** A page with the scripts of lib/ in it. */
async function openPage() {
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  page.on('pageerror', (error) => check('no error in Chromium', false, String(error)));
  await page.goto(`${url}/livez`);
  for (const name of ['room', 'page']) {
    await page.addScriptTag({ content: readFileSync(join(here, 'lib', `${name}.mjs`), 'utf8').replace('export class RoomClient', 'globalThis.RoomClient = class') });
  }
  return page;
}

const programs = [];
const start = (...rest) => {
  const program = new Program(...rest);
  programs.push(program);
  return program;
};

const seats = Object.fromEntries(await Promise.all(
  ['Chromium', 'Node', 'aiortc', 'GStreamer', 'GStreamer with H.264', 'Chromium by HTTP', 'aiortc player', 'GStreamer player', 'Chromium player'].map(async (name) => [name, await seat(name)]),
));
let node;
try {
  const withGStreamer = hasGStreamer();
  const chromium = await openPage();
  await chromium.evaluate((address) => globalThis.joinRoom(address), socket(seats.Chromium));
  node = new NodeMember(socket(seats.Node));
  await node.join();
  const encoders = { aiortc: start(python, 'aiortc_peer.py', 'whip', http('whip'), seats.aiortc.token) };
  if (withGStreamer) {
    encoders.GStreamer = start(debianPython, 'gstreamer_peer.py', 'whip', http('whip'), seats.GStreamer.token);
    encoders['GStreamer with H.264'] = start(debianPython, 'gstreamer_peer.py', 'whip', http('whip'), seats['GStreamer with H.264'].token, 'H264');
  }

  for (const [name, encoder] of Object.entries(encoders)) {
    const connects = async () => encoder.got.state === 'connected';
    connects.last = async () => encoder.errors;
    await until(`${name} sends by WHIP`, connects);
  }
  const senders = ['Chromium', 'Node', ...Object.keys(encoders)];
  for (const from of senders) {
    const { member } = seats[from];
    // Node's libwebrtc was built without H.264.
    if (from !== 'Node' && !from.endsWith('H.264')) await until(`Node sees and hears ${from}`, flows(async () => node.received[member]));
    if (from !== 'Chromium') await until(`Chromium sees and hears ${from}`, flows(async () => (await chromium.evaluate(() => globalThis.received()))[member]));
  }

  const players = [
    ['aiortc player', python, 'aiortc_peer.py', withGStreamer ? 'GStreamer' : 'Node'],
    ...(withGStreamer ? [['GStreamer player', debianPython, 'gstreamer_peer.py', 'Chromium']] : []),
  ];
  for (const [name, interpreter, script, whom] of players) {
    const player = start(interpreter, script, 'whep', http('whep', seats[whom]), seats[name].token);
    await until(`${name} sees and hears ${whom} by WHEP`, flows(async () => player.got));
    check(`${name} gets pictures of their size`, player.got.width === 320, player.got.width);
    check(`${name} ends by DELETE`, (await player.end()) === 200, player.errors);
  }
  const podium = start(python, 'aiortc_peer.py', 'whep', http('whep'), seats['aiortc player'].token);
  await until('a player that names nobody gets the podium', flows(async () => podium.got));
  await podium.end();
  const viewer = await openPage();
  await viewer.evaluate(async ([address, token]) => {
    globalThis.player = new globalThis.Http();
    await globalThis.player.open(address, token, 'whep');
  }, [http('whep', seats.aiortc), seats['Chromium player'].token]);
  const watched = async () => Object.values(await viewer.evaluate(() => globalThis.sections(globalThis.player.connection)))
    .reduce((sum, { frames, energy }) => ({ frames: sum.frames + frames, energy: sum.energy + energy }), { frames: 0, energy: 0 });
  await until('Chromium sees and hears aiortc by WHEP', flows(watched));
  await viewer.evaluate(() => globalThis.player.restart());
  await goesOn('Chromium restarts ICE by PATCH of its WHEP session, and goes on', watched);

  // An encoder in a page: trickle and restart, over and over.
  const encoder = await openPage();
  await encoder.evaluate(async ([address, token]) => {
    globalThis.encoder = new globalThis.Http();
    await globalThis.encoder.open(address, token, 'whip');
  }, [http('whip'), seats['Chromium by HTTP'].token]);
  const fromPage = async () => node.received[seats['Chromium by HTTP'].member];
  await until('Node sees and hears Chromium by WHIP', flows(fromPage));
  const trickled = await encoder.evaluate(async () => {
    const { encoder } = globalThis;
    const [, ufrag] = encoder.connection.localDescription.sdp.match(/^a=ice-ufrag:(.*?)\r?$/m);
    const [, pwd] = encoder.connection.localDescription.sdp.match(/^a=ice-pwd:(.*?)\r?$/m);
    const fragment = `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 9 typ host\r\n`;
    return [(await encoder.patch(encoder.tag, fragment)).status, (await encoder.patch('"older"', fragment)).status];
  });
  check('trickled candidates are taken, and refused with another tag', trickled.join() === '204,412', trickled.join());
  const used = new Set();
  for (let round = 1; round <= 3; round += 1) {
    used.add((await encoder.evaluate(() => globalThis.encoder.restart())).theirs);
    await goesOn(`Chromium restarts ICE by PATCH of its WHIP session (${round}), and goes on`, fromPage);
  }
  check('each restart has credentials of its own', used.size === 3);
  check('Chromium ends by DELETE', (await encoder.evaluate(() => globalThis.encoder.end())) === 200);
  await until('and is gone from the room', async () => ![...node.client.tracks.values()].some(({ member }) => member === seats['Chromium by HTTP'].member));

  for (const [name, program] of Object.entries(encoders)) check(`${name} ends by DELETE`, (await program.end()) === 200, program.errors);
} catch (error) {
  check('the story goes on to its end', false, error.stack);
} finally {
  node?.leave();
  for (const { child } of programs) child.kill('SIGKILL');
  await browser.close();
  await hub.kill();
}
console.log(`${passed} passed, ${failed} failed (the hub's log: ${hub.data}/hub.log)`);
process.exit(failed ? 1 : 0);
