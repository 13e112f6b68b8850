import { fingerprint } from '../datasets/fingerprint.js';
import { type Dataset, resolveDataset } from '../datasets/index.js';
import { writeFileAtomic } from '../files/atomic-file.js';
import { choosePlace, type Device } from '../native/device.js';
import { presetSettings } from '../settings/presets.js';
import type { ModelSettings } from '../settings/settings.js';
import { validateSettings } from '../settings/validate.js';
import { SonospikeError } from '../support/errors.js';
import {
  abortSignal,
  callback,
  checkThreads,
  flag,
  integer,
  number,
  optionsObject,
  string,
} from '../support/options.js';
import { pickRunOptions, type RunOptions, resolveRunOptions } from '../training/recipe.js';
import { TRAIN_KEYS, type TrainOptions } from '../training/train.js';
import { readKeptProtocol } from './kept-protocol.js';
import { chooseParallel } from './parallel.js';
import { type Plan, type PlannedRun, type PlanOptions, planProtocol } from './plan.js';
import type { ProtocolResult } from './result.js';
import {
  type FinishedRun,
  OWN_KEYS,
  type OwnKey,
  type ProtocolRun,
  type RunContext,
  runOnce,
} from './run.js';
import { runSideBySide } from './side-by-side.js';
import { SummaryOfRuns } from './summary.js';

/** Everything that `train` takes about recipe, settings and data, beside what the protocol is. */
export interface ProtocolOptions extends Omit<TrainOptions, OwnKey | 'seed'>, PlanOptions {
  /**
   * Number of runs that are trained side by side (default: one for each thread, as far as memory goes; 1 with `target`,
   * and on a GPU).
   */
  parallel?: number;
  /** Test accuracy from 0 to 1: the result tells how long each training takes to reach it. */
  target?: number;
  /** When the clock of `target` begins, as `performance.now()` gives it (default: at the call). */
  since?: number;
  /** JSON file for the result, written anew after every run, so that a stop loses no run. */
  out?: string;
  /** Takes over the runs that are in the file `out`, if it is there, and trains only those that are missing. */
  resume?: boolean;
  /**
   * Trains only a part of the runs: shard `number` (from 1) of `of`, which takes every `of`-th run. `mergeProtocols` puts
   * the files of all shards together.
   */
  shard?: { number: number; of: number };
  /** Called once the runs are known. */
  onPlan?: (plan: Plan) => void;
  /** Called after every run, in the order in which the runs end. */
  onRun?: (report: RunReport) => void;
  /** Called when a run ends, and ten times a second while runs are trained. */
  onProgress?: (progress: ProtocolProgress) => void;
}

/** What `onProgress` of a protocol gets. */
export interface ProtocolProgress {
  /** Which report this is. */
  phase: 'protocol';
  /** Runs that have ended. */
  done: number;
  /** All runs. */
  total: number;
  /** Share of the whole protocol that is done, from 0 to 1. */
  share: number;
}

/** What `onRun` of a protocol gets after every run. */
export interface RunReport {
  /** Which report this is. */
  phase: 'run';
  /** Runs that have ended. */
  done: number;
  /** All runs. */
  total: number;
  /** The run that has just ended. */
  run: ProtocolRun;
  /** The result of all runs that have ended. */
  soFar: ProtocolResult;
}

export type { ProtocolResult } from './result.js';

type TrainingKey = keyof RunContext['training'];

/** What is handed to every training. */
const TRAINING_KEYS = TRAIN_KEYS.filter(
  (key): key is TrainingKey => !['data', 'seed', ...OWN_KEYS].includes(key),
);

const PROTOCOL_KEYS = [
  ...TRAINING_KEYS,
  'data',
  'seed',
  'protocol',
  'seeds',
  'folds',
  'parallel',
  'target',
  'since',
  'out',
  'resume',
  'shard',
  'onPlan',
  'onRun',
  'onProgress',
];

const MAX_SHARDS = 1_000_000;

/** `evaluateProtocol` of index.ts. */
export async function evaluateProtocol(options: ProtocolOptions): Promise<ProtocolResult> {
  const called = performance.now();
  optionsObject(options, 'options', PROTOCOL_KEYS);
  const { signal, out, target } = options;
  abortSignal(signal, 'signal');
  for (const name of ['onPlan', 'onRun', 'onProgress'] as const) callback(options[name], name);
  if (out !== undefined) string(out, 'out');
  if (target !== undefined) number(target, 'target', 0, 1);
  const threads = checkThreads(options.threads);
  const place = await choosePlace(options.device, 'auto');
  const strict = flag(options.strict, 'strict');
  const resume = flag(options.resume, 'resume');
  if (options.shard !== undefined) {
    const { number: own, of } = optionsObject(options.shard, 'shard', ['number', 'of']);
    integer(own, 'shard.number', 1, integer(of, 'shard.of', 1, MAX_SHARDS));
  }
  if (resume && out === undefined)
    throw new SonospikeError('ERR_INVALID_OPTION', 'resume is for the file out, which is not named.');
  const { seed: _, ...recipe } = pickRunOptions(options);
  const resolved = resolveRunOptions(recipe, 'official');
  const { validation, preset } = resolved;
  const dataset = await resolveDataset(options.data, { ...options, strict });
  const plan = planProtocol(dataset, options, validation);
  const settings =
    options.settings === undefined
      ? presetSettings(preset, dataset.labels)
      : validateSettings(options.settings, 'settings');
  const parallel = chooseParallel(options, place.device, plan.runs.length, threads, {
    clips: dataset.clips.length,
    settings,
    recipe: resolved,
  });
  options.onPlan?.(plan);
  const first = performance.now();
  const protocol = new ProtocolRuns(options, plan, {
    dataset,
    settings,
    device: place.device,
    threads,
    parallel,
    lead: (first - (options.since ?? called)) / 1000,
    options: resolveRunOptions({ ...recipe, ...plan.runs[0]!, split: plan.split }, plan.split),
  });
  if (resume) await protocol.takeOver(out!);
  return protocol.all();
}

