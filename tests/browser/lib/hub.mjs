// The real hub with its demo world, on free ports of loopback; and browsers to visit it.

import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, existsSync, createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const binary = `${process.env.CARGO_TARGET_DIR ?? 'target'}/debug/champions-hub`;

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A hub that can be killed and started again at the same addresses. */
export class Hub {
  /** @type {import('node:child_process').ChildProcess|null} */
  child = null;

  static async open() {
    const hub = new Hub();
    hub.data = mkdtempSync(join(tmpdir(), 'story-'));
    hub.ports = await Promise.all([freePort(), freePort(), freePort()]);
    await hub.start();
    return hub;
  }

  async start() {
    const [listen, plain, media] = this.ports.map((port) => `127.0.0.1:${port}`);
    const log = createWriteStream(join(this.data, 'hub.log'), { flags: 'a' });
    this.child = spawn(binary, ['demo', '--data', this.data, '--listen', listen, '--plain-http', plain, '--media', media], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout.pipe(log);
    this.child.stderr.pipe(log);
    const end = Date.now() + 60_000;
    for (;;) {
      if (Date.now() > end || this.child.exitCode !== null) throw new Error(`the hub did not start: see ${this.data}/hub.log`);
      if (await this.#answers()) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #answers() {
    if (!existsSync(join(this.data, 'demo.json'))) return false;
    this.facts = JSON.parse(readFileSync(join(this.data, 'demo.json'), 'utf8'));
    return fetch(`${this.facts.plain_url}/readyz`).then((answer) => answer.ok, () => false);
  }

  get url() {
    return this.facts.url;
  }

  /** As a power cut would. */
  async kill() {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }

  /** Runs the program beside the running hub. @returns {{text: string, status: number}} */
  run(...args) {
    try {
      return { text: execFileSync(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString(), status: 0 };
    } catch (error) {
      return { text: `${error.stdout}${error.stderr}`, status: error.status ?? -1 };
    }
  }
}

/**
 * A browser with a camera and a microphone that are not there.
 * @param {string} [film] MJPEG that its camera shows, in place of the browser's own test picture
 */
export const launch = (film) => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
    ...(film ? [`--use-file-for-fake-video-capture=${film}`] : [])],
});

/** Keeps every connection that a page makes, so that its figures can be read. */
function collectConnections() {
  const Plain = globalThis.RTCPeerConnection;
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends Plain {
    constructor(...rest) {
      super(...rest);
      globalThis.connections.push(this);
    }
  };
}

/**
 * One person: a browser context of its own. What its pages complain of is kept in `complaints`.
 * @param {import('playwright-core').Browser} browser @param {object} [more]
 */
export async function person(browser, more = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, ...more });
  context.setDefaultTimeout(20_000);
  await context.addInitScript(collectConnections);
  const complaints = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    // A refusal is an answer too; the browser calls it an error, the page says it in words.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(message.text())) complaints.push(`${message.page()?.url()}: ${message.text()}`);
  });
  return { context, complaints, page: await context.newPage() };
}

/** What a page has received so far on connections that are open. */
export const received = (page) => page.evaluate(async () => {
  const sum = { frames: 0, audio: 0 };
  for (const connection of globalThis.connections) {
    if (connection.connectionState === 'closed') continue;
    for (const report of (await connection.getStats()).values()) {
      if (report.type !== 'inbound-rtp') continue;
      if (report.kind === 'video') sum.frames += report.framesDecoded ?? 0;
      else sum.audio += report.packetsReceived ?? 0;
    }
  }
  return sum;
});

/** Pictures are kept there when a story is to be looked at. */
export const shots = process.env.HUB_SHOTS_DIR;

/** What every page showed when a story broke off. @param {import('playwright-core').Browser[]} browsers */
export async function lastPictures(browsers) {
  if (!shots) return;
  const pages = browsers.flatMap((browser) => browser.contexts()).flatMap((context) => context.pages());
  for (const [index, page] of pages.entries()) await page.screenshot({ path: join(shots, `broken-${index}.png`) });
}
