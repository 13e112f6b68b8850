import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Dataset } from '../datasets/index.js';
import type { Variant } from '../protocol/variants.js';
import { type PresetName, presetNames } from '../settings/presets.js';
import { SonospikeError } from '../support/errors.js';
import { chooseRunOptions, chooseSettings } from './commands/train.js';
import { type Change, type CompareValues, readVary } from './compare-options.js';

/**
 * The variants of a comparison: every settings file or preset that is named, with every combination of the values of
 * `--vary`.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_FILE_*
 */
export async function chooseVariants(
  named: readonly string[],
  options: CompareValues,
  data: Pick<Dataset, 'labels'>,
): Promise<Variant[]> {
  const combined = combinations((options.vary ?? []).map(readVary));
  const bases = named.length === 0 ? [null] : namesOf(named);
  if (bases.length * combined.length < 2) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      'There are not two variants to compare: name settings files or presets, or --vary NAME=VALUE,VALUE.',
    );
  }
  const variants: Variant[] = [];
  for (const base of bases) {
    for (const change of combined) variants.push(await makeVariant(base, change, options, data));
  }
  return variants;
}

interface Base {
  name: string;
  /** Path of a settings file, or name of a preset. */
  given: string;
}

/** Files by their names without folder and ending, where that tells them apart. */
function namesOf(named: readonly string[]): Base[] {
  const short = named.map((each) => basename(each).replace(/\.json$/i, ''));
  const isClear = new Set(short).size === short.length;
  return named.map((given, i) => ({ given, name: isClear ? short[i]! : given }));
}

/** The first varies slowest. */
function combinations(varied: readonly Change[][]): Change[] {
  const none: Change = { name: '', options: {}, set: [] };
  return varied.reduce<Change[]>(
    (all, changes) =>
      all.flatMap((before) =>
        changes.map((change) => ({
          name: joined(before.name, change.name),
          options: { ...before.options, ...change.options },
          set: [...before.set, ...change.set],
        })),
      ),
    [none],
  );
}

async function makeVariant(
  base: Base | null,
  change: Change,
  options: CompareValues,
  data: Pick<Dataset, 'labels'>,
): Promise<Variant> {
  const name = joined(base?.name ?? '', change.name);
  const preset = base === null ? null : await presetCalled(base.given);
  const files = [options.settings, preset === null ? base?.given : undefined];
  const { settings: _, resume: __, ...common } = options;
  const set = [...(options.set ?? []), ...change.set];
  const values = {
    ...common,
    ...(preset === null ? {} : { preset }),
    ...change.options,
    ...(set.length === 0 ? {} : { set }),
  };
  const run = await chooseRunOptions({ ...values, strip: false }, { resume: undefined });
  const { split, fold, seed, ...training } = run;
  const named = files.filter((file) => file !== undefined);
  const settings = await chooseSettings(
    { ...values, ...(named.length === 0 ? {} : { settings: named }) },
    data,
  );
  return { name, options: training, ...(settings === null ? {} : { settings }) };
}

/** A preset, unless a file has its name. */
async function presetCalled(given: string): Promise<PresetName | null> {
  const preset = presetNames.find((name) => name === given);
  if (preset === undefined) return null;
  const isFile = await stat(given).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile ? null : preset;
}

function joined(a: string, b: string): string {
  return [a, b].filter((part) => part !== '').join(' ');
}
