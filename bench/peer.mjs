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

  /** `device`: where PyTorch computes, `cpu` or `cuda`. */
  constructor(python, device = 'cpu') {
    this.device = device;
    this.folder = mkdtempSync(join(tmpdir(), 'sonospike-bench-'));
    this.#child = spawn(python, [PROGRAM], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    let errors = '';
    this.#child.stderr.on('data', (data) => {
      errors = (errors + data).slice(-2000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const waiting = this.#waiting.shift();
      const answer = JSON.parse(line);
      if (answer.error) waiting?.reject(new Error(`the PyTorch side failed: ${answer.error}`));
      else waiting?.resolve(answer);
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
      this.#child.stdin.write(`${JSON.stringify({ dir: this.folder, device: this.device, ...request })}\n`);
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
