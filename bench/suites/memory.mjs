// The most memory that training takes, each in a process of its own.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { presetSettings } from '../../dist/index.js';
import { native } from '../../dist/native/load.js';
import { DIGITS } from '../clips.mjs';
import { Peer } from '../peer.mjs';
import { quartiles } from '../statistics.mjs';
import { rows } from '../works.mjs';
import { originalProgram } from './training.mjs';

const CHILD = fileURLToPath(new URL('./memory-child.mjs', import.meta.url));
const SUITE = 'memory';
const MOST_REPEATS = 3; // of a process
const STEPS = 2; // of the optimizer: the second finds all memory made
const BATCH = 256;
const LENGTHS = { '1 s': 1, '10 s': 10, '1 min': 60, '10 min': 600 };

/** What a fresh process that trains says of its memory, or why it does not train. */
async function ourMemory(task) {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    CHILD,
    JSON.stringify({ ...task, steps: STEPS }),
  ]);
  return JSON.parse(stdout);
}

async function peerMemory(python, batch, threads) {
  const settings = presetSettings('original', DIGITS);
  const model = new (native().Model)(settings, 1);
  model.initialise(1);
  const peer = new Peer(python);
  try {
    const inputs = new Float32Array(settings.frames * settings.encoding.stepsPerFrame * batch * 20).fill(1);
    const request = originalProgram(peer, model, settings, { inputs, batch, threads });
    return await peer.ask({ ...request, op: 'memory', runs: STEPS });
  } finally {
    peer.close();
  }
}

function refusedRow(what, who, refused) {
  return { suite: SUITE, what, who, unit: 'MB', better: 'less', refused };
}

/** A row for each side: megabytes that the work added; `process` is with what was there before it. */
async function measure(what, repeats, sides) {
  const [bytes, more, refusals] = [{}, {}, []];
  for (const [who, side] of Object.entries(sides)) {
    const seen = [];
    for (let i = 0; i < Math.min(repeats, MOST_REPEATS) && !seen.at(-1)?.refused; i++)
      seen.push(await side());
    const { refused } = seen.at(-1);
    if (refused) {
      refusals.push(refusedRow(what, who, refused));
      continue;
    }
    bytes[who] = seen.map(({ baseline, peak }) => peak - baseline);
    more[who] = { process: quartiles(seen.map(({ peak }) => peak / 1e6)).median };
    if (who !== 'sonospike') more[who].compare = ['sonospike', who];
  }
  return [...rows({ suite: SUITE, what, unit: 'MB', more }, bytes), ...refusals];
}

export async function benchMemory({ threads, repeats, quick, peer, python, progress }) {
  const batch = quick ? 16 : BATCH;
  const what = `original, training, batch ${batch}`;
  if (!existsSync('/proc/self/clear_refs'))
    return [refusedRow(what, 'sonospike', 'memory is read from /proc, which Linux has')];
  const results = [];
  progress(`memory: ${what}`);
  const sides = { sonospike: () => ourMemory({ batch, seconds: 1, threads }) };
  if (peer) sides.pytorch = () => peerMemory(python, batch, threads);
  results.push(...(await measure(what, repeats, sides)));
  for (const [name, seconds] of Object.entries(LENGTHS).slice(0, quick ? 1 : undefined)) {
    progress(`memory: a clip of ${name}`);
    const long = { sonospike: () => ourMemory({ batch: 1, seconds, threads }) };
    results.push(...(await measure(`original, training, a clip of ${name}`, repeats, long)));
  }
  return results;
}
