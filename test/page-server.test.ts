import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { readAudio } from '../lib/audio/source.js';
import type { Model } from '../lib/model/model.js';
import { Client } from '../lib/page/client.js';
import {
  MAX_CLIENTS,
  MAX_CLIP_SAMPLES,
  MAX_DECODED_SAMPLES,
  MAX_FILE_BYTES,
  MAX_WAITING,
} from '../lib/page/limits.js';
import { Listening } from '../lib/page/listening.js';
import { pack, unpack } from '../lib/page/message.js';
import type { ServerMessage } from '../lib/page/protocol.js';
import { type Page, startPage } from '../lib/page/server.js';
import { type Received, servePage, TestClient, wav16 } from './helpers/page.js';

let page: Page;
let model: Model;

beforeAll(async () => {
  ({ page, model } = await servePage());
});
afterAll(() => page.close());

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** As `fetch`, which would tidy up the path. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((done, fail) => {
    const sent = request({ port: page.port, host: '127.0.0.1', path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => done({ status: response.statusCode!, headers: response.headers, body }));
    });
    sent.on('error', fail).end();
  });
}

const seven = () => readAudio('samples/7_kal_0.wav');

describe('files', () => {
  it('are served with a policy that lets nothing in from elsewhere', async () => {
    const { status, headers, body } = await get('/');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(body).toContain('<title>sonospike</title>');
  });

  it('are whole: everything that they name is there', async () => {
    const seen = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const { status, body } = await get(path);
      expect([path, status]).toEqual([path, 200]);
      const names = body.matchAll(/(?:from |import |href=|src=|addModule\()["']([./][^"']*)["']/g);
      for (const [, name] of names) await visit(new URL(name!, `http://x${path}`).pathname);
    };
    await visit('/');
    expect([...seen]).toEqual(
      expect.arrayContaining(['/style.css', '/page/browser/worklet.js', '/page/message.js']),
    );
  });

  it('have no script or style within the page, and nothing from elsewhere', async () => {
    const { body } = await get('/');
    expect(body).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*src=)|https?:/i);
  });

  it.each([
    '/../package.json',
    '/page/browser/../../../package.json',
    '/%2e%2e/package.json',
    '/page/browser/..%2f..%2fcli/main.js',
    '/..\\package.json',
    '//etc/passwd',
    '/page/server.js/',
    '/cli/main.js',
    '/page/browser/',
    '/constructor',
    '/__proto__',
    '/style.css%00',
  ])('beyond the list do not exist: %s', async (path) => {
    expect(await get(path)).toMatchObject({ status: 404 });
  });

  it('are only read', async () => {
    expect(await get('/', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await get('/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  it('are not given to a name that is not ours', async () => {
    expect(await get('/', { host: 'evil.example' })).toMatchObject({ status: 403 });
    expect(await get('/', { host: `evil.example:${page.port}` })).toMatchObject({ status: 403 });
    expect(await get('/', { host: '127.0.0.1.evil.example' })).toMatchObject({ status: 403 });
    expect(await get('/', { host: 'a b' })).toMatchObject({ status: 403 });
    expect(await get('/', { host: `localhost:${page.port}` })).toMatchObject({ status: 200 });
    expect(await get('/', { host: '[::1]:1234' })).toMatchObject({ status: 200 });
  });
});

describe('a connection', () => {
  it.each([
    ['of another page', { origin: 'https://evil.example' }],
    ['of another port', { origin: 'http://127.0.0.1:1' }],
    ['of a file', { origin: 'null' }],
    ['by a name that is not ours', { host: 'evil.example', origin: 'http://evil.example' }],
  ])('%s is refused', async (_, headers) => {
    await expect(TestClient.connect(page, headers)).rejects.toThrow('403');
  });

  it('without an origin, or to another path, is refused', async () => {
    const refused = (path: string, headers: Record<string, string>) =>
      new Promise<string>((done) => {
        const socket = new WebSocket(`ws://127.0.0.1:${page.port}${path}`, { headers });
        socket.on('error', ({ message }) => done(message));
      });
    expect(await refused('/live', {})).toContain('403');
    expect(await refused('/other', { origin: page.url })).toContain('404');
  });

  it('is told the model first', async () => {
    const client = await TestClient.connect(page);
    const { message, arrays } = await client.first('hello');
    expect(message.settings).toEqual(model.settings);
    expect(message.confidence).toEqual(model.confidence);
    expect(message.samples).toMatchObject({ source: 'included', first: '7_kal_0.wav' });
    expect(message.samples!.words.map(({ label }) => label)).toEqual(model.labels);
    expect(message.samples!.words[7]!.names).toContain('7_kal_0.wav');
    expect(Object.keys(arrays)).toHaveLength(model.settings.network.layers.length);
    await client.close();
  });
});

/** Words with a second of silence around each. */
async function spoken(files: readonly string[]): Promise<{ samples: Float32Array; sampleRate: number }> {
  const { sampleRate } = await seven();
  const gap = new Float32Array(sampleRate);
  const parts: Float32Array[] = [gap];
  for (const file of files) parts.push((await readAudio(file)).samples, gap);
  return { samples: Float32Array.from(parts.flatMap((part) => [...part])), sampleRate };
}

describe('a sound file', () => {
  it.each(['samples/7_kal_0.wav', 'test/fixtures/audio/stereo.flac', 'test/fixtures/audio/more.wav'])(
    '%s is read as readAudio reads it',
    async (file) => {
      const client = await TestClient.connect(page);
      client.send({ type: 'decode', id: 5 }, { bytes: readFileSync(file) });
      const { message, arrays } = await client.first('decoded');
      const { samples, sampleRate, remarks } = await readAudio(file);
      expect(message).toMatchObject({ id: 5, sampleRate, remarks });
      expect(arrays.samples).toEqual(samples);
      await client.close();
    },
  );

  it('that is cut off is read, with a remark', async () => {
    const client = await TestClient.connect(page);
    const bytes = readFileSync('samples/7_kal_0.wav');
    client.send({ type: 'decode', id: 1 }, { bytes: bytes.subarray(0, 6000) });
    const { message } = await client.first('decoded');
    expect(message.remarks).toHaveLength(1);
    await client.close();
  });

  it('that cannot be used is an error with its reason', async () => {
    const client = await TestClient.connect(page);
    client.send({ type: 'decode', id: 1 }, { bytes: Uint8Array.of(1, 2, 3) });
    client.send({ type: 'decode', id: 2 }, { bytes: wav16(new Float32Array(8000), 8000) });
    client.send(
      { type: 'decode', id: 3 },
      { bytes: wav16(new Float32Array(MAX_DECODED_SAMPLES + 1).fill(0.5, 7), 8000) },
    );
    client.send({ type: 'clip', id: 4, sampleRate: 8000 }, { samples: new Float32Array(8000) });
    client.send(
      { type: 'clip', id: 5, sampleRate: 8000 },
      { samples: new Float32Array(MAX_CLIP_SAMPLES + 1).fill(0.5, 7) },
    );
    client.send({ type: 'clip', id: 6, sampleRate: 8000 }, { samples: Float32Array.of(0, Number.NaN) });
    client.send({ type: 'sample', id: 7, name: '../package.json' });
    await client.first('error', ({ id }) => id === 7);
    expect(client.all('error').map(({ id, code }) => [id, code])).toEqual([
      [1, 'ERR_AUDIO_INVALID'],
      [2, 'ERR_AUDIO_SILENT'],
      [3, 'ERR_AUDIO_TOO_LONG'],
      [4, 'ERR_AUDIO_SILENT'],
      [5, 'ERR_AUDIO_TOO_LONG'],
      [6, 'ERR_AUDIO_NOT_FINITE'],
      [7, 'ERR_FILE_NOT_FOUND'],
    ]);
    await client.close();
  });

  it('of more than 20 MB closes the connection', async () => {
    const client = await TestClient.connect(page);
    client.send({ type: 'decode', id: 1 }, { bytes: new Uint8Array(MAX_FILE_BYTES + 10_000) });
    expect(await client.closed).toMatchObject({ code: 1009 });
  });
});

describe('a clip', () => {
  it('gives the picture that observe gives', async () => {
    const client = await TestClient.connect(page);
    const { samples, sampleRate } = await seven();
    client.send({ type: 'clip', id: 5, sampleRate }, { samples });
    const { message, arrays } = await client.first('picture');
    const seen = await model.observe('samples/7_kal_0.wav');
    const { label, confidence, rejected, softmax, scores, firingRates } = seen;
    expect(message).toMatchObject({ id: 5, of: 'clip', word: 0, sampleRate });
    expect(message.activity.guess).toEqual({ label, confidence, rejected, softmax, scores, firingRates });
    expect(arrays.features).toEqual(seen.features.data);
    expect(arrays.input).toEqual(seen.input.data);
    expect(arrays.readout).toEqual(seen.readout!.potential);
    for (const [k, { spikes, potential }] of seen.layers.entries()) {
      expect(Float32Array.from(arrays[`spikes.${k}`]!)).toEqual(spikes);
      expect(arrays[`potential.${k}`]).toEqual(potential);
    }
    expect(arrays.samples).toEqual(samples);
    await client.close();
  });

  it('of which too many wait is refused', async () => {
    const client = await TestClient.connect(page);
    const count = 3 * MAX_WAITING;
    for (let id = 0; id < count; id++) client.send({ type: 'sample', id, name: '7_kal_0.wav' });
    await client.first('picture', ({ id }) => id === MAX_WAITING - 1);
    expect(client.all('error').every(({ code }) => code === 'ERR_BUSY')).toBe(true);
    expect(client.all('error').length + client.all('picture').length).toBeLessThanOrEqual(count);
    await client.close();
  });
});

describe('encodings', () => {
  it('are those of the core', async () => {
    const client = await TestClient.connect(page);
    const { features } = await model.observe('samples/7_kal_0.wav');
    const encodings = [
      { type: 'rate', stepsPerFrame: 4 },
      { type: 'delta', stepsPerFrame: 2, threshold: 0.1 },
    ] as const;
    client.send(
      { type: 'encode', id: 1, frames: features.frames, encodings: [...encodings] },
      { features: features.data },
    );
    const { message, arrays } = await client.first('encoded');
    expect(message.encodings.map(({ steps, channels }) => [steps, channels])).toEqual([
      [4 * features.frames, 40],
      [2 * features.frames, 80],
    ]);
    expect(arrays['input.0']!.every((value) => value === 0 || value === 1)).toBe(true);
    expect(arrays['input.1']!.length).toBe(2 * features.frames * 80);
    expect(arrays['input.1']!.some((value) => value === 1)).toBe(true);
    await client.close();
  });

  it.each([
    ['frames', 0, [{ type: 'rate', stepsPerFrame: 1 }], 40],
    ['encodings[0].type', 1, [{ type: 'morse', stepsPerFrame: 1, threshold: 0 }], 40],
    ['encodings[0].stepsPerFrame', 1, [{ type: 'rate', stepsPerFrame: 1e9 }], 40],
    ['features', 1, [], 39],
    ['compared', 1, 'x', 40],
  ])('that are wrong are refused: %s', async (what, frames, encodings, length) => {
    const client = await TestClient.connect(page);
    const message = pack(
      { type: 'encode', id: 1, frames, encodings },
      { features: new Float32Array(length) },
    );
    client.socket.send(message);
    const error = await client.first('error');
    expect(error.message).toMatchObject({ id: 1, code: 'ERR_INVALID_OPTION' });
    expect(error.message.message).toContain(what);
    await client.close();
  });
});

describe('garbage', () => {
  it.each([
    ['no JSON', '{'],
    ['no object', '[1]'],
    ['no type', '{}'],
    ['a type of its own', '{"type":"__proto__"}'],
    ['no id', '{"type":"listen"}'],
    ['a file in words', '{"type":"decode","id":1}'],
    ['a clip in words', '{"type":"clip","id":1,"sampleRate":8000}'],
    ['sound in words', '{"type":"audio","id":1}'],
    ['sound for nobody', pack({ type: 'audio' }, { samples: new Float32Array(10) })],
    ['deep', `${'['.repeat(100_000)}`],
    ['noise', Buffer.from([9, 9, 9, 9, 9, 9, 9, 9])],
    ['nothing', Buffer.alloc(0)],
    ['sound without end', pack({ type: 'audio', id: 1 }, { samples: new Float32Array(1_000_000) })],
  ])('of the kind "%s" ends the connection with a reason', async (_, data) => {
    const client = await TestClient.connect(page);
    client.socket.send(data);
    const { code, reason } = await client.closed;
    expect(code).toBe(1008);
    expect(reason).toMatch(/^A message was not understood: .*\.$/);
  });

  it('where a value is wrong is an error, and the connection goes on', async () => {
    const client = await TestClient.connect(page);
    client.socket.send('{"type":"listen","id":1,"sampleRate":1e9}');
    client.socket.send('{"type":"listen","id":1,"sampleRate":"x"}');
    client.socket.send('{"type":"listen","id":1,"sampleRate":8000,"pictures":1}');
    client.socket.send('{"type":"inspect","layer":99}');
    client.socket.send('{"type":"stop","id":1}');
    client.send({ type: 'audio', id: 1 }, { samples: new Float32Array(10) });
    client.send({ type: 'sample', id: 7, name: '7_kal_0.wav' });
    await client.first('picture');
    expect(client.all('error').map(({ code }) => code)).toEqual(Array(4).fill('ERR_INVALID_OPTION'));
    await client.close();
  });

  it('that is no WebSocket does not disturb the others', async () => {
    const client = await TestClient.connect(page);
    await new Promise((done) => {
      const socket = connect(page.port, '127.0.0.1', () => socket.write('\0\x01garbage\r\n\r\n'));
      socket
        .on('data', () => {})
        .on('error', () => {})
        .on('close', done);
    });
    await new Promise((done) => {
      const socket = connect(page.port, '127.0.0.1', () => {
        const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
        socket.write(
          `GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n`,
        );
        // A frame that is not masked, of a reserved kind.
        socket.write(Buffer.from([0x8b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
      });
      socket
        .on('data', () => {})
        .on('error', () => {})
        .on('close', done);
    });
    client.send({ type: 'sample', id: 7, name: '7_kal_0.wav' });
    await client.first('picture');
    await client.close();
  });
});

describe('a stream', () => {
  it('gives words, their pictures and what is heard just now', async () => {
    const { samples, sampleRate } = await seven();
    const silence = new Float32Array(sampleRate);
    const client = await TestClient.connect(page);
    client.send({ type: 'inspect', layer: 2 });
    client.send({ type: 'listen', id: 3, sampleRate, pictures: true });
    const shows = ({ message }: Received) => message.type === 'live' && message.activity !== null;
    for (const part of [silence, samples, silence]) await client.speak(part, sampleRate);
    // Faster than it was spoken: pictures of the moment come when there is time for them.
    const hum = Float32Array.from({ length: sampleRate / 5 }, (_, i) => 1e-4 * Math.sin(i));
    while (!client.received.some(shows)) await client.speak(hum, sampleRate);
    client.send({ type: 'stop', id: 3 });
    await client.first('stopped', ({ id }) => id === 3);
    const [word] = client.all('word');
    const { message, arrays } = await client.first('picture');
    expect(word).toMatchObject({ id: 3, word: 0, guess: { label: '7', rejected: false } });
    expect(word!.start).toBeGreaterThan(0.5);
    expect(message).toMatchObject({ of: 'word', word: 0, sampleRate, activity: { guess: word!.guess } });
    const { scores } = model.predictSync({ samples: arrays.samples as Float32Array, sampleRate });
    expect(word!.guess.scores).toEqual(scores);

    const seen = client.received.find(shows)!;
    expect(seen.message).toMatchObject({ id: 3, activity: { potentials: [2] } });
    expect(seen.arrays['potential.2']!.length).toBe(seen.arrays['spikes.2']!.length);
    expect(seen.arrays['potential.1']).toBeUndefined();
    await client.close();
  });

  it('of which a number is none ends with an error; others go on, and it can begin anew', async () => {
    const { samples, sampleRate } = await seven();
    const silence = new Float32Array(sampleRate);
    const [bad, good] = await Promise.all([TestClient.connect(page), TestClient.connect(page)]);
    for (const client of [bad, good]) client.send({ type: 'listen', id: 1, sampleRate, pictures: true });
    bad.send({ type: 'audio', id: 1 }, { samples: Float32Array.of(0, Number.NaN) });
    expect(await bad.first('error')).toMatchObject({ message: { id: 1, code: 'ERR_AUDIO_NOT_FINITE' } });
    bad.send({ type: 'listen', id: 2, sampleRate, pictures: true });
    for (const client of [bad, good]) {
      for (const part of [silence, samples, silence]) await client.speak(part, sampleRate);
      client.send({ type: 'stop', id: client === bad ? 2 : 1 });
      await client.first('stopped');
      expect(client.all('word').map(({ guess }) => guess.label)).toEqual(['7']);
      await client.close();
    }
  });

  it('is told to be spoken to as it is when a picture is sent, not as it was when the picture was begun', async () => {
    const stream = Object.assign(
      new Writable({ objectMode: true, write: (_chunk, _encoding, done) => done() }),
      {
        level: -20,
        speaking: true,
      },
    );
    let fail: (error: Error) => void = () => {};
    const observe = () =>
      new Promise<never>((_, reject) => {
        fail = reject;
      });
    const slow = { settings: model.settings, stream: () => stream, observe } as unknown as Model;
    const told = new Promise<Uint8Array>((done) => {
      const send = (message: ServerMessage | Uint8Array) => done(message as Uint8Array);
      new Listening(1, 8000, slow, { send, keepsUp: true }, true).write(new Float32Array(8000), () => {});
    });
    stream.speaking = false;
    fail(new Error('silence'));
    expect(unpack(await told).header).toMatchObject({ type: 'live', heard: 8000, speaking: false });
  });

  it('of a recording gives its words alone, also while a microphone is open', async () => {
    const { samples, sampleRate } = await spoken(['samples/7_kal_0.wav', 'samples/3_kal_0.wav']);
    const client = await TestClient.connect(page);
    client.send({ type: 'listen', id: 1, sampleRate, pictures: true });
    client.send({ type: 'listen', id: 2, sampleRate, pictures: false });
    await client.speak(samples, sampleRate);
    client.send({ type: 'stop', id: 2 });
    await client.first('stopped', ({ id }) => id === 2);
    expect(client.all('word').map(({ id, guess }) => [id, guess.label])).toEqual([
      [2, '7'],
      [2, '3'],
    ]);
    expect(client.all('live')).toEqual([]);
    expect(client.all('picture')).toEqual([]);
    // The clip of a word that the page cuts out is what the stream has heard.
    const { start, end, guess } = client.all('word')[1]!;
    const clip = samples.slice(Math.round(start * sampleRate), Math.round(end * sampleRate));
    client.send({ type: 'clip', id: 3, sampleRate }, { samples: clip });
    expect((await client.first('picture')).message.activity.guess).toEqual(guess);
    // The microphone hears on.
    client.send({ type: 'audio', id: 1 }, { samples });
    client.send({ type: 'stop', id: 1 });
    await client.first('stopped', ({ id }) => id === 1);
    expect(client.all('word').filter(({ id }) => id === 1)).toHaveLength(2);
    await client.close();
  });

  it('of silence is told as such', async () => {
    const client = await TestClient.connect(page);
    client.send({ type: 'listen', id: 1, sampleRate: 8000, pictures: true });
    await client.speak(new Float32Array(8000), 8000);
    const { message } = await client.first('live');
    expect(message).toMatchObject({ activity: null, speaking: false });
    await client.close();
  });
});

describe('a client', () => {
  it('that never reads is dropped, and the others do not notice', { timeout: 180_000 }, async () => {
    const { page: other } = await servePage();
    const deaf = await TestClient.connect(other);
    const good = await TestClient.connect(other);
    deaf.socket.pause();
    // Each picture is half a megabyte; what nobody reads piles up in the server until it has had enough.
    let id = 0;
    while (other.clients > 1) {
      deaf.send({ type: 'sample', id: id++, name: '7_kal_0.wav' });
      await new Promise((done) => setTimeout(done, 2));
    }
    good.send({ type: 'sample', id: 1, name: '7_kal_0.wav' });
    await good.first('picture');
    deaf.socket.terminate();
    await other.close();
  });

  it('that is no longer there is found out by pings', () => {
    const calls: string[] = [];
    const socket = Object.assign(new EventEmitter(), {
      ping: () => calls.push('ping'),
      terminate: () => calls.push('terminate'),
    });
    const client = new Client(socket as unknown as WebSocket, model);
    client.ping();
    socket.emit('pong');
    client.ping();
    client.ping();
    expect(calls).toEqual(['ping', 'ping', 'terminate']);
  });
});

describe('the address', () => {
  it('that is taken is an error that says so', async () => {
    const again = startPage({ model, modelName: 'digits', host: '127.0.0.1', port: page.port });
    await expect(again).rejects.toMatchObject({
      code: 'ERR_LISTEN',
      message: expect.stringContaining(`Port ${page.port} of 127.0.0.1 is in use by another program`),
    });
  });

  it('that is none is an error', async () => {
    const other = startPage({ model, modelName: 'digits', host: '192.0.2.1', port: 0 });
    await expect(other).rejects.toMatchObject({ code: 'ERR_LISTEN' });
  });
});

describe('many clients', () => {
  // Five minutes of sound together: a busy machine takes its time.
  it('are served at once, and those beyond are told to come back', { timeout: 300_000 }, async () => {
    await expect.poll(() => page.clients, { timeout: 30_000 }).toBe(0);
    const clients = await Promise.all(Array.from({ length: MAX_CLIENTS }, () => TestClient.connect(page)));
    expect(page.clients).toBe(MAX_CLIENTS);
    const surplus = await TestClient.connect(page);
    expect(await surplus.closed).toMatchObject({ code: 1013, reason: expect.stringContaining('close one') });

    const { samples, sampleRate } = await seven();
    const silence = new Float32Array(sampleRate);
    await Promise.all(
      clients.map(async (client, id) => {
        client.send({ type: 'listen', id, sampleRate, pictures: true });
        for (const part of [silence, samples, silence]) await client.speak(part, sampleRate);
        client.send({ type: 'stop', id });
        await client.first('stopped');
        expect(client.all('word').map(({ guess }) => guess.label)).toEqual(['7']);
      }),
    );
    await Promise.all(clients.map((client) => client.close()));
    await expect.poll(() => page.clients, { timeout: 30_000 }).toBe(0);
  });
});

it('a refused connection is closed, also where the other side leaves it open', {
  timeout: 120_000,
}, async () => {
  const { page: other } = await servePage();
  const socket = connect({ port: other.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {}).resume();
  socket.write(
    'GET /live HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  );
  await new Promise((done) => socket.on('end', done));
  await other.close();
  socket.destroy();
});

it('closing tells everybody, and leaves nothing open', async () => {
  const { page: other } = await servePage();
  const client = await TestClient.connect(other);
  const idle = connect(other.port, '127.0.0.1');
  idle.on('error', () => {});
  await new Promise((done) => idle.on('connect', done));
  await other.close();
  expect(await client.closed).toMatchObject({ code: 1001 });
  await expect(TestClient.connect(other)).rejects.toThrow();
});
