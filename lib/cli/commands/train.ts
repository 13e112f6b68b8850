import type { Dataset } from '../../datasets/index.js';
import { choosePlace } from '../../native/device.js';
import type { ModelSettings } from '../../settings/settings.js';
import { SonospikeError } from '../../support/errors.js';
import type { EpochMetrics } from '../../training/epoch.js';
import { pickRunOptions, type RunOptions } from '../../training/recipe.js';
import { type TrainResult, train as trainNetwork } from '../../training/train.js';
import type { Values } from '../args.js';
import { defineCommand } from '../command.js';
import { aboutWords, noteSkipped, openData } from '../data.js';
import type { Output } from '../output.js';
import { PlotFile } from '../plot-file.js';
import { commandLine } from '../program.js';
import { makeSettings, readAugmentation } from '../settings-source.js';
import { stoppable } from '../stop.js';
import { noteWithoutThreshold } from '../threshold.js';
import { chooseFiles, type TrainFiles } from '../train-files.js';
import { TrainLog } from '../train-log.js';
import { DEFAULT_MODEL, DEMO_MODEL, TRAIN_OPTIONS } from '../train-options.js';
import { TrainingCurves } from '../train-plot.js';
import { document, summary, TrainReport } from '../train-report.js';

type Options = Values<typeof TRAIN_OPTIONS>;

/** For the shipped samples: enough to see it learn, in seconds; too few clips to hold any back for validation. */
const SAMPLES_RECIPE = { epochs: 40, batchSize: 8, validation: 0 };

export const train = defineCommand({
  name: 'train',
  summary: 'Trains a network on the words of a dataset.',
  description:
    'Trains a network on the words of a dataset and keeps the best model. Prints a row for every epoch (of many quick ' +
    'ones a row a second): loss, accuracy, time left, firing rates. --log and --json have every figure. Ctrl-C stops ' +
    'after the batch in hand, with a checkpoint to go on from.',
  examples: [
    'sonospike train --data data/fsdd',
    'sonospike train --data data/AudioMNIST --fold 2 --out fold2.safetensors',
    'sonospike train --data my-words --epochs 50 --seed 1',
    'sonospike train --data data/fsdd --resume',
    'sonospike train --data data/fsdd --plot curves.html',
  ],
  options: TRAIN_OPTIONS,
  json:
    'Prints one JSON document on stdout when the training has ended, and the metrics of every epoch as a line of JSON ' +
    'on stderr. With npm, use npm run -s, as npm prints lines of its own.',
  async run({ options, args }, out) {
    const isDemo = options.data === undefined;
    const files = await chooseFiles(options, { out: isDemo ? DEMO_MODEL : DEFAULT_MODEL, isDemo }, args);
    const plot = await PlotFile.choose(options.plot, [files.out, files.checkpoint]);
    const curves = plot && new TrainingCurves(plot, files.out);
    const log = await TrainLog.open(options.log, {
      resumed: files.resume !== undefined,
      force: options.force,
    });
    const onEpochs = (history: readonly EpochMetrics[]) => {
      log?.update(history);
      curves?.update(history);
    };
    const result = await stoppable(out, (signal) => runTraining(options, files, out, signal, onEpochs)).catch(
      async (error) => {
        await log?.written().catch((failure) => out.note(failure.message));
        await curves?.end().catch((failure) => out.note(failure.message));
        throw withWayOn(error, files, args);
      },
    );
    out.print(summary(result, files));
    noteWithoutThreshold(out, result.model);
    await log?.written();
    await curves?.end(result.epochs);
    if (plot) out.note(`The curves are ${plot.file}.`);
    if (isDemo) noteRealData(out);
    if (out.json) out.document({ ...document(result, files), ...(plot ? { plot: plot.file } : {}) });
  },
});

