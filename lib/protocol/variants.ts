import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Dataset } from '../datasets/index.js';
import { presetSettings } from '../settings/presets.js';
import type { ModelSettings } from '../settings/settings.js';
import { validateSettings } from '../settings/validate.js';
import { SonospikeError } from '../support/errors.js';
import { array, object, optionsObject, refuse, string } from '../support/options.js';
import { requireBands } from '../training/prepare.js';
import { fitToSet, RUN_KEYS, type RunOptions, resolveRunOptions } from '../training/recipe.js';
import { splitForTraining } from '../training/small-set.js';
import type { TrainOptions } from '../training/train.js';
import type { Plan, PlannedRun } from './plan.js';

/** One of the things that `compare` compares: a model and how it is trained. */
export interface Variant {
  /** What it is called in the result. */
  name: string;
  /** Settings of the model (default: those of the preset in `options`). Their labels must be the dataset's. */
  settings?: ModelSettings;
  /**
   * Everything about the training that differs from the preset's recipe. Small sets are not cross-validated to calibrate the
   * confidence, which takes several trainings a run, unless `calibrationFolds` is given.
   */
  options?: VariantOptions;
}

/** Options that are the same for all variants. */
const COMMON = ['split', 'fold', 'seed'] as const;

/** Options of the training of a variant. */
export type VariantOptions = Partial<Omit<RunOptions, (typeof COMMON)[number]>>;

const MAX_VARIANTS = 1000;

/** @throws SonospikeError ERR_INVALID_OPTION */
export function checkVariants(given: unknown): Variant[] {
  const variants = array(given, 'variants', 1, MAX_VARIANTS).map((each, i) => {
    const variant = object(each, `variants[${i}]`, ['name', 'settings', 'options']);
    string(variant.name, `variants[${i}].name`);
    const keys = RUN_KEYS.filter((key) => !(COMMON as readonly string[]).includes(key));
    optionsObject(variant.options, `variants[${i}].options`, keys);
    return variant as Variant;
  });
  const names = variants.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw refuse(twice, 'the name of a variant', 'given to one variant alone');
  return variants;
}

/**
 * Share of the training part that a variant holds back.
 * @throws SonospikeError ERR_INVALID_OPTION, with the name of the variant
 */
export function validationOf({ name, options = {} }: Variant): number {
  return withName(name, () => resolveRunOptions(options, 'official').validation);
}

/** A variant that was checked. */
export interface PlannedVariant {
  name: string;
  key: string;
  settings: ModelSettings;
  given: VariantOptions;
  options: RunOptions;
}

/**
 * Checks the variants before anything is trained.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_UNKNOWN_PRESET, with the name of the variant
 */
export function planVariants(
  variants: readonly Variant[],
  dataset: Dataset,
  plan: Pick<Plan, 'split' | 'runs'>,
  extraData: TrainOptions['extraData'] = [],
): PlannedVariant[] {
  const extra = [extraData].flat().map((data) => resolve(typeof data === 'string' ? data : data.directory));
  const planned = variants.map((variant) => planVariant(variant, dataset, plan, extra));
  for (const [i, { key, name }] of planned.entries()) {
    const same = planned.slice(0, i).find((each) => each.key === key);
    if (same === undefined) continue;
    const message = `The variants ${JSON.stringify(same.name)} and ${JSON.stringify(name)} are the same: nothing differs between them.`;
    throw new SonospikeError('ERR_INVALID_OPTION', message);
  }
  return planned;
}

function planVariant(
  { name, settings: own, options: given = {} }: Variant,
  dataset: Dataset,
  { split, runs }: Pick<Plan, 'split' | 'runs'>,
  extra: readonly string[],
): PlannedVariant {
  return withName(name, () => {
    const run = resolveRunOptions({ calibrationFolds: 0, ...given, split, ...runs[0]! }, split);
    const settings =
      own === undefined ? presetSettings(run.preset, dataset.labels) : validateSettings(own, 'settings');
    requireBands(run, settings);
    // Refuses options that do not go together, which a training of a set of any size refuses.
    fitToSet(run, given, dataset.clips.length);
    const { seed, fold, ...kept } = run;
    const key = createHash('sha256')
      .update(JSON.stringify({ settings, extra, ...kept }))
      .digest('hex')
      .slice(0, 16);
    return { name, key, settings, given, options: run };
  });
}

/**
 * The options of a run: those of the variant, so that the model is that of `train`. Unless it is asked for, it is not
 * calibrated by a cross-validation, which takes several trainings and does not change the accuracy.
 */
export function optionsOfRun(
  { given, options: { split } }: PlannedVariant,
  dataset: Dataset,
  planned: PlannedRun,
): VariantOptions {
  if (given.calibrationFolds !== undefined) return given;
  const usual = resolveRunOptions({ ...given, split, ...planned }, split);
  // The cross-validation decides whether clips are held back for validation.
  const { run } = splitForTraining(dataset, usual, given.validation !== undefined);
  return { ...given, validation: run.validation, calibrationFolds: 0 };
}

/** Adds the name of the variant to an error. */
function withName<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SonospikeError)) throw error;
    const { code, file } = error;
    throw new SonospikeError(code, `Variant ${JSON.stringify(name)}: ${error.message}`, {
      file,
      cause: error,
    });
  }
}
