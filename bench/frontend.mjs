import { presetSettings } from '../dist/index.js';
import { native } from '../dist/native.js';
import { alternate, inMilliseconds, requireAlike } from './peer.mjs';
import { random } from './random.mjs';

const CALLS = 20; // in one timing: a call takes a fraction of a millisecond

/** MFCC of a second at 16 kHz and resampling of a second from 48 to 16 kHz, on one thread. */
export async function benchFrontend({ repeats, peer, peers }) {
  const frontend = presetSettings('original', [...'0123456789']).frontend;
  const draw = random(3);
  const noise = (length) => Float32Array.from({ length }, () => draw() - 0.5);
  const cases = [
    {
      kind: 'mfcc',
      what: 'MFCC of 1 s at 16 kHz',
      input: noise(16000),
      ours: (x) => native().features(x, 16000, frontend).data,
    },
    {
      kind: 'resample',
      what: '1 s from 48 to 16 kHz',
      input: noise(48000),
      ours: (x) => native().resample(x, 48000, 16000),
    },
  ];
  const results = [];
  for (const { kind, what, input, ours } of cases) {
    const works = {
      sonospike: () => {
        const start = performance.now();
        for (let i = 0; i < CALLS; i++) ours(input);
        return (performance.now() - start) / 1000 / CALLS;
      },
    };
    if (peer && peers.includes('torchaudio')) {
      peer.write('input', input);
      await peer.ask({ op: 'make', kind, threads: 1, from: 48000, to: 16000 });
      await peer.ask({ op: 'gradients' });
      requireAlike(what, ours(input), peer.read('output'));
      works.torchaudio = async () => {
        let sum = 0;
        for (let i = 0; i < CALLS; i++) sum += (await peer.ask({ op: 'run', grad: false })).seconds;
        return sum / CALLS;
      };
    }
    results.push(...inMilliseconds('frontend', what, await alternate(repeats, works)));
  }
  return results;
}
