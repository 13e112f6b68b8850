import { presetSettings } from '../../dist/index.js';
import { native } from '../../dist/native/load.js';
import { requireClose } from '../checks.mjs';
import { DIGITS } from '../clips.mjs';
import { featureWork, floorOf, resampleWork } from '../floor.mjs';
import { random } from '../random.mjs';
import { alternate, rows } from '../works.mjs';

const CALLS = 20; // in one timing: a call takes a fraction of a millisecond
const TOLERANCE = 1e-3; // relative

/** MFCC of a second at 16 kHz, resampling of a second from 48 to 16 kHz: `ours` computes it, `slots` it costs. */
export function frontEndCases() {
  const { frontend } = presetSettings('original', DIGITS);
  const draw = random(3);
  const noise = (length) => Float32Array.from({ length }, () => draw() - 0.5);
  return [
    {
      kind: 'mfcc',
      what: 'MFCC of 1 s at 16 kHz',
      input: noise(16000),
      ours: (x) => native().features(x, 16000, frontend).data,
      slots: featureWork(frontend, 16000),
    },
    {
      kind: 'resample',
      what: '1 s from 48 to 16 kHz',
      input: noise(48000),
      ours: (x) => native().resample(x, 48000, 16000),
      slots: resampleWork(48000, 48000, 16000),
    },
  ];
}

export function frontEndWork({ ours, input }) {
  return () => {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) ours(input);
    return (performance.now() - start) / 1000 / CALLS;
  };
}

async function makePeer(peer, { kind, what, input, ours }) {
  peer.write('input', input);
  await peer.ask({ op: 'make', kind, threads: 1, from: 48000, to: 16000 });
  await peer.ask({ op: 'gradients' });
  const values = requireClose(what, ours(input), peer.read('output'), TOLERANCE);
  return { compare: ['sonospike', 'torchaudio'], checks: { values } };
}

/** On one thread. */
export async function benchFrontend({ repeats, peer, peers, progress }) {
  const results = [];
  for (const each of frontEndCases()) {
    progress(`frontend: ${each.what}`);
    const works = { sonospike: frontEndWork(each) };
    const more = {};
    if (peer && peers.includes('torchaudio')) {
      more.torchaudio = await makePeer(peer, each);
      works.torchaudio = async () => {
        let sum = 0;
        for (let i = 0; i < CALLS; i++) sum += (await peer.ask({ op: 'run', grad: false })).seconds;
        return sum / CALLS;
      };
    }
    const about = {
      suite: 'frontend',
      what: each.what,
      unit: 'ms',
      floor: floorOf(each.slots, 1),
      more,
    };
    results.push(...rows(about, await alternate(repeats, works)));
  }
  return results;
}
