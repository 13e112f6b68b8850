import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Spread } from '../evaluation/metrics.js';
import { plotProtocol } from '../plot/protocol.js';
import {
  evaluateProtocol,
  type ProtocolOptions,
  type ProtocolResult,
  writeProtocol,
} from '../protocol/evaluate-protocol.js';
import { mergeProtocols } from '../protocol/kept-protocol.js';
import type { ProtocolName } from '../protocol/names.js';
import type { ProtocolRun } from '../protocol/run.js';
import type { ProtocolSummary } from '../protocol/summary.js';
import { SonospikeError } from '../support/errors.js';
import { chooseRunOptions, chooseSettings } from './commands/train.js';
import { openData } from './data.js';
import type { EvaluateValues } from './evaluate-options.js';
import { calibrationLine, matrix, operationLines } from './evaluate-report.js';
import { Forecast } from './forecast.js';
import { counted, duration, firingText, percent, table } from './format.js';
import type { Output } from './output.js';
import { PlotFile, requireWritable } from './plot-file.js';
import { commandLine } from './program.js';
import { stoppable } from './stop.js';

type Options = EvaluateValues & { protocol: ProtocolName };

/** Trains and tests a protocol, shows how far it is, and prints what it gave. */
export async function runProtocol(options: Options, args: readonly string[], out: Output): Promise<void> {
  await chooseOut(options, args);
  const plot = await PlotFile.choose(options.plot, options.out === undefined ? [] : [options.out]);
  const result = await stoppable(out, (signal) => evaluate(options, out, signal, plot)).catch(
    async (error) => {
      await plot?.written().catch((failure) => out.note(failure.message));
      throw withWayOn(error, args);
    },
  );
  if (plot) draw(plot, result);
  await plot?.written();
  if (out.json) out.document(result);
  else out.print(report(result));
  if (!result.complete)
    out.note(
      `Shard ${options.shard} is in ${options.out}. evaluate --merge puts the files of all shards together.`,
    );
  if (plot) out.note(`The picture is ${plot.file}.`);
}

/** Refuses a file of `--out` that cannot be written, or whose trainings would be lost. */
async function chooseOut(
  { out, resume, force, shard }: Pick<Options, 'out' | 'resume' | 'force' | 'shard'>,
  args: readonly string[],
): Promise<void> {
  if (resume && force)
    throw invalid('--resume goes on with the file of --out, --force replaces it: name one of both.');
  if (out === undefined) {
    if (shard !== undefined) throw invalid('--shard is for the file of --out: name it.');
    if (resume) throw invalid('--resume goes on with the file of --out: name it.');
    return;
  }
  await requireWritable(out);
  const { size } = await stat(out).catch(() => ({ size: 0 }));
  if (size === 0 || resume || force) return;
  const message =
    `${out} is there already. Go on with it: ${resumed(args)}. Replace it: ` +
    `${commandLine('evaluate', [...args, '--force'])}. Or name another file with --out.`;
  throw new SonospikeError('ERR_FILE_WRITE', message, { file: out });
}

/** Adds to the error of a protocol that was stopped how to go on. */
function withWayOn(error: unknown, args: readonly string[]): unknown {
  if (!(error instanceof SonospikeError) || error.code !== 'ERR_ABORTED' || error.file === undefined)
    return error;
  const { code, cause, file } = error;
  return new SonospikeError(code, `${error.message} Go on with: ${resumed(args)}`, { file, cause });
}

function resumed(args: readonly string[]): string {
  const again = args.filter((arg) => arg !== '--resume' && arg !== '--force');
  return commandLine('evaluate', [...again, '--resume']);
}

/** `3/8` */
function readShard(text: string): { number: number; of: number } {
  const [, number, of] = /^(\d{1,7})\/(\d{1,7})$/.exec(text) ?? [];
  const shard = { number: Number(number), of: Number(of) };
  if (shard.number >= 1 && shard.number <= shard.of) return shard;
  throw invalid(`--shard is ${JSON.stringify(text)}; it must be as in 3/8, the third of eight.`);
}