async function runTraining(
  options: Options,
  files: TrainFiles,
  out: Output,
  signal: AbortSignal,
  onEpochs: (history: readonly EpochMetrics[]) => void,
): Promise<TrainResult> {
  const { strict, strip, layout, threads, device, extraData, testEveryEpoch } = options;
  const data = await openData(options.data, { ...options, signal });
  const settings = await chooseSettings(options, data);
  const place = await choosePlace(device, 'auto');
  const report = new TrainReport(out);
  return trainNetwork({
    ...(await chooseRunOptions(options, files)),
    out: files.out,
    checkpoint: files.checkpoint,
    ...(files.resume === undefined ? {} : { resume: files.resume }),
    data,
    ...(layout === undefined ? {} : { layout }),
    ...(extraData === undefined ? {} : { extraData }),
    ...(settings === null ? {} : { settings }),
    ...(threads === undefined ? {} : { threads }),
    device: place.device,
    strict,
    strip,
    testEveryEpoch,
    signal,
    onData: ({ split, skipped, words, speakers, settings: chosen, remarks }) => {
      if (options.data === undefined)
        out.note(`No --data: training on the ${data.clips.length} shipped samples.`);
      for (const note of files.notes) out.note(note);
      noteSkipped(out, skipped);
      for (const line of aboutWords(words, speakers)) out.note(line);
      out.note(`Split ${split}.`);
      for (const remark of remarks) out.note(`Warning: ${remark}`);
      if (place.device === 'cuda') out.note(`Training on ${place.name}.`);
      report.begin(chosen);
    },
    onLoad: (progress) => report.load(progress),
    onProgress: (progress) => report.progress(progress),
    onCalibration: (progress) => report.calibration(progress),
    onEpoch: ({ metrics, history }) => {
      report.epoch(metrics);
      onEpochs(history);
    },
  });
}

/**
 * Recipe and split, as far as they are given; on the shipped samples with a recipe for so few. A training that goes on
 * keeps its own options, so none are added there.
 */
export async function chooseRunOptions(
  options: Omit<Options, 'out' | 'force' | 'log' | 'testEveryEpoch' | 'plot'>,
  { resume }: Pick<TrainFiles, 'resume'>,
): Promise<Partial<RunOptions>> {
  const { augmentation, ...others } = options;
  const given = pickRunOptions(others);
  if (augmentation !== undefined) given.augmentation = await readAugmentation(augmentation);
  const brief =
    options.data === undefined && resume === undefined && (given.preset ?? 'default') === 'default';
  return brief ? { ...SAMPLES_RECIPE, ...given } : given;
}

/** The settings if others than the preset's are asked for. */
export async function chooseSettings(
  options: Pick<Options, 'set' | 'encoding' | 'framesPerSecond' | 'stepsPerFrame' | 'preset'> & {
    settings?: string | readonly string[];
  },
  { labels }: Pick<Dataset, 'labels'>,
): Promise<ModelSettings | null> {
  const { settings: file, set, encoding, framesPerSecond, stepsPerFrame, preset = 'default' } = options;
  const changes = {
    ...(encoding === undefined ? {} : { encoding }),
    ...(framesPerSecond === undefined ? {} : { framesPerSecond }),
    ...(stepsPerFrame === undefined ? {} : { stepsPerFrame }),
  };
  if (file === undefined && set === undefined && Object.keys(changes).length === 0) return null;
  return makeSettings({ preset, labels, file, set, changes });
}

/** Adds to the error of a training that was stopped how to go on. */
function withWayOn(error: unknown, { checkpoint }: TrainFiles, args: readonly string[]): unknown {
  if (!(error instanceof SonospikeError) || error.code !== 'ERR_ABORTED') return error;
  if (error.file !== checkpoint) return error;
  const again = args.filter(
    (arg, i) => !isResume(arg) && arg !== '--force' && !(args[i - 1] === '--resume' && !arg.startsWith('-')),
  );
  const command = commandLine('train', [...again, '--resume', checkpoint]);
  const { code, cause } = error;
  return new SonospikeError(code, `${error.message} Go on with: ${command}`, { file: checkpoint, cause });
}

function isResume(arg: string): boolean {
  return arg === '--resume' || arg.startsWith('--resume=');
}

function noteRealData(out: Output): void {
  out.note('These are a few synthetic voices. For real recordings:');
  out.note(`  ${commandLine('dataset', ['fsdd'])}`);
  out.note(`  ${commandLine('train', ['--data', 'data/fsdd'])}`);
}
