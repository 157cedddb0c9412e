// The pages in use: the desk by keyboard, the demo's telephone, the hearing room, the player.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { axe, complaints, stand } from './stand.mjs';

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
  assert.deepEqual(await page.$$eval('#ways li', (ways) => ways.map((way) => way.textContent)), ['Directly (UDP): does not get through', 'Through the firewall (TCP): works']);
  assert.match(await page.textContent('#ways-ask'), /open UDP port 7880 to 203\.0\.113\.7\./);
  await page.click('#join-button');
  assert.ok(await page.isVisible('#acknowledge-error'), 'nobody joins without the notice');
  assert.ok(!(await page.isVisible('#room')));
  await page.check('#acknowledge');
  await page.click('#join-button');
  await eventually(page, '#room-message', 'You are in the waiting room');
  assert.deepEqual(await page.evaluate(() => globalThis.room.asked),
    [['view', { layout: 'podium', tiles: 9, pinned: null }], ['acknowledge', '2026-1'], ['publish', 'audio', 'video']]);
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
  await enter(page);
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

/** Joins, and waits until the room's script has asked for all that it asks for at the door. */
async function enter(page) {
  await page.check('#acknowledge');
  await page.click('#join-button');
  // Until the script has run, the name is that of the section with this id.
  await page.waitForFunction(() => globalThis.room?.asked?.some(([what]) => what === 'publish'));
}

/** A room of so many: oneself first, then the officer; each but the last with a picture, for as many as are sent. */
const gather = (page, count, { pictures = count, change = {} } = {}) => page.evaluate(([count, pictures, change]) => {
  const members = Array.from({ length: count }, (_, n) => ({
    id: `m${n}`, name: `Member ${n}`, role: n === 1 ? 'presiding_officer' : 'party', status: 'in_room', audio: true, video: true, screen: false, quality: 'good', hand: false, me: n === 0, ...change[n],
  }));
  room.tell('state', { state: 'in_room' });
  room.tell('members', { members });
  globalThis.sent ??= new Set();
  for (let n = 1; n < Math.min(count, pictures + 1); n += 1) {
    if (sent.has(n)) continue;
    sent.add(n);
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 10, 10);
    const stream = canvas.captureStream(1);
    room.tell('track', { member: `m${n}`, kind: 'video', slot: `m${n}`, stream, track: stream.getVideoTracks()[0] });
  }
}, [count, pictures, change]);
const views = (page) => page.evaluate(() => room.asked.filter(([what]) => what === 'view').map(([, view]) => view));
const large = (page) => page.$eval('#speaker', (list) => list.firstElementChild?.dataset.member ?? null);

test('the view is chosen by keys and by buttons, and sound only switches the camera off', async () => {
  const page = await open('hearing-party.en');
  await enter(page);
  await gather(page, 4);
  assert.equal(await large(page), 'm1');
  await page.keyboard.press('2');
  assert.equal(await large(page), null, 'a grid has no large place');
  const widths = await page.$$eval('#tiles .tile', (tiles) => tiles.map((tile) => Math.round(tile.getBoundingClientRect().width)));
  assert.ok(widths.length === 4 && new Set(widths).size === 1 && widths[0] > 400, widths.join());
  await page.keyboard.press('4');
  assert.equal(await page.getAttribute('#camera', 'aria-pressed'), 'false');
  assert.equal(await page.$$eval('#tiles video', (videos) => videos.filter((video) => video.srcObject).length), 0);
  await page.click('#view-button');
  assert.ok(await page.isChecked('#view-audio'));
  await page.keyboard.press('ArrowLeft');
  assert.ok(await page.isChecked('#view-wall'), 'the arrow keys walk through the choices');
  assert.equal(await page.getAttribute('#camera', 'aria-pressed'), 'true', 'the camera is on again as before');
  await page.uncheck('#view-keys');
  await page.keyboard.press('Escape');
  assert.ok(!(await page.isVisible('#view')));
  await page.keyboard.press('1');
  assert.equal((await views(page)).map(({ layout }) => layout).join(), 'podium,grid,audio,wall', 'keys that are switched off are not obeyed');
  await page.click('#chat-button');
  await page.evaluate(() => localStorage.clear());
  await page.keyboard.type('at 2 to 4');
  assert.equal(await page.inputValue('#chat-text'), 'at 2 to 4');
  assert.deepEqual((await page.evaluate(() => room.asked)).filter(([what]) => what === 'camera'), [['camera', false], ['camera', true]]);
  assert.deepEqual(page.heard, []);
});

