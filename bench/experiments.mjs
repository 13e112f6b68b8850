// Experiments on voices that were not heard: `node bench/experiments.mjs --help`.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateProtocol, openDataset, presetRecipe, presetSettings } from '../dist/index.js';
import { tablesOf } from './experiments/report.mjs';
import { TABLES } from './experiments/variants.mjs';

const HELP = `Usage: node bench/experiments.mjs --data DIR --out FILE [options]

Trains variants of the default preset with one speaker left out and tests on that speaker. What was chosen for the
preset was chosen on the folds 1 to 3 alone; the others have no part in it.

  --data DIR       a dataset with speakers, as FSDD
  --out FILE       JSON file of results; variants that it has already are not run again
  --voices DIR     synthesised voices, for the variant that trains with them (node samples/make-samples.mjs)
  --table LIST     ${Object.keys(TABLES).join(',')} (default: all)
  --folds LIST     speakers that are left out (default: 1,2,3)
  --seeds N        trainings of each fold (default: 1)
  --epochs N       instead of the recipe's
  --markdown       prints the tables of FILE and runs nothing
  --help           this text
`;

const { values: args } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    voices: { type: 'string' },
    table: { type: 'string', default: Object.keys(TABLES).join(',') },
    folds: { type: 'string', default: '1,2,3' },
    seeds: { type: 'string', default: '1' },
    epochs: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (args.help || !args.out || (!args.data && !args.markdown)) {
  process.stdout.write(HELP);
  process.exit(args.help ? 0 : 2);
}

const unknown = args.table.split(',').find((name) => !(name in TABLES));
if (unknown !== undefined) {
  console.error(`There is no table ${unknown}; the tables are ${Object.keys(TABLES).join(', ')}.`);
  process.exit(2);
}

const results = existsSync(args.out) ? JSON.parse(readFileSync(args.out, 'utf8')) : { variants: [] };

if (args.markdown) {
  process.stdout.write(tablesOf(results.variants, TABLES));
} else {
  const dataset = await openDataset(args.data);
  for (const table of args.table.split(',')) {
    for (const variant of TABLES[table]) await run(dataset, table, variant);
  }
}

/** Names the clips of a dataset. */
function fingerprintOf({ clips }) {
  const hash = createHash('sha256');
  for (const { file, label } of clips) hash.update(`${basename(file)} ${label}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** Settings and options of a variant. */
function describe(variant, labels) {
  const settings = structuredClone(presetSettings('default', labels));
  variant.settings?.(settings);
  const recipe = { ...presetRecipe('default'), ...(args.epochs ? { epochs: Number(args.epochs) } : {}) };
  const options = typeof variant.options === 'function' ? variant.options(recipe) : variant.options;
  const all = { ...recipe, ...options };
  if (variant.augmentation) all.augmentation = variant.augmentation(recipe.augmentation);
  const { seed: _, ...kept } = all;
  return { settings, options: kept };
}

async function run(dataset, table, variant) {
  if (variant.voices && !args.voices)
    return console.error(`${variant.name}: left out, as --voices names none`);
  const { settings, options } = describe(variant, dataset.labels);
  const folds = args.folds.split(',').map(Number);
  const voices = variant.voices ? fingerprintOf(await openDataset(args.voices)) : null;
  const data = fingerprintOf(dataset);
  const key = JSON.stringify([data, settings, options, folds, Number(args.seeds), voices]);
  const had = results.variants.find((each) => each.key === key);
  const entry = { table, name: variant.name, key };
  if (had) Object.assign(entry, { ...had, table, name: variant.name });
  else {
    const { summary, runs } = await evaluateProtocol({
      protocol: 'leave-one-speaker-out',
      data: dataset,
      folds,
      seeds: Number(args.seeds),
      settings,
      ...options,
      ...(variant.voices ? { extraData: args.voices } : {}),
    });
    Object.assign(entry, {
      date: new Date().toISOString().slice(0, 10),
      epochs: options.epochs,
      accuracy: summary.accuracy.mean,
      perFold: summary.perFold.map(({ fold, accuracy }) => ({ fold, accuracy: accuracy.mean })),
      firingRates: summary.firingRates,
      neurons: settings.network.layers.map((layer) => layer.neurons),
      calibrationError: summary.calibration.error,
      loss: runs.reduce((sum, { loss }) => sum + loss, 0) / runs.length,
      operations: summary.operations,
      seconds: summary.seconds.mean,
    });
  }
  results.variants = results.variants.filter((each) => each.table !== table || each.name !== variant.name);
  results.variants.push(entry);
  writeFileSync(args.out, `${JSON.stringify(results, null, 1)}\n`);
  const percent = (entry.accuracy * 100).toFixed(1);
  console.error(
    `${table}: ${variant.name}: ${percent}% (${entry.perFold.map(({ accuracy }) => (accuracy * 100).toFixed(1)).join(' ')})`,
  );
}
