// Streams as Node's: errors, pipes, iterators, signals, and a model that is in use. Readers: word-stream-readers.test.ts.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model } from '../lib/index.js';
import { CLIPS, ended, listen, occupy, RATE, spokenClips, wordsOf } from './helpers/streams.js';

let model: Model;
let speech: Float32Array;
let places: [number, number][];
beforeAll(async () => {
  ({ model, speech, places } = await spokenClips());
});

describe('the writable side', () => {
  it('refuses NaN by its place, and is destroyed', async () => {
    const stream = model.stream();
    const failed = new Promise((done) => stream.once('error', done));
    stream.write(new Float32Array(100));
    stream.write(Float32Array.of(0, Number.NaN));
    expect(await failed).toMatchObject({
      code: 'ERR_AUDIO_NOT_FINITE',
      message: expect.stringContaining('101'),
    });
    expect(stream.destroyed).toBe(true);
  });

  it('refuses what are no samples, and is destroyed', async () => {
    for (const wrong of ['text', [1, 2], new Float64Array(2), { samples: speech }]) {
      const stream = model.stream();
      const failed = new Promise((done) => stream.once('error', done));
      stream.write(wrong);
      expect(await failed).toMatchObject({ code: 'ERR_INVALID_OPTION' });
    }
  });

  it.each([
    { sampleRate: 999 },
    { sampleRate: 1e6 },
    { endSilence: 0 },
    { endSilence: Number.NaN },
    { seed: -1 },
    { keepSamples: 1 },
    { signal: {} },
    { rate: 8000 },
  ])('refuses the options %o', (options) => {
    expect(() => model.stream(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
    );
  });

  it('leaves other streams alone when it fails', async () => {
    const [bad, good] = [model.stream(), model.stream()];
    const failed = new Promise((done) => bad.once('error', done));
    const heard = listen(good);
    good.write(speech.subarray(0, 9000));
    bad.write(Float32Array.of(Number.POSITIVE_INFINITY));
    await failed;
    good.write(speech.subarray(9000));
    await ended(good);
    expect(heard.words).toHaveLength(CLIPS.length);
  });

  it('takes a pipe, bytes as they come', async () => {
    const bytes = Buffer.from(Int16Array.from(speech, (x) => Math.round(x * 32767)).buffer);
    const stream = model.stream();
    const heard = listen(stream);
    await pipeline(Readable.from([bytes.subarray(0, 7001), bytes.subarray(7001)]), stream);
    expect(heard.words).toHaveLength(CLIPS.length);
  });

  it('is destroyed by its signal, before and after it has begun', async () => {
    const early = model.stream({ signal: AbortSignal.abort() });
    const controller = new AbortController();
    const late = model.stream({ signal: controller.signal });
    late.write(speech.subarray(0, 5000));
    const errors = Promise.all([early, late].map((s) => new Promise((done) => s.once('error', done))));
    controller.abort(new Error('enough'));
    const aborted = expect.objectContaining({ code: 'ERR_ABORTED' });
    expect(await errors).toEqual([aborted, aborted]);
  });

  it('lets an error of a listener through, and goes on', async () => {
    const stream = model.stream();
    let words = 0;
    stream.on('word', () => {
      if (++words === 1) throw new Error('of the listener');
    });
    const second = places[1]![1] + 0.35;
    expect(() => stream.write(speech.subarray(0, places[0]![1] * RATE + 3000))).toThrow('of the listener');
    stream.write(speech.subarray(places[0]![1] * RATE + 3000, second * RATE));
    await ended(stream);
    expect(words).toBe(2);
  });
});

describe('a stream as an iterator', () => {
  it('gives the words, those before the loop too, and ends with the stream', async () => {
    const stream = model.stream();
    stream.write(speech.subarray(0, 20_000));
    await new Promise((next) => setTimeout(next, 5));
    stream.end(speech.subarray(20_000));
    const labels: string[] = [];
    for await (const { label } of stream) labels.push(label);
    expect(labels).toEqual(CLIPS.map((name) => name[0]));
    expect(stream.destroyed).toBe(true);
  });

  it('throws the error of the stream after the words before it', async () => {
    const stream = model.stream();
    stream.write(speech.subarray(0, places[1]![1] * RATE + 3000));
    stream.write(Float32Array.of(Number.NaN));
    const labels: string[] = [];
    const reading = (async () => {
      for await (const { label } of stream) labels.push(label);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_AUDIO_NOT_FINITE' });
    expect(labels).toEqual(['7', '1']);
  });

  it('destroys the stream when the loop is left', async () => {
    const stream = model.stream();
    stream.write(speech);
    for await (const { label } of stream) {
      expect(label).toBe('7');
      break;
    }
    expect(stream.destroyed).toBe(true);
  });

  it('gives what waits to a listener that comes late, in order', async () => {
    const stream = model.stream();
    stream.write(speech.subarray(0, places[1]![1] * RATE + 3000));
    const labels: string[] = [];
    stream.on('word', ({ label }) => labels.push(label));
    stream.write(speech.subarray(places[1]![1] * RATE + 3000));
    await ended(stream);
    expect(labels).toEqual(CLIPS.map((name) => name[0]));
  });
});

describe('while the model is in use', () => {
  it('a write that completes a word waits for its turn, and Node goes on', async () => {
    const used = await loadModel();
    const expected = await wordsOf(used.stream(), [speech]);
    const release = await occupy(used, speech);
    const stream = used.stream();
    const heard = listen(stream);
    let written = false;
    stream.write(speech, () => {
      written = true;
    });
    stream.end();
    await new Promise((next) => setTimeout(next, 20));
    expect([written, heard.words.length]).toEqual([false, 0]);
    const finished = new Promise((done) => stream.once('finish', done));
    await release();
    await finished;
    expect(heard.words).toEqual(expected);
  });

  it('a stream that is reset or destroyed while it waits gives no words', async () => {
    const used = await loadModel();
    const release = await occupy(used, speech);
    const [reset, destroyed] = [used.stream(), used.stream()];
    const heard = [reset, destroyed].map(listen);
    for (const stream of [reset, destroyed]) stream.write(speech);
    reset.reset();
    destroyed.destroy();
    await release();
    reset.write(speech);
    await ended(reset);
    expect(heard[0]!.words).toEqual(await wordsOf(used.stream(), [speech]));
    expect(heard[1]!.words).toEqual([]);
  });
});
