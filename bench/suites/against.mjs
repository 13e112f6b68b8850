import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Build } from '../against/build.mjs';
import { quantile } from '../statistics.mjs';
import { alternate, rows } from '../works.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const at = (path) => join(ROOT, path);
const FROZEN = 'bench/settings/2026-11-30';
const MODEL = at('models/digits.safetensors');
const SAMPLES = readdirSync(at('samples'))
  .filter((name) => name.endsWith('.wav'))
  .sort()
  .map((name) => at(`samples/${name}`));
const MFCC = JSON.parse(readFileSync(at(`${FROZEN}-original.json`), 'utf8')).frontend;

/** `batchSize` → `--batch-size` with its value. */
function flags(recipe) {
  return Object.entries(recipe).flatMap(([key, value]) => [
    `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
}

/** The frozen recipe of a preset as options of `train`, of both builds. */
function recipeOf(preset, changes) {
  // Builds of before this comparison have no option for it; its value is the default of both.
  const { warmupShare: _, ...recipe } = JSON.parse(
    readFileSync(at(`${FROZEN}-${preset}-recipe.json`), 'utf8'),
  );
  const augmentation = preset === 'default' ? at(`${FROZEN}-augmentation.json`) : 'none';
  return [
    ...['--settings', at(`${FROZEN}-${preset}.json`), '--augmentation', augmentation],
    ...flags({ ...recipe, ...changes }),
  ];
}

let trainings = 0;

/** Every comparison: a request to both builds, the unit, and how its seconds become one. */
function comparisons({ data, quick, threads }, folder) {
  const files = quick ? SAMPLES.slice(0, 4) : SAMPLES;
  const set = existsSync(data) ? resolve(data) : at('samples');
  const name = existsSync(data) ? 'FSDD' : 'the samples';
  const train = (preset, what, changes, whole = false) => ({
    what: `${preset}, training ${what}, ${name}`,
    unit: whole ? 's' : 'clips/s',
    request: (who) => ({
      op: 'train',
      whole,
      args: [
        ...[
          '--data',
          set,
          '--out',
          // train replaces no file of another training.
          join(folder, `${who}-${preset}-${trainings++}.safetensors`),
          '--threads',
          String(threads),
        ],
        ...['--split', existsSync(data) ? 'official' : 'random:0.2', '--device', 'cpu'],
        ...recipeOf(preset, changes),
      ],
    }),
  });
  const epochs = 2;
  const all = [
    {
      what: 'default, one clip, one thread',
      unit: 'ms',
      request: () => ({ op: 'predict', model: MODEL, files }),
    },
    {
      what: 'MFCC of 1 s at 16 kHz, one thread',
      unit: 'us',
      request: () => ({ op: 'features', frontend: MFCC, samples: 16_000, sampleRate: 16_000, times: 200 }),
    },
    {
      what: 'live stream, processor time of 1 s of sound',
      unit: 'us',
      request: () => ({ op: 'stream', model: MODEL, files: files.slice(0, 30) }),
    },
    train('original', 'at batch 10', { epochs, batchSize: 10 }),
    train('original', 'at batch 64', { epochs, batchSize: 64 }),
    train('default', 'at batch 32', { epochs, batchSize: 32 }),
    train('default', 'at batch 256', { epochs, batchSize: 256 }),
    train('default', 'the whole command', quick ? { epochs: 1 } : {}, true),
  ];
  return quick ? all.filter(({ what }) => !what.includes('batch 64') && !what.includes('batch 256')) : all;
}

const median = (values) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** This build and another by turns, with the same files, settings and recipe. */
export async function benchAgainst(bench) {
  const { against, progress, repeats } = bench;
  if (!against) throw new Error('the suite against needs --against DIR, another build');
  // The other one first: it may be none, and no process must be left then.
  const other = new Build(against);
  const builds = { sonospike: new Build(ROOT), against: other };
  const folder = mkdtempSync(join(tmpdir(), 'sonospike-against-'));
  const results = [];
  try {
    for (const { what, unit, request } of comparisons(bench, folder)) {
      progress(`against: ${what}`);
      const [all, more] = [{}, { sonospike: { compare: ['sonospike', 'against'] }, against: {} }];
      const works = Object.entries(builds).map(([who, build]) => [
        who,
        async () => {
          const { seconds, accuracy } = await build.ask(request(who));
          all[who] = [...(all[who] ?? []), ...seconds];
          if (accuracy !== undefined) more[who].accuracy = accuracy;
          return median(seconds);
        },
      ]);
      const seconds = await alternate(repeats, Object.fromEntries(works));
      for (const who of Object.keys(builds)) {
        const sorted = all[who].sort((a, b) => a - b);
        if (unit === 'ms') more[who].p99 = quantile(sorted, 0.99) * 1000;
      }
      results.push(...rows({ suite: 'against', what, unit, more }, seconds));
    }
  } finally {
    for (const build of Object.values(builds)) build.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}
