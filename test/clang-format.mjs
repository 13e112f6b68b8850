// npm run lint:native [-- --write]: holds the C++ sources against .clang-format.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const files = readdirSync('native', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(cc|cu|h|inc)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const { status, error } = spawnSync('clang-format', [...mode, ...files], { stdio: 'inherit' });
if (error) {
  console.error('clang-format is not installed (Debian: apt-get install clang-format).');
  process.exitCode = 1;
} else {
  process.exitCode = status ?? 1;
}
