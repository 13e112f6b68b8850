import { evaluateClips, evaluateNumbers, score } from '../evaluation/clip-results.js';
import type { Evaluation } from '../evaluation/evaluate.js';
import { countSeen, countWhere, hashesByFile } from '../evaluation/seen.js';
import { loadTensors, type Model } from '../model/model.js';
import type { NativeTrainer, TrainingPosition } from '../native/addon.js';
import type { Device } from '../native/device.js';
import { guard, guardAsync } from '../native/errors.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import type { ModelSettings } from '../settings/settings.js';
import { SonospikeError } from '../support/errors.js';
import { abortSignal, callback, flag, optionsObject, string } from '../support/options.js';
import { calibrateOnPart } from './calibrate-on-part.js';
import { type CrossValidated, type CrossValidation, crossValidate } from './cross-validate.js';
import type { CalibrationProgress, EpochMetrics, EpochReport, Score, TrainingProgress } from './epoch.js';
import { type Part, usedHashes } from './keep-apart.js';
import { labelled, type Prepared, type PrepareOptions, prepare } from './prepare.js';
import { RUN_KEYS, type RunOptions } from './recipe.js';
import type { Best, SavedRun } from './saved-run.js';
import { CheckpointFiles } from './write-files.js';

/** What `train` takes: the data, and everything that differs from the preset's recipe. */
export interface TrainOptions extends Partial<RunOptions>, PrepareOptions {
  /** Settings of the model (default: those of the preset). Their labels must be the dataset's. */
  settings?: ModelSettings;
  /** File for the best model; written after every epoch that is better. */
  out?: string;
  /** File for the checkpoint; written after every epoch, and when the run is stopped. */
  checkpoint?: string;
  /** A checkpoint to resume, to the same bits as a run that was never stopped. Its options hold. */
  resume?: string;
  /** Evaluates the test part after every epoch, for learning curves. */
  testEveryEpoch?: boolean;
  /** Called after every epoch. */
  onEpoch?: (report: EpochReport) => void;
  /** Called ten times a second while an epoch is trained. */
  onProgress?: (progress: TrainingProgress) => void;
  /** Called while a small set is cross-validated, after the last epoch. */
  onCalibration?: (progress: CalibrationProgress) => void;
}

/** What `train` gives. */
export interface TrainResult {
  /** The best model, on the CPU. */
  model: Model;
  /** Where the model was trained. */
  device: Device;
  /** Figures of the epochs; those before a resume have a speed of 0. */
  epochs: EpochMetrics[];
  /** Number of the epoch whose model is kept, from 1. */
  bestEpoch: number;
  /**
   * Figures of the best model on the test part. Where nothing is for testing: those of the models of a cross-validation,
   * each on the clips that it was not trained on.
   */
  test: Evaluation;
  /** Which of the two `test` is. */
  testedBy: 'test' | 'cross-validation';
  /** The cross-validation that has calibrated the confidence; null where the validation part was large enough. */
  crossValidation: CrossValidation | null;
  /** Why the set is too small to trust the model, in whole sentences; none where it is not. */
  remarks: string[];
  /** The split and the sizes of its parts, in one line. */
  split: string;
  /** All options of the run, those of the preset's recipe included. */
  options: RunOptions;
}

/** `train` of index.ts. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  optionsObject(options, 'options', TRAIN_KEYS);
  abortSignal(options.signal, 'signal');
  flag(options.testEveryEpoch, 'testEveryEpoch');
  flag(options.strip, 'strip');
  for (const name of ['onData', 'onLoad', 'onProgress', 'onEpoch', 'onCalibration'] as const)
    callback(options[name], name);
  for (const name of ['out', 'checkpoint', 'resume'] as const) {
    if (options[name] !== undefined) string(options[name], name);
  }
  const prepared = await prepare(options);
  try {
    return await new TrainingRun(prepared, options).run();
  } finally {
    prepared.model.close();
  }
}

/** @internal */
export const TRAIN_KEYS = [
  ...RUN_KEYS,
  'data',
  'layout',
  'extraData',
  'threads',
  'device',
  'strict',
  'strip',
  'signal',
  'onData',
  'onLoad',
  'settings',
  'out',
  'checkpoint',
  'resume',
  'testEveryEpoch',
  'onEpoch',
  'onProgress',
  'onCalibration',
] as const satisfies (keyof TrainOptions)[];

