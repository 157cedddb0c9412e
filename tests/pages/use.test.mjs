// The pages in use: the desk by keyboard, the demo's telephone, the hearing room, the player.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { complaints, stand } from './stand.mjs';

let hub;
let context;
let asked = [];
let texts = [];

/** The hub of these stories: notes what it is asked, and speaks as the demo's telephone does. */
function answer({ method, path, query, type, body }) {
  if (method === 'GET' && path === '/desk') {
    asked.push(['list', query.toString()]);
    return { page: 'desk-empty.en' };
  }
  if (path === '/demo/phone/messages') return { items: texts };
  if (method !== 'POST') return undefined;
  const said = type === 'application/json' ? JSON.parse(body.toString()) : { type, bytes: body.length };
  asked.push([path.split('/').slice(-1)[0], said]);
  const say = (caption) => ({ say: [{ file: '/prompt.wav', caption }] });
  if (path.endsWith('/calls')) return { call: 'c1', steps: [say('Welcome. For English press 2.'), { gather: { digits: 1, timeout_s: 1, finish_on: '#' } }] };
  if (path.endsWith('/silence')) return { steps: [say('No key was heard.'), { gather: { digits: 1, timeout_s: 60, finish_on: '#' } }] };
  if (path.endsWith('/digits') && said.digits === '2') return { steps: [say('Speak after the tone.'), { record: { max_seconds: 120, finish_on: '#' } }] };
  if (path.endsWith('/digits')) return { steps: [say('Thank you.'), { hangup: true }] };
  if (path.endsWith('/recording')) return { steps: [{ play_back: '/said.wav' }, say('Your number is G R 2 6'), { gather: { digits: 10, timeout_s: 60, finish_on: '#' } }] };
  if (path.endsWith('/sms')) {
    texts = [{ at: '2026-11-21T14:05:00+05:30', from: '+919800000321', to: 'hub', text: said.text }, { at: '2026-11-21T14:05:01+05:30', from: 'hub', to: '+919800000321', text: 'Your case is GR26-0000123-4.' }];
    return {};
  }
  if (path.endsWith('/actions/end')) return { status: 409, json: { title: 'Refused', detail: 'The party is still speaking.' } };
  return {};
}

before(async () => { hub = await stand(answer); });
after(() => hub.close());
beforeEach(async () => {
  asked = [];
  texts = [];
  await context?.close();
  context = await hub.browser.newContext({ viewport: { width: 1366, height: 768 } });
});

async function open(name) {
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.heard = complaints(page);
  await page.goto(`${hub.address}/${name}.html`);
  return page;
}

const eventually = (page, selector, text) => page.locator(selector, { hasText: text }).first().waitFor();

test('the desk is walked and answered by keyboard', async () => {
  const list = await open('desk.en');
  await list.keyboard.press('j');
  await list.keyboard.press('j');
  assert.equal(await list.textContent('.picked .number'), 'GR26-0000123-4');
  await list.keyboard.press('k');
  assert.equal(await list.textContent('.picked .number'), 'GR26-0000098-8');
  await list.keyboard.press('?');
  assert.ok(await list.isVisible('#keys'));
  await list.keyboard.press('Escape');
  assert.ok(!(await list.isVisible('#keys')));

  const desk = await open('desk-case.en');
  await desk.keyboard.press('r');
  await desk.keyboard.type('jk? is typed, not obeyed');
  assert.equal(await desk.inputValue('#reply-text'), 'jk? is typed, not obeyed');
  await desk.keyboard.press('Tab');
  assert.equal(await desk.evaluate(() => document.activeElement.textContent), 'Send the reply');
  assert.deepEqual([...list.heard, ...desk.heard], []);
});

test('the list is filtered in place', async () => {
  const page = await open('desk.en');
  await page.check('#whose-all', { force: true });
  await eventually(page, '.found', '0 cases');
  assert.equal(new URL(page.url()).searchParams.get('whose'), 'all');
  await page.fill('#q', 'loan');
  await page.waitForURL((url) => url.searchParams.get('q') === 'loan');
  assert.ok(asked.some(([what, query]) => what === 'list' && query === 'whose=all&q=loan'));
  assert.deepEqual(page.heard, []);
});

test('what was refused is read first', async () => {
  const page = await open('desk-case-refused.en');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'refusal');
});

test('a complaint is spoken on the demo telephone', async () => {
  const page = await open('phone.en');
  await page.click('#dial');
  await eventually(page, '#captions p', 'No key was heard.');
  await page.click('[data-digit="2"]');
  await eventually(page, '#call-state', 'Recording');
  await page.click('#record-stop');
  await eventually(page, '#captions p', 'Your number is');
  await page.keyboard.type('2600001234');
  await eventually(page, '#call-state', 'Call ended');
  assert.deepEqual(asked.map(([what]) => what), ['calls', 'silence', 'digits', 'recording', 'digits']);
  assert.deepEqual(asked[0][1], { from: '98000 00321' });
  assert.match(asked[3][1].type, /^audio\/webm/);
  assert.deepEqual(asked[4][1], { digits: '2600001234' });
  assert.deepEqual(page.heard, []);
});

