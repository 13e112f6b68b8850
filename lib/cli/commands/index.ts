import type { Command } from '../command.js';
import { compare } from './compare.js';
import { dataset } from './dataset.js';
import { evaluate } from './evaluate.js';
import { info } from './info.js';
import { live } from './live.js';
import { page } from './page.js';
import { record } from './record.js';
import { runDigit } from './run-digit.js';
import { settings } from './settings.js';
import { strip } from './strip.js';
import { train } from './train.js';

/** Every command of the program, in the order of `--help`. Each also has an npm script of its name. */
export const COMMANDS: readonly Command[] = [
  train,
  evaluate,
  compare,
  runDigit,
  record,
  live,
  page,
  dataset,
  settings,
  strip,
  info,
];
