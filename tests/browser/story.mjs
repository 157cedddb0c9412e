// The main story, told through the pages alone, with two real browsers: a unit complains by text and by telephone, the officer decides
// against it, must hear it, hears it by video, writes record and order, and closes. Then what goes wrong on the way: a forged
// token, a malformed description of media, a power cut in the middle of a recorded hearing.
// Run: cargo build --bins && node tests/browser/story.mjs. With HUB_SHOTS_DIR set, pictures are kept there to be looked at;
// with HUB_CAMERAS=unit.mjpeg,officer.mjpeg the cameras show those films.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { accessible } from './lib/axe.mjs';
import { checkFilms } from './lib/film.mjs';
import { Hub, lastPictures, launch, person, received, shots } from './lib/hub.mjs';
import { chapter, check, close, until } from './lib/tally.mjs';

const MOBILE = '98765 01234';
const NUMBER = /GR\d\d-\d{7}-\d/;

const hub = await Hub.open();
// Two programs, so that nothing of one can reach the other but through the hub.
const [unitFilm, officerFilm] = (process.env.HUB_CAMERAS ?? '').split(',');
const browsers = await Promise.all([launch(unitFilm), launch(officerFilm)]);
const unit = await person(browsers[0]);
const officer = await person(browsers[1]);

