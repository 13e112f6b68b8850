import { readFileSync } from 'node:fs';
import { packageManifest } from './package-files.js';

/** The version of this package, as in `package.json`; "unknown" in a bundle that is away from the package. */
export function packageVersion(): string {
  const manifest = packageManifest();
  if (manifest === null) return 'unknown';
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
