// Live recognition: what is found in streams of spoken words, how soon, in how many streams at once, in what memory.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadModel } from '../../dist/index.js';
import { quantile } from '../statistics.mjs';
import {
  alone,
  levelled,
  listen,
  makeStream,
  RATE,
  readClips,
  sampleClips,
  score,
} from '../stream/material.mjs';

const SUITE = 'stream';
const CHILD = fileURLToPath(new URL('../stream/memory-child.mjs', import.meta.url));
const END_SILENCE = 0.25; // seconds, the default
const CHUNK = RATE / 50; // 20 ms
/** What is wanted of the stream of 10 minutes at 15 dB, and of all at once. */
const LEAST = { right: 95, falseWords: 0.5, latency: 20, streams: 1000, growth: 8 };

const MAIN = { gaps: [0.1, 1.5], level: true };
const CASES = [
  { ...MAIN, noise: 'white', snr: 15, checked: true },
  { ...MAIN, noise: 'pink', snr: 15, checked: true },
  { ...MAIN, noise: 'white', snr: 20 },
  { ...MAIN, noise: 'pink', snr: 20 },
  { ...MAIN, noise: 'white', snr: 10 },
  { ...MAIN, noise: 'pink', snr: 10 },
  { ...MAIN, noise: null },
  { gaps: [0, 0.3], level: true, noise: 'white', snr: 15 },
  { gaps: [0, 0.3], level: true, noise: 'pink', snr: 15 },
  { gaps: [0, 0], level: true, noise: 'white', snr: 15 },
  { gaps: [0, 0], level: true, noise: 'pink', snr: 15 },
  { gaps: [0.1, 1.5], level: false, noise: 'white', snr: 15 },
  { gaps: [0.1, 1.5], level: false, noise: 'pink', snr: 15 },
  { gaps: [0.1, 1.5], level: false, noise: null },
];

function row(what, who, unit, better, values) {
  return { suite: SUITE, what, who, unit, better, values };
}

/** The row, failed where a value that was asked for is not reached. */
function wanted(one, limit) {
  const value = one.values[0];
  const reached = one.better === 'more' ? value >= limit : value <= limit;
  if (reached) return one;
  const bound = one.better === 'more' ? 'at least' : 'at most';
  return { ...one, failed: `${value.toPrecision(3)} ${one.unit}; ${bound} ${limit} is wanted` };
}

function nameOf({ gaps: [least, most], level, noise, snr }) {
  const gap = most === 0 ? 'back to back' : `gaps ${least}-${most} s`;
  return `${gap}, ${noise === null ? 'clean' : `${noise} ${snr} dB`}${level ? '' : ', levels as they are'}`;
}

/** Seconds from the end of each word with enough silence after it to its event, beyond that silence. */
function delays(said, heard) {
  return heard.flatMap((word) => {
    const at = said.findIndex(
      (other) => other.label === word.label && other.start < word.end && word.start < other.end,
    );
    const next = said[at + 1];
    if (at < 0 || !next || next.start - said[at].end < END_SILENCE + 0.05) return [];
    return [word.told - said[at].end - END_SILENCE];
  });
}

