import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as fsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { writeFileAtomic } from '../lib/files/atomic-file.js';
import { readModelFile } from '../lib/files/model-file.js';
import { filledModel } from './helpers/model.js';

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof fs>();
  return { ...actual, fsync: vi.fn(actual.fsync) };
});
vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof fsPromises>();
  return { ...actual, rename: vi.fn(actual.rename) };
});

const { rename: actualRename } = await vi.importActual<typeof fsPromises>('node:fs/promises');

let folder: string;
let target: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'sonospike-atomic-'));
  target = join(folder, 'model.safetensors');
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

const text = (value: string) => Buffer.from(value);

/** What every handle of an open file has its methods from. */
async function handlePrototype(): Promise<fsPromises.FileHandle> {
  const handle = await fsPromises.open(import.meta.filename);
  await handle.close();
  return Object.getPrototypeOf(handle);
}

test('writes the chunks one after the other and leaves nothing else', async () => {
  await writeFileAtomic(target, [text('one '), text(''), text('two')]);
  await writeFileAtomic(target, [text('three')]);
  await writeFileAtomic(join(folder, 'new', 'folder', 'a'), [text('four')]);
  expect(fs.readFileSync(target, 'utf8')).toBe('three');
  expect(fs.readFileSync(join(folder, 'new', 'folder', 'a'), 'utf8')).toBe('four');
  expect(fs.readdirSync(folder).sort()).toEqual(['model.safetensors', 'new']);
});

test('writes all of a chunk where a write takes less than it is given', async () => {
  const prototype = await handlePrototype();
  const { write } = prototype;
  vi.spyOn(prototype, 'write').mockImplementation(function (this: fsPromises.FileHandle, ...args: unknown[]) {
    const [bytes, offset, length] = args as [Uint8Array, number, number];
    return Reflect.apply(write, this, [bytes, offset, Math.min(length, 3), null]);
  } as typeof write);
  await writeFileAtomic(target, [text('one and two'), text('three')]);
  expect(fs.readFileSync(target, 'utf8')).toBe('one and twothree');
});

/** Makes the next sync fail as the system does. */
function failToSync(message: string, code: string): void {
  const fail = (_: number, done: (error: Error) => void) => done(Object.assign(new Error(message), { code }));
  vi.mocked(fs.fsync).mockImplementationOnce(fail as typeof fs.fsync);
}

describe('where a handle cannot be synced', () => {
  test('as Node refuses it under --permission, the file is written whole', async () => {
    failToSync('fsync API is disabled', 'ERR_ACCESS_DENIED');
    await writeFileAtomic(target, [text('one '), text('two')]);
    expect(fs.readFileSync(target, 'utf8')).toBe('one two');
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('Method not implemented.');
      },
    ],
    ['is missing', undefined],
  ])('as `sync` of a handle of Yarn PnP %s, its descriptor is synced', async (_, broken) => {
    const prototype = await handlePrototype();
    const { sync } = prototype;
    Object.assign(prototype, { sync: broken });
    vi.mocked(fs.fsync).mockClear();
    try {
      await writeFileAtomic(target, [text('one '), text('two')]);
    } finally {
      Object.assign(prototype, { sync });
    }
    expect(fs.readFileSync(target, 'utf8')).toBe('one two');
    expect(fs.fsync).toHaveBeenCalled();
  });

  test('a disk that fails is an error, and the earlier file stays', async () => {
    await writeFileAtomic(target, [text('earlier')]);
    failToSync('I/O', 'EIO');
    await expect(writeFileAtomic(target, [text('later')])).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
    expect(fs.readFileSync(target, 'utf8')).toBe('earlier');
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });
});

test('writes of one file at the same time each end whole', async () => {
  const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000));
  await Promise.all(contents.map((content) => writeFileAtomic(target, [text(content)])));
  expect(contents).toContain(fs.readFileSync(target, 'utf8'));
  expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
});

test.skipIf(process.platform === 'win32')('writes through a symbolic link and keeps the mode', async () => {
  const link = join(folder, 'link');
  await writeFileAtomic(target, [text('one')]);
  fs.chmodSync(target, 0o600);
  fs.symlinkSync(target, link);
  await writeFileAtomic(link, [text('two')]);
  expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
  expect(fs.readFileSync(target, 'utf8')).toBe('two');
  expect(fs.statSync(target).mode & 0o777).toBe(0o600);
});

describe('on Windows, while another program has the file open', () => {
  const refused = () => Object.assign(new Error('not permitted'), { code: 'EPERM' });
  const { rename } = fsPromises;
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
  beforeEach(() => Object.defineProperty(process, 'platform', { ...platform, value: 'win32' }));
  afterEach(() => {
    Object.defineProperty(process, 'platform', platform);
    vi.mocked(rename).mockReset().mockImplementation(actualRename);
  });

  test('the rename is tried again until it is closed', async () => {
    await writeFileAtomic(target, [text('earlier')]);
    vi.mocked(rename).mockClear().mockRejectedValueOnce(refused()).mockRejectedValueOnce(refused());
    await writeFileAtomic(target, [text('later')]);
    expect(rename).toHaveBeenCalledTimes(3);
    expect(fs.readFileSync(target, 'utf8')).toBe('later');
  });

  test('for seconds, it is an error that says so, and the earlier file stays', async () => {
    await writeFileAtomic(target, [text('earlier')]);
    vi.mocked(rename).mockRejectedValue(refused());
    await expect(writeFileAtomic(target, [text('later')])).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
      message: expect.stringContaining('another program has it open'),
    });
    expect(fs.readFileSync(target, 'utf8')).toBe('earlier');
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });
});

