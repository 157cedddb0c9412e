// Who stands where on the page, and what is said to those who do not see it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageModule } from '../lib/module.mjs';

const { arrange, changesAmong, fitGrid, sentences, wantedTiles } = await pageModule('room-layout.js');

const member = (id, more = {}) => ({ id, name: id.toUpperCase(), role: 'party', status: 'in_room', audio: true, video: true, hand: false, me: id === 'me', ...more });
const crowd = (count) => [member('me'), ...Array.from({ length: count - 1 }, (_, index) => member(`m${index}`))];
const room = (more) => ({ layout: 'podium', pictures: new Set(), screens: [], pinned: null, podium: null, loud: new Set(), before: null, ...more });
const large = (result) => result.large && `${result.large.kind} ${result.large.member}`;

test('in a small room everybody has a tile, and oneself is never the large one', () => {
  const members = crowd(3);
  const result = arrange(room({ members, podium: 'm1' }));
  assert.equal(large(result), 'video m1');
  assert.deepEqual(result.beside.map(({ member }) => member), ['me', 'm0']);
  assert.equal(result.unseen, 0);
  assert.equal(large(arrange(room({ members, podium: 'me', before: 'm1' }))), 'video m1', 'who stood there stays');
  assert.equal(large(arrange(room({ members, podium: 'me' }))), 'video m0');
  assert.equal(large(arrange(room({ members: crowd(1) }))), 'video me', 'but alone in the room one sees oneself');
});

test('a viewer\'s own choice goes before a screen, a screen before a person', () => {
  const members = crowd(4);
  assert.equal(large(arrange(room({ members, podium: 'm1', screens: ['m2'] }))), 'screen m2');
  const pinned = arrange(room({ members, podium: 'm1', screens: ['m2'], pinned: 'm0' }));
  assert.equal(large(pinned), 'video m0');
  assert.ok(pinned.beside.some(({ kind, member }) => kind === 'screen' && member === 'm2'), 'the screen is still there');
  assert.equal(large(arrange(room({ members, pinned: 'gone' }))), 'video m0');
  assert.equal(large(arrange(room({ members, screens: ['gone'] }))), 'video m0', 'a screen of nobody is none');
});

test('grid, wall and sound only have no large place but for a screen or one\'s own choice', () => {
  for (const layout of ['grid', 'wall', 'audio']) {
    assert.equal(arrange(room({ members: crowd(5), layout, podium: 'm1' })).large, null);
    assert.equal(large(arrange(room({ members: crowd(5), layout, screens: ['m1'] }))), 'screen m1');
  }
});

test('in a large room those with picture, with a raised hand, or speaking have a tile; the others are counted', () => {
  const members = crowd(120);
  members[50].hand = true;
  const result = arrange(room({ members, pictures: new Set(['m1', 'm2']), podium: 'm1', loud: new Set(['m70']) }));
  assert.deepEqual(result.beside.map(({ member }) => member), ['me', 'm2', 'm49', 'm70']);
  assert.equal(result.unseen, 115);
  const wall = arrange(room({ members, layout: 'wall' }));
  assert.equal(wall.beside.length, 120);
  assert.equal(wall.unseen, 0);
  assert.equal(arrange(room({ members: crowd(150), layout: 'wall' })).unseen, 30, 'a wall is no larger than the hub sends');
});

test('the places of a wall keep the order of arrival, whoever speaks', () => {
  const members = crowd(20);
  const order = (more) => arrange(room({ members, layout: 'wall', ...more })).beside.map(({ member }) => member);
  assert.deepEqual(order({}), members.map(({ id }) => id));
  assert.deepEqual(order({ loud: new Set(['m9']), podium: 'm9', pictures: new Set(['m9']) }), order({}));
});

test('a grid fills its box as well as any number of columns could', () => {
  assert.deepEqual(fitGrid(1, 1600, 900, 8), { columns: 1, width: 1600 });
  assert.deepEqual(fitGrid(4, 1608, 908, 8), { columns: 2, width: 800 });
  for (const [count, width, height] of [[120, 1912, 950], [120, 1592, 950], [9, 360, 500], [2, 300, 900]]) {
    const best = fitGrid(count, width, height, 4);
    const rows = Math.ceil(count / best.columns);
    assert.ok(best.columns * best.width + (best.columns - 1) * 4 <= width && rows * best.width * 9 / 16 + (rows - 1) * 4 <= height, `${count} fit into ${width}x${height}`);
  }
  assert.ok(fitGrid(120, 1912, 950, 4).width >= 150, 'a hundred and twenty thumbnails on a large screen');
  assert.equal(fitGrid(3, 0, 0, 8).width, 0);
});

test('small screens ask for fewer pictures, the wall for all', () => {
  assert.ok(wantedTiles('podium', 360) < wantedTiles('podium', 1366));
  assert.deepEqual(['wall', 'audio'].map((layout) => wantedTiles(layout, 1920)), [120, 0]);
});

test('what changes among the others is told once', () => {
  const before = new Map([member('me'), member('a'), member('b'), member('w', { status: 'waiting' })].map((one) => [one.id, one]));
  const now = [member('me', { hand: true }), member('a', { hand: true }), member('w'), member('c', { status: 'waiting' })];
  assert.deepEqual(changesAmong(before, now), [{ what: 'hand', name: 'A' }, { what: 'joined', name: 'W' }, { what: 'left', name: 'B' }]);
  assert.deepEqual(changesAmong(new Map(now.map((one) => [one.id, one])), now), []);
  assert.deepEqual(changesAmong(before, [...before.values()].map((one) => (one.id === 'a' ? { ...one, status: 'away' } : one))), [{ what: 'broken', name: 'A' }]);
});

test('of many the number is told, and a name is taken as it is', () => {
  const say = (id) => ({ 'told-joined': '[name] has joined.', 'told-many-joined': '[number] people have joined.' })[id];
  const joined = (names) => names.map((name) => ({ what: 'joined', name }));
  assert.deepEqual(sentences(joined(['$& Rao']), say), ['$& Rao has joined.']);
  assert.deepEqual(sentences(joined(['A', 'B', 'C', 'D']), say), ['4 people have joined.']);
});
