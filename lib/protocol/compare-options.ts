import type { TrainOptions } from '../training/train.js';
import type { ComparedRun, Comparison } from './comparison.js';
import type { Plan, PlanOptions } from './plan.js';
import type { Variant } from './variants.js';

/** What `compare` takes. */
export interface CompareOptions
  extends Pick<TrainOptions, 'data' | 'layout' | 'extraData' | 'threads' | 'device' | 'strict' | 'signal'>,
    Omit<PlanOptions, 'protocol'> {
  /** What is compared; the first is the one that the others are compared with. */
  variants: readonly Variant[];
  /** Protocol whose folds are run; not together with `split`. */
  protocol?: PlanOptions['protocol'];
  /** Split whose folds are run (default: the official one where there is one, else `random:0.2`). */
  split?: string;
  /** Number of runs side by side (default: one for each thread, as far as memory goes; 1 on a GPU). */
  parallel?: number;
  /** JSON file for the result, written anew after every run, so that a stop loses no run. */
  out?: string;
  /** Whether runs that are in the file `out` are taken from there (default: false). */
  resume?: boolean;
  /** Called once the runs are known. */
  onPlan?: (plan: ComparisonPlan) => void;
  /** Called after every run, in the order in which the runs end. */
  onRun?: (report: ComparedRunReport) => void;
  /** Called when a run ends, and ten times a second while runs are trained. */
  onProgress?: (progress: CompareProgress) => void;
}

/** The runs of a comparison. */
export interface ComparisonPlan extends Omit<Plan, 'protocol' | 'runs'> {
  /** Number of all runs. */
  total: number;
  /** Number of those that are in the file already. */
  kept: number;
  /** Names of the variants. */
  variants: string[];
}

/** What `onProgress` of a comparison gets. */
export interface CompareProgress {
  /** Which report this is. */
  phase: 'compare';
  /** Runs that have ended, those that were kept included. */
  done: number;
  /** All runs. */
  total: number;
  /** Share of the runs that were not kept that is done, from 0 to 1. */
  share: number;
}

/** What `onRun` of a comparison gets after every run. */
export interface ComparedRunReport {
  /** Which report this is. */
  phase: 'run';
  /** Runs that have ended, those that were kept included. */
  done: number;
  /** All runs. */
  total: number;
  /** The run that has just ended. */
  run: ComparedRun;
  /** The result of all runs that have ended. */
  soFar: Comparison;
}

/** @internal Names of the options of `compare`. */
export const COMPARE_KEYS = [
  'data',
  'layout',
  'extraData',
  'threads',
  'device',
  'strict',
  'signal',
  'variants',
  'protocol',
  'split',
  'seeds',
  'seed',
  'folds',
  'parallel',
  'out',
  'resume',
  'onPlan',
  'onRun',
  'onProgress',
] as const satisfies (keyof CompareOptions)[];
