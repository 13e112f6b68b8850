import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FetchOptions, type FetchProgress, fetchDataset } from '../lib/datasets/fetch.js';
import { openDataset } from '../lib/datasets/index.js';
import { unpack } from '../lib/datasets/unpack.js';
import { SonospikeError } from '../lib/support/errors.js';
import { type TarEntry, tarGz } from './helpers/archive.js';

const clip = Buffer.from('RIFF, and so on');
const fsddEntries: TarEntry[] = [
  { path: 'free-spoken-digit-dataset-master/', type: 5 },
  { path: 'free-spoken-digit-dataset-master/README.md', contents: Buffer.from('# FSDD') },
  { path: 'free-spoken-digit-dataset-master/utils/tool.py', contents: Buffer.from('pass') },
  { path: 'free-spoken-digit-dataset-master/recordings/', type: 5 },
  ...[0, 1, 2, 3, 4].flatMap((index) =>
    [0, 7].map((digit) => ({
      path: `free-spoken-digit-dataset-master/recordings/${digit}_theo_${index}.wav`,
      contents: randomBytes(20_000), // not compressible, so that the archive takes many packets
    })),
  ),
];
const archive = tarGz(fsddEntries);

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

let to: string;
let server: Server;
let url: string;
let handler: Handler;
let requests: IncomingMessage[];

