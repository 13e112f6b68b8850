// What is said where the native addon is not there or cannot be loaded: a piece of advice for each cause.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadFailed } from '../lib/native/missing.js';
import { permission } from './helpers/permission.js';

const folder = mkdtempSync(join(tmpdir(), 'sonospike-missing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = `
  import { loadModel } from ${JSON.stringify(resolve('dist/index.js'))};
  const failed = await loadModel().then(() => null, (error) => error);
  console.log(JSON.stringify(failed && { code: failed.code, message: failed.message }));
`;

/** What loading the addon `addon` says in a process with `flags`; null where it works. */
function load(addon: string, flags: string[] = []): Promise<{ code: string; message: string } | null> {
  const env = { ...process.env, SONOSPIKE_ADDON: addon };
  return new Promise((done, fail) => {
    const args = [...flags, '--input-type=module', '--eval', script];
    execFile(process.execPath, args, { env }, (error, stdout) =>
      error ? fail(error) : done(JSON.parse(stdout)),
    );
  });
}

describe('SONOSPIKE_ADDON', () => {
  it('names the addon that is loaded', async () => {
    expect(await load('build/Release/sonospike.node')).toBeNull();
  });

  it('that names no file is told by its name', async () => {
    const file = join(folder, 'none.node');
    const failed = await load(file);
    expect(failed).toMatchObject({ code: 'ERR_NATIVE_MISSING' });
    expect(failed!.message).toContain(`${file} cannot be loaded`);
    expect(failed!.message).toContain('SONOSPIKE_ADDON names it. There is no such file.');
  });

  it.runIf(process.platform === 'linux')(
    'that names no addon is told to be for another platform',
    async () => {
      const file = join(folder, 'text.node');
      writeFileSync(
        file,
        'This is a text, and long enough to hold what the header of a program would.'.repeat(9),
      );
      const failed = await load(file);
      expect(failed).toMatchObject({ code: 'ERR_NATIVE_MISSING' });
      expect(failed!.message).toContain('It is for another platform than this one');
    },
  );
});

it('a process that may load no addons is told the flag', async () => {
  const failed = await load('build/Release/sonospike.node', ['--no-addons']);
  expect(failed).toMatchObject({ code: 'ERR_NATIVE_MISSING' });
  expect(failed!.message).toContain('started with --no-addons');
});

describe.runIf(permission !== undefined)('where Node restricts what the process may do', () => {
  const root = resolve('.');
  const build = join(root, 'build');
  const readable = ['dist', 'node_modules', 'package.json', 'models'].map(
    (name) => `--allow-fs-read=${join(root, name)}`,
  );

  it('and it may load no addons, it is told the flag', async () => {
    const failed = await load('', [permission!, '--allow-fs-read=*']);
    expect(failed).toMatchObject({ code: 'ERR_NATIVE_MISSING' });
    expect(failed!.message).toContain('start it with --allow-addons too');
  });

  it('and it may not look where the addon is, it is told which folder to allow', async () => {
    const failed = await load('', [permission!, '--allow-addons', ...readable]);
    expect(failed).toMatchObject({ code: 'ERR_NATIVE_MISSING' });
    expect(failed!.message).toContain(`may not look for the native addon in ${build};`);
    expect(failed!.message).toContain(`--allow-fs-read=${root} too`);
  });

  it('and it may not read the model, it is told which flag to give', async () => {
    const without = readable.filter((flag) => !flag.endsWith('models'));
    const failed = await load('', [permission!, '--allow-addons', ...without, `--allow-fs-read=${build}`]);
    expect(failed).toMatchObject({ code: 'ERR_FILE_UNREADABLE' });
    expect(failed!.message).toContain('start it with --allow-fs-read=FOLDER');
  });

  it('and all of that is allowed, it works', async () => {
    expect(
      await load('', [permission!, '--allow-addons', ...readable, `--allow-fs-read=${build}`]),
    ).toBeNull();
  });
});

// Messages as the loaders of these systems print them.
describe('a failed load', () => {
  const from = { file: resolve('build/Release/sonospike.node'), reason: 'it was compiled in this folder' };
  const textOf = (message: string, code?: string) =>
    loadFailed(Object.assign(new Error(message), code === undefined ? {} : { code }), from).message;

  it.each([
    [
      'glibc',
      "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /x/sonospike.node)",
      'It needs GLIBC_2.34, and this system has glibc',
    ],
    [
      'libstdc++',
      "/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by /x/sonospike.node)",
      'It needs GLIBCXX_3.4.30',
    ],
    ['musl', 'Error relocating /x/sonospike.node: __memcpy_chk: symbol not found', 'for another libc'],
    [
      'glibc addon on musl',
      'Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /x/sonospike.node)',
      'for another libc',
    ],
    [
      'macOS',
      "dlopen(/x/sonospike.node, 0x0001): tried: '/x/sonospike.node' (mach-o file, but is an incompatible architecture (have 'arm64', need 'x86_64'))",
      'for another platform',
    ],
    ['Windows', '\\\\?\\C:\\x\\sonospike.node is not a valid Win32 application.', 'for another platform'],
    [
      'Deno',
      'Requires ffi access to "/x/sonospike.node", run again with the --allow-ffi flag',
      '--allow-ffi',
    ],
    ['anything else', 'undefined symbol: napi_what', 'please report this message'],
  ])('of %s has its advice and the message', (_, message, advice) => {
    expect(textOf(message)).toContain(advice);
    expect(textOf(message)).toContain(message);
  });

  it('under --permission names the flags', () => {
    expect(
      textOf('Cannot load native addon because loading addons is disabled.', 'ERR_DLOPEN_DISABLED'),
    ).toContain('--allow-addons');
    expect(textOf('Access to this API has been restricted', 'ERR_ACCESS_DENIED')).toContain(
      '--allow-fs-read=',
    );
  });
});
