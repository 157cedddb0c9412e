// An office that lets out nothing but TLS to one port: both people of a hearing reach the hub through a TURN server, and nobody else gets
// anything from that server. The hub is the one of production, the server is coturn with the configuration that we ship.
// Run: cargo build --bin champions-hub && node tests/turn/relay.mjs

import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '../browser/node_modules/playwright-core/index.mjs';
import { binary, person, received } from '../browser/lib/hub.mjs';
import { chapter, check, close, until } from '../browser/lib/tally.mjs';

// Certificates of this test are nobody's.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const PASSWORD = 'a long password for tests';
const SECRET = randomBytes(32).toString('hex');
const LIFE_SECONDS = 600;

const folder = mkdtempSync(join(tmpdir(), 'turn-'));
const children = [];

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

const freeUdpPort = () => new Promise((resolve) => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
    const { port } = socket.address();
    socket.close(() => resolve(port));
  });
});

const [https, priv, media, turn, turns] = await Promise.all([freePort(), freePort(), freeUdpPort(), freePort(), freePort()]);
const url = `https://localhost:${https}`;
const relay = `turns:localhost:${turns}?transport=tcp`;

function run(program, args, options = {}) {
  const done = spawnSync(program, args, { encoding: 'utf8', ...options });
  return { status: done.status, text: `${done.stdout}${done.stderr}` };
}

function must(program, args, options) {
  const done = run(program, args, options);
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.text}`);
  return done.text;
}

/** A program that runs beside us, and whose words go to a file. */
function start(name, program, args, environment = {}) {
  const log = createWriteStream(join(folder, `${name}.log`), { flags: 'a' });
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  children.push(child);
  return child;
}

const log = (name) => readFileSync(join(folder, `${name}.log`), 'utf8');

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

function certificate() {
  must('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]);
}

/** The configuration that we ship, with this test's addresses, ports, files and secret in place of its own. */
function startTurnServer() {
  const own = {
    'static-auth-secret': SECRET,
    'listening-port': turn,
    'tls-listening-port': turns,
    cert: join(folder, 'certificate.pem'),
    pkey: join(folder, 'key.pem'),
    'allowed-peer-ip': '127.0.0.1',
    'log-file': 'stdout',
  };
  const lines = readFileSync('deploy/turnserver.conf', 'utf8').split('\n').map((line) => {
    const [key] = line.split('=');
    if (!(key in own)) return line;
    const changed = `${key}=${own[key]}`;
    delete own[key];
    return changed;
  });
  if (Object.keys(own).length > 0) throw new Error(`deploy/turnserver.conf lacks ${Object.keys(own)}`);
  // Nothing but loopback is there in this test; in production loopback peers stay forbidden.
  lines.push('listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', 'allow-loopback-peers', `pidfile=${join(folder, 'turnserver.pid')}`,
    `userdb=${join(folder, 'turndb')}`, 'verbose');
  writeFileSync(join(folder, 'turnserver.conf'), lines.join('\n'));
  return start('coturn', 'turnserver', ['-c', join(folder, 'turnserver.conf')]);
}

function configure() {
  writeFileSync(join(folder, 'config.toml'), `
