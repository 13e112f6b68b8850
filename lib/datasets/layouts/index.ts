import { arabicSpeechCommands } from './arabic-speech-commands.js';
import { audiomnist } from './audiomnist.js';
import { flat } from './flat.js';
import { folders } from './folders.js';
import { fsdd } from './fsdd.js';
import type { Layout } from './layout.js';
import { list } from './list.js';
import { metadata } from './metadata.js';
import { mswc } from './mswc.js';
import { speakerFirst } from './speaker-first.js';
import { speakers } from './speakers.js';
import { speechCommands } from './speech-commands.js';

/** All layouts, in the order in which a folder is held against them. */
export const LAYOUTS = [
  metadata,
  mswc,
  speechCommands,
  arabicSpeechCommands,
  fsdd,
  audiomnist,
  flat,
  speakers,
  folders,
  speakerFirst,
  list,
] as const satisfies Layout[];

/** The name of a layout of data sets; see `openDataset`. */
export type LayoutName = (typeof LAYOUTS)[number]['name'];

/** The names of all layouts. */
export const layoutNames = LAYOUTS.map(({ name }) => name) as readonly LayoutName[];

export function layoutCalled(name: LayoutName): Layout {
  return LAYOUTS.find((each) => each.name === name)!;
}
