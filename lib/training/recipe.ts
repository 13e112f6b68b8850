import type { NativeTrainingOptions } from '../native/addon.js';
import { type Augmentation, DEFAULT_AUGMENTATION, validateAugmentation } from '../settings/augmentation.js';
import { type PresetName, presetNames } from '../settings/presets.js';
import { choice, integer, number, object, string } from '../support/options.js';

/** How a network is trained; everything that its bits depend on beside the data and the model's settings. */
export interface TrainingRecipe {
  /** Times that every clip of the training part is seen. */
  epochs: number;
  /** Clips for each step of the optimizer. */
  batchSize: number;
  /** Share of the right answers on the validation clips, as they are and augmented, that the threshold may reject. */
  rejectRate: number;
  optimizer: 'adam' | 'adamw';
  /** Greatest learning rate of the schedule. */
  learningRate: number;
  schedule: 'constant' | 'cosine' | 'one-cycle';
  /** One-cycle: share of the steps in which the rate rises. */
  warmupShare: number;
  /** Of weight matrices: L2 with `adam`, decoupled with `adamw`. */
  weightDecay: number;
  /** Greatest norm of the gradient; 0: not clipped. */
  clipNorm: number;
  /** Share of the target spread evenly over all labels. */
  labelSmoothing: number;
  /** Times the mean spikes of a neuron and step, summed over the layers, it is added to what is made small. */
  spikeCost: number;
  /**
   * The epoch whose model is kept: the `best` on the validation part, or the `last`, as suits a schedule that ends at a
   * rate of nearly 0.
   */
  keep: 'best' | 'last';
  /** Epochs without a better validation before training stops; 0: never. */
  patience: number;
  /** How clips are changed at random each time they are trained on; null: not at all. */
  augmentation: Augmentation | null;
  /**
   * Clips that are made anew for every epoch and are none of the words, as a share of those that are trained on:
   * silence, noise, tones, clicks, and words that are reversed, cut short or joined from two. As for clips of the
   * dataset with the label `_unknown_`, the network is to find all labels equally likely.
   */
  negatives: number;
  /** Of weights, order of the clips, augmentation, spikes and split. */
  seed: number;
}

/** Which clips of the dataset are trained on. */
export interface SplitChoice {
  /** `official`, `speakers:<names>`, `leave-one-speaker-out`, `random:<fraction>`. */
  split: string;
  fold: number;
  /**
   * Share of the training part that is held back to calibrate the confidence and, with `keep: 'best'`, to choose the
   * epoch; 0: none, so the last epoch is kept and the confidence is the label's probability.
   */
  validation: number;
}

/** Everything that a training depends on beside the data and the model's settings. */
export type RunOptions = TrainingRecipe & SplitChoice & { preset: PresetName };

type Recipe = TrainingRecipe & Pick<SplitChoice, 'validation'>;

/** As the original program trains: on all of the training part, keeping the last epoch. */
const ORIGINAL: Recipe = {
  epochs: 12,
  batchSize: 10,
  rejectRate: 0.02,
  optimizer: 'adam',
  learningRate: 1e-3,
  schedule: 'constant',
  warmupShare: 0.3,
  weightDecay: 0,
  clipNorm: 0,
  labelSmoothing: 0,
  spikeCost: 0,
  keep: 'best',
  patience: 0,
  augmentation: null,
  negatives: 0,
  seed: 0,
  validation: 0,
};

/** @internal */
export const RECIPES: Record<PresetName, Recipe> = {
  original: ORIGINAL,
  default: {
    ...ORIGINAL,
    epochs: 24,
    batchSize: 32,
    optimizer: 'adamw',
    learningRate: 3e-3,
    schedule: 'one-cycle',
    weightDecay: 0.01,
    clipNorm: 1,
    labelSmoothing: 0.05,
    spikeCost: 0.1,
    keep: 'last',
    rejectRate: 0.05,
    augmentation: DEFAULT_AUGMENTATION,
    negatives: 0.1,
    validation: 0.05,
  },
};

/** The recipe of a preset: the training options that are not given are taken from it. */
export function presetRecipe(preset: PresetName): TrainingRecipe & Pick<SplitChoice, 'validation'> {
  return structuredClone(RECIPES[choice(preset, 'preset', presetNames)]);
}

