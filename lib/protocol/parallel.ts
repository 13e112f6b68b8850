import { freemem } from 'node:os';
import type { Device } from '../native/device.js';
import type { ModelSettings } from '../settings/settings.js';
import { featureCount } from '../settings/shapes.js';
import { integer, MAX_THREADS } from '../support/options.js';
import type { TrainingRecipe } from '../training/recipe.js';

/** What one training keeps in memory. */
export interface Kept {
  /** Number of them. */
  clips: number;
  settings: ModelSettings;
  recipe: Pick<TrainingRecipe, 'augmentation' | 'negatives'>;
}

/**
 * How many of `runs` trainings go side by side: one for each thread, as far as half of the free memory holds them; on a
 * GPU, which each fills by itself, one.
 */
export function chooseParallel(
  given: { parallel?: number; target?: number },
  device: Device,
  runs: number,
  threads: number,
  kept: Kept,
): number {
  if (given.parallel !== undefined)
    return Math.min(runs, integer(given.parallel, 'parallel', 1, MAX_THREADS));
  if (given.target !== undefined || device === 'cuda') return 1;
  return Math.max(1, Math.min(runs, threads, Math.floor(freemem() / 2 / keptBytes(kept))));
}

/** Features, and samples too where clips are changed or made; of clips that are as long as the network hears. */
export function keptBytes({ clips, settings, recipe }: Kept): number {
  const { augmentation, negatives } = recipe;
  const samples = augmentation !== null || negatives > 0 ? settings.frontend.hopLength : 0;
  return clips * settings.frames * (featureCount(settings) + samples) * Float32Array.BYTES_PER_ELEMENT;
}
