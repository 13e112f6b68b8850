// How many words an hour a stream hears where none of its words is said, against how many words it misses: the curve
// over the threshold.
import { existsSync, writeFileSync } from 'node:fs';
import { loadModel } from '../../dist/index.js';
import { picture } from '../false-alarms/picture.mjs';
import { household, music, nameOfFolder, recordings } from '../false-alarms/sounds.mjs';
import { listen, makeStream, RATE, readClips, sampleClips } from '../stream/material.mjs';

const SUITE = 'false-alarms';
const THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
const MINUTES = 60; // of each made sound

function row(what, who, unit, better, values) {
  return { suite: SUITE, what, who, unit, better, values };
}

/** The 95% interval of an expected count from the one that was seen (F. Garwood, 1936, by Wilson and Hilferty's cube). */
export function poissonInterval(count) {
  const cube = (n, z) => n * (1 - 1 / (9 * n) + z / (3 * Math.sqrt(n))) ** 3;
  return [count === 0 ? 0 : cube(count, -1.96), cube(count + 1, 1.96)];
}

/** Confidences of everything that the stream heard, and the hours. */
async function hear(model, sounds) {
  const confidences = [];
  let samples = 0;
  for await (const stream of sounds) {
    const { words, rejected } = await listen(model, stream, {}, RATE);
    confidences.push(...[...words, ...rejected].map(({ confidence }) => confidence));
    samples += stream.length;
  }
  return { confidences, hours: samples / RATE / 3600 };
}

/** Of each threshold, the share of said words that are not found with their label. */
async function misses(model, clips, seconds) {
  const { samples, words } = makeStream(clips, { seconds, gaps: [0.3, 1.5], noise: null, seed: 100 });
  const heard = await listen(model, samples, {}, RATE);
  const all = [...heard.words, ...heard.rejected];
  return (threshold) => {
    const found = words.filter(({ label, start, end }) =>
      all.some(
        (word) =>
          word.label === label &&
          word.confidence >= threshold &&
          Math.min(word.end, end) - Math.max(word.start, start) > (end - start) / 2,
      ),
    );
    return 1 - found.length / words.length;
  };
}

/** `sounds`: folders of recordings in which no digit is said; `quick`: minutes of made sounds alone. */
export async function benchFalseAlarms({ data, sounds, picture: file, quick, progress }) {
  if (!quick && !existsSync(data)) {
    const refused = `no FSDD in ${data}: npm run dataset -- fsdd, or --data DIR`;
    return [{ suite: SUITE, what: 'words', who: 'sonospike', unit: '%', better: 'less', refused }];
  }
  const model = await loadModel();
  const own = model.confidence.threshold;
  const minutes = quick ? 1 : MINUTES;
  const kinds = [
    ...sounds.map((folder) => [nameOfFolder(folder), recordings(folder)]),
    ['made music', music(minutes)],
    ['made household', household(minutes)],
  ];
  progress('false-alarms: words');
  const missed = await misses(model, quick ? await sampleClips() : await readClips(data), quick ? 60 : 600);
  const results = [row(`threshold ${own.toFixed(2)}`, 'words missed', '%', 'less', [100 * missed(own)])];
  const curves = [];
  for (const [name, material] of kinds) {
    progress(`false-alarms: ${name}`);
    const { confidences, hours } = await hear(model, material);
    const count = (threshold) => confidences.filter((confidence) => confidence >= threshold).length;
    const what = `${name}, ${hours.toFixed(2)} h`;
    const [least, most] = poissonInterval(count(own)).map((n) => (n / hours).toFixed(0));
    results.push(
      row(`${what}, threshold ${own.toFixed(2)} (${least} to ${most})`, 'false words', '/h', 'less', [
        count(own) / hours,
      ]),
    );
    const points = THRESHOLDS.map((threshold) => ({
      threshold,
      missed: 100 * missed(threshold),
      falseWords: count(threshold) / hours,
    }));
    curves.push({ name: what, points });
    for (const { threshold, missed: share, falseWords } of points) {
      const at = `${what}, threshold ${threshold}: ${share.toFixed(1)}% missed`;
      results.push(row(at, 'false words', '/h', 'less', [falseWords]));
    }
  }
  if (file) writeFileSync(file, picture(curves));
  return results;
}