[server]
listen = "127.0.0.1:${https}"
public_url = "${url}"
tls_certificate = "${folder}/certificate.pem"
tls_key = "${folder}/key.pem"
private_listen = "127.0.0.1:${priv}"
[database]
url = "sqlite:${folder}/hub.db"
[media]
listen = "127.0.0.1:${media}"
public_addresses = ["127.0.0.1"]
[media.turn]
urls = ["${relay}"]
ttl_seconds = ${LIFE_SECONDS}
[storage]
data_dir = "${folder}/data"
min_free_gb = 0
`);
}

const withSecret = { HUB_MEDIA__TURN__SECRET: SECRET };
const hub = (args, environment = withSecret, more = {}) =>
  run(binary, [...args, '--config', join(folder, 'config.toml')], { env: { ...process.env, ...environment }, ...more });

let bearer;
async function ask(path, body) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** A page of the hub whose connections may use relays alone, and which keeps what the hub said on its socket. */
async function behindTheWall(browser) {
  const someone = await person(browser, { permissions: ['camera', 'microphone'] });
  await someone.context.addInitScript(() => {
    const Plain = globalThis.RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Plain {
      constructor(configuration, ...rest) {
        super({ ...configuration, iceTransportPolicy: 'relay' }, ...rest);
      }
    };
  });
  await someone.page.goto(url);
  return someone.page;
}

/** Joins with the room client that our own pages use. */
const joinRoom = (page, room, token) => page.evaluate(async ({ room, token }) => {
  const { RoomClient } = await import('/assets/any/js/media.js');
  const client = new RoomClient({ url: `wss://${location.host}/rooms/${room}/signal?token=${token}` });
  globalThis.client = client;
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
  client.addEventListener('state', ({ detail }) => {
    if (detail.state === 'notice') client.acknowledge(detail.noticeVersion);
  });
  void client.publish({ audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0] });
  await client.connect();
}, { room, token });

const state = (page) => page.evaluate(() => globalThis.client.state);

/** How each open connection of a page goes. */
const ways = (page) => page.evaluate(async () => {
  const found = [];
  for (const connection of globalThis.connections) {
    if (connection.connectionState === 'closed') continue;
    const reports = [...(await connection.getStats()).values()];
    const transport = reports.find((report) => report.type === 'transport' && report.selectedCandidatePairId);
    const pair = reports.find((report) => report.id === transport?.selectedCandidatePairId);
    const local = reports.find((report) => report.id === pair?.localCandidateId);
    found.push({ state: connection.connectionState, type: local?.candidateType, relayProtocol: local?.relayProtocol });
  }
  return found;
});

/** The relayed addresses that a credential gets, as the text of candidates. */
const gather = (page, server) => page.evaluate(async (server) => {
  const connection = new RTCPeerConnection({ iceServers: [server] });
  const candidates = [];
  connection.onicecandidate = ({ candidate }) => { if (candidate?.candidate) candidates.push(candidate.candidate); };
  connection.createDataChannel('x');
  await connection.setLocalDescription();
  const end = Date.now() + 10_000;
  while (connection.iceGatheringState !== 'complete' && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  connection.close();
  return candidates.filter((candidate) => candidate.includes(' relay '));
}, server);

async function growing(page, who) {
  const from = await received(page);
  await until(`${who}: sound and picture arrive`, async () => {
    const now = await received(page);
    return now.audio - from.audio >= 100 && now.frames - from.frames >= 30;
  }, 40_000);
}

certificate();
configure();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--ignore-certificate-errors'],
});
let officer;
let unit;
let credential;

await chapter('The check says what is missing', async () => {
  const bare = hub(['check'], { HUB_MEDIA__TURN__SECRET: '' });
  check('a missing secret is told', bare.status === 1 && /WRONG {2}TURN: .*secret is missing/.test(bare.text), bare.text);
  const whole = hub(['check']);
  check('with the secret all is well', whole.status === 0 && /ok {5}TURN/.test(whole.text), whole.text);
  check('the secret is not shown', !bare.text.includes(SECRET) && !whole.text.includes(SECRET));
});

await chapter('Hub and relay come up', async () => {
  startTurnServer();
  mkdirSync(join(folder, 'tables'));
  for (const name of ['control-rooms.csv', 'desks.csv']) writeFileSync(join(folder, 'tables', name), readFileSync(join('src/demo', name)));
  writeFileSync(join(folder, 'tables', 'rules.csv'), 'priority,series,subject,state,desk,officer\n100,,finance,,credit,\n900,,,,triage,\n');
  const loaded = run(binary, ['reference', 'load', '--config', join(folder, 'config.toml'), join(folder, 'tables')]);
  check('tables are loaded', loaded.status === 0, loaded.text);
  const added = hub(['user', 'add', '--username', 'officer', '--name', 'An Officer', '--role', 'officer', '--desk', 'credit'], withSecret, { input: `${PASSWORD}\n` });
  check('an officer has an account', added.status === 0, added.text);
  start('hub', binary, ['serve', '--config', join(folder, 'config.toml')], withSecret);
  await until('the hub is ready', () => fetch(`http://127.0.0.1:${priv}/readyz`).then((answer) => answer.ok, () => false));
  await until('the relay listens', () => new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(true)).listen(turns, '127.0.0.1', () => probe.close(() => resolve(false)));
  }));
});