test('who speaks, who stands large, whose line is bad and who comes is seen and told', async () => {
  const page = await open('hearing-party.en');
  await enter(page);
  await gather(page, 4);
  await page.evaluate(() => {
    room.tell('speakers', { active: 'm2', loud: ['m2', 'm3'] });
    room.tell('podium', { member: 'm2', by: 'speaker' });
  });
  await page.waitForFunction(() => document.querySelector('#speaker').firstElementChild.dataset.member === 'm2');
  assert.deepEqual(await page.$$eval('.tile.speaking', (tiles) => tiles.map((tile) => tile.dataset.member).sort()), ['m2', 'm3']);
  await page.focus('.tile[data-member=m1] .pin');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  assert.equal(await large(page), 'm3', 'one\'s own choice goes before the room\'s');
  assert.deepEqual((await views(page)).at(-1), { layout: 'podium', tiles: 9, pinned: 'm3' });
  await page.evaluate(() => {
    const stream = document.createElement('canvas').captureStream(1);
    document.querySelector('[data-member=m3] .pin').click();
    room.tell('track', { member: 'm1', kind: 'screen', slot: 'screen', stream, track: stream.getVideoTracks()[0] });
  });
  await page.waitForFunction(() => document.querySelector('#speaker').firstElementChild.dataset.kind === 'screen');
  assert.equal(await page.$$eval('.tile[data-member=m1]', (tiles) => tiles.length), 2, 'who shows a screen is still to be seen');
  await gather(page, 5, { change: { 2: { hand: true, quality: 'poor' } } });
  await eventually(page, '#announce', 'Member 2 raises a hand. Member 4 has joined.');
  await eventually(page, '.tile[data-member=m2] .who', 'poor line');
  await page.evaluate(() => room.tell('quality', { level: 'poor', rtt: 600, loss: 0.2, audioOnly: true }));
  assert.match(await page.textContent('#quality'), /Poor line\s+Your line carries sound only for now/);
  await page.evaluate(() => room.tell('blocked', { on: true }));
  await eventually(page, '#room-message', 'do not get through this network');
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.heard, []);
});

test('one\'s own screen is shown and taken back', async () => {
  const page = await open('hearing-party.en');
  await enter(page);
  await gather(page, 3);
  await page.click('#share');
  await eventually(page, '#sharing', 'Everyone in the room sees your screen.');
  assert.equal(await page.getAttribute('#share', 'aria-pressed'), 'true');
  await page.click('#sharing-stop');
  assert.ok(!(await page.isVisible('#sharing')));
  assert.deepEqual((await page.evaluate(() => room.asked)).filter(([what]) => what === 'share'), [['share', true], ['share', false]]);
});

test('the officer puts a member large for all', async () => {
  const page = await open('hearing-officer.en');
  await enter(page);
  await gather(page, 4);
  await page.click('[data-what="podium m3"]');
  await page.evaluate(() => room.tell('podium', { member: 'm3', by: 'chair' }));
  assert.equal(await page.getAttribute('[data-what="podium m3"]', 'aria-pressed'), 'true');
  await page.click('[data-what="podium m3"]');
  assert.deepEqual((await page.evaluate(() => room.asked)).filter(([what]) => what === 'pin'), [['pin', 'm3'], ['pin', null]]);
});

test('a hundred and twenty fit on a wall, and a large room shows those who matter', async () => {
  const page = await open('hearing-officer.en');
  await page.setViewportSize({ width: 1920, height: 1080 });
  await enter(page);
  await gather(page, 120, { pictures: 9, change: { 70: { hand: true } } });
  assert.equal(await page.$$eval('.tile', (tiles) => tiles.length), 11, 'oneself, nine pictures, a raised hand');
  assert.match(await page.textContent('#unseen'), /^109 more/);
  await gather(page, 120, { change: { 70: { hand: true } } });
  await page.keyboard.press('3');
  await page.waitForFunction(() => document.querySelectorAll('#tiles .tile').length === 120);
  const outside = await page.$eval('#tiles', (list) => {
    const box = list.getBoundingClientRect();
    return [...list.children].filter((tile) => {
      const { left, top, right, bottom, width } = tile.getBoundingClientRect();
      return left < box.left || top < box.top || right > box.right + 0.5 || bottom > box.bottom + 0.5 || width < 130;
    }).length;
  });
  assert.equal(outside, 0, 'every tile is whole');
  assert.equal(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight), 0);
  assert.deepEqual((await views(page)).at(-1), { layout: 'wall', tiles: 120, pinned: null });
  assert.equal(await page.textContent('[data-member=m70] .note'), 'hand raised');
  assert.equal(await page.$$eval('.pin', (pins) => pins.filter((pin) => pin.tabIndex === 0).length), 1, 'one stop of the Tab key for all tiles');
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.heard, []);
});

test('on a small telephone the controls fit', async () => {
  for (const language of ['en', 'hi']) {
    const page = await open(`hearing-party.${language}`);
    await page.setViewportSize({ width: 360, height: 640 });
    await enter(page);
    await gather(page, 3);
    await page.click('#view-button');
    const cut = await page.$$eval('.control-buttons button, .view label', (buttons) => buttons.filter((button) => button.scrollWidth > button.clientWidth + 1 || button.getBoundingClientRect().right > innerWidth).map(({ id, htmlFor }) => id || htmlFor));
    assert.deepEqual(cut, [], language);
    assert.ok(await page.$eval('#leave', (button) => button.getBoundingClientRect().bottom <= innerHeight), language);
    assert.deepEqual(await axe(page), []);
  }
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
