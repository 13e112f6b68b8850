import { readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { isThere } from './permission.js';
import traced from './traced-files.cjs';

/** Not imported: webpack replaces calls of an imported `createRequire`. */
const { createRequire } = process.getBuiltinModule('node:module');

let manifest: string | null | undefined;

/**
 * The path of this package's `package.json`; null in a bundle that is away from the package. A bundle looks for it in
 * node_modules, from its own folder and the current one.
 */
export function packageManifest(): string | null {
  if (manifest === undefined) manifest = findManifest();
  return manifest;
}

/** The folder of this package; the current folder where there is none. */
export function packageFolder(): string {
  return dirname(packageManifest() ?? resolve('package.json'));
}

/** The path of a file of this package, given relative to its folder. */
export function packageFile(relative: string): string {
  return join(packageFolder(), relative);
}

/** The path of the folder with the sample clips that come with the package. */
export function samplesFolder(): string {
  return packageFile('samples');
}

/** The path of a file in some package, as in "name/file"; undefined where it is not found. */
export function resolveFile(request: string): string | undefined {
  for (const origin of [traced?.manifest, join(process.cwd(), 'package.json')]) {
    try {
      if (origin !== undefined) return createRequire(normalize(origin)).resolve(request);
    } catch {
      // The next origin may have it.
    }
  }
  return undefined;
}

/** `require` for a file that no bundler must follow, such as an addon. */
export function requireFile(file: string): unknown {
  const path = resolve(file);
  return createRequire(path)(path);
}

function findManifest(): string | null {
  const beside = traced === null ? undefined : normalize(traced.manifest);
  if (beside !== undefined && isOurs(beside)) return beside;
  return resolveFile('sonospike/package.json') ?? null;
}

function isOurs(manifest: string): boolean {
  if (!isThere(manifest)) return false;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'sonospike';
}
