// One build of two that are compared: node child.mjs DIR. Answers a request a line, {op, ...}, with {seconds: [...]}.
// It uses only what builds of all versions have: index.js, the addon, and the command line.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = process.argv[2];
const library = await import(join(root, 'dist/index.js'));
const addon = createRequire(join(root, 'package.json'))('node-gyp-build')(root);
const models = new Map();

const modelOf = async (file) => {
  if (!models.has(file)) models.set(file, await library.loadModel(file, { threads: 1 }));
  return models.get(file);
};
const timed = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** Runs the command of this build; its wall time and the JSON document that it printed. */
function command(args) {
  const start = performance.now();
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        printed[name] += text;
      });
    }
    child.on('close', (status) => {
      const seconds = (performance.now() - start) / 1000;
      if (status === 0) done({ seconds, document: JSON.parse(printed.stdout) });
      else fail(new Error(`${root}: ${args.join(' ')}: status ${status}: ${printed.stderr.slice(-500)}`));
    });
  });
}

const OPERATIONS = {
  /** Seconds of every clip, from the bytes of a WAV to the label. */
  async predict({ model, files }) {
    const loaded = await modelOf(model);
    const wavs = files.map((file) => readFileSync(file));
    const seconds = [];
    for (const wav of wavs) seconds.push(await timed(() => loaded.predictSync(wav)));
    return { seconds };
  },
  /** Seconds of the features of one clip, of `times` in a row. */
  async features({ frontend, samples, sampleRate, times }) {
    const clip = Float32Array.from({ length: samples }, (_, i) => Math.sin(i * i * 1e-5));
    const seconds = await timed(() => {
      for (let i = 0; i < times; i++) addon.features(clip, sampleRate, frontend);
    });
    return { seconds: [seconds / times] };
  },
  /** Seconds of processor time for each second of sound in a live stream. */
  async stream({ model, files }) {
    const stream = (await modelOf(model)).stream({ sampleRate: 16_000 });
    stream.on('word', () => {});
    stream.resume?.();
    const parts = [];
    for (const file of files) {
      const { samples, sampleRate } = await library.readAudio(file);
      if (sampleRate !== 16_000) throw new Error(`${file} is not of 16 kHz`);
      parts.push(new Float32Array(8000), samples, new Float32Array(8000));
    }
    const before = process.cpuUsage();
    for (const part of parts) {
      for (let at = 0; at < part.length; at += 320) stream.write(part.subarray(at, at + 320));
    }
    const { user, system } = process.cpuUsage(before);
    const sound = parts.reduce((sum, part) => sum + part.length, 0) / 16_000;
    stream.destroy();
    return { seconds: [(user + system) / 1e6 / sound] };
  },
  /** Seconds of a training clip in the last epoch; `whole`: of the whole command. */
  async train({ args, whole }) {
    const { seconds, document } = await command(['train', ...args]);
    const last = document.epochs.at(-1);
    return { seconds: [whole ? seconds : 1 / last.clipsPerSecond], accuracy: document.accuracy };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line);
  try {
    console.log(JSON.stringify(await OPERATIONS[op](request)));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}
