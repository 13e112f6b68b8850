// Which device is taken, and what is said where none can be: with addons that stand in for the one with CUDA, each tried
// in processes of their own, and with the one with CUDA itself where `npm run build:cuda` has been run.
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copySamples, run, runJson, startNode, temporaryFolder } from './helpers/cli.js';
import { RECURRENT } from './helpers/training.js';

const STAND_IN = resolve('test/helpers/cuda-addon.cjs');
const BUILT = resolve('build-cuda/Release/sonospike.node');

/** The environment of a command that finds an addon of a kind (see helpers/cuda-addon.cjs). */
const withAddon = (kind: string, more: Record<string, string> = {}) => ({
  SONOSPIKE_CUDA_ADDON: STAND_IN,
  STAND_IN: kind,
  SONOSPIKE_DEVICE: '',
  ...more,
});

let folder: string;
let training: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  const data = await copySamples(join(folder, 'words'), '01');
  training = ['train', '--data', data, '--epochs', '2', '--split', 'random:0.2', '--validation', '0'];
  training.push('--settings', RECURRENT, '--augmentation', 'none', '--negatives', '0', '--out');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs statements on what the library exports, as `sonospike`, and parses the JSON that they print. */
async function evaluateScript(body: string, env: Record<string, string>) {
  const library = pathToFileURL(resolve('dist/index.js')).href;
  const source = `import * as sonospike from ${JSON.stringify(library)};\n${body}`;
  const args = ['--input-type=module', '--eval', source];
  const { status, stdout, stderr } = await startNode(args, { env }).finished;
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** What is wrong with each, and the code for those who insist on it. */
const BROKEN = [
  ['no driver', 'ERR_DEVICE_MISSING', /no CUDA device: no CUDA driver/],
  ['no device', 'ERR_DEVICE_MISSING', /no CUDA device is visible/],
  ['old', 'ERR_DEVICE_UNSUPPORTED', /Old: .*6\.1/],
  ['crash', 'ERR_DEVICE_UNUSABLE', /ended with SIGSEGV/],
  ['hang', 'ERR_DEVICE_UNUSABLE', /did not end within 2 s/],
  ['garbled', 'ERR_DEVICE_UNUSABLE', /did not print/],
  ['fails', 'ERR_DEVICE_UNUSABLE', /libsomething/],
  ['wrong', 'ERR_DEVICE_UNUSABLE', /computes layers\.0\.bias wrong/],
] as const;

describe.each(BROKEN)('an addon whose device cannot be used: %s', (kind, code, why) => {
  const env = withAddon(kind, kind === 'hang' ? { SONOSPIKE_PROBE_SECONDS: '2' } : {});

  it('info says why', async () => {
    const { document } = await runJson(['info'], { env });
    expect(document.devices).toEqual([{ name: 'cpu' }]);
    expect(document.cuda).toMatchObject({ built: true, device: null });
    expect(document.cuda.whyNot).toMatch(why);
    expect((await run(['info'], { env })).stdout).toMatch(why);
  });

  it(`device cuda is ${code}; auto is the CPU`, async () => {
    const found = await evaluateScript(
      `const { createModel, loadModel, presetSettings } = sonospike;
      const settings = presetSettings('original', ['a', 'b']);
      const attempt = async (make) => {
        try { return (await make()).device; } catch (error) { return [error.name, error.code, error.message]; }
      };
      console.log(JSON.stringify([
        await attempt(() => createModel(settings, { device: 'cuda' })),
        await attempt(() => loadModel(undefined, { device: 'cuda' })),
        await attempt(() => createModel(settings, { device: 'auto' })),
      ]));`,
      env,
    );
    const error = ['SonospikeError', code, expect.stringMatching(why)];
    expect(found).toEqual([error, error, 'cpu']);
  });
});

it('an addon that can no longer be loaded is none', async () => {
  const env = withAddon('gone');
  const { status, stderr } = await run(['evaluate', '--device', 'cuda'], { env });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^sonospike: The CUDA addon .* cannot be used: gone/m);
  expect((await run(['evaluate'], { env })).status).toBe(0);
});

