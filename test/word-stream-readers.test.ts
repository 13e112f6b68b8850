// The readable side of a stream of words: every kind of reader, none at all, and what happens to words that wait.
import { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model, type SonospikeError, type Word, type WordStream } from '../lib/index.js';
import { CLIPS, ended, listen, occupy, RATE, spokenClips, wordsOf } from './helpers/streams.js';

let model: Model;
let speech: Float32Array;
/** What a listener of `word` gets of `speech`. */
let expected: Word[];
/** The end of the second word, and the silence that shows it. */
let second: number;
beforeAll(async () => {
  let places: [number, number][];
  ({ model, speech, places } = await spokenClips());
  expected = await wordsOf(model.stream(), [speech]);
  second = places[1]![1] * RATE + 3000;
});

const soon = () => new Promise((next) => setTimeout(next, 2));
const closed = (stream: WordStream) => new Promise((done) => stream.once('close', done));

/** Collects words, each after a while. */
function slowSink(words: Word[]): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(word, _, done) {
      words.push(word);
      setTimeout(done, 2);
    },
  });
}

describe('every reader gets the same words', () => {
  it.each<[string, (stream: WordStream) => Promise<Word[]>]>([
    [
      'for await',
      async (stream) => {
        const words: Word[] = [];
        for await (const word of stream) words.push(word);
        return words;
      },
    ],
    [
      "on('data')",
      async (stream) => {
        const words: Word[] = [];
        stream.on('data', (word) => words.push(word));
        await closed(stream);
        return words;
      },
    ],
    [
      "on('readable') and read()",
      async (stream) => {
        const words: Word[] = [];
        stream.on('readable', () => {
          for (let word = stream.read(); word !== null; word = stream.read()) words.push(word);
        });
        await closed(stream);
        return words;
      },
    ],
    [
      'pipe, to one that is slow',
      async (stream) => {
        const words: Word[] = [];
        await finished(stream.pipe(slowSink(words)));
        return words;
      },
    ],
    ["Node's own iterator", (stream) => stream.map((word) => word).toArray()],
  ])('%s', async (_, read) => {
    const stream = model.stream();
    const heard = listen(stream);
    const reading = read(stream);
    for (let at = 0; at < speech.length; at += 4000) {
      stream.write(speech.subarray(at, at + 4000));
      await new Promise((next) => setImmediate(next));
    }
    stream.end();
    expect(await reading).toEqual(expected);
    expect(heard.words).toEqual(expected);
    expect([stream.destroyed, stream.dropped, stream.errored]).toEqual([true, 0, null]);
  });

  it('pipeline from samples to words, and its promise ends with the last word', async () => {
    const words: Word[] = [];
    await pipeline(
      Readable.from([speech.subarray(0, 9001), speech.subarray(9001)]),
      model.stream(),
      slowSink(words),
    );
    expect(words).toEqual(expected);
  });

  it('one that comes after the end', async () => {
    const stream = model.stream();
    stream.end(speech);
    await new Promise((done) => stream.once('finish', done));
    await soon();
    expect(await stream.toArray()).toEqual(expected);
  });
});

describe('without a reader', () => {
  it('nothing stops: the last 256 words are kept, the others counted', async () => {
    const stream = model.stream();
    const rounds = 54;
    let written = 0;
    for (let i = 0; i < rounds; i++) {
      expect(stream.write(speech, () => written++)).toBe(true);
      await new Promise((next) => setImmediate(next));
    }
    expect(written).toBe(rounds);
    const found = rounds * CLIPS.length;
    expect(stream.dropped).toBe(found - 256);
    stream.end();
    const kept: Word[] = [];
    for await (const word of stream) kept.push(word);
    expect(kept).toHaveLength(256);
    const length = speech.length / RATE;
    expect(kept.at(-1)!.start).toBeCloseTo((rounds - 1) * length + expected.at(-1)!.start, 2);
    expect(kept[0]!.label).toBe(expected[(found - 256) % CLIPS.length]!.label);
  });

  it('nothing stops where a reader pauses', async () => {
    const stream = model.stream();
    stream.on('data', () => {});
    stream.pause();
    for (let i = 0; i < 54; i++) {
      expect(stream.write(speech)).toBe(true);
      await new Promise((next) => setImmediate(next));
    }
    expect(stream.dropped).toBe(54 * CLIPS.length - 256);
    stream.destroy();
  });

  it('listeners of word get all words, none counts as dropped, and the stream closes at its end', async () => {
    const stream = model.stream();
    const { words } = listen(stream);
    for (let i = 0; i < 54; i++) stream.write(speech);
    const end = closed(stream);
    stream.end();
    await end;
    expect(words).toHaveLength(54 * CLIPS.length);
    expect(stream.dropped).toBe(0);
  });

  it('a stream in which nothing was said closes at its end', async () => {
    const stream = model.stream();
    const end = closed(stream);
    stream.end(new Float32Array(8000));
    await end;
  });
});

describe('a loop that is slow', () => {
  it.each<[string, (stream: WordStream, controller: AbortController) => unknown, string]>([
    ['an error', (stream) => stream.write(Float32Array.of(Number.NaN)), 'ERR_AUDIO_NOT_FINITE'],
    ['its signal', (_, controller) => controller.abort(), 'ERR_ABORTED'],
    ['destroy()', (stream) => stream.destroy(), 'no error'],
    ['destroy(error)', (stream) => stream.destroy(new Error('mine')), 'mine'],
  ])('gets the words from before %s, and then what ended the stream', async (_, stop, outcome) => {
    const controller = new AbortController();
    const stream = model.stream({ signal: controller.signal });
    stream.write(speech);
    const words: Word[] = [];
    const loop = (async () => {
      for await (const word of stream) {
        words.push(word);
        if (words.length === 1) stop(stream, controller);
        await soon();
      }
      return 'no error';
    })().catch(({ code, message }: SonospikeError) => code ?? message);
    expect(await loop).toBe(outcome);
    expect(words).toEqual(expected);
    expect(stream.destroyed).toBe(true);
  });
});

it('reset keeps the words that nobody has read', async () => {
  const stream = model.stream();
  stream.write(speech.subarray(0, second));
  stream.reset();
  stream.end(speech);
  const words = await stream.toArray();
  expect(words.map(({ label }) => label)).toEqual(
    [...expected.slice(0, 2), ...expected].map(({ label }) => label),
  );
});

it('there is back-pressure while the model is in use, and only then', async () => {
  const used = await loadModel();
  const stream = used.stream();
  const { words } = listen(stream);
  const release = await occupy(used, speech);
  let rooms = 0;
  while (stream.write(speech) && rooms < 100) rooms++;
  expect(rooms).toBeLessThan(stream.writableHighWaterMark);
  expect(stream.writableNeedDrain).toBe(true);
  const drained = new Promise((done) => stream.once('drain', done));
  await release();
  await drained;
  expect(stream.write(speech)).toBe(true);
  await ended(stream);
  expect(words).toHaveLength((rooms + 2) * CLIPS.length);
});
