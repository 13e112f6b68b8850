// Trains the original network on clips of some length and prints the process's peak memory, and what it was before.
import { readFileSync, writeFileSync } from 'node:fs';
import { SonospikeError } from '../../dist/index.js';
import { guardAsync } from '../../dist/native/errors.js';
import { native } from '../../dist/native/load.js';
import { validateSettings } from '../../dist/settings/validate.js';
import { longerSettings, makeTrainer } from '../clips.mjs';

/** Bytes: the most this process has used since the peak was reset. */
function peakMemory() {
  return 1024 * Number(readFileSync('/proc/self/status', 'utf8').match(/^VmHWM:\s+(\d+) kB/m)[1]);
}

async function train({ batch, seconds, threads, steps }) {
  const settings = validateSettings(longerSettings('original', seconds), 'settings');
  const made = await makeTrainer({
    preset: 'original',
    settings,
    seconds,
    threads,
    batchSize: batch,
    count: batch,
    epochs: steps,
  });
  for (let i = 0; i < steps; i++) await made.trainer.runEpoch();
}

async function main() {
  native();
  globalThis.gc();
  writeFileSync('/proc/self/clear_refs', '5'); // the peak starts from what is in use now
  const baseline = peakMemory();
  try {
    await guardAsync(() => train(JSON.parse(process.argv[2])));
    return { baseline, peak: peakMemory() };
  } catch (error) {
    if (!(error instanceof SonospikeError)) throw error;
    return { refused: `${error.code}: ${error.message}` };
  }
}

console.log(JSON.stringify(await main()));
