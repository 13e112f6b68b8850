import type { SkippedFile } from '../datasets/dataset.js';
import { fingerprint } from '../datasets/fingerprint.js';
import { type Dataset, resolveDataset } from '../datasets/index.js';
import { writeFileAtomic } from '../files/atomic-file.js';
import { choosePlace, type Device } from '../native/device.js';
import { countParameters } from '../settings/shapes.js';
import { SonospikeError } from '../support/errors.js';
import {
  abortSignal,
  callback,
  checkThreads,
  flag,
  optionsObject,
  refuse,
  string,
} from '../support/options.js';
import { defaultSplit } from '../training/small-set.js';
import { COMPARE_KEYS, type CompareOptions } from './compare-options.js';
import { type ComparedRun, type Comparison, differenceOf, summarise } from './comparison.js';
import { readKeptRuns } from './kept-runs.js';
import { chooseParallel, keptBytes } from './parallel.js';
import { type Plan, type PlannedRun, planProtocol, planSplit } from './plan.js';
import { runOnce } from './run.js';
import { runSideBySide } from './side-by-side.js';
import { checkVariants, optionsOfRun, type PlannedVariant, planVariants, validationOf } from './variants.js';

const USUAL_SEEDS = 3;
/** `compare` of index.ts. */
export async function compare(options: CompareOptions): Promise<Comparison> {
  optionsObject(options, 'options', COMPARE_KEYS);
  const { out } = options;
  abortSignal(options.signal, 'signal');
  for (const name of ['onPlan', 'onRun', 'onProgress'] as const) callback(options[name], name);
  if (out !== undefined) string(out, 'out');
  const resume = flag(options.resume, 'resume');
  if (resume && out === undefined) throw refuse(undefined, 'out', 'given where resume is');
  const threads = checkThreads(options.threads);
  const strict = flag(options.strict, 'strict');
  const variants = checkVariants(options.variants);
  const place = await choosePlace(options.device, 'auto');
  const dataset = await resolveDataset(options.data, { ...options, strict });
  const plan = planRuns(dataset, options, Math.max(...variants.map(validationOf)));
  const planned = planVariants(variants, dataset, plan, options.extraData);
  const setting = { plan, dataset, variants: planned, threads, device: place.device };
  const comparison = new ComparisonRuns(options, setting);
  if (resume) await comparison.readKept(out!);
  return comparison.all();
}

function planRuns(dataset: Dataset, options: CompareOptions, validation: number) {
  const { protocol, split } = options;
  if (protocol === undefined) {
    const chosen = split ?? defaultSplit(dataset, true);
    const planned = planSplit(dataset, chosen, { ...options, usualSeeds: USUAL_SEEDS }, validation);
    return { protocol: null, ...planned };
  }
  if (split !== undefined) throw refuse(split, 'split', 'left out where protocol is given');
  return planProtocol(dataset, { seeds: USUAL_SEEDS, ...options, protocol }, validation);
}

interface Setting {
  plan: Omit<Plan, 'protocol'> & { protocol: Plan['protocol'] | null };
  dataset: Dataset;
  variants: PlannedVariant[];
  threads: number;
  device: Device;
}

interface Task extends PlannedRun {
  variant: PlannedVariant;
}

