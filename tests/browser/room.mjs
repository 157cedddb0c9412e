// Two Chromium pages with fake devices in one room of the media example: they see and hear each other through the hub, the recording is
// whole, also after kill -9. Run: cargo build -p signaling --example room && node tests/browser/room.mjs [path of the example]
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const example = process.argv[2] ?? `${process.env.CARGO_TARGET_DIR ?? 'target'}/debug/examples/room`;
const folder = mkdtempSync(join(tmpdir(), 'room-'));
let failed = 0;
let passed = 0;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function check(what, ok, detail = '') {
  ok ? (passed += 1) : (failed += 1);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what} ${detail}`);
}

/** Waits until `probe` gives something true. */
async function until(what, probe, ms = 15_000) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    last = await probe();
    if (last) {
      check(what, true);
      return last;
    }
    await sleep(100);
  }
  check(what, false, `after ${ms} ms`);
  return last;
}

async function startHub() {
  const child = spawn(example, ['127.0.0.1:0', '127.0.0.1:0', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = [];
  const url = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('http')) resolve(line.split(' ')[0]);
    });
  });
  return { child, url, lines };
}

const hub = await startHub();
let url = hub.url;
const ask = async (query) => (await fetch(`${url}/do?${new URLSearchParams(query)}`)).text();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});

async function open(query, prepare) {
  const page = await (await browser.newContext()).newPage();
  if (prepare) await page.addInitScript(prepare);
  page.on('pageerror', (error) => check('no error on the page', false, String(error)));
  await page.goto(`${url}/?${new URLSearchParams(query)}`);
  return page;
}
const state = (page) => page.evaluate(() => window.client?.state);
const received = (page) => page.evaluate(async () => {
  const out = { frames: 0, audio: 0, ssrc: 0 };
  for (const report of (await window.client.subscribing?.getStats() ?? new Map()).values()) {
    if (report.type !== 'inbound-rtp') continue;
    if (report.kind === 'video') out.frames += report.framesDecoded ?? 0;
    else out.audio += report.packetsReceived ?? 0;
  }
  return out;
});
const ffprobe = (...rest) => execFileSync('ffprobe', ['-v', 'error', ...rest]).toString();

/** Length of each stream in seconds, by its first and last packet; and what ffmpeg complains of when it decodes everything. */
function measure(file) {
  const spans = {};
  for (const line of ffprobe('-show_entries', 'packet=codec_type,pts_time', '-of', 'csv=p=0', file).trim().split('\n')) {
    const [kind, time] = line.split(',');
    spans[kind] ??= [Number(time), Number(time)];
    spans[kind][1] = Number(time);
  }
  const complaints = execFileSync('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-'], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  return { spans, complaints };
}

function checkFolder(name, least) {
  for (const file of readdirSync(join(folder, name)).filter((n) => /\.(webm|mkv)$/.test(n))) {
    const { spans, complaints } = measure(join(folder, name, file));
    const length = (kind) => (spans[kind] ? spans[kind][1] - spans[kind][0] : 0);
    check(`${name}/${file}: sound and picture within 0.5 s`, Math.abs(length('audio') - length('video')) < 0.5 && length('audio') > least,
      `audio ${spans.audio} video ${spans.video} ${statSync(join(folder, name, file)).size} bytes`);
    check(`${name}/${file}: begin and end together`, Math.abs(spans.audio?.[0] - spans.video?.[0]) < 0.5 && Math.abs(spans.audio?.[1] - spans.video?.[1]) < 0.5);
    check(`${name}/${file}: ffmpeg has no complaint`, complaints === '', complaints);
  }
}

/** Plays each file a little, jumps to near its end, and goes on playing there. */
async function plays(player, name, files, type) {
  for (const file of files) {
    const data = readFileSync(join(folder, name, file.name)).toString('base64');
    const played = await player.evaluate(async ([data, type]) => {
      const video = document.createElement('video');
      video.muted = true;
      video.src = URL.createObjectURL(await (await fetch(`data:${type};base64,${data}`)).blob());
      await video.play();
      const { duration } = video;
      await new Promise((resolve) => setTimeout(resolve, 700));
      video.currentTime = duration - 2;
      await new Promise((resolve) => (video.onseeked = resolve));
      await new Promise((resolve) => setTimeout(resolve, 500));
      return { duration, at: video.currentTime, width: video.videoWidth, error: video.error?.message };
    }, [data, type]);
    check(`${file.name} plays and jumps in the browser`, played.width > 0 && played.at > played.duration - 1.9 && !played.error, JSON.stringify(played));
  }
}

try {
  const officer = await open({ room: 'a', member: 'officer', role: 'presiding_officer', admitted: 1 });
  await until('the officer is in at once', async () => (await state(officer)) === 'in_room');
  const party = await open({ room: 'a', member: 'party', role: 'party', tone: 1 });
  await until('the party waits', async () => (await state(party)) === 'waiting');
  await sleep(1_000);
  check('nothing reaches who waits', (await received(party)).audio === 0 && (await received(officer)).audio === 0);
  check('the recording starts', (await ask({ room: 'a', command: 'record', name: 'one' })) === 'Ok(Done)');
  await ask({ room: 'a', command: 'session', state: 'in_session' });
  check('the party is admitted', (await ask({ room: 'a', command: 'admit', member: 'party' })) === 'Ok(Done)');
  for (const [name, page] of Object.entries({ officer, party })) {
    await until(`${name} sees pictures and hears sound`, async () => {
      const got = await received(page);
      return got.frames > 10 && got.audio > 20;
    });
    const before = await received(page);
    await sleep(2_000);
    const after = await received(page);
    check(`${name}: framesDecoded grows`, after.frames - before.frames > 25, `${before.frames} -> ${after.frames} in 2 s`);
  }

  const beforeRestart = await received(officer);
  await party.evaluate(() => window.client.restart());
  await sleep(3_000);
  const afterRestart = await received(officer);
  check('ICE restart: pictures go on', afterRestart.frames - beforeRestart.frames > 40, `${beforeRestart.frames} -> ${afterRestart.frames} in 3 s`);

  await party.evaluate(() => window.client.socket.close());
  await until('a lost socket comes back to the seat', async () =>
    (await party.evaluate(() => window.seen.filter(([n, d]) => n === 'state' && d.state === 'reconnecting').length > 0)) && (await state(party)) === 'in_room');
  const low = await received(officer);
  await until('the officer sees the party again', async () => (await received(officer)).frames > low.frames + 25);

  await party.evaluate(() => window.client.setMicrophone(false));
  await until('the switch is told', async () => officer.evaluate(() => window.last.members?.members.some((m) => m.id === 'party' && !m.audio)));
  const muted = await received(officer);
  await sleep(1_000);
  check('no sound of a muted member', (await received(officer)).audio - muted.audio < 5);
  await party.evaluate(() => window.client.setMicrophone(true));
  await until('and it comes back', async () => (await received(officer)).audio > muted.audio + 20);

  const second = await (await party.context()).newPage();
  await second.goto(party.url());
  await until('a second tab takes the seat', async () => (await state(second)) === 'in_room' && (await state(party)) === 'replaced');
  const taken = await received(officer);
  await until('the officer sees the new tab', async () => (await received(officer)).frames > taken.frames + 25);
  await sleep(1_000);

  check('who speaks is told', await officer.evaluate(() => window.seen.some(([n, d]) => n === 'speaking' && d.member === 'party')));
  check('the line is good', await officer.evaluate(() => window.last.quality?.level === 'good'));

  const stopped = await ask({ room: 'a', command: 'stop' });
  check('the recording stops', stopped.startsWith('Ok(Recorded'), stopped.slice(0, 120));
  checkFolder('one', 8);
  const report = JSON.parse(await ask({ room: 'a', command: 'verify', name: 'one' }));
  check('the recording verifies', report.complete && report.tail.length === 0 && report.files.length === 2, `${report.lines} lines, ${report.events} events`);

  const player = await open({ room: 'b', member: 'x', role: 'observer', silent: 1 });
  await plays(player, 'one', report.files, 'video/webm');
  const tested = await player.evaluate(() => window.selfTest({ probeUrl: '/probe' }));
  check('the self-test finds camera, microphone and the way', tested.camera && tested.microphone && tested.network.ok, JSON.stringify(tested));

  // H.264 alone, as some telephones do.
  const h264 = () => {
    const add = RTCPeerConnection.prototype.addTransceiver;
    RTCPeerConnection.prototype.addTransceiver = function (kind, init) {
      const transceiver = add.call(this, kind, init);
      const codecs = RTCRtpSender.getCapabilities('video').codecs.filter((c) => c.mimeType === 'video/H264' && c.sdpFmtpLine.includes('packetization-mode=1'));
      if (kind === 'video') transceiver.setCodecPreferences(codecs);
      return transceiver;
    };
  };
  const sender = await open({ room: 'h', member: 'sender', role: 'presiding_officer', admitted: 1 }, h264);
  const viewer = await open({ room: 'h', member: 'viewer', role: 'observer', admitted: 1, silent: 1 });
  await ask({ room: 'h', command: 'record', name: 'h264' });
  await until('H.264 pictures arrive', async () => (await received(viewer)).frames > 60);
  await sleep(3_000);
  await ask({ room: 'h', command: 'stop' });
  const mkv = JSON.parse(await ask({ room: 'h', command: 'verify', name: 'h264' }));
  check('and are kept as Matroska', mkv.complete && mkv.files.length === 1 && mkv.files[0].name.endsWith('.mkv'), mkv.files.map((f) => f.name).join());
  checkFolder('h264', 3);
  await plays(player, 'h264', mkv.files, 'video/x-matroska');
  await sender.close();
  await viewer.close();

  // An office whose firewall passes TCP alone.
  const tcpOnly = () => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
      return set.call(this, { type, sdp: sdp.replace(/a=candidate:\S+ 1 udp .*\r\n/g, '') });
    };
  };
  const office = await open({ room: 't', member: 'office', role: 'presiding_officer', admitted: 1 }, tcpOnly);
  const home = await open({ room: 't', member: 'home', role: 'presiding_officer', admitted: 1 });
  for (const [name, page] of Object.entries({ office, home })) await until(`by TCP alone: ${name} sees pictures`, async () => (await received(page)).frames > 40);
  const protocols = await office.evaluate(async () => {
    const reports = await window.client.subscribing.getStats();
    return [...reports.values()].filter((r) => r.type === 'candidate-pair' && r.nominated).map((r) => reports.get(r.localCandidateId).protocol);
  });
  check('and it is TCP', protocols.join() === 'tcp', protocols.join());
  await office.close();
  await home.close();

  // The same again, ended by kill -9.
  await ask({ room: 'a', command: 'record', name: 'two' });
  await sleep(6_000);
  console.log((await (await fetch(`${url}/counters`)).text()));
  hub.child.kill('SIGKILL');
  await sleep(300);
  const again = await startHub();
  url = again.url;
  const cut = await ask({ room: 'a', command: 'verify', name: 'two' });
  const after = cut.startsWith('{') ? JSON.parse(cut) : { files: [] };
  check('a killed recording verifies', after.files.length === 2 && !after.complete && after.end_ms > 4_800, `${cut.slice(-300)} (${after.end_ms} ms)`);
  checkFolder('two', 4);
  again.child.kill();
} finally {
  await browser.close();
  hub.child.kill('SIGKILL');
}
console.log(`${passed} passed, ${failed} failed (recordings in ${folder})`);
process.exit(failed ? 1 : 0);