describe('without an addon', () => {
  const env = { SONOSPIKE_CUDA_ADDON: join('nowhere', 'sonospike.node'), SONOSPIKE_DEVICE: '' };

  it('train --device cuda says how to build it, in one line', async () => {
    const { status, stderr } = await run([...training, join(folder, 'none'), '--device', 'cuda'], { env });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^sonospike: .* is not built\. .*npm run build:cuda.*\n$/);
  });

  it('info says so', async () => {
    const { stdout } = await run(['info'], { env });
    expect(stdout).toMatch(/no CUDA device is used: .* not built/);
  });

  it.each([[['--device', 'gpu']], [['--device']]])('%j is refused', async (args) => {
    const { status, stderr } = await run([...training, join(folder, 'none'), ...args], { env });
    expect(status).toBe(2);
    expect(stderr).toContain('--device');
  });

  it('so is such a SONOSPIKE_DEVICE', async () => {
    const { status, stderr } = await run(['evaluate'], { env: { ...env, SONOSPIKE_DEVICE: 'gpu' } });
    expect(status).toBe(2);
    expect(stderr).toContain('SONOSPIKE_DEVICE');
  });
});

describe('an addon with a device that can be used', () => {
  const env = withAddon('good');

  it('info lists its devices', async () => {
    const { document } = await runJson(['info'], { env });
    expect(document.devices).toEqual([{ name: 'cpu' }, { name: 'Stand-in' }]);
    expect(document.cuda).toMatchObject({
      built: true,
      driver: '13.0',
      runtime: '13.0',
      device: 1,
      whyNot: null,
      devices: [
        { name: 'Old' },
        { name: 'Stand-in', computeCapability: '9.0', memory: 2 ** 34, whyNot: null },
      ],
    });
    const { stdout } = await run(['info'], { env });
    expect(stdout).toMatch(/cuda 1 +Stand-in; .*9\.0.*8\.0 of 16\.0 GiB free; used/);
  });

  it('train takes it, and evaluate; a checkpoint of it goes on on the CPU', async () => {
    const trained = async (name: string, ...more: string[]) =>
      runJson([...training, join(folder, `${name}.safetensors`), ...more], { env });
    const { document, stderr } = await trained('gpu');
    expect(stderr).toContain('Training on Stand-in.');
    expect(document.device).toBe('cuda');
    expect((await trained('cpu', '--device', 'cpu')).document.device).toBe('cpu');

    await trained('half', '--epochs', '1', '--schedule', 'constant');
    await trained('both', '--epochs', '1', '--schedule', 'constant', '--device', 'cpu');
    const half = join(folder, 'half.checkpoint.safetensors');
    const resumed = ['--epochs', '2', '--resume', half];
    expect((await trained('half', ...resumed, '--device', 'cpu')).document.epochs).toHaveLength(2);
    await trained('both', '--epochs', '2', '--resume', join(folder, 'both.checkpoint.safetensors'));
    // The stand-in's bits are those of the CPU.
    const bytes = (name: string) => readFile(join(folder, `${name}.safetensors`));
    expect(await bytes('gpu')).toEqual(await bytes('cpu'));
    expect(await bytes('half')).toEqual(await bytes('both'));

    const evaluated = [
      'evaluate',
      '--model',
      join(folder, 'gpu.safetensors'),
      '--data',
      join(folder, 'words'),
    ];
    expect((await runJson(evaluated, { env })).document.accuracy).toBeGreaterThan(0);
  });

  it('the API has it where it is asked for; it is tried once', async () => {
    const log = join(folder, 'tried');
    const found = await evaluateScript(
      `const { createModel, evaluate, evaluateProtocol, deviceInfo, loadModel, presetSettings } = sonospike;
      const settings = presetSettings('original', ['a', 'b']);
      const [gpu, cpu] = [await loadModel(undefined, { device: 'cuda' }), await loadModel()];
      const data = ${JSON.stringify(resolve('samples'))};
      const refused = await evaluate({ data, model: cpu, device: 'cuda' }).catch(({ code }) => code);
      const accuracy = async (model) => (await evaluate({ data, model })).accuracy;
      const protocol = await evaluateProtocol({
        data, protocol: 'leave-one-speaker-out', seeds: 1, folds: [1, 2], epochs: 1, preset: 'original', validation: 0, threads: 2,
      });
      await deviceInfo();
      console.log(JSON.stringify({
        devices: [gpu.device, cpu.device, (await createModel(settings, { device: 'auto' })).device],
        same: (await accuracy(gpu)) === (await accuracy(cpu)),
        refused,
        protocol: [protocol.device, protocol.parallel],
      }));`,
      withAddon('good', { STAND_IN_LOG: log }),
    );
    expect(found).toEqual({
      devices: ['cuda', 'cpu', 'cuda'],
      same: true,
      refused: 'ERR_INVALID_OPTION',
      protocol: ['cuda', 1],
    });
    expect(await readFile(log, 'utf8')).toBe('tried\n');
  });

  it('one that fails at work ends a training with a typed error, and nothing else', async () => {
    const { status, stderr } = await run([...training, join(folder, 'lost')], { env: withAddon('lost') });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^sonospike: CUDA failed at .* a training goes on from its checkpoint\.$/m);
    expect(stderr).not.toMatch(/bug|\n {4}at /);
  });
});

