// Judging a line: figures of the browser in, levels, patience and verdicts out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageModule } from '../lib/module.mjs';

const { addressesOf, changedTracks, layerOf, leanAnswer, levelOf, Meter, onlyProtocol, Patience, retryWait, verdictOf, wantedLayers, worse } = await pageModule('line.js');

test('the levels have the bounds of the hub', () => {
  assert.deepEqual([[0, 250], [0.03, 0], [0.031, 0], [0, 251], [0.1, 500], [0.11, 0], [0, 501]].map(([loss, rtt]) => levelOf({ loss, rtt })),
    ['good', 'good', 'fair', 'fair', 'fair', 'poor', 'poor']);
  assert.equal(worse('good', 'fair'), 'fair');
  assert.equal(worse('poor', 'fair'), 'poor');
});

test('layers are told by the short side, upright or not', () => {
  assert.deepEqual([[320, 180], [180, 320], [640, 360], [1280, 720], [720, 1280]].map(([width, height]) => layerOf(width, height)), ['low', 'low', 'mid', 'high', 'high']);
});

const sound = (id, packetsReceived, packetsLost, more = {}) => ({ type: 'inbound-rtp', id, packetsReceived, packetsLost, ...more });

test('a meter counts what happened since the last look, section by section', () => {
  const meter = new Meter();
  assert.equal(meter.read([[], [sound('a', 90, 10)]]).loss, 0.1);
  assert.equal(meter.read([[], [sound('a', 190, 10)]]).loss, 0);
  // A section that goes takes its loss with it; one that comes begins at nothing.
  assert.equal(meter.read([[], [sound('b', 50, 50)]]).loss, 0.5);
  // A late packet lowers the count of lost ones; that is no gain elsewhere.
  assert.equal(meter.read([[], [sound('b', 60, 40)]]).loss, 0);
});

test('a meter takes the worse direction, the longest way and the largest picture that moves', () => {
  const reading = new Meter().read([
    [{ type: 'remote-inbound-rtp', fractionLost: 0.2 }, { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.3 }],
    [sound('a', 10, 0, { jitter: 0.02, freezeCount: 2, frameWidth: 640, frameHeight: 360 }), sound('still', 0, 0, { jitter: 9, frameWidth: 1280, frameHeight: 720 }),
      { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 }],
  ]);
  assert.deepEqual(reading, { rtt: 300, loss: 0.2, jitter: 20, freezes: 2, layer: 'mid' });
});

test('patience runs out once, then later each time, and is restored by success', () => {
  const patience = new Patience(10, 60);
  const connection = {};
  assert.equal(patience.isOut(connection, false, 0), false, 'a connection that never came up is waited for from its first look');
  assert.equal(patience.isOut(connection, false, 10), false);
  assert.equal(patience.isOut(connection, false, 11), true);
  patience.failed();
  assert.deepEqual([0, 20, 21].map((at) => patience.isOut('next', false, 100 + at)), [false, false, true]);
  patience.failed();
  patience.failed();
  assert.deepEqual([0, 60, 61].map((at) => patience.isOut('later', false, 1_000 + at)), [false, false, true], 'the bound holds');
  patience.recovered();
  patience.forget();
  assert.deepEqual([0, 5, 6, 16, 17].map((at) => patience.isOut('now', at === 5, 2_000 + at)), [false, false, false, false, true], 'being well starts it again');
});

test('the socket is tried again quickly while the seat is kept, then gently', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 9].map((attempt) => retryWait(attempt, 1_000, 30_000)), [250, 500, 1_000, 2_000, 3_000, 3_000]);
  assert.equal(retryWait(3, 30_000, 30_000), 10_000);
});

test('only layers that are watched are sent, and one alone on a narrow line', () => {
  const rids = ['l', 'm', 'h'];
  assert.deepEqual(wantedLayers(rids, { on: true, rids: [] }, false), [true, true, true]);
  assert.deepEqual(wantedLayers(rids, { on: true, rids: ['l', 'h'] }, false), [true, false, true]);
  assert.deepEqual(wantedLayers(rids, { on: false, rids: ['l'] }, false), [false, false, false]);
  assert.deepEqual(wantedLayers(rids, { on: true, rids: ['h'] }, true), [true, false, false]);
  assert.deepEqual(wantedLayers([undefined], { on: true, rids: ['h'] }, true), [true], 'a section without layers is sent or not');
});

