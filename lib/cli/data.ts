import type { SkippedFile } from '../datasets/dataset.js';
import { type Dataset, openDataset } from '../datasets/index.js';
import { LAYOUTS, type LayoutName, layoutNames } from '../datasets/layouts/index.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { SHIPPED_MODEL } from '../model/model.js';
import { samplesFolder } from '../support/package-files.js';
import type { WordCount } from '../training/epoch.js';
import type { OptionTable } from './args.js';
import { shortPath } from './format.js';
import type { Output } from './output.js';

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
  words: {
    type: 'text',
    value: 'WORD,WORD',
    help:
      'Words of --data to use (default: all). A draw of the clips of other words is used as _unknown_: with ' +
      'yes,no,up,down,left,right,on,off,stop,go as in the task of 12 classes of Speech Commands.',
  },
} as const satisfies OptionTable;

function layoutHelp(): string {
  return `${LAYOUTS.map(({ name, help }) => `${name}: ${help}`).join('; ')}.`;
}

/** The dataset that was named, or else the shipped samples. */
export async function openData(
  directory: string | undefined,
  options: { strict: boolean; layout?: LayoutName; words?: string; signal?: AbortSignal },
): Promise<Dataset> {
  const { strict, layout, words, signal } = options;
  const opened = await openDataset(directory ?? samplesFolder(), {
    strict,
    ...(layout === undefined ? {} : { layout }),
    ...(words === undefined ? {} : { words: words.split(',').map((word) => word.trim()) }),
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
  if (skipped.length > NAMED) out.note(`  and ${skipped.length - NAMED} more; --json lists all.`);
}

/** The path of the model that a command uses. */
export function modelPath(named: string | undefined): string {
  return named ?? SHIPPED_MODEL;
}

/** Words, and speakers, that are named one by one. */
const MOST_NAMED = 60;

/** The words of a training with the clips of each, the speakers, and the words that nothing can be learned of. */
export function aboutWords(words: readonly WordCount[], speakers: readonly string[]): string[] {
  const named = words.map(({ word, train, validation, test }) => `${word} (${train + validation + test})`);
  const lines = [
    `Words, with their clips: ${listed(named)}.`,
    speakers.length === 0 ? 'The speakers are not known.' : `Speakers: ${listed(speakers)}.`,
  ];
  const untrained = words.filter(({ train, word }) => train === 0 && word !== UNKNOWN_LABEL);
  if (untrained.length > 0) {
    const which = listed(untrained.map(({ word }) => word));
    lines.push(`Warning: the training part has no clip of ${which}, so the model cannot learn to tell it.`);
  }
  return lines;
}

function listed(names: readonly string[]): string {
  if (names.length <= MOST_NAMED) return names.join(', ');
  return `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`;
}
