// libwebrtc in Node: a member of the room with a wandering bar and a tone.

import wrtc from '@roamhq/wrtc';
import { WebSocket } from 'ws';
import { RoomClient } from './room.mjs';

const { RTCAudioSink, RTCAudioSource, RTCVideoSink, RTCVideoSource } = wrtc.nonstandard;
const [WIDTH, HEIGHT] = [320, 240];

export class NodeMember {
  /** By member. */
  received = {};
  #sinks = [];
  #timers = [];

  /** @param {string} url */
  constructor(url) {
    this.client = new RoomClient(url, { WebSocket, RTCPeerConnection: wrtc.RTCPeerConnection });
    this.client.ontrack = (track, mid) => this.#watch(track, mid);
  }

  async join() {
    await this.client.join([this.#tone(), this.#picture()]);
  }

  leave() {
    this.#timers.forEach(clearInterval);
    this.#sinks.forEach((sink) => sink.stop());
    this.client.leave();
  }

  #of(mid) {
    const member = this.client.tracks.get(mid)?.member;
    return member && (this.received[member] ??= { frames: 0, energy: 0 });
  }

  #watch(track, mid) {
    const sink = track.kind === 'video' ? new RTCVideoSink(track) : new RTCAudioSink(track);
    this.#sinks.push(sink);
    sink.onframe = ({ frame }) => {
      const of = this.#of(mid);
      if (of && frame.width > 0) of.frames += 1;
    };
    sink.ondata = ({ samples, sampleRate, channelCount = 1 }) => {
      const of = this.#of(mid);
      if (!of) return;
      let sum = 0;
      for (const sample of samples) sum += (sample / 32768) ** 2;
      of.energy += sum / channelCount / sampleRate;
    };
  }

  #picture() {
    const source = new RTCVideoSource();
    let at = 0;
    this.#timers.push(setInterval(() => {
      const data = new Uint8ClampedArray((WIDTH * HEIGHT * 3) / 2).fill(128);
      at = (at + 4) % (WIDTH - 20);
      for (let row = 0; row < HEIGHT; row += 1) data.fill(230, row * WIDTH + at, row * WIDTH + at + 20);
      source.onFrame({ width: WIDTH, height: HEIGHT, data });
    }, 66));
    return source.createTrack();
  }

  #tone() {
    const source = new RTCAudioSource();
    let at = 0;
    this.#timers.push(setInterval(() => {
      const samples = new Int16Array(480);
      for (let i = 0; i < 480; i += 1) samples[i] = 16_000 * Math.sin((2 * Math.PI * 440 * at++) / 48_000);
      source.onData({ samples, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 });
    }, 10));
    return source.createTrack();
  }
}