/** Writes what a protocol found. */
export async function writeProtocol(file: string, result: ProtocolResult): Promise<void> {
  await writeFileAtomic(file, [Buffer.from(`${JSON.stringify(result, null, 1)}\n`)]);
}

/** What all runs have in common. */
interface RunSetting {
  device: Device;
  dataset: Dataset;
  settings: ModelSettings;
  threads: number;
  parallel: number;
  /** Seconds from the start of the protocol to its first run. */
  lead: number;
  /** Options of the first run. */
  options: RunOptions;
}

class ProtocolRuns {
  readonly #options: ProtocolOptions;
  readonly #plan: Plan;
  readonly #setting: RunSetting;
  readonly #summary: SummaryOfRuns;
  /** The runs of this shard. */
  readonly #mine: readonly PlannedRun[];
  /** Those of them that are still to be trained. */
  #waiting: readonly PlannedRun[];
  readonly #stop = new AbortController();
  /** Share of each current run that is done, from 0 to 1. */
  readonly #shares = new Map<PlannedRun, number>();
  #done = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ProtocolOptions, plan: Plan, setting: RunSetting) {
    this.#options = options;
    this.#plan = plan;
    this.#setting = setting;
    this.#summary = new SummaryOfRuns(setting.settings.labels);
    const { number: own, of } = options.shard ?? { number: 1, of: 1 };
    this.#mine = plan.runs.filter((_, i) => i % of === own - 1);
    this.#waiting = this.#mine;
  }

  /** Takes over the runs of a file. */
  async takeOver(file: string): Promise<void> {
    const kept = await readKeptProtocol(file, this.#result());
    for (const run of kept) this.#summary.add(run);
    const isKept = ({ fold, seed }: PlannedRun) => kept.some((run) => run.fold === fold && run.seed === seed);
    this.#waiting = this.#mine.filter((planned) => !isKept(planned));
    this.#done = this.#mine.length - this.#waiting.length;
    this.#tell();
  }

  async all(): Promise<ProtocolResult> {
    const { signal } = this.#options;
    const stop = () => this.#stop.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      const { parallel, threads } = this.#setting;
      await runSideBySide(this.#waiting, { parallel, threads, stop: this.#stop }, (planned, own) =>
        this.#run(planned, own),
      );
    } catch (error) {
      throw this.#withWhatIsKept(error);
    } finally {
      signal?.removeEventListener('abort', stop);
      await this.#writing.catch(() => {});
    }
    await this.#writing;
    // A shard may have no run, or all of them already.
    if (this.#waiting.length === 0) await this.#write(this.#result());
    return this.#result();
  }

  async #run(planned: PlannedRun, threads: number): Promise<void> {
    const { dataset, lead } = this.#setting;
    const context: RunContext = {
      plan: this.#plan,
      dataset,
      training: this.#training(),
      threads,
      target: this.#options.target,
      lead,
      onShare: (share) => {
        this.#shares.set(planned, share);
        this.#tell();
      },
    };
    const finished: FinishedRun = await runOnce(planned, context);
    this.#shares.delete(planned);
    this.#done++;
    this.#summary.add(finished.result);
    this.#tell();
    const soFar = this.#result();
    await this.#write(soFar);
    const total = this.#mine.length;
    this.#options.onRun?.({ phase: 'run', done: this.#done, total, run: finished.result, soFar });
  }

  async #write(soFar: ProtocolResult): Promise<void> {
    const { out } = this.#options;
    if (out === undefined) return;
    this.#writing = this.#writing.then(() => writeProtocol(out, soFar));
    await this.#writing;
  }

  #training(): RunContext['training'] {
    const given = TRAINING_KEYS.map((key) => [key, this.#options[key]] as const);
    return {
      ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
      signal: this.#stop.signal,
    };
  }

  #tell(): void {
    const total = this.#mine.length;
    const inHand = [...this.#shares.values()].reduce((sum, share) => sum + share, 0);
    this.#options.onProgress?.({
      phase: 'protocol',
      done: this.#done,
      total,
      share: total === 0 ? 1 : (this.#done + inHand) / total,
    });
  }

  #result(): ProtocolResult {
    const { dataset, settings, options, device, threads, parallel } = this.#setting;
    const { protocol, folds, seeds, missing, runs } = this.#plan;
    const { directory, layout, clips, speakers, labels } = dataset;
    return {
      protocol,
      complete: this.#summary.runs.length === runs.length,
      dataset: {
        directory,
        layout,
        clips: clips.length,
        speakers: speakers.length,
        fingerprint: fingerprint(layout, clips),
      },
      labels,
      folds,
      seeds,
      missingFolds: missing,
      settings,
      options,
      target: this.#options.target ?? null,
      parallel,
      threads,
      device,
      summary: this.#summary.summary(),
      runs: this.#summary.runs,
    };
  }

  #withWhatIsKept(error: unknown): unknown {
    if (!(error instanceof SonospikeError) || error.code !== 'ERR_ABORTED') return error;
    const { out, signal } = this.#options;
    const kept =
      this.#done === 0
        ? 'before its first run had ended'
        : `after ${this.#done} of ${this.#mine.length} runs${out === undefined ? '' : `, which are in ${out}`}`;
    return new SonospikeError('ERR_ABORTED', `The protocol was stopped ${kept}.`, {
      file: this.#done > 0 ? out : undefined,
      cause: signal?.reason ?? error,
    });
  }
}
