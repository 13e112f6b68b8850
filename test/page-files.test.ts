/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Page as BrowserPage } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readAudio } from '../lib/audio/source.js';
import type { Model } from '../lib/model/model.js';
import type { Word } from '../lib/model/word-stream.js';
import { native } from '../lib/native/load.js';
import { unpack } from '../lib/page/message.js';
import { type Page, startPage } from '../lib/page/server.js';
import { browserMissing, type OpenBrowser, openBrowser } from './helpers/browser.js';
import { servePage, wav16 } from './helpers/page.js';

const FIXTURES = 'test/fixtures/audio';
const SLOW = 120_000; // ms

let served: Page;
let model: Model;
let folder: string;
let browser: OpenBrowser;
/** Addresses that the browser has asked for. */
let asked: string[];

beforeAll(async () => {
  ({ page: served, model } = await servePage());
  folder = await mkdtemp(join(tmpdir(), 'sonospike-files-'));
});
afterEach(() => browser.close());
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<BrowserPage> {
  browser = await openBrowser();
  const { page } = browser;
  asked = [];
  page.on('request', (request) => asked.push(request.url()));
  page.setDefaultTimeout(SLOW / 2);
  await page.goto(served.url);
  await page.locator('#speak:enabled').waitFor();
  await page.locator('#word .label').getByText('7', { exact: true }).waitFor();
  return page;
}

/** Opens files and waits until all are recognised; gives what the list says of each. */
async function choose(page: BrowserPage, files: string[]): Promise<string[]> {
  const before = await page.locator('#file-list li').count();
  await page.setInputFiles('#file', files);
  await expect.poll(() => page.locator('#file-list li').count()).toBe(before + files.length);
  await expect.poll(() => page.locator('#files-status').textContent(), { timeout: SLOW / 2 }).toBe('');
  const texts = await page.locator('#file-list .result').allTextContents();
  return texts.slice(before).map(plain);
}

/** Without the marks around names that keep their direction to themselves. */
const plain = (text: string) => text.replace(/[\u2068\u2069]/g, '');

/** Words with silence between them. */
async function spoken(words: readonly string[], sampleRate: number, seconds = 1): Promise<Float32Array> {
  const gap = new Float32Array(seconds * sampleRate);
  const parts: Float32Array[] = [gap];
  for (const word of words) {
    const { samples, sampleRate: own } = await readAudio(`samples/${word}_kal_0.wav`);
    parts.push(native().resample(samples, own, sampleRate), gap);
  }
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function written(name: string, samples: Float32Array, sampleRate: number): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, wav16(samples, sampleRate));
  return file;
}

/** The words that a stream finds in a file. */
async function wordsOf(file: string): Promise<Word[]> {
  const { samples, sampleRate } = await readAudio(file);
  const stream = model.stream({ sampleRate });
  const words: Word[] = [];
  stream.on('word', (word) => words.push(word)).on('rejected', (word) => words.push(word));
  await new Promise<void>((done) => {
    stream.on('finish', done);
    stream.end(samples);
  });
  return words;
}

