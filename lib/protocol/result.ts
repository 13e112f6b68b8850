import type { Dataset } from '../datasets/index.js';
import type { Device } from '../native/device.js';
import type { ModelSettings } from '../settings/settings.js';
import type { RunOptions } from '../training/recipe.js';
import type { Plan } from './plan.js';
import type { ProtocolRun } from './run.js';
import type { ProtocolSummary } from './summary.js';

/** What `evaluateProtocol` found, also as its file has it. */
export interface ProtocolResult {
  /** Name of the protocol. */
  protocol: Plan['protocol'];
  /** Whether all runs have ended: false in the file of a protocol that was stopped. */
  complete: boolean;
  /** The dataset that was trained and tested on. */
  dataset: {
    directory: string;
    layout: Dataset['layout'];
    clips: number;
    speakers: number;
    fingerprint: string;
  };
  /** Labels of the models. */
  labels: string[];
  /** Numbers of the folds, from 1. */
  folds: number[];
  /** Seed of each round of folds. */
  seeds: number[];
  /** Folds that were left out because the dataset has no clips for them. */
  missingFolds: number[];
  /** Settings of the models. */
  settings: ModelSettings;
  /** Options of the first run; the others differ in fold and seed. */
  options: RunOptions;
  /** Test accuracy whose time was measured; null where none was asked for. */
  target: number | null;
  /** Number of runs side by side. */
  parallel: number;
  /** Number of threads of all runs together. */
  threads: number;
  /** Where the runs were computed. */
  device: Device;
  /** The runs taken together; null before the first run has ended. */
  summary: ProtocolSummary | null;
  /** The runs that have ended, by seed and fold. */
  runs: ProtocolRun[];
}
