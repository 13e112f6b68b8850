import { fileURLToPath } from 'node:url';
import type { SkippedFile } from '../datasets/dataset.js';
import { type Dataset, openDataset } from '../datasets/index.js';
import { LAYOUTS, type LayoutName, layoutNames } from '../datasets/layouts/index.js';
import { SHIPPED_MODEL } from '../model/model.js';
import type { OptionTable } from './args.js';
import { shortPath } from './format.js';
import type { Output } from './output.js';

/** The clips that come with the package. */
const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url));

/** Files that are named one by one; of the others only the number is said. */
const NAMED = 20;

/** What `--data` may be, for help texts. */
export const DATA_HELP =
  'Data set: a folder in one of the layouts that --layout lists, such as a folder for each word.';

/** The option of every command that opens data. */
export const LAYOUT_OPTION = {
  layout: {
    type: 'choice',
    choices: layoutNames,
    help: `How the clips lie in the folder of --data (default: recognised). ${layoutHelp()}`,
  },
} as const satisfies OptionTable;

function layoutHelp(): string {
  return `${LAYOUTS.map(({ name, help }) => `${name}: ${help}`).join('; ')}.`;
}

/** The dataset that was named, or else the shipped samples. */
export async function openData(
  directory: string | undefined,
  options: { strict: boolean; layout?: LayoutName; signal?: AbortSignal },
): Promise<Dataset> {
  const { strict, layout, signal } = options;
  const opened = await openDataset(directory ?? SAMPLES, {
    strict,
    ...(layout === undefined ? {} : { layout }),
    ...(signal === undefined ? {} : { signal }),
  });
  // The folder's own README is no news.
  return directory === undefined ? { ...opened, skipped: [] } : opened;
}

/** Says which files were left out, and why. */
export function noteSkipped(out: Output, skipped: readonly SkippedFile[]): void {
  if (skipped.length === 0) return;
  out.note(`Skipped ${skipped.length} file${skipped.length === 1 ? '' : 's'}:`);
  for (const { file, reason } of skipped.slice(0, NAMED)) {
    out.note(`  ${reason.includes(file) ? reason : `${shortPath(file)}: ${reason}`}`);
  }
  if (skipped.length > NAMED) out.note(`  and ${skipped.length - NAMED} more`);
}

/** The path of the model that a command uses. */
export function modelPath(named: string | undefined): string {
  return named ?? SHIPPED_MODEL;
}