const shoot = async (page, name, more = {}) => { if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`), ...more }); };
const tell = (name, story) => chapter(name, story, () => lastPictures(browsers));

const text = (page, selector) => page.locator(selector).innerText();
const shows = (page, selector, words, ms) => until(`${selector} says "${words}"`, async () => {
  const found = page.locator(selector, { hasText: words });
  return (await found.count()) > 0 && (await found.first().isVisible());
}, ms);

/** Frames and packets of a page grow for three seconds in a row. */
async function growing(page, who, { picture = true } = {}) {
  let before = await received(page);
  for (let second = 1; second <= 3; second += 1) {
    const from = before;
    await until(`${who}: sound${picture ? ' and picture' : ''} arrive, ${second}`, async () => {
      before = await received(page);
      return before.audio - from.audio >= 40 && (!picture || before.frames - from.frames >= 15);
    });
  }
}

/** Now in India, as date and time fields take it. */
function india() {
  const [date, time] = new Date(Date.now() + 5.5 * 3_600_000).toISOString().split('T');
  return { date, time: time.slice(0, 5) };
}

/* The handset. */

const handset = unit.page;
const messages = () => handset.$$eval('#messages p:not(.me):not(.none)', (lines) => lines.map((line) => line.innerText));
const message = (what, pattern) => until(what, async () => (await messages()).findLast((words) => pattern.test(words)), 30_000);
const press = (key) => handset.click(`#keypad [data-digit="${key}"]`);
const asksForKeys = () => shows(handset, '#call-state', 'Press a key', 60_000);

let texted;
let called;
let hearing;
let link;
let track;

await tell('A text becomes a case', async () => {
  await handset.goto(`${hub.url}/demo/phone`);
  await handset.fill('#from', MOBILE);
  await handset.fill('#sms-text', 'My bank refused my working capital loan, unit in Pune');
  await handset.click('#sms-form button');
  const answer = await message('the answer with the case number arrives', NUMBER);
  texted = NUMBER.exec(answer)[0];
  track = /https:\S+/.exec((await message('and a link to follow the case', /https:\S+\/track\//)))[0];
});

await tell('A call becomes a case', async () => {
  await handset.click('#dial');
  await shows(handset, '#captions p', 'press 2', 60_000);
  await press(2);
  await asksForKeys();
  check('the notice was spoken', (await text(handset, '#captions')).includes('recorded, kept safe'));
  await press(1);
  await until('the telephone records', () => handset.isVisible('#record .sample[lang=en]'), 60_000);
  await shoot(handset, 'phone-recording');
  await handset.click('#record .sample[lang=en]');
  await asksForKeys();
  check('what was said is played back', (await text(handset, '#captions')).includes('Playing back'));
  await press(1);
  await shows(handset, '#captions p', 'Your grievance is filed', 60_000);
  await shows(handset, '#captions p', /^G R two six( \w+){8}$/, 60_000);
  await asksForKeys();
  await handset.click('#hang-up');
  const answer = await message('the number comes by text too', new RegExp(`(?!${texted})${NUMBER.source}`));
  called = NUMBER.exec((await messages()).findLast((words) => NUMBER.test(words) && !words.includes(texted)) ?? answer)[0];
  check('two cases, two numbers', called !== texted, `${texted} ${called}`);
  await shoot(handset, 'phone', { fullPage: true });
});

/* The desk. */

const desk = officer.page;
const submit = (action, page = desk) => page.click(`#action-${action} button.primary`);
async function unfold(action, page = desk) {
  const form = page.locator(`#action-${action}`);
  if (!(await form.evaluate((details) => details.open))) await form.locator('summary').click();
  return form;
}

async function signIn(page, account) {
  await page.goto(`${hub.url}/desk`);
  await page.fill('#username', account);
  await page.fill('#password', 'champions-demo');
  await page.keyboard.press('Enter');
}

await tell('Triage listens to the call and passes it on', async () => {
  const triage = await person(browsers[1]);
  await signIn(triage.page, 'officer.triage');
  await triage.page.click(`.row:has-text("${called}")`);
  await until('the spoken complaint plays', () => triage.page.evaluate(async () => {
    const sound = document.querySelector('.said audio');
    if (!sound) return false;
    if (sound.paused) await sound.play();
    return sound.currentTime > 0.5;
  }));
  await shoot(triage.page, 'desk-sound');
  await unfold('transfer', triage.page);
  const credit = await triage.page.locator('#transfer-to option', { hasText: 'Credit and Finance' }).first().getAttribute('value');
  await triage.page.selectOption('#transfer-to', credit);
  await triage.page.selectOption('#transfer-subject', 'finance');
  await triage.page.fill('#transfer-reason', 'A loan of a unit in Pune.');
  await submit('transfer', triage.page);
  await shows(triage.page, '.flash', 'was transferred');
  check('its pages had no complaint', triage.complaints.length === 0, triage.complaints.join());
  await triage.context.close();
});

await tell('The officer takes it up and decides', async () => {
  await signIn(desk, 'officer.finance');
  await shows(desk, '.row .number', called);
  await shows(desk, `.row:has-text("${called}")`, 'Credit and finance');
  await shows(desk, '.row .number', texted);
  await shoot(desk, 'desk-list');
  await desk.click(`.row:has-text("${texted}")`);
  await shows(desk, '#case-title', texted);
  await unfold('attend');
  await desk.fill('#attend-note', 'Asked the branch manager for the reason in writing.');
  await submit('attend');
  await shows(desk, '.flash', 'first clock has stopped');
  await unfold('reply');
  await desk.fill('#reply-text', 'We have asked your bank for its reasons and will write by tomorrow.');
  await submit('reply');
  await shows(desk, '.flash', 'on its way');
  await message('the reply reaches the handset', /has written to you/);
  await unfold('decide');
  await desk.check('input[name=outcome][value=adverse]');
  await desk.fill('#decide-reasons', 'The bank may refuse: the collateral is not enough. It is asked to explain the scheme without collateral.');
  for (const ground of ['humanitarian', 'injustice', 'undue_delay']) await desk.check(`input[name=${ground}][value=no]`);
  await desk.check('input[name=harassment][value=yes]');
  await submit('decide');
  await shows(desk, '.flash', 'decision is recorded');
});

await tell('It cannot close before the unit is heard', async () => {
  await unfold('close');
  await desk.fill('#close-text', 'The decision stands.');
  await submit('close');
  await shows(desk, '#refusal', 'must hear the unit first');
  await shoot(desk, 'desk-refused');
  hearing = await fixHearing(texted);
  link = /https:\S+\/hearings\/\S+/.exec(await message('the unit gets its own link', /you will be heard/))[0];
});

/** Fixes a video hearing for now on a case and gives its page. */
async function fixHearing(number) {
  await desk.goto(`${hub.url}/desk/cases/${number}`);
  await unfold('hearings');
  await desk.selectOption('#action-hearings select[name=medium]', 'video');
  const { date, time } = india();
  await desk.fill('#action-hearings input[name=date]', date);
  await desk.fill('#action-hearings input[name=time]', time);
  await submit('hearings');
  await shows(desk, '.flash', 'hearing is fixed');
  return new URL(await desk.locator('.hearing-lines a').last().getAttribute('href'), hub.url).href;
}

/* The hearing. */

const state = (page) => page.evaluate(() => document.body.dataset.roomState);
const inState = (page, wanted, ms) => until(`the page is "${wanted}"`, async () => (await state(page)) === wanted, ms);
const join = async (page) => {
  await page.check('#acknowledge');
  await page.click('#join-button');
};
let seat;

await tell('The unit tests its equipment, reads the notice, and waits', async () => {
  seat = await unit.context.newPage();
  await seat.goto(link);
  await shoot(seat, 'hearing-before', { fullPage: true });
  await seat.click('#test-start');
  await seat.click('#sound-yes');
  await until('four ticks', async () => (await seat.$$eval('.ticks li', (lines) => lines.map((line) => line.dataset.state).join())) === 'ok,ok,ok,ok');
  await shoot(seat, 'hearing-tested', { fullPage: true });
  await accessible(seat, 'hearing before (unit)');
  await seat.click('#join-button');
  check('nobody joins without the notice', await seat.isVisible('#acknowledge-error'));
  await join(seat);
  await inState(seat, 'waiting');
  await shows(seat, '#room-message', 'waiting room');
  await until('one sees oneself', () => seat.evaluate(() => (document.querySelector('.tile.me video')?.videoWidth ?? 0) > 0));
  await shoot(seat, 'hearing-waiting');
  await accessible(seat, 'hearing, waiting (unit)');
});

await tell('The officer opens, records, and admits', async () => {
  await desk.goto(hearing);
  await join(desk);
  await inState(desk, 'in_room');
  await until('the unit stands in the rail', () => desk.isVisible('[data-what^="admit "]'));
  await shoot(desk, 'hearing-officer-before');
  check('nothing reaches who waits', (await received(seat)).audio === 0);
  await desk.click('[data-action=start]');
  await shows(desk, '#session-words', 'In session · recorded');
  await desk.click('[data-what^="admit "]');
  await inState(seat, 'in_room');
  await shows(seat, '#session-words', 'In session · recorded');
  check('the unit is named in the rail', (await text(desk, '#in-room')).includes(texted));
});

await tell('Both see and hear each other', async () => {
  await growing(seat, 'unit');
  await growing(desk, 'officer');
  await shoot(desk, 'hearing');
  await shoot(seat, 'hearing-unit');
});

await tell('Microphone, camera, hand and chat', async () => {
  await seat.click('#microphone');
  await shows(desk, '#in-room', 'muted');
  const silent = await received(desk);
  await until('pictures go on', async () => (await received(desk)).frames - silent.frames > 30);
  check('no sound of a muted member', (await received(desk)).audio - silent.audio < 10);
  await seat.click('#microphone');
  await until('the sound comes back', async () => (await received(desk)).audio - silent.audio > 50);
  await desk.click('[data-what^="mute "]');
  await until('the officer mutes, and the unit reads it', async () => (await seat.getAttribute('#microphone', 'aria-pressed')) === 'false');
  await seat.click('#microphone');
  await until('it may speak again', async () => !(await text(desk, '#in-room')).includes('muted'));
  await seat.click('#camera');
  await shows(desk, '#speaker .no-picture', 'no picture');
  await seat.click('#camera');
  await until('the picture comes back', async () => (await desk.locator('#speaker .no-picture:visible').count()) === 0);
  await growing(desk, 'officer');
  await seat.click('#hand');
  await shows(desk, '#in-room', 'hand raised');
  await seat.click('#hand');
  await seat.click('#chat-button');
  await seat.fill('#chat-text', 'I have the letter of the bank here.');
  await seat.keyboard.press('Enter');
  await until('the officer is told of a new line', async () => (await text(desk, '#chat-new')) === '1');
  await desk.click('#chat-button');
  await shows(desk, '#chat-list', 'letter of the bank');
  await shoot(desk, 'hearing-chat');
  await accessible(desk, 'hearing in session (officer)');
  await desk.click('#chat-button');
  await seat.click('#chat-button');
});

await tell('A second tab takes the seat, a reload keeps it', async () => {
  const second = await unit.context.newPage();
  await second.goto(link);
  await join(second);
  await inState(second, 'in_room');
  await inState(seat, 'replaced');
  await shows(seat, '#room-message', 'another tab');
  await shoot(seat, 'hearing-replaced');
  await seat.close();
  seat = second;
  await growing(desk, 'officer');
  await seat.reload();
  await inState(seat, 'in_room');
  check('one party, not two', (await desk.locator('#in-room li').count()) === 2);
  await growing(desk, 'officer');
  await growing(seat, 'unit');
});

await tell('Hostile words disturb nobody', async () => {
  const answers = await seat.evaluate(async () => {
    const url = JSON.parse(document.getElementById('room-data').textContent).room.url;
    const open = (address) => new Promise((resolve) => {
      const socket = new WebSocket(address);
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused');
    });
    const forged = url.slice(0, -3) + (url.endsWith('AAA') ? 'BBB' : 'AAA');
    const asHttp = await fetch(forged.replace('/signal?', '/probe?'), { method: 'POST', body: 'v=0' });
    const bad = await fetch(url.replace('/signal?', '/probe?'), { method: 'POST', body: 'v=0 nonsense' });
    return { forged: await open(forged), other: await open(url.replace(/rooms\/[^/]+/, 'rooms/elsewhere')), status: asHttp.status, bad: [bad.status, (await bad.json()).title] };
  });
  check('a forged token opens nothing', answers.forged === 'refused' && answers.other === 'refused' && answers.status === 401, JSON.stringify(answers));
  check('an offer that is none is refused in words', answers.bad[0] === 422 && answers.bad[1]?.length > 10, JSON.stringify(answers.bad));
  // An observer of the same room, signed in as the officer, sends what no browser would.
  const said = await desk.evaluate(async () => {
    const { room, actions } = JSON.parse(document.getElementById('room-data').textContent);
    const token = await (await fetch(`/api/v1/rooms/${room.room}/tokens`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'Asha Rao', role: 'interpreter' }),
    })).json();
    const socket = new WebSocket(`/rooms/${room.room}/signal?token=${token.token}`);
    const heard = [];
    socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
    const next = (type) => new Promise((resolve, reject) => {
      const end = setTimeout(() => reject(new Error(`no ${type}: ${JSON.stringify(heard)}`)), 10_000);
      const look = setInterval(() => {
        const found = heard.findIndex((message) => message.type === type);
        if (found < 0) return;
        clearInterval(look);
        clearTimeout(end);
        resolve(heard.splice(found, 1)[0]);
      }, 20);
    });
    await new Promise((resolve) => (socket.onopen = resolve));
    socket.send(JSON.stringify({ type: 'hello' }));
    const { notice_version } = await next('welcome');
    socket.send(JSON.stringify({ type: 'acknowledge', version: notice_version }));
    await next('waiting');
    const admitted = await fetch(`${actions}admit`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ member: token.member }) });
    if (!admitted.ok) throw new Error(`not admitted: ${await admitted.text()}`);
    await next('admitted');
    const codes = [];
    for (const words of ['{', '{"type":"dance"}', JSON.stringify({ type: 'offer', sdp: 'v=0\r\nm=audio x' }), JSON.stringify({ type: 'answer', sdp: '' })]) {
      socket.send(words);
      codes.push((await next('error')).code);
    }
    socket.send(JSON.stringify({ type: 'leave' }));
    return codes;
  });
  check('each is answered with a code', said.length === 4 && said.every(Boolean), said.join());
  await growing(desk, 'officer');
  await growing(seat, 'unit');
});

