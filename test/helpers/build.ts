import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Builds `dist`, which the tests of the command and of the page run, if a source is newer. */
export default function build(): void {
  const files = ['dist/cli/main.js', 'dist/page/browser/main.js'];
  const built = Math.min(...files.map((file) => (existsSync(file) ? statSync(file).mtimeMs : 0)));
  const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  if (sources.every((file) => statSync(join('lib', file)).mtimeMs < built)) return;
  for (const project of ['.', 'lib/page/browser']) {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { stdio: 'inherit' });
  }
}
