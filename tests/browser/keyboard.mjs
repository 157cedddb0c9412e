// The public pages and the desk of the running hub by keyboard alone, in English and Hindi; each page is looked at by axe.
// Run: cargo build --bins && node tests/browser/keyboard.mjs

import { accessible } from './lib/axe.mjs';
import { Hub, lastPictures, launch, person } from './lib/hub.mjs';
import { chapter, check, close, until } from './lib/tally.mjs';

const NUMBER = /GR\d\d-\d{7}-\d/;

const hub = await Hub.open();
const browser = await launch();

const focused = (page) => page.evaluate(() => {
  const { id, name, value, textContent, tagName } = document.activeElement;
  return { id, name, value, tag: tagName, text: textContent.trim() };
});

/** Presses Tab until what has the focus fits, as somebody without a mouse does. */
async function tabTo(page, what, fits) {
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab');
    if (await fits(await focused(page))) return;
  }
  throw new Error(`${what} cannot be reached by Tab on ${page.url()}`);
}
const field = (page, name) => tabTo(page, name, (at) => at.name === name);

/** Walks a list of choices with the arrow key. */
async function choose(page, label) {
  const chosen = () => page.evaluate(() => document.activeElement.selectedOptions[0].label);
  for (let step = 0; step < 60 && (await chosen()) !== label; step += 1) await page.keyboard.press('ArrowDown');
}

/** Goes on with the page's one full button. */
async function goOn(page) {
  const label = await page.locator('main button.primary').innerText();
  await tabTo(page, label, (at) => at.tag === 'BUTTON' && at.text === label);
  const before = page.url();
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.href !== before);
}

const ANSWERS = {
  en: { name: 'Asha Patil', unit: 'Patil Castings', state: 'Maharashtra', district: 'Pune', text: 'The buyer has not paid our bills for six months.' },
  hi: { name: 'आशा पाटिल', unit: 'पाटिल कास्टिंग्स', state: 'महाराष्ट्र', district: 'पुणे', text: 'खरीदार ने छह महीने से हमारे बिलों का भुगतान नहीं किया है।' },
};

for (const [tag, said] of Object.entries(ANSWERS)) {
  await chapter(`A grievance is filed without a mouse (${tag})`, async () => {
    const { page, context, complaints } = await person(browser);
    await page.goto(`${hub.url}/?lang=${tag}`);
    check(`the page speaks ${tag}`, (await page.getAttribute('html', 'lang')) === tag);
    await accessible(page, `/ (${tag})`);
    await page.keyboard.press('Tab');
    check('the first stop is the skip link', (await focused(page)).tag === 'A' && (await page.evaluate(() => document.activeElement.className)) === 'skip');
    await tabTo(page, 'the door', () => page.evaluate(() => document.activeElement.getAttribute('href') === '/file'));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/file/);
    await accessible(page, `${new URL(page.url()).pathname} (${tag})`);

    // Nothing answered: a summary says so, and its links lead to the fields.
    const button = await page.locator('main button.primary').innerText();
    await tabTo(page, button, (at) => at.tag === 'BUTTON' && at.text === button);
    await page.keyboard.press('Enter');
    await until('what is missing is said', () => page.isVisible('.error-summary'));
    await accessible(page, `a page with errors (${tag})`);
    await tabTo(page, 'the error', () => page.evaluate(() => document.activeElement.closest('.error-summary') !== null && document.activeElement.tagName === 'A'));
    await page.keyboard.press('Enter');
    check('its link leads to the field', ['kind', 'name'].includes((await focused(page)).name));
    await page.goto(page.url());
    await field(page, 'kind');
    await page.keyboard.press('Space');
    await field(page, 'name');
    await page.keyboard.type(said.name);
    await goOn(page);
    await accessible(page, `${new URL(page.url()).pathname} (${tag})`);
    await field(page, 'unit');
    await page.keyboard.type(said.unit);
    await field(page, 'state');
    await choose(page, said.state);
    await field(page, 'district');
    await page.keyboard.type(said.district);
    await goOn(page);
    await accessible(page, `${new URL(page.url()).pathname} (${tag})`);
    await field(page, 'mobile');
    await page.keyboard.type('9876501235');
    await goOn(page);
    await accessible(page, `${new URL(page.url()).pathname} (${tag})`);
    await field(page, 'text');
    await page.keyboard.type(said.text);
    await goOn(page);
    await accessible(page, `${new URL(page.url()).pathname} (${tag})`);
    const summary = await page.locator('.summary-list').innerText();
    check('the summary repeats every answer', Object.values(said).every((answer) => summary.includes(answer)), summary.replaceAll('\n', ' | '));
    await goOn(page);
    const number = await page.locator('.case-number').innerText();
    check('a number is given', NUMBER.test(number), number);
    await accessible(page, `filed (${tag})`);
    await page.locator('main a.button.primary').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/track\//);
    check('and leads to the case', (await page.locator('h1').innerText()).includes(number));
    await accessible(page, `track (${tag})`);
    await page.goto(`${hub.url}/demo/phone`);
    await accessible(page, `phone (${tag})`);
    check('no page complained', complaints.length === 0, complaints.join('\n'));
    await context.close();
  }, () => lastPictures([browser]));

  await chapter(`The desk is walked without a mouse (${tag})`, async () => {
    const { page, context, complaints } = await person(browser);
    await page.goto(`${hub.url}/signin?lang=${tag}`);
    await field(page, 'username');
    await page.keyboard.type('officer.delayed-payment');
    await field(page, 'password');
    await page.keyboard.type('champions-demo');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/desk/);
    await accessible(page, `desk (${tag})`);
    const rows = await page.locator('#rows .row').count();
    check('there are cases', rows >= 2, String(rows));
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    check('j and k walk', (await page.locator('#rows .row').nth(0).getAttribute('class')).includes('picked'));
    await page.keyboard.press('j');
    const number = await page.locator('.row.picked .number').innerText();
    await page.keyboard.press('o');
    await page.waitForURL(/\/desk\/cases\//);
    check('o opens', (await page.locator('#case-title').innerText()).includes(number));
    await accessible(page, `desk with a case (${tag})`);
    await page.keyboard.press('?');
    await until('? tells the keys', () => page.isVisible('#keys'));
    await accessible(page, `the keys (${tag})`);
    await page.keyboard.press('Escape');
    await until('Escape puts them away', async () => !(await page.isVisible('#keys')));
    await page.keyboard.press('r');
    await until('r leads to the reply', async () => (await focused(page)).id === 'reply-text').catch(async (late) => {
      throw new Error(`${late.message}; the focus is on ${JSON.stringify(await focused(page))}`);
    });
    await page.keyboard.type(ANSWERS[tag].text);
    check('and what is typed stands there', (await focused(page)).value === ANSWERS[tag].text);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await until('r writes to the unit', () => page.isVisible('.flash.done'));
    await accessible(page, `desk after a reply (${tag})`);
    check('no page complained', complaints.length === 0, complaints.join('\n'));
    await context.close();
  }, () => lastPictures([browser]));
}

await browser.close();
await hub.kill();
process.exit(close(`(data in ${hub.data})`));
