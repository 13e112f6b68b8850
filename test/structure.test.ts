import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The folders of `lib` in the order of docs/architecture.md: each imports only from itself and from those before it. */
const ORDER = [
  'support',
  'settings',
  'native',
  'files',
  'audio',
  'datasets',
  'model',
  'evaluation',
  'training',
  'protocol',
  'plot',
  'page',
  'cli',
];

const files = readdirSync('lib', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'));

/** Files below `lib` that a file imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(`lib/${file}`, 'utf8');
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)\.js'/g)].map(
    ([, path]) => `${posix.join(posix.dirname(file), path!)}.ts`,
  );
}

const folderOf = (file: string) => file.split('/')[0]!;

describe('the layout of lib', () => {
  it('has index.ts and the folders that are listed here', () => {
    const root = readdirSync('lib', { withFileTypes: true });
    expect(root.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual(['index.ts']);
    expect(root.filter((entry) => entry.isDirectory()).map(({ name }) => name)).toEqual([...ORDER].sort());
  });

  it('imports only files that are there', () => {
    const missing = files.flatMap((file) => importsOf(file).filter((path) => !files.includes(path)));
    expect(missing).toEqual([]);
  });

  it.each(files.filter((file) => file !== 'index.ts'))(
    '%s imports from its folder or an earlier one',
    (file) => {
      const own = ORDER.indexOf(folderOf(file));
      const later = importsOf(file).filter(
        (path) => path === 'index.ts' || ORDER.indexOf(folderOf(path)) > own,
      );
      expect(later).toEqual([]);
    },
  );

  it('has no circle of imports', () => {
    const left = new Map(files.map((file) => [file, new Set(importsOf(file))]));
    for (let before = -1; before !== left.size; ) {
      before = left.size;
      for (const [file, imports] of left) {
        if ([...imports].every((path) => !left.has(path))) left.delete(file);
      }
    }
    expect([...left.keys()]).toEqual([]);
  });
});