/** `--merge`: puts the files of shards together, and shows what they found. */
export async function mergeShards(
  options: EvaluateValues,
  files: readonly string[],
  args: readonly string[],
  out: Output,
): Promise<void> {
  await chooseOut({ ...options, resume: false }, args);
  if (files.length === 0) throw invalid('--merge needs the files of the shards, as in --merge shard-*.json.');
  const result = await mergeProtocols(files);
  if (options.out !== undefined) await writeProtocol(options.out, result);
  if (out.json) out.document(result);
  else out.print(report(result));
  if (result.complete) return;
  const missing = result.seeds.flatMap((seed) =>
    result.folds
      .filter((fold) => !result.runs.some((run) => run.fold === fold && run.seed === seed))
      .map((fold) => `fold ${fold} with seed ${seed}`),
  );
  const message =
    `${counted(missing.length, 'training')} of the protocol are in none of these files: ` +
    `${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' and more' : ''}.`;
  throw new SonospikeError('ERR_CHECKPOINT_INVALID', message, { file: options.out });
}

function invalid(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}

function draw(plot: PlotFile, result: ProtocolResult): void {
  const title = `Protocol ${result.protocol} on ${basename(result.dataset.directory)}`;
  plot.update(title, () => [{ name: title, svg: plotProtocol(result, { title }) }]);
}

async function evaluate(
  options: Options,
  out: Output,
  signal: AbortSignal,
  plot: PlotFile | null,
): Promise<ProtocolResult> {
  const {
    protocol,
    strict,
    resume,
    seeds,
    folds,
    parallel,
    target,
    threads,
    device,
    layout,
    extraData,
    out: file,
  } = options;
  const data = await openData(options.data, { ...options, signal });
  const settings = await chooseSettings(options, data);
  const { split: _split, fold: _fold, resume: _resume, ...training } = options;
  const recipe = await chooseRunOptions(training, { resume: undefined });
  const given: Partial<ProtocolOptions> = {
    ...recipe,
    ...(settings === null ? {} : { settings }),
    ...(folds === undefined ? {} : { folds: readFolds(folds) }),
    ...(options.shard === undefined ? {} : { shard: readShard(options.shard) }),
    ...defined({ seeds, parallel, target, threads, device, layout, extraData, out: file }),
  };
  let last: ProtocolResult | null = null;
  const forecast = new Forecast(out, 'The protocol');
  let began: { at: number; share: number } | null = null;
  return evaluateProtocol({
    ...given,
    protocol,
    data,
    strict,
    resume,
    signal,
    // The clock of --target begins with the program.
    since: 0,
    onPlan: ({ folds, seeds, missing, runs }) => {
      if (missing.length > 0)
        out.note(`No clips for ${missing.length === 1 ? 'fold' : 'folds'} ${missing.join(', ')}.`);
      out.note(
        `${counted(runs.length, 'training')}: ${counted(folds.length, 'fold')}, ${counted(seeds.length, 'seed')}.`,
      );
    },
    onRun: ({ run, soFar }) => {
      last = soFar;
      if (plot) draw(plot, soFar);
      out.note(runText(run, soFar));
    },
    onProgress: ({ done, total, share }) => {
      const sofar = last?.summary ? `  accuracy so far ${percent(last.summary.accuracy.mean)}` : '';
      // What was taken over from a file took no time.
      began ??= { at: performance.now(), share };
      const seconds = (performance.now() - began.at) / 1000;
      const left = share > began.share ? (seconds * (1 - share)) / (share - began.share) : Number.NaN;
      const time = Number.isFinite(left) ? `  ${duration(left)} left` : '';
      forecast.update(share);
      out.bar.update(protocol, share, `${done} of ${total} trainings${sofar}${time}`);
    },
  });
}

function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

export function readFolds(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.every((part) => /^\d{1,4}$/.test(part))) return parts.map(Number);
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `--folds is ${JSON.stringify(text)}; it must be numbers of folds with commas between them, as in 1,3.`,
  );
}