/* After it. */

const recordings = () => path.join(hub.data, 'recordings');
const folders = () => readdirSync(recordings(), { recursive: true, withFileTypes: true }).filter((entry) => entry.name === 'manifest.jsonl').map((entry) => entry.parentPath).sort();

await tell('The officer ends, writes record and order, and closes', async () => {
  await desk.click('[data-action=end]');
  await shows(desk, 'h2', 'Record of hearing');
  await shows(seat, 'h2', 'What happens next');
  await shoot(seat, 'hearing-after-unit', { fullPage: true });
  await desk.fill('#record-text', 'Present: the proprietor, the officer. The letter of the bank was read.');
  await desk.click('form[action$="/record"] button');
  await shows(desk, '#record-title ~ blockquote', 'letter of the bank was read');
  await desk.fill('#order-issue1', 'Was a reason given in writing?');
  await desk.fill('#order-finding1', 'No. The bank is asked to give it within seven days.');
  await desk.fill('#order-reasons', 'The guidelines ask for a written reason; collateral is not asked for up to ten lakh.');
  await shoot(desk, 'hearing-order', { fullPage: true });
  await accessible(desk, 'hearing after (officer)');
  await desk.click('form[action$="/order"] button');
  await shows(desk, '.facts dd', 'within seven days');
  await desk.goto(`${hub.url}/desk/cases/${texted}`);
  await shoot(desk, 'desk');
  await unfold('close');
  await desk.fill('#close-text', 'You were heard; the decision and the order are with you.');
  await submit('close');
  await shows(desk, '.flash', 'case is closed');
  await shoot(desk, 'desk-closed', { fullPage: true });
});

