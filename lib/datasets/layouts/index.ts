import { audiomnist } from './audiomnist.js';
import { flat } from './flat.js';
import { folders } from './folders.js';
import { fsdd } from './fsdd.js';
import type { Layout } from './layout.js';
import { speakerFirst } from './speaker-first.js';
import { speakers } from './speakers.js';

/** All layouts, in the order in which a folder is held against them. */
export const LAYOUTS = [fsdd, audiomnist, flat, speakers, folders, speakerFirst] as const satisfies Layout[];

/** Name of a layout: how the clips of a data set lie in its folder. */
export type LayoutName = (typeof LAYOUTS)[number]['name'];

/** Names of all layouts. */
export const layoutNames = LAYOUTS.map(({ name }) => name) as readonly LayoutName[];

export function layoutCalled(name: LayoutName): Layout {
  return LAYOUTS.find((each) => each.name === name)!;
}