/** @internal */
export const RUN_KEYS = [
  'preset',
  'epochs',
  'batchSize',
  'rejectRate',
  'optimizer',
  'learningRate',
  'schedule',
  'warmupShare',
  'weightDecay',
  'clipNorm',
  'labelSmoothing',
  'spikeCost',
  'keep',
  'patience',
  'augmentation',
  'negatives',
  'seed',
  'split',
  'fold',
  'validation',
] as const satisfies (keyof RunOptions)[];

/**
 * Options with everything that was left out taken from the preset's recipe. `defaultSplit` depends on the dataset.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_UNKNOWN_PRESET
 */
export function resolveRunOptions(given: Partial<RunOptions>, defaultSplit: string): RunOptions {
  object(given, 'the options', RUN_KEYS);
  const preset = choice(given.preset ?? 'default', 'preset', presetNames);
  const o = { ...RECIPES[preset], split: defaultSplit, fold: 1, ...withoutUndefined(given) };
  return {
    preset,
    epochs: integer(o.epochs, 'epochs', 1, 100_000),
    batchSize: integer(o.batchSize, 'batchSize', 1, 65_536),
    rejectRate: number(o.rejectRate, 'rejectRate', 0, 0.5),
    optimizer: choice(o.optimizer, 'optimizer', ['adam', 'adamw']),
    learningRate: number(o.learningRate, 'learningRate', 1e-9, 10),
    schedule: choice(o.schedule, 'schedule', ['constant', 'cosine', 'one-cycle']),
    warmupShare: number(o.warmupShare, 'warmupShare', 0, 0.99),
    weightDecay: number(o.weightDecay, 'weightDecay', 0, 10),
    clipNorm: number(o.clipNorm, 'clipNorm', 0, 1e6),
    labelSmoothing: number(o.labelSmoothing, 'labelSmoothing', 0, 0.99),
    spikeCost: number(o.spikeCost, 'spikeCost', 0, 1e6),
    keep: choice(o.keep, 'keep', ['best', 'last']),
    patience: integer(o.patience, 'patience', 0, 100_000),
    augmentation: validateAugmentation(o.augmentation, 'augmentation'),
    negatives: number(o.negatives, 'negatives', 0, 10),
    seed: integer(o.seed, 'seed', 0, Number.MAX_SAFE_INTEGER),
    split: string(o.split, 'split'),
    fold: integer(o.fold, 'fold', 1, 1000),
    validation: number(o.validation, 'validation', 0, 0.9),
  };
}

/** Options that were given and differ from those of a checkpoint, except `epochs`. */
export function differences(given: Partial<RunOptions>, saved: RunOptions): string[] {
  const { augmentation, ...others } = given;
  const changed = RUN_KEYS.filter(
    (key) =>
      key !== 'epochs' && key !== 'augmentation' && others[key] !== undefined && others[key] !== saved[key],
  ).map((key) => `${key} is ${given[key]}, was ${saved[key]}`);
  const text = JSON.stringify(validateAugmentation(augmentation, 'augmentation'));
  const was = JSON.stringify(saved.augmentation);
  return augmentation === undefined || text === was
    ? changed
    : [...changed, `augmentation is ${text}, was ${was}`];
}

/** @internal Clips that are made for an epoch of so many. */
export function negativesOf({ negatives }: RunOptions, clips: number): number {
  return Math.round(negatives * clips);
}

/** @internal But for the number of negatives, which depends on the clips. */
export function toNative(options: RunOptions): NativeTrainingOptions {
  const { epochs, batchSize, seed, labelSmoothing, spikeCost, weightDecay, clipNorm, augmentation } = options;
  return {
    epochs,
    batchSize,
    seed,
    labelSmoothing,
    spikeCost,
    augmentation,
    optimizer: { type: options.optimizer, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay, clipNorm },
    schedule: { type: options.schedule, rate: options.learningRate, warmupShare: options.warmupShare },
  };
}

/** @internal Picks the keys of `RunOptions` out of more options. */
export function pickRunOptions(options: Partial<RunOptions>): Partial<RunOptions> {
  return Object.fromEntries(
    RUN_KEYS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );
}

/** @internal What `splitDataset` takes of them. */
export function splitOptions({ seed, fold, validation }: RunOptions) {
  return { seed, fold, validation };
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
}
