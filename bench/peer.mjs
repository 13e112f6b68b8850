import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./peers/peer.py', import.meta.url));

/** The Python process that does the same work with PyTorch and the libraries on it. Arrays travel in files. */
export class Peer {
  #child;
  #waiting = [];
  #ended = null;

  constructor(python) {
    this.folder = mkdtempSync(join(tmpdir(), 'sonospike-bench-'));
    this.#child = spawn(python, [PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
    let errors = '';
    this.#child.stderr.on('data', (data) => {
      errors = (errors + data).slice(-2000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting.resolve(JSON.parse(line));
    });
    const end = (reason) => {
      this.#ended = new Error(`the PyTorch side ended (${reason}): ${errors.trim().slice(-1500) ?? ''}`);
      for (const { reject } of this.#waiting) reject(this.#ended);
      this.#waiting = [];
    };
    this.#child.on('error', (error) => end(error.message));
    this.#child.on('exit', (code) => end(`status ${code}`));
    this.#child.stdin.on('error', () => {});
  }

  ask(request) {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ dir: this.folder, ...request })}\n`);
    });
  }

  write(name, values) {
    writeFileSync(
      join(this.folder, name),
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
  }

  read(name) {
    const bytes = readFileSync(join(this.folder, name));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }

  close() {
    this.#child.stdin.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Times several pieces of work by turns, so that what else the machine does falls on all alike; the first round
 * warms up. Each gives its seconds, or is timed here.
 */
export async function alternate(repeats, works) {
  const seconds = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let round = 0; round <= repeats; round++) {
    for (const [name, work] of Object.entries(works)) {
      const start = performance.now();
      const own = await work();
      const taken = typeof own === 'number' ? own : (performance.now() - start) / 1000;
      if (round > 0) seconds[name].push(taken);
    }
  }
  return seconds;
}

/** Rows of the report from what `alternate` gave. */
export function inMilliseconds(suite, what, seconds) {
  return Object.entries(seconds).map(([who, values]) => ({
    suite,
    who,
    what,
    unit: 'ms',
    values: values.map((s) => s * 1000),
    better: 'less',
  }));
}

/** Cosine of the angle between two arrays. */
export function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot / Math.sqrt(aa * bb);
}

/** Throws unless both sides have computed the same. */
export function requireAlike(what, ours, theirs, least = 0.9999) {
  if (ours.length !== theirs.length)
    throw new Error(`${what}: ${ours.length} values here, ${theirs.length} there`);
  const alike = cosine(ours, theirs);
  if (!(alike >= least)) throw new Error(`${what}: both sides differ, their cosine is ${alike}`);
}
