// Every sample page, as it is seen: it fits from 320 px on, obeys the content security policy, and axe finds nothing.
// With HUB_SHOTS_DIR set, pictures are kept there to be looked at.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, complaints, pages, stand } from './stand.mjs';

/** The widths that are looked at, and whether axe looks there too: layouts differ on either side of the breakpoints. */
const WIDTHS = [[320, false], [375, true], [1366, true], [1920, false]];

let hub;
before(async () => { hub = await stand(); });
after(() => hub.close());

const inLanguage = (tag) => pages.filter((name) => name.endsWith(`.${tag}`)).map((name) => name.slice(0, -tag.length - 1));

test('there are pages, the same in each language', () => {
  assert.ok(inLanguage('en').length > 40);
  assert.deepEqual(inLanguage('hi'), inLanguage('en'));
});

for (const tag of ['en', 'hi']) {
  test(`every page in "${tag}" fits, obeys the policy and is accessible`, { timeout: 600_000 }, async () => {
    const context = await hub.browser.newContext();
    const wrong = [];
    for (const name of inLanguage(tag)) wrong.push(...(await look(context, `${name}.${tag}`)));
    await context.close();
    assert.deepEqual(wrong, []);
  });
}

/** What is wrong with one page. */
async function look(context, name) {
  const page = await context.newPage();
  const heard = complaints(page);
  await page.goto(`${hub.address}/${name}.html`);
  await page.evaluate(() => document.fonts.ready);
  const wrong = [];
  for (const [width, withAxe] of WIDTHS) {
    await page.setViewportSize({ width, height: width < 500 ? 800 : 900 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) wrong.push(`${name}: ${over} px wider than ${width}`);
    if (process.env.HUB_SHOTS_DIR) await page.screenshot({ path: `${process.env.HUB_SHOTS_DIR}/${name}.${width}.png`, fullPage: true });
    if (withAxe) wrong.push(...(await axe(page)).map((finding) => `${name} at ${width} px: ${finding}`));
  }
  wrong.push(...heard.map((words) => `${name}: ${words}`));
  await page.close();
  return wrong;
}
