import type { NativeTrainingOptions } from '../native/addon.js';
import { type Augmentation, validateAugmentation } from '../settings/augmentation.js';
import { namesOf } from '../settings/choices.js';
import { defaultsOf } from '../settings/defaults.js';
import { type PresetName, presetNames } from '../settings/presets.js';
import { type Field, readFields, withoutUnused } from '../support/fields.js';
import { choice, object, refuse } from '../support/options.js';
import { RUN_FIELDS } from './run-fields.js';

/** How a network is trained; everything that its bits depend on beside the data and the model's settings. */
export interface TrainingRecipe {
  /** Times that every clip of the training part is seen. */
  epochs: number;
  /**
   * Least steps of the optimizer. A training that would have fewer gets smaller batches and more epochs, so that a set
   * of thirty clips is learnt as well as one of thousands; 0: no least. Where `epochs` is given it stays as it is.
   */
  minSteps: number;
  /** Clips for each step of the optimizer. */
  batchSize: number;
  /** Share of the right answers on the validation clips, as they are and augmented, that the threshold may reject. */
  rejectRate: number;
  /**
   * Trainings of the cross-validation by which the confidence is calibrated where fewer than 20 clips are held back for
   * it; 0: none, so that such a model has no threshold.
   */
  calibrationFolds: number;
  optimizer: 'adam' | 'adamw';
  /** Greatest learning rate of the schedule. */
  learningRate: number;
  schedule: 'constant' | 'cosine' | 'one-cycle';
  /** Share of the steps in which the rate rises; only the schedule `one-cycle` has one. */
  warmupShare?: number;
  /** Decay of weight matrices: L2 with `adam`, decoupled with `adamw`. */
  weightDecay: number;
  /** Greatest norm of the gradient; 0: not clipped. */
  clipNorm: number;
  /** Share of the target spread evenly over all labels. */
  labelSmoothing: number;
  /** Weight in the loss of the mean spikes of a neuron and step, summed over the layers. */
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
   * dataset with the label `_unknown_`, the network is to find all labels equally likely. A small set gets more of them
   * where they are not given: see `fitToSet`.
   */
  negatives: number;
  /** Seed of weights, order of the clips, augmentation, spikes and split. */
  seed: number;
}

/** Which clips of the dataset are trained on. */
export interface SplitChoice {
  /** `official`, `speakers:<names>`, `leave-one-speaker-out`, `random:<fraction>`, `none`. */
  split: string;
  fold: number;
  /**
   * Share of the training part that is held back to calibrate the confidence and, with `keep: 'best'`, to choose the
   * epoch; 0: none, so the last epoch is kept.
   */
  validation: number;
}

/** Everything that a training depends on beside the data and the model's settings. */
export type RunOptions = TrainingRecipe & SplitChoice & { preset: PresetName };

type Recipe = TrainingRecipe & Pick<SplitChoice, 'validation'>;

/** @internal Names of the options of a training. */
export const RUN_KEYS = namesOf(RUN_FIELDS);

/** What a preset sets the options to. */
function recipe(preset: PresetName): Record<string, unknown> {
  const values = RUN_KEYS.filter((key) => key !== 'preset' && key !== 'fold').flatMap((key) => {
    const field: Field = RUN_FIELDS[key];
    return field.presets === undefined ? [] : [[key, field.presets[preset]] as const];
  });
  return withoutUnused(RUN_FIELDS, Object.fromEntries(values)) as Record<string, unknown>;
}

/** @internal What the presets set an option to: "(default: 24; preset original: 12)". */
export function recipeDefault(name: string): string {
  const field: Field | undefined = Object.hasOwn(RUN_FIELDS, name)
    ? RUN_FIELDS[name as keyof typeof RUN_FIELDS]
    : undefined;
  const text = (value: unknown) =>
    typeof value === 'object' && value !== null ? 'the usual changes' : `${value}`;
  const values = Object.entries(field?.presets ?? {}).map(([preset, value]) => [preset, text(value)]);
  return defaultsOf(Object.fromEntries(values));
}

/** The recipe of a preset: the training options that are not given are taken from it. */
export function presetRecipe(preset: PresetName): Recipe {
  return structuredClone(recipe(choice(preset, 'preset', presetNames))) as unknown as Recipe;
}

/**
 * Options with everything that was left out taken from the preset's recipe. `defaultSplit` depends on the dataset.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_UNKNOWN_PRESET
 */
export function resolveRunOptions(given: Partial<RunOptions>, defaultSplit: string): RunOptions {
  object(given, 'the options', RUN_KEYS);
  const preset = choice(given.preset ?? 'default', 'preset', presetNames);
  const own = withoutUndefined(given);
  const whole = { ...recipe(preset), split: defaultSplit, fold: 1, ...own, preset };
  // What the recipe has for another schedule goes, what the caller gives for it is refused.
  const used = { ...(withoutUnused(RUN_FIELDS, whole) as object), ...own };
  return readFields(
    RUN_FIELDS,
    used,
    'the options',
    { defaultOf: recipeDefault },
    '',
  ) as unknown as RunOptions;
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

/** Least clips of a batch in the training of a small set, and the batches that its epochs have if that allows it. */
const [SMALL_BATCH, SMALL_EPOCH] = [8, 12];
/** Least clips that are made for an epoch of a small set, as far as they are no more than its own. */
const SMALL_NEGATIVES = 200;

/**
 * @internal The options for a training on so many clips. A set of a few words is easy to tell apart by what other words
 * have too, so a small one gets as many made clips as it has itself, up to 200, unless `negatives` is given. Where the
 * clips of an epoch then come to fewer steps than `minSteps`, batches are smaller, unless their size is given, and epochs
 * as many more as it takes.
 * @throws SonospikeError ERR_INVALID_OPTION where `epochs` and `minSteps` are both given
 */
export function fitToSet(run: RunOptions, given: Partial<RunOptions>, clips: number): RunOptions {
  const enough = given.negatives !== undefined || run.negatives === 0;
  const negatives = enough
    ? run.negatives
    : Math.max(run.negatives, Math.min(clips, SMALL_NEGATIVES) / clips);
  return fitSteps({ ...run, negatives }, given, clips + negativesOf({ ...run, negatives }, clips));
}

/** The same for the steps, of so many clips an epoch, made ones included. */
function fitSteps(run: RunOptions, given: Partial<RunOptions>, clips: number): RunOptions {
  if (given.epochs !== undefined) {
    if (given.minSteps) throw refuse(given.minSteps, 'minSteps', '0 or left out where epochs is given');
    return { ...run, minSteps: 0 };
  }
  if (Math.ceil(clips / run.batchSize) * run.epochs >= run.minSteps) return run;
  const small = Math.max(SMALL_BATCH, Math.ceil(clips / SMALL_EPOCH));
  const batchSize = given.batchSize ?? Math.min(run.batchSize, small);
  const epochs = Math.max(run.epochs, Math.ceil(run.minSteps / Math.ceil(clips / batchSize)));
  return { ...run, batchSize, epochs };
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
    schedule: {
      type: options.schedule,
      rate: options.learningRate,
      ...(options.warmupShare === undefined ? {} : { warmupShare: options.warmupShare }),
    },
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