class ComparisonRuns {
  readonly #options: CompareOptions;
  readonly #setting: Setting;
  readonly #fingerprint: string;
  /** Seed by seed, fold by fold, so that a comparison that is stopped has whole pairs. */
  readonly #tasks: Task[];
  readonly #ended = new Map<string, ComparedRun>();
  readonly #shares = new Map<Task, number>();
  /** By their paths. */
  readonly #skipped = new Map<string, SkippedFile>();
  readonly #stop = new AbortController();
  #kept = 0;
  #parallel = 1;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CompareOptions, setting: Setting) {
    this.#options = options;
    this.#setting = setting;
    const { plan, variants, dataset } = setting;
    this.#skip(dataset.skipped);
    this.#fingerprint = fingerprint(dataset.layout, dataset.clips);
    this.#tasks = plan.runs.flatMap((run) => variants.map((variant) => ({ ...run, variant })));
  }

  /** Takes over the runs that are in a file. */
  async readKept(file: string): Promise<void> {
    const { runs, skipped } = await readKeptRuns(file, this.#result());
    for (const run of runs) this.#ended.set(idOf(run), run);
    this.#skip(skipped);
    this.#kept = this.#ended.size;
  }

  async all(): Promise<Comparison> {
    const { signal, onPlan } = this.#options;
    const { plan, variants, threads } = this.#setting;
    const waiting = this.#tasks.filter((task) => !this.#ended.has(idOf({ ...task, key: task.variant.key })));
    this.#parallel = this.#chooseParallel(waiting.length);
    const { protocol: _, runs: __, ...common } = plan;
    onPlan?.({
      ...common,
      total: this.#tasks.length,
      kept: this.#kept,
      variants: variants.map(({ name }) => name),
    });
    const stop = () => this.#stop.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      const side = { parallel: this.#parallel, threads, stop: this.#stop };
      await runSideBySide(waiting, side, (task, own) => this.#run(task, own));
    } catch (error) {
      throw this.#withWhatIsKept(error);
    } finally {
      signal?.removeEventListener('abort', stop);
      await this.#writing.catch(() => {});
    }
    // With no run left to do the file gets the names of now.
    if (waiting.length === 0) this.#write();
    await this.#writing;
    return this.#result();
  }

  #chooseParallel(runs: number): number {
    const { dataset, variants, device, threads } = this.#setting;
    const kept = variants.map(({ settings, options }) => ({
      clips: dataset.clips.length,
      settings,
      recipe: options,
    }));
    const largest = kept.reduce((most, each) => (keptBytes(each) > keptBytes(most) ? each : most));
    return Math.max(1, chooseParallel(this.#options, device, runs, threads, largest));
  }

  async #run(task: Task, threads: number): Promise<void> {
    const { seed, fold, variant } = task;
    const { layout, extraData, device, strict } = this.#options;
    const given = Object.entries({ layout, extraData, device, strict });
    const { result, skipped } = await runOnce(
      { seed, fold },
      {
        plan: this.#setting.plan,
        dataset: this.#setting.dataset,
        training: {
          ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
          ...optionsOfRun(variant, this.#setting.dataset, { seed, fold }),
          settings: variant.settings,
          signal: this.#stop.signal,
        },
        threads,
        target: undefined,
        lead: 0,
        onShare: (share) => {
          this.#shares.set(task, share);
          this.#tell();
        },
      },
    );
    const { accuracy, interval, loss, clips, bestEpoch, epochs, firingRates } = result;
    const { calibrationError, operations, seconds } = result;
    const run: ComparedRun = {
      variant: variant.name,
      key: variant.key,
      seed,
      fold,
      accuracy,
      interval,
      loss,
      clips,
      bestEpoch,
      epochs,
      firingRates,
      calibrationError,
      operations,
      seconds,
    };
    this.#skip(skipped);
    this.#shares.delete(task);
    this.#ended.set(idOf(run), run);
    const done = this.#ended.size;
    this.#tell();
    this.#write();
    await this.#writing;
    const total = this.#tasks.length;
    this.#options.onRun?.({ phase: 'run', done, total, run, soFar: this.#result() });
  }

  #skip(files: readonly SkippedFile[]): void {
    for (const each of files) if (!this.#skipped.has(each.file)) this.#skipped.set(each.file, each);
  }

  #write(): void {
    const { out } = this.#options;
    if (out === undefined) return;
    const text = Buffer.from(`${JSON.stringify(this.#result(), null, 1)}\n`);
    this.#writing = this.#writing.then(() => writeFileAtomic(out, [text]));
  }

  #tell(): void {
    const total = this.#tasks.length;
    const done = this.#ended.size;
    const inHand = [...this.#shares.values()].reduce((sum, share) => sum + share, 0);
    const share = (done - this.#kept + inHand) / Math.max(1, total - this.#kept);
    this.#options.onProgress?.({ phase: 'compare', done, total, share });
  }

  #result(): Comparison {
    const { plan, dataset, variants, threads, device } = this.#setting;
    const runsOf = ({ key }: PlannedVariant) =>
      plan.runs.flatMap((run) => this.#ended.get(idOf({ ...run, key })) ?? []);
    const baseline = runsOf(variants[0]!);
    return {
      kind: 'sonospike comparison',
      version: 1,
      complete: this.#ended.size === this.#tasks.length,
      dataset: {
        directory: dataset.directory,
        layout: dataset.layout,
        clips: dataset.clips.length,
        speakers: dataset.speakers.length,
        fingerprint: this.#fingerprint,
      },
      labels: dataset.labels,
      protocol: plan.protocol,
      split: plan.split,
      folds: plan.folds,
      seeds: plan.seeds,
      missingFolds: plan.missing,
      variants: variants.map((variant, i) => {
        const { name, key, settings, options } = variant;
        const runs = runsOf(variant);
        return {
          name,
          key,
          settings,
          options,
          parameters: countParameters(settings),
          summary: summarise(runs),
          difference: i === 0 ? null : differenceOf(runs, baseline),
        };
      }),
      skipped: [...this.#skipped.values()],
      parallel: this.#parallel,
      threads,
      device,
      runs: this.#tasks.flatMap(
        ({ seed, fold, variant: { key } }) => this.#ended.get(idOf({ seed, fold, key })) ?? [],
      ),
    };
  }

  #withWhatIsKept(error: unknown): unknown {
    if (!(error instanceof SonospikeError) || error.code !== 'ERR_ABORTED') return error;
    const { out, signal } = this.#options;
    const done = this.#ended.size;
    const kept =
      done === 0
        ? 'before its first run had ended'
        : `after ${done} of ${this.#tasks.length} runs${out === undefined ? '' : `, which are in ${out}`}`;
    return new SonospikeError('ERR_ABORTED', `The comparison was stopped ${kept}.`, {
      file: done > 0 ? out : undefined,
      cause: signal?.reason ?? error,
    });
  }
}

function idOf({ key, seed, fold }: PlannedRun & { key: string }): string {
  return `${key} ${seed} ${fold}`;
}
