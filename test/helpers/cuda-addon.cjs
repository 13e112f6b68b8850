// Stands in for the addon with CUDA: what SONOSPIKE_CUDA_ADDON names in test/device.test.ts. STAND_IN says what it does;
// a device of it that works is the CPU.
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');
const cpu = require('node-gyp-build')(join(__dirname, '../..'));

const GPU = {
  name: 'Stand-in',
  memory: 2 ** 34,
  freeMemory: 2 ** 33,
  major: 9,
  minor: 0,
  multiprocessors: 132,
};
const good = { ...GPU, supported: true, whyNot: '' };
const old = { ...GPU, name: 'Old', major: 6, minor: 1, supported: false, whyNot: 'built for 7.5 and later' };

const found = (devices, whyNone = '') => ({ driverVersion: 13000, runtimeVersion: 13000, devices, whyNone });

const KINDS = {
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  hang: () => {
    for (;;);
  },
  garbled: () => {
    console.log('not what it should');
    process.exit(0);
  },
  fails: () => {
    throw new Error('libsomething.so: no such file');
  },
  'no driver': () => ({ driverVersion: 0, runtimeVersion: 13000, devices: [], whyNone: 'no CUDA driver' }),
  'no device': () => found([], 'no CUDA device is visible'),
  old: () => found([old]),
  wrong: () => found([good]),
  lost: () => found([good]),
  differs: () => found([good]),
  good: () => found([old, good]),
};

const kind = process.env.STAND_IN;
const probing = process.argv[1]?.endsWith('probe-child.js');

class Model extends cpu.Model {
  constructor(settings, threads, device) {
    super(settings, threads);
    this.device = device;
  }

  initialise(seed) {
    // Other weights, once it is trusted.
    super.initialise(kind === 'differs' && this.device !== undefined && !probing ? seed + 1 : seed);
  }

  readParameters() {
    const parameters = super.readParameters();
    if (kind === 'wrong' && this.device !== undefined) parameters['layers.0.bias'][0] += 1;
    return parameters;
  }
}

class Trainer extends cpu.Trainer {
  async runEpoch() {
    if (kind !== 'lost') return super.runEpoch();
    throw Object.assign(new Error('CUDA failed at synchronize: unspecified launch failure'), {
      code: 'ERR_DEVICE_LOST',
    });
  }
}

const cudaPeak = () => ({ operations: 1e12, tensor: 0, bytes: 1e11 });
module.exports = { ...cpu, Model, Trainer, cudaInfo: KINDS[kind], cudaPeak };
// A device that is gone after the probe.
if (probing && process.env.STAND_IN_LOG) appendFileSync(process.env.STAND_IN_LOG, 'tried\n');
if (kind === 'gone' && probing) module.exports.cudaInfo = KINDS.good;
else if (kind === 'gone') throw new Error('gone');