await tell('The recording is whole and plays', async () => {
  await desk.goto(`${hearing}/recording`);
  await shows(desk, '.verdict', 'Whole and unchanged');
  await until('every film is ready', () => desk.$$eval('#player video', (films) => films.length >= 2 && films.every((film) => film.readyState >= 2)));
  await desk.click('#play');
  await until('every film that has begun plays', () => desk.$$eval('#player video', (films) => films.every((film) => film.currentTime > 1.5 && film.videoWidth > 0)), 30_000);
  await shoot(desk, 'recording', { fullPage: true });
  await accessible(desk, 'recording');
  const [folder] = folders();
  const verdict = hub.run('verify', folder);
  check('the program says whole too', verdict.status === 0 && /whole/i.test(verdict.text), verdict.text.trim());
  check('a film of each person', checkFilms(folder, 5).length >= 2);
});

await tell('The unit sees the end', async () => {
  const page = await unit.context.newPage();
  await page.goto(track);
  await shows(page, '.timeline li', 'The case was closed');
  await shows(page, '.timeline li', 'You were heard');
  await shows(page, '#decision ~ p', 'collateral');
  await shoot(page, 'track', { fullPage: true });
  await page.close();
  await seat.close();
});

/* A power cut. */

await tell('A second hearing is cut off by kill -9', async () => {
  await desk.goto(`${hub.url}/desk/cases/${called}`);
  await unfold('attend');
  await desk.fill('#attend-note', 'Listened to the complaint.');
  await submit('attend');
  const old = folders();
  hearing = await fixHearing(called);
  const sms = await message('the second link arrives', new RegExp(`${called}.*you will be heard`));
  seat = await unit.context.newPage();
  await seat.goto(/https:\S+\/hearings\/\S+/.exec(sms)[0]);
  await join(seat);
  await inState(seat, 'waiting');
  await desk.goto(hearing);
  await join(desk);
  await inState(desk, 'in_room');
  await desk.click('[data-action=start]');
  await shows(desk, '#session-words', 'In session · recorded');
  await desk.click('[data-what^="admit "]');
  await inState(seat, 'in_room');
  await growing(desk, 'officer');
  await growing(seat, 'unit');
  await hub.kill();
  await shows(desk, '#room-message', 'line broke');
  await shows(seat, '#room-message', 'line broke');
  const [folder] = folders().filter((name) => !old.includes(name));
  const verdict = hub.run('verify', folder);
  check('what was written is whole', verdict.status === 0, verdict.text.trim());
  check('and plays', checkFilms(folder, 3).length === 2);
});