async function benchWords(model, clips, seconds, some) {
  const rows = [];
  for (const one of some) {
    const used = one.level ? levelled(clips) : clips;
    const { samples, words } = makeStream(used, { ...one, seconds, seed: 100 });
    const heard = await listen(model, samples, {}, CHUNK);
    const { said, right, wrong, inserted } = score(words, heard.words);
    const what = nameOf(one);
    const minutes = seconds / 60;
    const found = row(what, 'found, right', '%', 'more', [(100 * right) / said]);
    const falseWords = row(what, 'false', '/min', 'less', [(wrong + inserted) / minutes]);
    const limits = one.checked ? [LEAST.right, LEAST.falseWords] : [0, Number.POSITIVE_INFINITY];
    rows.push(wanted(found, limits[0]), wanted(falseWords, limits[1]));
    rows.push(row(what, 'false, no word', '/min', 'less', [inserted / minutes]));
    const ceiling = alone(model, samples, words);
    rows.push(row(what, 'predict, right', '%', 'more', [(100 * ceiling.right) / said]));
    rows.push(row(what, 'and accepted', '%', 'more', [(100 * ceiling.accepted) / said]));
    rows.push(row(what, 'and wrong', '/min', 'less', [ceiling.wrong / minutes]));
    if (!one.checked) continue;
    const late = delays(words, heard.words).sort((a, b) => a - b);
    const p99 = row(what, 'event, p99', 'ms', 'less', [1000 * quantile(late, 0.99)]);
    rows.push(wanted(p99, LEAST.latency));
  }
  return rows;
}

/** Many streams side by side, each a little later in the same words: how many one core takes in real time. */
function benchLive(model, clips, count, seconds) {
  const { samples } = makeStream(levelled(clips), { ...MAIN, noise: 'pink', snr: 20, seconds: 60, seed: 7 });
  let words = 0;
  const streams = Array.from({ length: count }, () => model.stream({ sampleRate: RATE }));
  for (const stream of streams) stream.on('word', () => words++);
  const rounds = [];
  const round = (k) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      const at = ((k * CHUNK + i * 977) % (samples.length - CHUNK)) | 0;
      streams[i].write(samples.subarray(at, at + CHUNK));
    }
    rounds.push(performance.now() - start);
  };
  return new Promise((done) => {
    const before = process.cpuUsage();
    const last = (seconds * RATE) / CHUNK;
    const step = (k) => {
      if (k < last) {
        round(k);
        setImmediate(step, k + 1);
        return;
      }
      const { user, system } = process.cpuUsage(before);
      for (const stream of streams) stream.destroy();
      const what = `${count} streams in 20 ms chunks, ${Math.round((60 * words) / count / seconds)} words a minute`;
      rounds.sort((a, b) => a - b);
      done([
        { ...row(what, 'streams a core', 'streams', 'more', [(1e6 * count * seconds) / (user + system)]) },
        row(what, 'a round of all, p99', 'ms', 'less', [quantile(rounds, 0.99)]),
      ]);
    };
    step(0);
  });
}

async function benchMemory(count, minutes, data) {
  const what = `${count} streams, resident after 1 min and ${minutes} min`;
  const task = JSON.stringify({ count, minutes, data });
  // A young generation that grows is no growth of the streams.
  const args = ['--expose-gc', '--max-semi-space-size=2', CHILD, task];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { first, last, each } = JSON.parse(stdout);
  return [
    row(what, 'a stream', 'KB', 'less', [each / 1000]),
    wanted(row(what, 'growth', 'MB', 'less', [(last - first) / 1e6]), LEAST.growth),
  ];
}

/** Of the official test clips of FSDD; `quick`: of the sample clips. */
export async function benchStream({ data, quick, progress }) {
  if (!quick && !existsSync(data)) {
    const refused = `no FSDD in ${data}: npm run dataset -- fsdd, or --data DIR`;
    return [{ suite: SUITE, what: 'words', who: 'sonospike', unit: '%', better: 'more', refused }];
  }
  const model = await loadModel();
  const clips = quick ? await sampleClips() : await readClips(data);
  progress('stream: words in noise');
  const cases = quick ? [{ ...CASES[0], checked: false }] : CASES;
  const results = await benchWords(model, clips, quick ? 20 : 600, cases);
  progress('stream: many at once');
  const live = await benchLive(model, clips, quick ? 20 : 1000, quick ? 2 : 30);
  results.push(quick ? live[0] : wanted(live[0], LEAST.streams), live[1]);
  progress('stream: memory');
  results.push(...(await benchMemory(quick ? 10 : 1000, quick ? 2 : 10, quick ? null : data)));
  return results;
}