beforeEach(async () => {
  to = mkdtempSync(join(tmpdir(), 'sonospike-fetch-'));
  requests = [];
  handler = whole(archive);
  server = createServer((request, response) => {
    requests.push(request);
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(to, { recursive: true, force: true });
});

function whole(body: Buffer): Handler {
  return (_request, response) => response.end(body);
}

/** Sends half of what is asked for and then breaks off, the first `times` times; knows ranges if told so. */
function breaking(times: number, ranges: boolean, etag?: string): Handler {
  return (request, response, count) => {
    const range = ranges ? /^bytes=(\d+)-$/.exec(request.headers.range ?? '') : null;
    const fresh = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const start = range && fresh ? Number(range[1]) : 0;
    const headers: Record<string, string | number> = { 'content-length': archive.length - start };
    if (etag) headers.etag = etag;
    if (start > 0) headers['content-range'] = `bytes ${start}-${archive.length - 1}/${archive.length}`;
    response.writeHead(start > 0 ? 206 : 200, headers);
    const rest = archive.subarray(start);
    if (count > times) return response.end(rest);
    return response.write(rest.subarray(0, rest.length / 2), () => setTimeout(() => response.destroy(), 20));
  };
}

function get(options: Partial<FetchOptions> = {}): Promise<string> {
  return fetchDataset('fsdd', { to, url, clips: 10, retryDelay: 1, ...options });
}

async function failure(options: Partial<FetchOptions> = {}): Promise<SonospikeError> {
  const error = await get(options).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SonospikeError);
  return error as SonospikeError;
}

/** The dataset and nothing else is there. */
async function expectInstalled(directory: string): Promise<void> {
  expect(readdirSync(to)).toEqual(['fsdd']);
  expect(readdirSync(directory).sort()).toEqual(['README.md', 'recordings']);
  const { clips, layout } = await openDataset(directory);
  expect([clips.length, layout]).toEqual([10, 'fsdd']);
  const last = readFileSync(join(directory, 'recordings/7_theo_4.wav'));
  expect(last.equals(fsddEntries.at(-1)!.contents!)).toBe(true);
}

describe('fetchDataset', () => {
  it('downloads, unpacks and reports', async () => {
    const progress: FetchProgress[] = [];
    await expectInstalled(await get({ onProgress: (at) => progress.push(at) }));
    expect(requests.map((request) => request.url)).toEqual([
      '/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.tar.gz',
    ]);
    const downloaded = progress.filter(({ phase }) => phase === 'download').at(-1);
    expect(downloaded).toEqual({ phase: 'download', done: archive.length, total: archive.length });
    expect(progress.at(-1)).toEqual({ phase: 'unpack', done: 11, total: null });
  });

  it('knows AudioMNIST and the address of an archive', async () => {
    const entries = ['01', '02'].flatMap((speaker) =>
      [3, 4].map((digit) => ({
        path: `AudioMNIST-master/data/${speaker}/${digit}_${speaker}_0.wav`,
        contents: clip,
      })),
    );
    entries.push({ path: 'AudioMNIST-master/data/audioMNIST_meta.txt', contents: Buffer.from('{}') });
    handler = whole(tarGz(entries));
    const directory = await fetchDataset('audiomnist', { to, url: `${url}/my/copy.tar.gz`, clips: 4 });
    expect(requests[0]!.url).toBe('/my/copy.tar.gz');
    expect(await openDataset(directory)).toMatchObject({ layout: 'audiomnist', speakers: ['01', '02'] });
    expect(existsSync(join(directory, 'data/audioMNIST_meta.txt'))).toBe(true);
  });

  it('takes the address from the environment', async () => {
    process.env.SONOSPIKE_DATASET_URL = `${url}/mirror/`;
    try {
      await fetchDataset('fsdd', { to, clips: 10 });
    } finally {
      delete process.env.SONOSPIKE_DATASET_URL;
    }
    expect(requests[0]!.url).toBe(
      '/mirror/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.tar.gz',
    );
  });

  it('leaves a complete copy alone', async () => {
    const directory = await get();
    const before = statSync(join(directory, 'recordings/7_theo_4.wav')).ino;
    const progress: FetchProgress[] = [];
    expect(await get({ onProgress: (at) => progress.push(at) })).toBe(directory);
    expect(progress).toEqual([{ phase: 'exists', done: 10, total: 10 }]);
    expect(requests).toHaveLength(1);
    expect(statSync(join(directory, 'recordings/7_theo_4.wav')).ino).toBe(before);
  });

  it('takes an archive that has grown, and such a copy', async () => {
    const directory = await get({ clips: 8 });
    expect((await openDataset(directory)).clips).toHaveLength(10);
    expect(readdirSync(to)).toEqual(['fsdd']);
    const progress: FetchProgress[] = [];
    await get({ clips: 8, onProgress: (at) => progress.push(at) });
    expect(progress).toEqual([{ phase: 'exists', done: 10, total: 10 }]);
  });

  it('does not touch an incomplete one, but takes an empty folder', async () => {
    mkdirSync(join(to, 'fsdd'));
    const directory = await get();
    rmSync(join(directory, 'recordings/7_theo_4.wav'));
    const error = await failure();
    expect([error.code, error.file]).toEqual(['ERR_FILE_WRITE', directory]);
    expect(error.message).toContain('9 clips');
    expect(readdirSync(join(directory, 'recordings'))).toHaveLength(9);
  });
});

describe('a broken download', () => {
  it('is resumed, guarded by the ETag', async () => {
    handler = breaking(2, true, '"v1"');
    await expectInstalled(await get());
    const [first, second, third] = requests.map(({ headers }) => [headers.range, headers['if-range']]);
    expect(first).toEqual([undefined, undefined]);
    expect(second).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/), '"v1"']);
    expect(Number(third![0]!.slice(6, -1))).toBeGreaterThan(Number(second![0]!.slice(6, -1)));
    expect(requests).toHaveLength(3);
  });

  it('is resumed without an ETag, and with a weak one, which no range can name', async () => {
    for (const etag of [undefined, 'W/"v1"']) {
      requests.length = 0;
      handler = breaking(1, true, etag);
      await expectInstalled(await get());
      expect(requests[1]!.headers.range).toMatch(/^bytes=/);
      expect(requests[1]!.headers['if-range']).toBeUndefined();
      rmSync(join(to, 'fsdd'), { recursive: true });
    }
  });

  it('starts over where the server knows no ranges', async () => {
    handler = breaking(2, false);
    await expectInstalled(await get());
    expect(requests).toHaveLength(3);
  });

  it('starts over when the archive has changed', async () => {
    handler = (request, response, count) =>
      breaking(1, true, count === 1 ? '"old"' : '"new"')(request, response, count);
    await expectInstalled(await get());
    expect(requests[1]!.headers['if-range']).toBe('"old"');
  });

  it('starts over when the server refuses the range', async () => {
    handler = (request, response, count) => {
      if (count !== 2) return breaking(1, true)(request, response, count);
      return response.writeHead(416).end();
    };
    await expectInstalled(await get());
    expect(requests).toHaveLength(3);
  });

  it('is given up after a few times without progress, and resumed by the next call', async () => {
    handler = (request, response, count) => {
      if (count === 1) return breaking(1, true)(request, response, count);
      return response.destroy();
    };
    const error = await failure();
    expect(error.code).toBe('ERR_DOWNLOAD');
    expect(error.message).toContain('run the same command again');
    const kept = statSync(join(to, 'fsdd.tar.gz.part')).size;
    expect(kept).toBeGreaterThan(1000);
    requests.length = 0;
    handler = breaking(0, true);
    await expectInstalled(await get());
    expect(requests.map(({ headers }) => headers.range)).toEqual([`bytes=${kept}-`]);
  });

  it('is not continued from another address', async () => {
    writeFileSync(join(to, 'fsdd.tar.gz.part'), 'other bytes');
    writeFileSync(
      join(to, 'fsdd.tar.gz.part.json'),
      JSON.stringify({ url: 'http://127.0.0.1/other.tar.gz' }),
    );
    handler = breaking(0, true);
    await expectInstalled(await get());
    expect(requests[0]!.headers.range).toBeUndefined();
  });

  it('that stops sending is given up', async () => {
    handler = (_request, response) => {
      response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, 1000));
    };
    const { code, message } = await failure({ idleTimeout: 50 });
    expect(code).toBe('ERR_OFFLINE');
    expect(message).toContain('The 1000 bytes that came are kept; run the same command again');
  });

  it('that never sends anything leaves no file, and none is claimed', async () => {
    handler = (_request, response) => response.writeHead(503).end();
    const { message } = await failure();
    expect(message).toContain('Nothing came of it; run the same command again');
    expect(readdirSync(to)).toEqual([]);
  });

  it('stops when told to, and keeps what came', async () => {
    const controller = new AbortController();
    handler = (_request, response) => {
      response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, 5000));
    };
    const error = await failure({ signal: controller.signal, onProgress: () => controller.abort() });
    expect(error.code).toBe('ERR_ABORTED');
    expect(statSync(join(to, 'fsdd.tar.gz.part')).size).toBeGreaterThan(0);
    expect((await failure({ signal: AbortSignal.abort() })).code).toBe('ERR_ABORTED');
  });

  it('stops while unpacking, and goes on with the archive that is there', async () => {
    const controller = new AbortController();
    const error = await failure({
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'unpack' && controller.abort(),
    });
    expect(error.code).toBe('ERR_ABORTED');
    expect(readdirSync(to)).toEqual(['fsdd.tar.gz']);
    await expectInstalled(await get());
    expect(requests).toHaveLength(1);
  });
});