describe.skipIf(browserMissing())('files', { timeout: SLOW }, () => {
  it('of every usual format are recognised, several at once, and each can be opened', async () => {
    const page = await open();
    const names = ['wav', 'flac', 'mp3', 'ogg', 'opus', 'webm', 'oga', 'm4a'].map((type) => `mono.${type}`);
    const results = await choose(
      page,
      names.map((name) => join(FIXTURES, name)),
    );
    const knowsAac = await page.evaluate(
      () => new Audio().canPlayType('audio/mp4; codecs="mp4a.40.2"') !== '',
    );
    for (const [k, name] of names.entries()) {
      const wanted = name.endsWith('m4a') && !knowsAac ? /^mono\.m4a .*ffmpeg/ : /^7, (>?\d+)% sure$/;
      expect([name, results[k]]).toEqual([name, expect.stringMatching(wanted)]);
    }
    // The first one is open; another one is after a click.
    await page.locator('#picture-title').getByText('mono.wav', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'mono.opus' }).click();
    await page.locator('#picture-title').getByText('mono.opus', { exact: true }).waitFor();
    expect(await page.locator('#file-list [aria-current=true]').textContent()).toBe('mono.opus');
    expect(browser.complaints).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(served.url) && !url.startsWith('blob:'))).toEqual([]);
  });

  it('that are WAV or FLAC have the very samples that predict reads', async () => {
    const page = await open();
    const sent: Float32Array[] = [];
    await page.evaluate(() => {
      const send = WebSocket.prototype.send;
      const kept: string[] = [];
      Object.assign(window, { kept });
      WebSocket.prototype.send = function (data) {
        if (data instanceof Uint8Array)
          kept.push(btoa(Array.from(data, (c) => String.fromCharCode(c)).join('')));
        send.call(this, data);
      };
    });
    const files = [join(FIXTURES, 'stereo.flac'), join(FIXTURES, 'more.wav'), 'samples/7_slt_0.wav'];
    const results = await choose(page, files);
    const messages = await page.evaluate(() => (window as unknown as { kept: string[] }).kept);
    for (const message of messages) {
      const { header, arrays } = unpack(new Uint8Array(Buffer.from(message, 'base64')));
      if (header.type === 'clip') sent.push(arrays.samples as Float32Array);
    }
    for (const [k, file] of files.entries()) {
      const { samples } = await readAudio(file);
      expect([file, sent[k]!.length, sent[k]!.every((value, i) => value === samples[i])]).toEqual([
        file,
        samples.length,
        true,
      ]);
      const { label, rejected } = await model.predict(file);
      expect(results[k]).toMatch(rejected ? /^not a word I know\. Closest: / : new RegExp(`^${label}, `));
    }
  });

  it('that are long show every word, by a click on the timeline, in the list and with the keyboard', async () => {
    const page = await open();
    const digits = [...'7310958'];
    const rate = 16_000;
    const file = await written('long.wav', await spoken(digits, rate), rate);
    const words = await wordsOf(file);
    expect(words.filter(({ rejected }) => !rejected).map(({ label }) => label)).toEqual(digits);
    const [result] = await choose(page, [file]);
    expect(result).toBe(`7 words: ${digits.slice(0, 6).join(' ')} …`);
    const list = page.locator('#recording-words button');
    await expect.poll(() => list.locator('bdi').allTextContents()).toEqual(digits);
    const title = (k: number) => new RegExp(`^.?long\\.wav.? at ${clockOf(words[k]!.start)}$`);
    await page.locator('#picture-title').getByText(title(0)).waitFor();

    const timeline = page.locator('#timeline');
    const { width } = (await timeline.boundingBox())!;
    const { samples } = await readAudio(file);
    const last = words[6]!;
    const middle = (rate * (last.start + last.end)) / 2 / samples.length;
    await timeline.click({ position: { x: middle * width, y: 30 } });
    await page.locator('#picture-title').getByText(title(6)).waitFor();
    await page.locator('#word .label').getByText('8', { exact: true }).waitFor();

    await list.nth(6).focus();
    await page.keyboard.press('ArrowLeft');
    await page.locator('#picture-title').getByText(title(5)).waitFor();
    expect(await list.nth(5).evaluate((button) => button === document.activeElement)).toBe(true);
    await page.keyboard.press('Home');
    await page.locator('#picture-title').getByText(title(0)).waitFor();
    expect(await page.locator('#recording-words [tabindex="0"]').count()).toBe(1);

    // A sample puts the recording away; the list of files brings it back.
    await page.getByRole('button', { name: /^Show a sample of .4.$/ }).click();
    await page.locator('#recording').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'long.wav' }).click();
    await page.locator('#picture-title').getByText(title(0)).waitFor();
    expect(await list.count()).toBe(words.length);
    expect(browser.complaints).toEqual([]);
  });

  it('in a folder that is dropped are all recognised, by their paths', async () => {
    const page = await open();
    const data = join(folder, 'my words');
    for (const [word, clip] of [
      ['seven', '7_kal_0'],
      ['three', '3_kal_0'],
    ]) {
      await mkdir(join(data, word!), { recursive: true });
      await copyFile(`samples/${clip}.wav`, join(data, word!, 'anna_0.wav'));
    }
    await writeFile(join(data, 'notes.txt'), 'no sound');
    await writeFile(join(data, '.hidden.wav'), 'no sound');
    const chromium = await page.context().newCDPSession(page);
    const drop = async (file: string) => {
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
        const dragged = { items: [], files: [file], dragOperationsMask: 1 };
        await chromium.send('Input.dispatchDragEvent', { type, x: 50, y: 50, data: dragged });
      }
    };
    await drop(data);
    await expect.poll(() => page.locator('#file-list li').count()).toBe(2);
    await expect.poll(() => page.locator('#files-status').textContent()).toBe('');
    const names = await page.locator('#file-list button').allTextContents();
    expect(names).toEqual(['my words/seven/anna_0.wav', 'my words/three/anna_0.wav']);
    const results = await page.locator('#file-list .result').allTextContents();
    expect(results.map((text) => plain(text)[0])).toEqual(['7', '3']);
    await drop(resolve('samples/4_kal_0.wav'));
    await page.locator('#picture-title').getByText('4_kal_0.wav', { exact: true }).waitFor();
    await mkdir(join(folder, 'nothing'));
    await drop(join(folder, 'nothing'));
    await page.getByRole('alert').getByText('There is no sound file in it.').waitFor();
  });

  it.each([101, 100])('of one drop are at most a hundred: %i', async (count) => {
    const page = await open();
    const files = Array.from({ length: count }, (_, i) => ({
      name: `${i}.wav`,
      mimeType: 'audio/wav',
      buffer: Buffer.from('none'),
    }));
    await page.setInputFiles('#file', files);
    await expect.poll(() => page.locator('#file-list li.failed').count(), { timeout: SLOW / 2 }).toBe(100);
    expect(await page.locator('#file-list li').count()).toBe(100);
    const told = await page.getByRole('alert').allTextContents();
    expect(told).toEqual(count > 100 ? ['These are 101 files. The first 100 of them are opened.'] : []);
  });

  it.each([1000, 400_000])('of an unusual rate are heard: %i Hz', async (rate) => {
    const page = await open();
    const file = await written(`rate-${rate}.wav`, await spoken(['7', '3'], rate), rate);
    const found = await wordsOf(file);
    const [result] = await choose(page, [file]);
    if (rate > 8000) expect(result).toBe('2 words: 7 3');
    await expect.poll(() => page.locator('#recording-words button').count()).toBe(found.length);
    expect(await page.locator('#file-list li.failed').count()).toBe(0);
  });

  it('that are larger than the server takes are read by the browser', async () => {
    const page = await open();
    const rate = 48_000;
    const samples = await spoken(['3', '7'], rate, 85);
    const file = await written('large.wav', samples, rate);
    expect(2 * samples.length).toBeGreaterThan(20_000_000);
    expect(await choose(page, [file])).toEqual(['2 words: 3 7']);
    expect(browser.complaints).toEqual([]);
  });

  it('that the server was lost with say so, and can be opened again', async () => {
    const { page: first } = await servePage();
    browser = await openBrowser();
    const { page } = browser;
    await page.goto(first.url);
    await page.locator('#speak:enabled').waitFor();
    const rate = 16_000;
    const file = await written('lost.wav', await spoken(['7', '3'], rate), rate);
    // The server never hears that the recording has ended, so that it is not done when it goes away.
    await page.evaluate(() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (typeof data !== 'string' || !data.includes('"stop"')) send.call(this, data);
      };
    });
    await page.setInputFiles('#file', [file, file, 'samples/7_kal_0.wav']);
    await page.locator('#file-list .result').getByText('listening').waitFor();
    await first.close();
    const lost = page
      .locator('#file-list .failed .result')
      .getByText('The connection to the server was lost');
    await expect.poll(() => lost.count()).toBe(3);
    const again = await startPage({ model, modelName: 'digits', host: '127.0.0.1', port: first.port });
    try {
      await page.locator('#speak:enabled').waitFor();
      const [result] = await choose(page, ['samples/7_kal_0.wav']);
      expect(result).toBe('7, >99% sure');
    } finally {
      await again.close();
    }
  });

  it('that cannot be used say why, by name, and do not stop the others', async () => {
    const page = await open();
    const files = [
      'package.json',
      await written('silence.wav', new Float32Array(4000), 8000),
      await written('nothing at all.wav', new Float32Array(40_000).fill(1e-4, 0, 20_000), 8000),
      join(FIXTURES, 'mono.mp3'),
    ];
    const results = await choose(page, files);
    expect(results[0]).toMatch(
      /^package\.json is not a sound file that this browser or the server can read\./,
    );
    expect(results[1]).toMatch(/^silence\.wav is silent/);
    expect(results[2]).toBe('no word, only silence or noise');
    expect(results[3]).toMatch(/^7, /);
    // Of a single file the reason stands at the top too.
    const [again] = await choose(page, [files[0]!]);
    expect(plain((await page.getByRole('alert').textContent())!)).toBe(again);
    expect(await page.locator('#file-list li.failed').count()).toBe(3);
    await choose(page, [files[3]!]);
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.locator('#picture-title').getByText(basename(files[3]!), { exact: true }).waitFor();
  });
});

/** As the page tells times, for a pattern. */
function clockOf(seconds: number): string {
  const tenths = Math.round(10 * seconds);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`.replace('.', '\\.');
}