test('a shipped sample stands for a voice, and hanging up ends the call', async () => {
  const page = await open('phone.hi');
  await page.click('#dial');
  await eventually(page, '#captions p', 'No key was heard.');
  await page.click('[data-digit="2"]');
  await page.click('.sample >> nth=0');
  await eventually(page, '#captions p', 'Your number is');
  await page.click('#hang-up');
  assert.ok(await page.isEnabled('#dial'));
  await page.waitForFunction(() => document.querySelector('#record').hidden);
  const sent = asked.filter(([what]) => what === 'recording');
  assert.deepEqual(sent, [['recording', { type: 'audio/wav', bytes: 8044 }]]);
});

test('a text is sent and answered', async () => {
  const page = await open('phone.en');
  await page.fill('#sms-text', 'My bank refused my loan');
  await page.click('#sms-form button');
  await eventually(page, '#messages .me', 'My bank refused my loan');
  await eventually(page, '#messages p', 'GR26-0000123-4');
  assert.deepEqual(asked[0], ['sms', { from: '98000 00321', text: 'My bank refused my loan' }]);
});

test('the party tests, acknowledges, waits and is let in', async () => {
  const page = await open('hearing-party.en');
  await page.click('#test-start');
  await page.click('#sound-yes');
  assert.deepEqual(await page.$$eval('.ticks li', (lines) => lines.map((line) => line.dataset.state)), ['ok', 'failed', 'ok', 'ok']);
  await page.click('#join-button');
  assert.ok(await page.isVisible('#acknowledge-error'), 'nobody joins without the notice');
  assert.ok(!(await page.isVisible('#room')));
  await page.check('#acknowledge');
  await page.click('#join-button');
  await eventually(page, '#room-message', 'You are in the waiting room');
  assert.deepEqual(await page.evaluate(() => globalThis.room.asked), [['acknowledge', '2026-1'], ['publish', 'audio', 'video']]);
  assert.ok(!(await page.$('[data-action]')), 'the party has no buttons of the officer');
  await page.evaluate(() => {
    globalThis.room.tell('state', { state: 'in_room' });
    globalThis.room.tell('session', { state: 'in_session', since: Date.now() - 872_000, recording: 'on' });
  });
  assert.equal(await page.textContent('#session-words'), 'In session · recorded');
  assert.match(await page.textContent('#session-clock'), /^00:14:3\d$/);
  assert.deepEqual(page.heard, []);
});

test('the officer admits, is told of a refusal, and keeps the camera while logging', async () => {
  const page = await open('hearing-officer.en');
  await page.check('#acknowledge');
  await page.click('#join-button');
  // Until the script has run, the name is that of the section with this id.
  await page.waitForFunction(() => globalThis.room?.asked?.length === 2);
  await page.evaluate(() => {
    const member = (id, status, me) => ({ id, name: id, role: me ? 'presiding_officer' : 'party', status, audio: true, video: true, hand: false, me });
    globalThis.room.tell('members', { members: [member('m1', 'in_room', true), member('m2', 'waiting', false)] });
    globalThis.room.tell('session', { state: 'in_session', since: Date.now(), recording: 'on' });
  });
  await page.click('[data-what="admit m2"]');
  await page.click('[data-action="end"]');
  await eventually(page, '#action-result', 'The party is still speaking.');
  await page.click('#attempts details summary');
  await page.selectOption('#attempt-channel', 'sms');
  await page.click('form[data-api="attempt"] button');
  await eventually(page, '#action-result', 'Done.');
  assert.deepEqual(asked, [['admit', { member: 'm2' }], ['end', {}], ['attempt', { channel: 'sms', result: 'no_answer' }]]);
  await page.click('#microphone');
  assert.equal(await page.getAttribute('#microphone', 'aria-pressed'), 'false');
  assert.deepEqual((await page.evaluate(() => globalThis.room.asked)).at(-1), ['microphone', false]);
});

test('the player moves all files together', async () => {
  const page = await open('recording.en');
  await page.waitForFunction(() => [...document.querySelectorAll('#player video, #player audio')].every((file) => file.readyState >= 2));
  await page.fill('#seek', '0.3');
  await page.waitForFunction(() => [...document.querySelectorAll('#player video, #player audio')].every((file) => Math.abs(file.currentTime - 0.3) < 0.05));
  await page.click('#play');
  await page.waitForFunction(() => [...document.querySelectorAll('#player video, #player audio')].every((file) => file.currentTime > 0.4));
  assert.deepEqual(page.heard, []);
});