describe('a bad answer', () => {
  it.each([404, 403])('HTTP %d is an error at once', async (status) => {
    handler = (_request, response) => response.writeHead(status).end('no');
    const error = await failure();
    expect([error.code, requests.length]).toEqual(['ERR_DOWNLOAD', 1]);
    expect(error.message).toContain(`HTTP ${status}`);
  });

  it.each([503, 429])('HTTP %d is tried again', async (status) => {
    handler = (_request, response, count) =>
      count < 3 ? response.writeHead(status).end() : response.end(archive);
    await expectInstalled(await get());
  });

  it('no server at all: offline, and what to do', async () => {
    await new Promise((resolve) => server.close(resolve));
    const error = await failure();
    expect(error.code).toBe('ERR_OFFLINE');
    expect(error.message).toMatch(/offline.*SONOSPIKE_DATASET_URL/);
    expect(error.message).not.toMatch(/kept|\.part/);
    expect(readdirSync(to)).toEqual([]);
    expect((await failure({ url: 'http://no-such-host.invalid' })).code).toBe('ERR_OFFLINE');
  });

  it.each<[string, Partial<FetchOptions>]>([
    ['not a URL', { url: 'nowhere' }],
    ['a file', { url: 'file:///etc/archive.tar.gz' }],
    ['no folder', { to: '' }],
    ['a folder of another type', { to: 7 as never }],
    ['a signal of another type', { signal: {} as never }],
    ['an onProgress of another type', { onProgress: 'print' as never }],
    ['a fraction of a clip', { clips: 0.5 }],
    ['no time at all', { idleTimeout: 0 }],
    ['a delay of NaN', { retryDelay: Number.NaN }],
  ])('%s as an option', async (_name, options) => {
    expect((await failure(options)).code).toBe('ERR_INVALID_OPTION');
  });

  it.each([undefined, null, [], 'data'])('%s as the options', async (options) => {
    await expect(fetchDataset('fsdd', options as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    });
  });

  it('an unknown option, and the one that was meant', async () => {
    const error = await failure({ clip: 5 } as never);
    expect(error.code).toBe('ERR_INVALID_OPTION');
    expect(error.message).toContain('Did you mean clips?');
  });

  it('an unknown dataset', async () => {
    await expect(fetchDataset(Symbol('fsdd') as never, { to })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    });
    await expect(fetchDataset('mnist' as 'fsdd', { to })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    });
    await expect(fetchDataset('toString' as 'fsdd', { to })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    });
  });
});

