// A program that is bundled into one file, far from any package: the addon and the model are named.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Vite comes with vitest, and bundles as rollup does.
const { build } = createRequire(createRequire(import.meta.url).resolve('vitest/package.json'))('vite');

const folder = mkdtempSync(join(tmpdir(), 'sonospike-bundle-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = `
  import { readFileSync } from 'node:fs';
  import { deviceInfo, loadModel } from ${JSON.stringify(resolve('dist/index.js'))};
  const given = process.argv[2] === 'bytes' ? readFileSync('digits.safetensors') : undefined;
  loadModel(given)
    .then(async (model) => [(await model.predict('7.wav')).label, (await deviceInfo()).version])
    .then(([label, version]) => console.log(label, version), ({ code, message }) => console.log(code, message));
`;

beforeAll(() => {
  writeFileSync(join(folder, 'program.mjs'), program);
  // The user's own package, which is not to be taken for this one.
  writeFileSync(join(folder, 'package.json'), '{"name":"bundled","version":"9.9.9"}');
  writeFileSync(join(folder, 'binding.gyp'), '{}');
  cpSync('samples/7_kal_0.wav', join(folder, '7.wav'));
  cpSync('models/digits.safetensors', join(folder, 'digits.safetensors'));
  cpSync('build/Release/sonospike.node', join(folder, 'sonospike.node'));
});

async function bundle(format: 'es' | 'cjs'): Promise<string> {
  await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: 'program.mjs',
      outDir: `out-${format}`,
      rollupOptions: { output: { format, entryFileNames: `program.${format === 'es' ? 'mjs' : 'cjs'}` } },
    },
  });
  return join(folder, `out-${format}`, `program.${format === 'es' ? 'mjs' : 'cjs'}`);
}

async function run(file: string, args: string[], addon?: string): Promise<string> {
  const { SONOSPIKE_ADDON: _, ...env } = process.env;
  const options = { cwd: folder, env: { ...env, ...(addon && { SONOSPIKE_ADDON: addon }) } };
  return (await promisify(execFile)(process.execPath, [file, ...args], options)).stdout;
}

describe.each(['es', 'cjs'] as const)('a bundle of format %s', (format) => {
  let file: string;
  beforeAll(async () => {
    file = await bundle(format);
  });

  it('holds the libraries that it uses', () => {
    expect(readFileSync(file, 'utf8')).not.toMatch(/(from|import|require\()\s*["'](wavefile|ws|tar)["']/);
  });

  it('predicts with the addon of SONOSPIKE_ADDON and the bytes of a model', async () => {
    expect(await run(file, ['bytes'], 'sonospike.node')).toBe('7 unknown\n');
  });

  it('without the bytes of a model says what is missing', async () => {
    expect(await run(file, [], 'sonospike.node')).toMatch(/^ERR_FILE_NOT_FOUND .*digits\.safetensors/);
  });

  it('without an addon says what to do', async () => {
    const said = await run(file, ['bytes']);
    expect(said).toContain('ERR_NATIVE_MISSING');
    expect(said).toContain('SONOSPIKE_ADDON');
    expect(said).not.toContain('npm run build');
  });
});
