import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url));

/** A build of sonospike in a process of its own, which does one piece of work after the other. */
export class Build {
  #child;
  #lines;

  constructor(directory) {
    const root = resolve(directory);
    if (!existsSync(join(root, 'dist/index.js'))) {
      throw new Error(`--against: ${root} is no built checkout (npm ci builds one)`);
    }
    this.#child = spawn(process.execPath, [CHILD, root], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(request) {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('a build that is compared ended');
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  close() {
    this.#child.stdin.end();
  }
}