await chapter('A hearing through the relay alone', async () => {
  bearer = (await ask('/session', { username: 'officer', password: PASSWORD })).token;
  const filed = await ask('/cases', { series: 'GR', text: 'The bank refused our working capital loan', applicant: { name: 'Asha', state: 'MH' } });
  await ask(`/cases/${filed.number}/actions/attend`, {});
  await ask(`/cases/${filed.number}/actions/decide`, { outcome: 'adverse', reasons: 'The reasons hold.', grounds: { injustice: true } });
  const hearing = await ask(`/cases/${filed.number}/hearings`, { medium: 'video', starts_at: new Date().toISOString() });
  const presiding = await ask(`/rooms/${hearing.room}/tokens`, { name: '', role: 'presiding_officer' });
  const party = await ask(`/rooms/${hearing.room}/tokens`, { name: 'Asha', role: 'party' });
  await ask(`/hearings/${hearing.id}/actions/start`, {});
  officer = await behindTheWall(browser);
  unit = await behindTheWall(browser);
  unit.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
    const message = JSON.parse(payload);
    if (message.type === 'welcome') [credential] = message.ice_servers;
  }));
  await joinRoom(officer, hearing.room, presiding.token);
  await until('the officer is in', async () => (await state(officer)) === 'in_room');
  await joinRoom(unit, hearing.room, party.token);
  await until('the unit waits', async () => (await state(unit)) === 'waiting');
  await ask(`/hearings/${hearing.id}/actions/admit`, { member: party.member });
  await until('the unit is in', async () => (await state(unit)) === 'in_room');
  await growing(officer, 'officer');
  await growing(unit, 'unit');
  for (const [who, page] of [['officer', officer], ['unit', unit]]) {
    const each = await ways(page);
    const relayed = each.length === 2 && each.every((way) => way.state === 'connected' && way.type === 'relay' && way.relayProtocol === 'tls');
    check(`both connections of the ${who} go through the relay, over TLS`, relayed, JSON.stringify(each));
  }
});

await chapter('The credential is short-lived and nobody else\'s', async () => {
  const [end, member] = credential.username.split(':');
  const left = Number(end) - Date.now() / 1000;
  check('it ends when the configuration says', left > LIFE_SECONDS - 120 && left <= LIFE_SECONDS, `${left} s`);
  check('it names the member, not the person', member.length > 0 && !/asha/i.test(credential.username), credential.username);
  check('it is a relay with it', (await gather(unit, credential)).length > 0);
  check('no relay with a forged one', (await gather(unit, { ...credential, credential: 'Zm9yZ2Vk' })).length === 0);
  const past = { ...credential, username: `${Math.floor(Date.now() / 1000) - 5}:${member}` };
  check('nor with its end moved', (await gather(unit, past)).length === 0);
  check('the secret stays at home', !log('hub').includes(SECRET) && !log('hub').includes(credential.credential));
});

await chapter('Nobody but the hub is reached through it', async () => {
  // coturn's own client, with a credential of the hub: it asks for a stranger's address, and 127.0.0.2 is one.
  const { username, credential: password } = credential;
  const refused = run('turnutils_uclient', ['-u', username, '-w', password, '-e', '127.0.0.2', '-r', '39000', '-n', '1', '-m', '1', '-c', '-p', String(turn), '127.0.0.1'], { timeout: 30_000 });
  check('another address is forbidden', refused.status !== 0 && /403 \(Forbidden IP\)/.test(refused.text), refused.text);
});

await browser.close();
for (const child of children) child.kill('SIGTERM');
const status = close();
if (status === 0) rmSync(folder, { recursive: true, force: true });
else console.log(`logs in ${folder}`);
process.exit(status);