await tell('After the restart the hearing goes on with a new recording', async () => {
  await hub.start();
  await inState(desk, 'in_room', 40_000);
  // Nobody admits it a second time: it was in the room.
  await inState(seat, 'in_room', 40_000);
  await shows(desk, '#session-words', 'In session · recorded');
  await growing(desk, 'officer');
  await growing(seat, 'unit');
  await desk.click('[data-action=end]');
  await shows(desk, 'h2', 'Record of hearing');
  await desk.goto(`${hearing}/recording`);
  await shows(desk, '.verdict', 'Whole and unchanged');
  await shoot(desk, 'recording-two', { fullPage: true });
  check('both recordings are listed', (await desk.locator('.parts li').count()) === 2);
  await desk.click('.parts a');
  await shows(desk, '.verdict', 'Unchanged as far as it goes');
  await until('what was cut off plays too', () => desk.$$eval('#player video', (films) => films.length === 2 && films.every((film) => film.readyState >= 2)));
  const last = folders().at(-1);
  check('the new recording is whole', hub.run('verify', last).status === 0);
  check('and plays', checkFilms(last, 2).length === 2);
});

check('no page complained', unit.complaints.length + officer.complaints.length === 0, [...unit.complaints, ...officer.complaints].join('\n'));
await Promise.all(browsers.map((browser) => browser.close()));
await hub.kill();
process.exit(close(`(data in ${hub.data})`));
