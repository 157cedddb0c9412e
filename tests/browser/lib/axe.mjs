// What axe-core finds wrong with a page. Evaluated from outside, so the page's own policy stays in force.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { check } from './tally.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @param {import('playwright-core').Page} page @param {string} name */
export async function accessible(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  check(`${name} is accessible`, found.length === 0, found.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`).join('\n'));
}
