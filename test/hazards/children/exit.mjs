// Ends while work is pending; argv: how.
import { train } from '../../../dist/index.js';
import { SAMPLES, settings, sleep, training } from './common.mjs';

switch (process.argv[2]) {
  case 'exit-training':
    await new Promise((started) => void training({ onEpoch: started }));
    await sleep(5);
    process.exit(7);
    break;
  case 'throw-training':
    await new Promise((started) => void training({ onEpoch: started }));
    throw new Error('thrown while training');
  case 'exit-loading':
    void training();
    await sleep(30);
    process.exit(8);
    break;
  case 'end-of-script':
    // Nobody awaits it: the process must stay until it is done, and no longer.
    void train({ data: SAMPLES, settings: settings(), split: 'random:0.2', epochs: 3, threads: 2 }).then(
      ({ epochs }) => console.log(`epochs ${epochs.length}`),
    );
    break;
  case 'idle':
    await training({ epochs: 1 });
    console.log('done');
    break;
}
