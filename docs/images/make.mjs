// Makes the pictures of README and the guides: `npm run pictures`. Needs a build and Chromium (/usr/bin/chromium, or the
// path in SONOSPIKE_CHROMIUM). All that is seen in them comes with the repository: the included model and clips.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { loadModel, readAudio } from '../../dist/index.js';
import { startPage } from '../../dist/page/server.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = join(HERE, '../..');
const SAMPLES = join(ROOT, 'samples');
/** Bytes of the largest picture: README is read on phones too. */
const MOST_BYTES = 300_000;
/** Seconds between the words of the long recording. */
const GAP = 0.6;
const VOICES = ['kal', 'slt', 'rms'];

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** What each picture shows. `act` brings the page there; `fullPage` is all of it, not only what a screen shows. */
const PICTURES = [
  { name: 'page.png', viewport: DESKTOP, act: (page) => shown(page, /7_kal_0/) },
  {
    name: 'page-recording.png',
    viewport: DESKTOP,
    async act(page, folder) {
      await page.setInputFiles('#file', [await longRecording(folder), join(SAMPLES, '4_kal_0.wav')]);
      await page.waitForFunction(() => document.querySelector('#files-status').textContent === '');
      await page.locator('#recording-words button').nth(7).click();
      await shown(page, /numbers.wav.* at /);
    },
  },
  {
    name: 'page-phone.png',
    viewport: PHONE,
    colorScheme: 'dark',
    act: (page) => shown(page, /7_kal_0/),
  },
  {
    name: 'page-layer.png',
    viewport: DESKTOP,
    async act(page) {
      await shown(page, /7_kal_0/);
      await page.getByRole('button', { name: 'Inspect Layer 2' }).click();
      await page.getByRole('slider', { name: 'Neuron' }).waitFor();
      await page.keyboard.press('ArrowUp');
      for (let i = 0; i < 20; i++) await page.keyboard.press('ArrowRight');
    },
  },
];

const folder = mkdtempSync(join(tmpdir(), 'sonospike-pictures-'));
const model = await loadModel();
const served = await startPage({ model, modelName: 'digits.safetensors', host: '127.0.0.1', port: 0 });
const browser = await chromium.launch({
  executablePath: process.env.SONOSPIKE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  for (const picture of PICTURES) await make(picture);
  const command = ['dist/cli/main.js', 'run-digit', 'samples/7_kal_0.wav', '--plot', join(HERE, 'seven.svg')];
  execFileSync(process.execPath, command, { cwd: ROOT });
  tell('seven.svg');
} finally {
  await browser.close();
  await served.close();
  rmSync(folder, { recursive: true });
}

async function make({ name, viewport, colorScheme = 'light', act }) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(served.url);
  await act(page, folder);
  // The encodings below come a moment after the picture.
  await page.locator('#encoded figcaption').getByText('spikes').first().waitFor();
  await page.screenshot({ path: join(HERE, name) });
  await context.close();
  tell(name);
}

function shown(page, title) {
  return page.locator('#picture-title').getByText(title).waitFor();
}

function tell(name) {
  const { size } = statSync(join(HERE, name));
  console.log(`${name}: ${Math.round(size / 1000)} kB`);
  if (size > MOST_BYTES) throw new Error(`${name} has ${size} bytes; at most ${MOST_BYTES} are wanted.`);
}

/** A WAV of the included clips of some voices with pauses between them. */
async function longRecording(folder) {
  const names = VOICES.flatMap((voice) =>
    readdirSync(SAMPLES).filter((name) => name.endsWith(`_${voice}_0.wav`)),
  );
  const parts = [];
  let rate = 0;
  for (const name of names) {
    const { samples, sampleRate } = await readAudio(join(SAMPLES, name));
    rate = sampleRate;
    parts.push(new Float32Array(GAP * sampleRate), samples);
  }
  const all = Float32Array.from(parts.flatMap((part) => [...part]));
  const wav = Buffer.alloc(44 + 2 * all.length);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + 2 * all.length, 4);
  wav.write('WAVEfmt ', 8);
  for (const [at, value] of [
    [16, 16],
    [24, rate],
    [28, 2 * rate],
    [40, 2 * all.length],
  ])
    wav.writeUInt32LE(value, at);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ])
    wav.writeUInt16LE(value, at);
  wav.write('data', 36);
  for (const [i, value] of all.entries()) {
    wav.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, value))), 44 + 2 * i);
  }
  const file = join(folder, 'numbers.wav');
  writeFileSync(file, wav);
  return file;
}
