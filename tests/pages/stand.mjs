// What the page tests stand on: a server of the written samples under the hub's own content security policy, answers of
// a scripted hub where a page's script asks for them, and a browser with a made-up camera and microphone.

import { createServer } from 'node:http';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

export const folder = process.env.HUB_PAGES_DIR ?? '';
if (!existsSync(folder)) throw new Error('HUB_PAGES_DIR must name the written pages: run tests/pages/run');

/** Every written page, as `desk-case.hi`. */
export const pages = readdirSync(folder).filter((name) => name.endsWith('.html')).map((name) => name.slice(0, -5)).sort();

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self' wss:; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };

/** A room whose events the test sends itself; it notes what the page asks of it. */
const SCRIPTED_ROOM = `
export class RoomClient extends EventTarget {
  constructor(options) { super(); this.options = options; this.asked = []; globalThis.room = this; }
  tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
  async connect() { this.tell('state', { state: 'notice', noticeVersion: '2026-1' }); }
  acknowledge(version) { this.asked.push(['acknowledge', version]); this.tell('state', { state: 'waiting', position: 1 }); }
  async publish({ audio, video }) { this.asked.push(['publish', audio?.kind, video?.kind]); }
  setMicrophone(on) { this.asked.push(['microphone', on]); }
  setCamera(on) { this.asked.push(['camera', on]); }
  raiseHand(up) { this.asked.push(['hand', up]); }
  chat(text) { this.asked.push(['chat', text]); }
  muteMember(id) { this.asked.push(['mute', id]); }
  setView(view) { this.asked.push(['view', view]); }
  pin(id) { this.asked.push(['pin', id]); }
  async shareScreen() { this.asked.push(['share', true]); this.tell('sharing', { on: true }); }
  stopSharing() { this.asked.push(['share', false]); this.tell('sharing', { on: false }); }
  leave() {}
}
export async function playTestTone() {}
export async function selfTest({ onStep }) {
  onStep({ name: 'camera', ok: true, detailKey: 'selftest-camera-ok' });
  onStep({ name: 'microphone', ok: true, detailKey: 'selftest-microphone-silent' });
  onStep({ name: 'network', ok: true, detailKey: 'selftest-network-tcp', askKey: 'selftest-ask-udp', ways: { udp: false, tcp: true, relay: null }, host: '203.0.113.7', port: 7880 });
}`;

/** Half a second of silence: 8 kHz, 16 bits. */
const SILENCE = (() => {
  const samples = 4000;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write('WAVEfmt ', 8);
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 8000, 4], [28, 16000, 4], [32, 2, 2], [34, 16, 2]].forEach(([at, value, size]) => wav.writeUIntLE(value, at, size));
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 2, 40);
  return wav;
})();

/**
 * Starts server and browser.
 * @param {(request: {method: string, path: string, query: URLSearchParams, type: string|undefined, body: Buffer}) => unknown} [answer]
 *   what the scripted hub says: a JSON value, `{status, json}`, a page name as `{page}`, or undefined for a written file
 */
export async function stand(answer = () => undefined) {
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url, 'http://hub');
      const said = answer({ method: request.method, path: pathname, query: searchParams, type: request.headers['content-type'], body: Buffer.concat(parts) });
      if (said !== undefined && !said.page) {
        response.writeHead(said.status ?? 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(said.json ?? said));
      } else if (pathname.endsWith('/js/media.js')) {
        response.writeHead(200, { 'content-type': TYPES['.js'] });
        response.end(SCRIPTED_ROOM);
      } else if (pathname.endsWith('.wav') || pathname.startsWith('/api/v1/recordings/')) {
        serveSound(response, request.headers.range);
      } else {
        serveFile(response, said?.page ? `${said.page}.html` : pathname);
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required'],
  });
  return {
    browser,
    address: `http://127.0.0.1:${server.address().port}`,
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Seeking needs ranges (RFC 9110, 14). */
function serveSound(response, range) {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const [first, last] = [Number(from ?? 0), Number(to || SILENCE.length - 1)];
  const headers = { 'content-type': 'audio/wav', 'accept-ranges': 'bytes', 'content-length': last - first + 1 };
  if (from === undefined) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, 'content-range': `bytes ${first}-${last}/${SILENCE.length}` });
  response.end(SILENCE.subarray(first, last + 1));
}

function serveFile(response, name) {
  const file = path.join(folder, path.normalize(decodeURIComponent(name)));
  if (!existsSync(file) || statSync(file).isDirectory()) {
    response.writeHead(404);
    response.end();
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream', 'content-security-policy': POLICY });
  response.end(readFileSync(file));
}

/** Notes what a page complains of, apart from files that the samples only name. */
export function complaints(page) {
  const heard = [];
  page.on('pageerror', (error) => heard.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) heard.push(message.text());
  });
  return heard;
}

/** What axe finds with everything unfolded. Evaluated from outside, so the page's own policy stays in force. */
export async function axe(page) {
  await page.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = true; });
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  await page.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = false; });
  return violations.map(({ id, nodes }) => `${id} ${nodes[0].html.slice(0, 120)}`);
}