describe('a write that fails', () => {
  const expected = () => expect.objectContaining({ code: 'ERR_FILE_WRITE', file: target });

  test('on a full disk leaves the earlier file whole and no temporary one', async () => {
    await writeFileAtomic(target, [text('earlier')]);
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const { write } = await handlePrototype();
    vi.spyOn(await handlePrototype(), 'write')
      .mockImplementationOnce(function (this: fsPromises.FileHandle, ...args: unknown[]) {
        return Reflect.apply(write, this, [args[0], 0, 4, null]); // less than it was given
      } as typeof write)
      .mockRejectedValueOnce(full);
    const attempt = writeFileAtomic(target, [text('half of it')]);
    await expect(attempt).rejects.toThrow(expected());
    await expect(attempt).rejects.toThrow('disk is full');
    expect(fs.readFileSync(target, 'utf8')).toBe('earlier');
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });

  test('at the rename leaves the earlier file whole and no temporary one', async () => {
    await writeFileAtomic(target, [text('earlier')]);
    vi.mocked(fsPromises.rename).mockRejectedValueOnce(Object.assign(new Error('I/O'), { code: 'EIO' }));
    await expect(writeFileAtomic(target, [text('later')])).rejects.toThrow(expected());
    expect(fs.readFileSync(target, 'utf8')).toBe('earlier');
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });

  test('because a folder has the name', async () => {
    fs.mkdirSync(target);
    await expect(writeFileAtomic(target, [text('x')])).rejects.toThrow(expected());
    expect(fs.statSync(target).isDirectory()).toBe(true);
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });

  test('because a file is where the folder should be', async () => {
    fs.writeFileSync(target, '');
    const below = join(target, 'a');
    await expect(writeFileAtomic(below, [text('x')])).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_FILE_WRITE', file: below }),
    );
  });
});

describe('temporary files left behind', () => {
  const name = (pid: number, of = 'model.safetensors') => `.${of}.${pid}.0123456789ab.tmp`;
  const leave = (file: string, modified = new Date()) => {
    fs.writeFileSync(join(folder, file), 'half');
    fs.utimesSync(join(folder, file), modified, modified);
  };
  const beforeThisProcess = new Date(Date.now() - process.uptime() * 1000 - 10_000);

  test('are removed if their process is gone, and only those of this file', async () => {
    const gone = await endedProcess();
    const kept = [name(process.ppid), name(process.pid), name(gone, 'other'), '.model.safetensors.tmp'];
    for (const file of [...kept, name(gone)]) leave(file);
    await writeFileAtomic(target, [text('x')]);
    expect(fs.readdirSync(folder).sort()).toEqual([...kept, 'model.safetensors'].sort());
  });

  test('are removed if an earlier process of the same id wrote them, as happens in containers', async () => {
    leave(name(process.pid), beforeThisProcess);
    await writeFileAtomic(target, [text('x')]);
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });

  test('are removed if they are hours old, whoever has the process id now', async () => {
    leave(name(process.ppid), new Date(Date.now() - 2 * 3_600_000));
    await writeFileAtomic(target, [text('x')]);
    expect(fs.readdirSync(folder)).toEqual(['model.safetensors']);
  });
});

async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

test('a process killed while saving, again and again, leaves a whole file and at most one temporary', async () => {
  const script = saverScript();
  for (let round = 0; round < 15; round++) {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await delay(2 * round);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const model = await readModelFile(target);
    const marks = new Set(Array.from(model.parameters.values(), ({ data }) => data[0]));
    expect(marks.size, 'tensors of one save').toBe(1);
    expect(fs.readdirSync(folder).filter((file) => file.endsWith('.tmp')).length).toBeLessThanOrEqual(1);
  }
  await writeFileAtomic(target, [text('x')]);
  expect(fs.readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
});

/** A program that saves a model over and over, every value of one save being its number; says when it began. */
function saverScript(): string {
  const out = join(folder, 'program');
  for (const file of libFiles()) {
    const { outputText } = ts.transpileModule(fs.readFileSync(file, 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const to = join(out, file.replace(/\.ts$/, '.js'));
    fs.mkdirSync(dirname(to), { recursive: true });
    fs.writeFileSync(to, outputText);
  }
  fs.writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  const { settings, parameters, ...rest } = filledModel();
  const shapes = Array.from(parameters, ([name, { shape, data }]) => [name, shape, data.length]);
  const script = join(out, 'saver.js');
  fs.writeFileSync(
    script,
    `import { writeModelFile } from ${JSON.stringify(pathToFileURL(join(out, 'lib/files/model-file.js')))};
    const rest = ${JSON.stringify({ settings, ...rest })};
    for (let save = 1; ; save++) {
      const entries = ${JSON.stringify(shapes)}.map(([name, shape, length]) =>
        [name, { shape, data: new Float32Array(length).fill(save) }]);
      await writeModelFile(${JSON.stringify(target)}, { ...rest, parameters: new Map(entries) });
      if (save === 1) process.stdout.write('saving\\n');
    }`,
  );
  return script;
}

/** The folders that model-file.ts imports from; none needs the addon. */
function libFiles(): string[] {
  return ['support', 'settings', 'files', 'files/torch'].flatMap((folder) =>
    fs
      .readdirSync(join('lib', folder))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join('lib', folder, file)),
  );
}

test.runIf(fs.existsSync('/proc/self'))(
  'a folder that cannot be made is an error, not a hang',
  async () => {
    await expect(writeFileAtomic('/proc/none/model', [new Uint8Array(1)])).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
    });
  },
  5000,
);