describe('a bad archive', () => {
  const flipped = Buffer.from(archive);
  flipped[archive.length - 6]! ^= 1; // in the gzip trailer's checksum
  const damaged = Buffer.from(archive);
  damaged.fill(0x55, 100_000, 100_050);
  it.each<[string, Buffer, RegExp]>([
    ['truncated', archive.subarray(0, archive.length - 5000), /incomplete/],
    ['without its last byte', archive.subarray(0, -1), /incomplete/],
    ['with another checksum', flipped, /damaged/],
    ['with bytes overwritten', damaged, /damaged/],
    ['that is a web page', Buffer.from('<html>sign in</html>'), /damaged/],
    ['that is empty', Buffer.alloc(0), /damaged/],
    ['that holds no tar', tarGz([]), /damaged/],
    ['without its end', tarGz(fsddEntries, Buffer.alloc(0)), /end is missing/],
    ['of too few clips', tarGz(fsddEntries.slice(0, -1)), /holds 9 clips and should hold 10 or more/],
    ['that leads out', tarGz([...fsddEntries, { path: '../evil', contents: clip }]), /outside/],
    [
      'that leads out from within',
      tarGz([...fsddEntries, { path: 'x/recordings/../../../evil', contents: clip }]),
      /outside/,
    ],
    ['with an absolute path', tarGz([...fsddEntries, { path: '/tmp/evil', contents: clip }]), /outside/],
    [
      'with a backslash path',
      tarGz([...fsddEntries, { path: 'x\\..\\..\\evil', contents: clip }]),
      /outside/,
    ],
    [
      'of too many files',
      tarGz(Array.from({ length: 1021 }, (_, i) => ({ path: `x/recordings/${i}_a_0.wav` }))),
      /more than 1020 files/,
    ],
  ])('%s is refused and removed', async (_name, body, message) => {
    handler = whole(body);
    const error = await failure();
    expect(error.code).toBe('ERR_DOWNLOAD');
    expect(error.message).toMatch(message);
    expect(readdirSync(to)).toEqual([]);
    expect(existsSync(join(to, '../evil'))).toBe(false);
  });

  it('may not explode', async () => {
    const bomb = join(to, 'bomb.tar.gz');
    writeFileSync(bomb, tarGz([{ path: 'x/zeros.wav', contents: Buffer.alloc(1e7) }]));
    const unpacking = unpack(bomb, to, { maxBytes: 1e6, maxFiles: 10, wanted: () => true });
    await expect(unpacking).rejects.toMatchObject({ code: 'ERR_DOWNLOAD', file: bomb });
    await expect(unpacking).rejects.toThrow('more than 1000000 bytes');
  });

  it('may hold links, which are not followed', async () => {
    const links: TarEntry[] = [
      { path: 'x/recordings/evil', type: 2, linkTo: '../../../..' },
      { path: 'x/recordings/evil/0_a_0.wav', contents: clip },
      { path: 'x/recordings/hard.wav', type: 1, linkTo: 'x/README.md' },
    ];
    handler = whole(tarGz([...links, ...fsddEntries]));
    const directory = await get();
    const found = readdirSync(join(directory, 'recordings'), { withFileTypes: true });
    expect(
      found.filter((entry) => !entry.isFile()).map((entry) => [entry.name, entry.isDirectory()]),
    ).toEqual([['evil', true]]);
    expect(found).toHaveLength(11);
  });
});
