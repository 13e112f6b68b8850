import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadModel } from '../lib/index.js';

// The programs of examples/, run as their README says.

let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonospike-examples-'));
});
afterAll(async () => {
  for (const child of children) child.kill();
  await rm(folder, { recursive: true });
});

function start(name: string, ...args: string[]) {
  const child = spawn(process.execPath, [join('examples', name), ...args]);
  children.push(child);
  return child;
}

async function run(name: string, ...args: string[]): Promise<string> {
  const child = start(name, ...args);
  let printed = '';
  child.stdout.on('data', (data) => {
    printed += data;
  });
  child.stderr.on('data', (data) => {
    printed += data;
  });
  const [status] = await once(child, 'close');
  expect(printed).not.toMatch(/Error/);
  expect(status).toBe(0);
  return printed;
}

it('are all listed and run here', () => {
  const files = readdirSync('examples').filter((file) => file.endsWith('.mjs'));
  const readme = readFileSync('examples/README.md', 'utf8');
  const listed = [...readme.matchAll(/^\| `([\w-]+\.mjs)/gm)].map(([, name]) => name);
  const tests = readFileSync('test/examples.test.ts', 'utf8');
  expect(listed.sort()).toEqual(files.sort());
  for (const file of files) expect(tests).toMatch(new RegExp(`(run|start)\\('${file}'`));
});

it('predict.mjs recognises two samples', async () => {
  const printed = await run('predict.mjs');
  expect(printed).toMatch(/7_kal_0\.wav: 7 .*\n.*3_awb_0\.wav: 3 /);
});

it('stream.mjs finds three words in order', async () => {
  const printed = await run('stream.mjs');
  expect([...printed.matchAll(/s: (\d) \(/g)].map(([, label]) => label)).toEqual(['4', '2', '3']);
});

it('train-own-words.mjs saves a model that loads', { timeout: 600_000 }, async () => {
  const out = join(folder, 'words.safetensors');
  expect(await run('train-own-words.mjs', 'samples', out)).toMatch(
    /cross-validation: [\d.]+% of 90 clips right\n/,
  );
  expect((await loadModel(out)).labels).toHaveLength(10);
});

it('custom-network.mjs trains both networks, the custom one with fewer parameters', async () => {
  const printed = await run('custom-network.mjs');
  const [preset, custom] = [...printed.matchAll(/: (\d+) parameters, ([\d.]+)% right/g)].map(([, n]) =>
    Number(n),
  );
  expect(custom!).toBeLessThan(preset!);
});

it('server.mjs answers with the word, and with an error for what is no sound', async () => {
  const child = start('server.mjs', '0');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(line.toString())![0];
  const post = async (body: Uint8Array<ArrayBuffer>) => {
    const response = await fetch(url, { method: 'POST', body });
    return { status: response.status, answer: await response.json() };
  };
  expect(await post(new Uint8Array(readFileSync('samples/7_kal_0.wav')))).toMatchObject({
    status: 200,
    answer: { label: '7', rejected: false },
  });
  expect(await post(new Uint8Array([1, 2, 3]))).toMatchObject({ status: 400 });
  child.kill('SIGTERM');
  expect((await once(child, 'close'))[0]).toBe(0);
});
