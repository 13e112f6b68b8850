import { compare as compareVariants } from '../../protocol/compare.js';
import type { Comparison } from '../../protocol/comparison.js';
import { SonospikeError } from '../../support/errors.js';
import { defineCommand } from '../command.js';
import { type CompareFiles, chooseCompareFiles, writeShown } from '../compare-files.js';
import { COMPARE_OPTIONS, type CompareValues } from '../compare-options.js';
import { plannedText, report, runText } from '../compare-report.js';
import { chooseVariants } from '../compare-variants.js';
import { noteSkipped, openData } from '../data.js';
import { readFolds } from '../evaluate-protocol.js';
import { Forecast } from '../forecast.js';
import { counted, duration, shortPath } from '../format.js';
import type { Output } from '../output.js';
import { commandLine } from '../program.js';
import { stoppable } from '../stop.js';

export const compare = defineCommand({
  name: 'compare',
  summary: 'Trains variants of a network with the same seeds, and tells how their accuracies differ.',
  description:
    'Trains and tests variants of a network or of its training with the same seeds and folds, and tells how the accuracy ' +
    'of each differs from that of the first, with the 95% interval of the paired differences. Variants are settings ' +
    'files (sonospike settings writes one), presets, or the values of --vary. Ctrl-C stops it; with --resume the same ' +
    'command goes on.',
  examples: [
    'sonospike compare --data data/fsdd --vary surrogate=atan,triangle,boxcar --seeds 3',
    'sonospike compare small.json large.json --data data/fsdd --protocol official',
    'sonospike compare default original --data data/fsdd --out presets.md',
    'sonospike compare --data words --vary learning-rate=0.001,0.003 --vary epochs=12,24',
  ],
  positionals: { usage: '[SETTINGS.json|PRESET...]', max: Number.POSITIVE_INFINITY },
  options: COMPARE_OPTIONS,
  async run({ options, positionals, args }, out) {
    const files = await chooseCompareFiles(positionals, options);
    const result = await stoppable(out, (signal) => runComparison(options, files, out, signal)).catch(
      (error) => {
        throw withWayOn(error, args);
      },
    );
    noteSkipped(out, result.skipped);
    await writeShown(files, result);
    if (out.json) out.document(result);
    else out.print(report(result));
    out.note(`Written: ${[files.json, ...files.shown].map(shortPath).join(', ')}.`);
  },
});

async function runComparison(
  options: CompareValues,
  files: CompareFiles,
  out: Output,
  signal: AbortSignal,
): Promise<Comparison> {
  const {
    protocol,
    split,
    seeds,
    seed,
    folds,
    parallel,
    threads,
    device,
    layout,
    extraData,
    strict,
    resume,
  } = options;
  const data = await openData(options.data, { ...options, signal });
  const variants = await chooseVariants(files.variants, options, data);
  const given = { protocol, split, seeds, seed, parallel, threads, device, layout, extraData };
  const started = performance.now();
  const forecast = new Forecast(out, 'The comparison');
  return compareVariants({
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(folds === undefined ? {} : { folds: readFolds(folds) }),
    data,
    variants,
    strict,
    signal,
    out: files.json,
    resume,
    onPlan: ({ variants: names, seeds: all, folds: each, missing, total, kept, split: name }) => {
      if (resume && !files.exists)
        out.note(`There is no ${shortPath(files.json)} to go on with: starting anew.`);
      if (missing.length > 0) out.note(`No clips for the folds ${missing.join(', ')}.`);
      const rest = kept === 0 ? '' : `; ${kept} are in ${shortPath(files.json)} already`;
      const planned = plannedText({ variants: names, seeds: all, folds: each });
      out.note(`Variants: ${names.join('; ')}.`);
      out.note(`${planned} (split ${name}) = ${counted(total, 'training')}${rest}.`);
    },
    onRun: ({ run, done, total }) => out.note(runText(run, done, total)),
    onProgress: ({ done, total, share }) => {
      forecast.update(share);
      const seconds = (performance.now() - started) / 1000;
      const left = share > 0 ? `  ${duration(seconds * (1 / share - 1))} left` : '';
      forecast.update(share);
      out.bar.update('compare', done / total, `${done} of ${total} trainings${left}`);
    },
  });
}

/** Adds to the error of a comparison that was stopped how to go on. */
function withWayOn(error: unknown, args: readonly string[]): unknown {
  if (!(error instanceof SonospikeError) || error.code !== 'ERR_ABORTED' || error.file === undefined)
    return error;
  const again = args.filter((arg) => arg !== '--resume' && arg !== '--force');
  const { code, cause, file } = error;
  const message = `${error.message} Go on with: ${commandLine('compare', [...again, '--resume'])}`;
  return new SonospikeError(code, message, { file, cause });
}