const PROGRESS_INTERVAL = 100; // ms

class TrainingRun {
  readonly #p: Prepared;
  readonly #options: TrainOptions;
  readonly #files: CheckpointFiles;
  readonly #trainer: NativeTrainer;
  readonly #epochs: EpochMetrics[];
  #best: Best | null;
  /** Seconds and clips that this process has trained, for its speed. */
  #seconds = 0;
  #clips = 0;
  /** Clips of this epoch that were done before the run was stopped. */
  #before: number;
  /** The sums of an epoch that is trained but not measured. */
  #pending: TrainingPosition | null;
  /** Whether the run has been stopped, with its checkpoint written. */
  #ended = false;
  /** Whether all epochs are done, with the checkpoint written. */
  #isTrained = false;
  /** The error that a callback threw. */
  #thrown: { error: unknown } | null = null;

  constructor(prepared: Prepared, options: TrainOptions) {
    this.#p = prepared;
    this.#options = options;
    this.#trainer = prepared.trainer;
    this.#files = new CheckpointFiles(prepared, options);
    this.#epochs =
      prepared.saved?.history.map((metrics) => ({ ...metrics, clipsPerSecond: 0, secondsLeft: 0 })) ?? [];
    this.#best = prepared.saved?.best ?? null;
    this.#before = prepared.saved?.state.position.clips ?? 0;
    this.#pending = prepared.saved?.pending ?? null;
  }

