import type { PartName } from '../clip.js';

/** The part that a name stands for, in lists and as the name of a folder; null for other names. */
export function partOf(name: string): PartName | null {
  return PART_NAMES[name.trim().toLowerCase()] ?? null;
}

const PART_NAMES: Readonly<Record<string, PartName>> = Object.assign(Object.create(null), {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
  testing: 'test',
});