test('a section that another member takes over goes and comes; one that stays is left alone', () => {
  const before = new Map([['1', { member: 'a', kind: 'audio' }], ['2', { member: 'a', kind: 'video' }], ['3', { member: 'b', kind: 'video' }]]);
  const view = (mid, member, kind) => ({ mid, member, kind });
  const { gone, come } = changedTracks(before, [view('1', 'a', 'audio'), view('2', 'c', 'video'), view('4', 'd', 'screen')]);
  assert.deepEqual(gone, ['2', '3']);
  assert.deepEqual(come, [view('2', 'c', 'video'), view('4', 'd', 'screen')]);
  assert.deepEqual(changedTracks(before, []).gone, ['1', '2', '3']);
});

const ANSWER = ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=candidate:1 1 udp 2130706431 203.0.113.7 7880 typ host', 'a=candidate:2 1 tcp 1671430143 203.0.113.7 7880 typ host tcptype passive', 'a=end-of-candidates', ''].join('\r\n');

test('the hub\'s addresses are read, and one protocol is tried alone', () => {
  assert.deepEqual(addressesOf(ANSWER), [{ protocol: 'udp', address: '203.0.113.7', port: 7880 }, { protocol: 'tcp', address: '203.0.113.7', port: 7880 }]);
  assert.deepEqual(addressesOf(onlyProtocol(ANSWER, 'tcp')).map(({ protocol }) => protocol), ['tcp']);
  assert.deepEqual(addressesOf(onlyProtocol(ANSWER, 'udp')).map(({ protocol }) => protocol), ['udp']);
  assert.ok(onlyProtocol(ANSWER, 'udp').endsWith('a=end-of-candidates\r\n'));
});

test('a long answer says its transport once; a short one is sent as it is', () => {
  const transport = ['a=ice-ufrag:u', 'a=ice-pwd:p', 'a=fingerprint:sha-256 AB', 'a=setup:active'];
  const section = (mid, port) => [`m=video ${port} UDP/TLS/RTP/SAVPF 96`, 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0', ...(port ? transport : []), `a=mid:${mid}`, 'a=recvonly', 'a=rtpmap:96 VP8/90000', 'a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 transport-cc', 'a=rtcp-mux', 'a=fmtp:96 x=1'];
  const answer = (count) => ['v=0', 's=-', 't=0 0', ...Array.from({ length: count }, (_, mid) => section(mid, mid === 0 ? 0 : 9)).flat(), ''].join('\r\n');
  assert.equal(leanAnswer(answer(4)), answer(4));
  const lean = leanAnswer(answer(20)).split('\r\n');
  assert.deepEqual(lean.slice(0, 7), ['v=0', 's=-', 't=0 0', ...transport], 'taken from a section that is open');
  assert.deepEqual(lean.slice(7, 15), ['m=video 0 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=recvonly', 'a=rtpmap:96 VP8/90000', 'a=rtcp-fb:96 transport-cc', 'a=rtcp-mux', 'a=fmtp:96 x=1']);
  assert.equal(lean.length, 7 + 20 * 8 + 1);
});

test('each set of open ways has its words and its request', () => {
  const verdict = (udp, tcp, relay) => Object.values(verdictOf({ udp, tcp, relay }));
  assert.deepEqual(verdict(true, false, null), [true, 'selftest-network-ok', null]);
  assert.deepEqual(verdict(false, true, true), [true, 'selftest-network-tcp', 'selftest-ask-udp']);
  assert.deepEqual(verdict(false, false, true), [true, 'selftest-network-relay', 'selftest-ask-udp']);
  assert.deepEqual(verdict(false, false, false), [false, 'selftest-network-blocked', 'selftest-ask-any']);
});