  async run(): Promise<TrainResult> {
    const { signal } = this.#options;
    const stop = () => this.#trainer.abort();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      while (!this.#finished()) {
        if (signal?.aborted) await this.#stopped();
        await this.#epoch();
      }
      return await this.#result();
    } catch (error) {
      const cut = error instanceof SonospikeError && error.code === 'ERR_ABORTED' && !this.#ended;
      // An evaluation was cut short: the epoch is measured when the run goes on.
      if (cut) await this.#stopped();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  #finished(): boolean {
    const { epochs, patience } = this.#p.run;
    const done = this.#epochs.length;
    if (done >= epochs) return true;
    return patience > 0 && done > 0 && done - bestEpoch(this.#epochs) >= patience;
  }

  async #epoch(): Promise<void> {
    const epoch = this.#epochs.length + 1;
    const started = performance.now();
    if (this.#pending === null) {
      const timer = this.#watch(epoch, started);
      const { complete, sums } = await guardAsync(() => this.#trainer.runEpoch()).finally(() =>
        clearInterval(timer),
      );
      if (this.#thrown) throw this.#thrown.error;
      this.#requireFinite(sums, epoch);
      if (!complete) return this.#stopped();
      this.#pending = sums;
    }
    const seconds = (performance.now() - started) / 1000;
    const metrics = await this.#measure(epoch, this.#pending, seconds);
    this.#pending = null;
    this.#epochs.push(metrics);
    if (metrics.best) {
      const { loss, accuracy } = metrics.validation ?? metrics.train;
      this.#best = { epoch, loss, accuracy, parameters: this.#p.model.parameters() };
      await this.#files.saveBest(this.#best);
    }
    await this.#saveCheckpoint();
    const { epochs } = this.#p.run;
    const history = [...this.#epochs];
    this.#options.onEpoch?.({ phase: 'epoch', done: epoch, total: epochs, metrics, history });
  }

  /** NaN passes through comparisons and clamps, so that the loss alone does not show it. */
  #requireFinite({ loss }: TrainingPosition, epoch: number): void {
    const parameters = [...this.#p.model.parameters().values()];
    if (Number.isFinite(loss) && parameters.every(({ data }) => data.every(Number.isFinite))) return;
    throw new SonospikeError(
      'ERR_TRAINING_DIVERGED',
      `Training diverged in epoch ${epoch}: weights are no longer finite. Use a lower learning rate ` +
        `(it is ${this.#p.run.learningRate}) or clip the gradient (clipNorm). What was written before is untouched.`,
    );
  }

  async #measure(epoch: number, sums: TrainingPosition, seconds: number): Promise<EpochMetrics> {
    const { run, parts, model } = this.#p;
    const validation = parts.validation.clips.length > 0 ? await this.#score(parts.validation) : null;
    const test = this.#options.testEveryEpoch ? await this.#score(parts.test) : null;
    const clips = sums.clips - this.#before;
    this.#before = 0;
    this.#seconds += seconds;
    this.#clips += clips;
    return {
      epoch,
      epochs: run.epochs,
      train: { epoch, loss: sums.loss / sums.clips, accuracy: sums.correct / this.#p.trainingWords },
      validation,
      ...(test ? { test } : {}),
      firingRates: sums.spikes.map(
        (spikes, k) => spikes / (sums.steps * model.settings.network.layers[k]!.neurons),
      ),
      best: this.#isBest(validation),
      clipsPerSecond: clips / seconds,
      secondsLeft: (this.#seconds / this.#clips) * this.#p.trainingClips * (run.epochs - epoch),
    };
  }

  /** Without a validation part the last epoch is kept. */
  #isBest(validation: Score | null): boolean {
    return this.#p.run.keep === 'last' || this.#best === null || isBetter(validation, this.#best);
  }

  /** Clips that are no word do not count. */
  async #score(part: Part): Promise<Score> {
    const clips = labelled(part);
    const over = { seed: 0, signal: this.#options.signal };
    const { loss, correct } = await evaluateNumbers(this.#p.store, clips, over);
    return { loss, accuracy: correct / clips.length };
  }

  #watch(epoch: number, started: number): NodeJS.Timeout | undefined {
    const { onProgress } = this.#options;
    if (!onProgress) return undefined;
    const before = this.#before;
    const total = this.#p.trainingClips;
    const { epochs } = this.#p.run;
    return setInterval(() => {
      const done = this.#trainer.progress();
      const clipsPerSecond = Math.max(0, done - before) / ((performance.now() - started) / 1000);
      try {
        onProgress({ phase: 'train', done, total, epoch, epochs, clipsPerSecond });
      } catch (error) {
        // Thrown from a timer it would end the process; from here it rejects `train`.
        this.#thrown ??= { error };
        this.#trainer.abort();
      }
    }, PROGRESS_INTERVAL);
  }

  async #saveCheckpoint(): Promise<void> {
    const state = guard(() => this.#trainer.readState());
    const history: SavedRun['history'] = this.#epochs.map(({ clipsPerSecond, secondsLeft, ...kept }) => kept);
    await this.#files.saveCheckpoint({ history, best: this.#best, pending: this.#pending, state });
  }

  /** Writes the checkpoint, if the run has trained at all, and ends the run with ERR_ABORTED. */
  async #stopped(): Promise<never> {
    const { checkpoint, signal } = this.#options;
    this.#ended = true;
    const steps = guard(() => this.#trainer.readState()).steps;
    const began = steps > (this.#p.saved?.state.steps ?? 0);
    // A run that has done nothing must not replace the checkpoint of one that has.
    if (began && !this.#isTrained) await this.#saveCheckpoint();
    const epochs = this.#epochs.length === 1 ? '1 epoch' : `${this.#epochs.length} epochs`;
    const kept = !began
      ? 'before its first batch; nothing was written'
      : checkpoint === undefined
        ? `after ${epochs}. No checkpoint file was named, so what it had learned is gone`
        : `after ${epochs}; the checkpoint is ${checkpoint}`;
    throw new SonospikeError('ERR_ABORTED', `Training was stopped ${kept}.`, {
      file: began || this.#p.saved ? checkpoint : undefined,
      cause: signal?.reason,
    });
  }

  async #result(): Promise<TrainResult> {
    const { model, run, splitText, remarks } = this.#p;
    const best = this.#best;
    // What a stop would write from here on has been written after the last epoch.
    this.#isTrained = true;
    const crossValidated = await this.#crossValidate();
    if (best) loadTensors(model.native, best.parameters);
    const confidence = crossValidated ? crossValidated.confidence : await this.#calibrate();
    guard(() => model.native.setConfidence(confidence));
    const test = await this.#test(crossValidated, confidence);
    const bestEpoch = best?.epoch ?? 0;
    const crossValidation = crossValidated?.summary ?? null;
    const isTest = this.#p.parts.test.clips.length > 0;
    const finished = await this.#files.saveFinished(
      best,
      { test, isTest, crossValidation, remarks },
      confidence,
    );
    return {
      model: finished,
      epochs: this.#epochs,
      bestEpoch,
      test,
      testedBy: isTest ? 'test' : 'cross-validation',
      crossValidation,
      remarks,
      split: splitText,
      options: run,
      device: model.device,
    };
  }

  /** Null where the validation part and the test part are large enough. */
  async #crossValidate(): Promise<CrossValidated | null> {
    const { model, run, parts, folds, threads } = this.#p;
    if (folds === null) return null;
    const used = ({ clips, numbers }: Part) => clips.filter((_, i) => numbers[i]! >= 0);
    const { signal, onCalibration } = this.#options;
    return crossValidate({
      clips: [...used(parts.train), ...used(parts.validation)],
      folds,
      settings: model.settings,
      run,
      epochs: this.#epochs.length,
      threads,
      signal,
      onProgress: onCalibration,
    });
  }

  /** Null where the validation part is too small. */
  #calibrate(): Promise<ConfidenceSettings | null> {
    const { model, store, parts, run } = this.#p;
    const over = { seed: 0, signal: this.#options.signal, augmentation: run.augmentation };
    return calibrateOnPart(store, parts.validation, model.labels, run.rejectRate, over);
  }

  /** Figures of the test part; without one, of the clips that the folds of the cross-validation held out. */
  async #test(found: CrossValidated | null, confidence: ConfidenceSettings | null): Promise<Evaluation> {
    const { model, store, parts, splitText: split, skipped } = this.#p;
    const { clips, numbers, hashes } = parts.test;
    const judge = { labels: model.labels, confidence };
    if (clips.length === 0 && found !== null) {
      const scored = score(judge, found.words, found.unknown);
      // The model of each fold has seen none of those that it was asked about.
      return { ...scored, ...countWhere(scored.predictions, () => false), split, skipped };
    }
    const over = { seed: 0, signal: this.#options.signal };
    const scored = await evaluateClips(judge, store, clips, numbers, over);
    const seen = countSeen(scored.predictions, hashesByFile(clips, hashes), new Set(usedHashes(parts.train)));
    return { ...scored, ...seen, split, skipped };
  }
}

/** More clips right, or as many with less loss; every epoch without a validation part. */
function isBetter(validation: Score | null, before: Score | null): boolean {
  if (validation === null || before === null) return true;
  if (validation.accuracy !== before.accuracy) return validation.accuracy > before.accuracy;
  return validation.loss < before.loss;
}

/** Number of the epoch with the best validation, whichever is kept. */
function bestEpoch(epochs: readonly EpochMetrics[]): number {
  return epochs.reduce((best, now) => (isBetter(now.validation, best.validation) ? now : best)).epoch;
}
