// Judges of recordings from outside: ffprobe and ffmpeg.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './tally.mjs';

const ffprobe = (...rest) => execFileSync('ffprobe', ['-v', 'error', ...rest]).toString();

/** Begin and end of each stream in seconds, by its packets; and what ffmpeg complains of when it decodes everything. */
export function measure(file) {
  const spans = {};
  for (const line of ffprobe('-show_entries', 'packet=codec_type,pts_time', '-of', 'csv=p=0', file).trim().split('\n')) {
    const [kind, time] = line.split(',');
    spans[kind] ??= [Number(time), Number(time)];
    spans[kind][1] = Number(time);
  }
  const complaints = execFileSync('ffmpeg', ['-v', 'warning', '-i', file, '-f', 'null', '-'], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  return { spans, complaints };
}

/** Every film of a folder has sound and picture of one length. @param {string} folder @param {number} least seconds */
export function checkFilms(folder, least) {
  const films = readdirSync(folder).filter((name) => /\.(webm|mkv)$/.test(name));
  for (const name of films) {
    const { spans, complaints } = measure(join(folder, name));
    const length = (kind) => (spans[kind] ? spans[kind][1] - spans[kind][0] : 0);
    check(`${name}: sound and picture of one length`, Math.abs(length('audio') - length('video')) <= 0.5 && length('audio') >= least,
      `audio ${length('audio').toFixed(2)} s, video ${length('video').toFixed(2)} s`);
    check(`${name}: ffmpeg has no complaint`, complaints === '', complaints);
  }
  return films;
}
