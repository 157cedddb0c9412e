// A peer that is a program of its own and tells in lines of JSON what it got.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

const here = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');

export class Program {
  /** What it told last. */
  got = { state: 'new', frames: 0, energy: 0 };
  errors = '';

  /** @param {string} python @param {string} script @param {string[]} args */
  constructor(python, script, ...args) {
    this.child = spawn(python, [join(here, script), ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stderr.on('data', (data) => (this.errors += data));
    createInterface({ input: this.child.stdout }).on('line', (line) => (this.got = JSON.parse(line)));
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
  }

  /** Asks it to end; what DELETE was answered. */
  async end() {
    this.child.stdin.end();
    const late = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(late);
    return this.got.ended;
  }
}