function runText(run: ProtocolRun, { runs, folds, seeds }: ProtocolResult): string {
  const { fold, seed, accuracy, clips, bestEpoch, epochs, seconds, secondsToTarget } = run;
  const target =
    secondsToTarget === undefined
      ? ''
      : secondsToTarget === null
        ? '  target not reached'
        : `  target after ${secondsToTarget.toFixed(1)} s`;
  return (
    `${String(runs.length).padStart(3)}/${folds.length * seeds.length}  fold ${fold}  seed ${seed}  ` +
    `${percent(accuracy)} of ${clips} clips  epoch ${bestEpoch}/${epochs}  ${seconds.toFixed(1)} s${target}`
  );
}

function report(result: ProtocolResult): string {
  const { protocol, dataset, folds, seeds, labels, summary, target } = result;
  if (summary === null) return 'No training has ended.';
  const { accuracy, overFolds, confusion, firingRates, calibration, seconds } = summary;
  const each = folds.length > 1 ? `, each the mean of ${folds.length} folds` : '';
  return [
    `Protocol ${protocol} on ${dataset.directory}: ${dataset.clips} clips, ${dataset.speakers} speakers.`,
    `Accuracy ${withSpread(accuracy)} (${counted(seeds.length, 'seed')}${each}; from ${percent(accuracy.min)} to ${percent(accuracy.max)})`,
    ...(folds.length > 1
      ? [`Folds differ by ${points(overFolds.deviation)} (standard deviation of their means)`]
      : []),
    '',
    ...foldTable(summary),
    ...speakerTable(summary),
    matrix({ labels, confusion }),
    '',
    `Firing rates of the layers: ${firingText(firingRates)} spikes per neuron and time step`,
    ...operationLines(summary.operations),
    calibrationLine(calibration),
    ...(summary.auroc === null
      ? []
      : [`AUROC of the confidence against other words: ${summary.auroc.mean.toFixed(4)}`]),
    `Time of one training and test: ${seconds.mean.toFixed(1)} s (${seconds.min.toFixed(1)} to ${seconds.max.toFixed(1)}), ${result.parallel} side by side`,
    ...(target === null ? [] : [targetText(target, summary)]),
  ].join('\n');
}

function targetText(target: number, { secondsToTarget: time }: ProtocolSummary): string {
  if (!time) return `Time to ${percent(target)}: not reached`;
  const missed = time.missed === 0 ? '' : `; ${time.missed} did not reach it`;
  return (
    `Time to a test accuracy of ${percent(target)}: ${time.mean.toFixed(1)} s ` +
    `(${time.min.toFixed(1)} to ${time.max.toFixed(1)}${missed}), start and reading the clips included`
  );
}

function foldTable({ perFold }: ProtocolSummary): string[] {
  if (perFold.length === 1) return [];
  const rows = perFold.map(({ fold, speakers, clips, accuracy }) => [
    String(fold),
    speakers.length > 3 ? `${speakers.length} speakers` : speakers.join(' '),
    String(clips),
    ...spreadCells(accuracy),
  ]);
  return [table([['fold', 'test', 'clips', ...SPREAD_HEADS], ...rows], 2), ''];
}

/** Left out where the folds are the speakers. */
function speakerTable({ perSpeaker, perFold }: ProtocolSummary): string[] {
  const speakers = Object.entries(perSpeaker);
  if (speakers.length === 0 || perFold.every((fold) => fold.speakers.length === 1 && perFold.length > 1))
    return [];
  const rows = speakers.map(([name, { clips, accuracy }]) => [name, String(clips), ...spreadCells(accuracy)]);
  return [table([['speaker', 'clips', ...SPREAD_HEADS], ...rows]), ''];
}

const SPREAD_HEADS = ['accuracy', 'sd', 'least', 'most'];

function spreadCells({ mean, deviation, min, max }: Spread): string[] {
  return [percent(mean), percent(deviation), percent(min), percent(max)];
}

function withSpread({ mean, deviation }: Spread): string {
  return deviation === null ? percent2(mean) : `${percent2(mean)} ± ${(100 * deviation).toFixed(2)}`;
}

function percent2(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

function points(share: number | null): string {
  return share === null ? '-' : `${(100 * share).toFixed(1)} points`;
}
