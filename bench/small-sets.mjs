// How well models of a few takes of a few words do, and what they accept: trains on the first takes of some digits by one
// voice of FSDD, as `train --data FOLDER` does, and asks about that voice's other takes, its other digits, and sounds that
// are no words.
//
//   node bench/small-sets.mjs --data data/fsdd [--sets 3x20,10x3] [--voices jackson,theo] [--out FILE]
//
// --sets names how many words with how many takes each; --lib FILE measures another build (its dist/index.js).
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: 'data/fsdd' },
    sets: { type: 'string', default: '3x3,3x5,3x10,3x20,10x3,10x5,10x10,10x20' },
    voices: { type: 'string', default: 'george,jackson,lucas,nicolas,theo,yweweler' },
    seed: { type: 'string', default: '0' },
    threads: { type: 'string', default: String(availableParallelism()) },
    lib: { type: 'string', default: join(import.meta.dirname, '../dist/index.js') },
    out: { type: 'string' },
  },
});
const { train } = await import(resolve(values.lib));
const recordings = join(resolve(values.data), 'recordings');
/** Three words that sound unlike each other, of each voice others; ten are all digits. */
const TRIPLES = [
  [1, 4, 7],
  [0, 6, 8],
  [2, 5, 9],
  [3, 7, 8],
  [1, 5, 6],
  [0, 4, 9],
];
const DIGITS = [...Array(10).keys()];
const TAKES = 50;
/** Takes of each other digit that are asked about. */
const UNKNOWN = 15;

const file = (digit, voice, take) => join(recordings, `${digit}_${voice}_${take}.wav`);
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const share = (of, is) => (of.length === 0 ? null : of.filter(is).length / of.length);

/** Sounds of a second at 8 kHz that are no words, the same every time; none as the training makes them. */
function sounds() {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const made = (value) => ({
    samples: Float32Array.from({ length: 8000 }, (_, i) => value(i / 8000)),
    sampleRate: 8000,
  });
  const kinds = {
    'white noise': () => {
      const level = 10 ** -(0.5 + 2 * uniform());
      return made(() => level * normal());
    },
    hum: () => {
      const [hertz, level] = [uniform() < 0.5 ? 50 : 60, 0.1 + 0.4 * uniform()];
      return made(
        (t) =>
          level * [1, 3, 5, 7].reduce((sum, k) => sum + Math.sin(2 * Math.PI * hertz * k * t) / k, 0) +
          0.002 * normal(),
      );
    },
    clicks: () => {
      const at = range(0, 3).map(() => uniform());
      return made(
        (t) =>
          at.reduce((sum, first) => sum + (t < first ? 0 : Math.exp(-(t - first) * 400)), 0) *
            0.5 *
            normal() +
          0.001 * normal(),
      );
    },
    music: () => {
      const notes = range(0, 4).map(() => 110 * 2 ** (Math.floor(uniform() * 24) / 12));
      return made((t) => {
        const [note, within] = [Math.min(3, Math.floor(4 * t)), (4 * t) % 1];
        return (
          0.3 *
          Math.exp(-2 * within) *
          [1, 2, 3].reduce((sum, k) => sum + Math.sin(2 * Math.PI * notes[note] * k * t) / k, 0)
        );
      });
    },
  };
  return Object.entries(kinds).flatMap(([kind, make]) => range(0, 25).map(() => ({ kind, audio: make() })));
}

async function measure(words, takes, voice) {
  const folder = mkdtempSync(join(tmpdir(), 'sonospike-small-'));
  for (const word of words) {
    mkdirSync(join(folder, String(word)));
    for (const take of range(0, takes)) {
      copyFileSync(file(word, voice, take), join(folder, String(word), `${voice}_${take}.wav`));
    }
  }
  const started = performance.now();
  const result = await train({ data: folder, seed: Number(values.seed), threads: Number(values.threads) });
  const seconds = (performance.now() - started) / 1000;
  rmSync(folder, { recursive: true });
  const { model } = result;
  const asked = words.flatMap((word) => range(takes, TAKES).map((take) => ({ word, take })));
  const known = (await model.predictBatch(asked.map(({ word, take }) => file(word, voice, take)))).map(
    (found, i) => ({
      ...found,
      right: found.ranked[0].label === String(asked[i].word),
    }),
  );
  const others = DIGITS.filter((digit) => !words.includes(digit));
  const unknown = await model.predictBatch(
    others.flatMap((digit) => range(0, UNKNOWN).map((take) => file(digit, voice, take))),
  );
  const made = sounds();
  const noises = await model.predictBatch(made.map(({ audio }) => audio));
  const accepted = ({ rejected }) => !rejected;
  const kinds = [...new Set(made.map(({ kind }) => kind))];
  const right = known.filter((found) => found.right);
  model.close();
  return {
    words: words.length,
    takes,
    voice,
    digits: words.join(''),
    seconds,
    reported: result.test.accuracy,
    reportedClips: result.test.clips,
    threshold: model.confidence?.threshold ?? null,
    accuracy: share(known, (found) => found.right),
    rightAccepted: share(right, accepted),
    confidence: mean(known.map(({ confidence }) => confidence)),
    unknown: unknown.length,
    unknownAccepted: share(unknown, accepted),
    ...Object.fromEntries(
      kinds.map((kind) => [
        kind,
        share(
          noises.filter((_, i) => made[i].kind === kind),
          accepted,
        ),
      ]),
    ),
  };
}

const runs = [];
for (const set of values.sets.split(',')) {
  const [words, takes] = set.split('x').map(Number);
  for (const [i, voice] of values.voices.split(',').entries()) {
    const run = await measure(
      words === 10 ? DIGITS : TRIPLES[i % TRIPLES.length].slice(0, words),
      takes,
      voice,
    );
    runs.push(run);
    console.error(JSON.stringify(run));
    if (values.out) writeFileSync(values.out, `${JSON.stringify(runs, null, 1)}\n`);
  }
}

const COLUMNS = [
  'accuracy',
  'reported',
  'confidence',
  'rightAccepted',
  'unknownAccepted',
  'white noise',
  'hum',
  'clicks',
  'music',
];
const percent = (numbers) => {
  const known = numbers.filter((number) => number !== null);
  return known.length === 0 ? '-' : `${(100 * mean(known)).toFixed(1)}%`;
};
console.log(
  '| words × takes | other takes right | training says | mean confidence | right ones accepted | unknown words accepted | white noise | hum | clicks | music | seconds |',
);
console.log(`|${'---|'.repeat(COLUMNS.length + 2)}`);
for (const set of values.sets.split(',')) {
  const [words, takes] = set.split('x').map(Number);
  const of = runs.filter((run) => run.words === words && run.takes === takes);
  const cells = COLUMNS.map((column) => percent(of.map((run) => run[column])));
  console.log(
    `| ${words} × ${takes} | ${cells.join(' | ')} | ${mean(of.map(({ seconds }) => seconds)).toFixed(0)} |`,
  );
}
