import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Builds `dist`, which the tests of the command run, if a source is newer. */
export default function build(): void {
  const main = 'dist/cli/main.js';
  const built = existsSync(main) ? statSync(main).mtimeMs : 0;
  const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  if (sources.every((file) => statSync(join('lib', file)).mtimeMs < built)) return;
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc'], { stdio: 'inherit' });
}