it('a device that was lost is not taken again by the process, which says why', async () => {
  const found = await evaluateScript(
    `const { createModel, deviceInfo, presetSettings, train } = sonospike;
    const data = ${JSON.stringify(join(folder, 'words'))};
    const settings = presetSettings('original', ['0', '1']);
    const attempt = async (make) => {
      try { return (await make()).device; } catch ({ code, message }) { return [code, message]; }
    };
    const training = (device) => attempt(() => train({
      data, device, epochs: 1, preset: 'original', split: 'random:0.2', validation: 0,
    }));
    console.log(JSON.stringify({
      before: (await createModel(settings, { device: 'auto' })).device,
      lost: await training('auto'),
      after: await training('auto'),
      asked: await training('cuda'),
      created: await attempt(() => createModel(settings, { device: 'cuda' })),
      devices: (await deviceInfo()).devices,
      cuda: (await deviceInfo()).cuda,
    }));`,
    withAddon('lost'),
  );
  const why =
    /^Stand-in was lost at work: CUDA failed at synchronize: unspecified launch failure\. A new process/;
  const refused = ['ERR_DEVICE_LOST', expect.stringMatching(why)];
  expect(found).toMatchObject({
    before: 'cuda',
    lost: ['ERR_DEVICE_LOST', expect.stringMatching(/^CUDA failed/)],
    after: 'cpu',
    asked: refused,
    created: refused,
    devices: [{ name: 'cpu' }],
    cuda: { device: null, whyNot: expect.stringMatching(why) },
  });
  expect(found.cuda.devices[0].whyNot).toMatch(/^it was lost at work: CUDA failed/);
});

const skipped = existsSync(BUILT) ? '' : ' (skipped: npm run build:cuda has not been run)';

describe.skipIf(skipped !== '')(`the addon with CUDA${skipped}`, () => {
  const env = { SONOSPIKE_CUDA_ADDON: BUILT, SONOSPIKE_DEVICE: '' };
  let cuda: { built: boolean; runtime: string; device: number | null; whyNot: string };

  beforeAll(async () => {
    ({ cuda } = (await runJson(['info'], { env })).document);
  });

  it('loads with or without a driver', () => {
    expect(cuda.built).toBe(true);
    expect(cuda.runtime).toMatch(/^\d+\.\d$/);
  });

  it('without a device: says so, refuses --device cuda, and leaves auto the CPU', async ({ skip }) => {
    skip(cuda.device !== null, 'there is a device');
    expect(cuda.whyNot).toMatch(/no CUDA device/);
    const { status, stderr } = await run(['evaluate', '--device', 'cuda'], { env });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^sonospike: There is no CUDA device: /);
    expect((await run(['evaluate'], { env })).status).toBe(0);
  });

  it('is refused objects of the addon without, and the reverse', async () => {
    const found = await evaluateScript(
      `import { createRequire } from 'node:module';
      import { native } from ${JSON.stringify(pathToFileURL(resolve('dist/native/load.js')).href)};
      const settings = sonospike.presetSettings('original', ['a', 'b']);
      const addons = [native(), createRequire(import.meta.url)(${JSON.stringify(BUILT)})];
      const models = addons.map(({ Model }) => new Model(settings, 1));
      console.log(JSON.stringify(addons.map(({ FeatureStore }) => models.map((model) => {
        try { return new FeatureStore(model, 1).size(); } catch ({ name }) { return name; }
      }))));`,
      env,
    );
    expect(found).toEqual([
      [0, 'TypeError'],
      ['TypeError', 0],
    ]);
  });
});
