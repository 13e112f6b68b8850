#!/usr/bin/env node
// Makes the sample clips in this folder, and on request a training set, with free speech synthesizers.
// Nothing here is random: the same synthesizer versions give the same bytes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `Usage: node samples/make-samples.mjs [--out DIR]
       node samples/make-samples.mjs --training DIR

Says the digits zero to nine with espeak-ng, flite and festival.

Without --training it writes the shipped clips, D_voice_I.wav, beside this script.
With it, a larger set of other voices and settings goes to DIR/recordings; the
voices marked as held out, and the exact settings of the shipped clips, are not in it.

  --out DIR       write the shipped clips to DIR instead
  --training DIR  write the training set
  -h, --help      show this text

Debian packages: espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k
`;

const WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const SAMPLE_RATE = 16_000;
const PEAK = 10 ** (-3 / 20);
const PADDING_SECONDS = 0.04;
const FADE_SECONDS = 0.01;
const MIN_SECONDS = 0.15;
const MAX_SECONDS = 0.99;
const MIN_PEAK = 0.02;

/**
 * A voice: `synth` and `id` name it to its synthesizer. `rate` is relative to the synthesizer's own
 * speed; `pitch` is 0-99 for espeak-ng and Hz for the others, undefined for the voice's own.
 */
const SHIPPED = [
  { synth: 'flite', id: 'slt', rate: 1, heldOut: true },
  { synth: 'flite', id: 'rms', rate: 1.2, heldOut: true },
  { synth: 'flite', id: 'awb', rate: 1.15, pitch: 130 },
  { synth: 'festival', id: 'kal_diphone', rate: 1.1, pitch: 105 },
  { synth: 'festival', id: 'ked_diphone', rate: 1.1, pitch: 125 },
  { synth: 'espeak-ng', id: 'en-us', rate: 1, pitch: 40 },
  { synth: 'espeak-ng', id: 'en+f2', rate: 1, pitch: 50 },
  { synth: 'espeak-ng', id: 'en-gb-scotland+m3', rate: 0.9, pitch: 45 },
  { synth: 'espeak-ng', id: 'en-us+linda', rate: 1.05, pitch: 50, heldOut: true },
];

// espeak-ng drops the variant from `en-gb+f2` without a word; `en` is the same accent and keeps it.
const ACCENTS = ['en-us', 'en', 'en-gb-scotland', 'en-gb-x-rp', 'en-gb-x-gbclan', 'en-gb-x-gbcwmd', 'en-029'];
const NUMBERED = [
  '',
  '+m1',
  '+m2',
  '+m3',
  '+m4',
  '+m5',
  '+m6',
  '+m7',
  '+m8',
  '+f1',
  '+f2',
  '+f3',
  '+f4',
  '+f5',
];
const NAMED = ['Alex', 'Andy', 'Annie', 'anika', 'aunty', 'belinda', 'benjamin', 'caleb', 'david', 'edward'];
const MORE_NAMED = ['Gene', 'Lee', 'max', 'michael', 'paul', 'quincy', 'rob', 'steph', 'steph2', 'travis'];

/** Voices of the training set; `takes` settings are drawn for each, `pitches` is the range drawn from. */
const TRAINING = [
  ...ACCENTS.flatMap((accent) => NUMBERED.map((variant) => espeakVoice(accent + variant, 2))),
  ...['en-us', 'en'].flatMap((a) => [...NAMED, ...MORE_NAMED].map((v) => espeakVoice(`${a}+${v}`, 2))),
  { synth: 'flite', id: 'kal16', takes: 30, rates: [0.8, 1.35], pitches: [80, 200] },
  { synth: 'flite', id: 'awb', takes: 40, rates: [0.8, 1.4], pitches: [95, 220] },
  { synth: 'festival', id: 'kal_diphone', takes: 30, rates: [0.8, 1.35], pitches: [80, 200] },
  { synth: 'festival', id: 'ked_diphone', takes: 40, rates: [0.8, 1.35], pitches: [80, 220] },
];

function espeakVoice(id, takes) {
  return { synth: 'espeak-ng', id, takes, rates: [0.75, 1.3], pitches: [15, 85] };
}

/** The speaker's name in a file name: lower case, letters and digits only. */
function speakerName(id) {
  return id
    .replace('_diphone', '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

function settingsKey({ synth, id, rate, pitch }) {
  return `${synth} ${id} ${rate} ${pitch}`;
}

/** A number in [0, 1) that depends on the text alone. */
function hashedUnit(text) {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

function shippedTakes() {
  return SHIPPED.map((voice) => ({ ...voice, tract: 1, mark: '', take: 0 }));
}

/**
 * Settings for the training set. `tract` scales pitch and formants together, as a shorter (> 1) or
 * longer (< 1) vocal tract does; `mark` ends the word, and a question mark makes the pitch rise.
 */
function trainingTakes() {
  const shipped = new Set(SHIPPED.map(settingsKey));
  const heldOut = new Set(SHIPPED.filter((voice) => voice.heldOut).map((voice) => voice.id));
  const takes = [];
  for (const voice of TRAINING) {
    if (heldOut.has(voice.id)) throw new Error(`${voice.id} is held out of the training set`);
    for (let take = 0; take < voice.takes; take++) {
      const draw = (name, [low, high]) =>
        low + (high - low) * hashedUnit(`${voice.synth} ${voice.id} ${take} ${name}`);
      const { synth, id } = voice;
      const rate = Math.round(draw('rate', voice.rates) * 100) / 100;
      const tract = Math.round(draw('tract', [0.88, 1.18]) * 100) / 100;
      const settings = { synth, id, take, rate, pitch: Math.round(draw('pitch', voice.pitches)), tract };
      if (shipped.has(settingsKey(settings))) settings.pitch += 1;
      takes.push({ ...settings, mark: draw('mark', [0, 1]) < 0.25 ? '?' : '' });
    }
  }
  return takes;
}

function execute(program, args) {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 24 });
  if (result.error?.code === 'ENOENT') {
    throw new Error(`${program} is not installed (Debian package: ${program})`);
  }
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr.trim()}`);
  return result.stdout;
}

/** Throws an Error that lists every program and voice that `takes` need and this machine lacks. */
function checkInstalled(takes) {
  const listings = {
    'espeak-ng': ['--version'],
    flite: ['-lv'],
    festival: ['-b', '(print (voice.list))'],
  };
  const problems = [];
  for (const [program, args] of Object.entries(listings)) {
    let output;
    try {
      output = execute(program, args);
    } catch (error) {
      problems.push(error.message);
      continue;
    }
    if (program === 'espeak-ng') continue;
    const installed = new Set(output.split(/[^a-z0-9_]+/));
    const needed = new Set(takes.filter((take) => take.synth === program).map((take) => take.id));
    for (const id of needed) {
      if (!installed.has(id)) problems.push(`${program} has no voice ${id} (see samples/README.md)`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** Has the synthesizers say every job's word into its `raw` file. */
function synthesize(jobs, folder) {
  const script = [];
  for (const [done, { synth, id, rate, pitch, text, raw }] of jobs.entries()) {
    if (done % 500 === 0 && done > 0) process.stderr.write(`${done} of ${jobs.length} words said\n`);
    if (synth === 'espeak-ng') {
      execute(synth, ['-v', id, '-s', `${Math.round(175 * rate)}`, '-p', `${pitch}`, '-w', raw, text]);
    } else if (synth === 'flite') {
      const f0 = pitch === undefined ? [] : ['--setf', `int_f0_target_mean=${pitch}`];
      execute(synth, ['-voice', id, '--setf', `duration_stretch=${1 / rate}`, ...f0, '-t', text, '-o', raw]);
    } else {
      script.push(`(voice_${id})`, `(Parameter.set 'Duration_Stretch ${1 / rate})`);
      if (pitch !== undefined) {
        const model = '(model_f0_mean 170) (model_f0_std 34)';
        script.push(`(set! int_lr_params '((target_f0_mean ${pitch}) (target_f0_std 14) ${model}))`);
      }
      script.push(`(utt.save.wave (utt.synth (Utterance Text "${text}")) "${raw}" 'riff)`);
    }
  }
  const file = join(folder, 'say.scm');
  writeFileSync(file, script.join('\n'));
  execute('festival', ['-b', file]);
}

/** Reads the 16-bit mono PCM that the synthesizers write: samples in [-1, 1) and their rate in Hz. */
function readWav(file) {
  const bytes = readFileSync(file);
  let sampleRate = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    at += 8;
    if (id === 'fmt ') sampleRate = bytes.readUInt32LE(at + 4);
    if (id === 'data') {
      const count = Math.min(size, bytes.length - at) >> 1;
      return {
        sampleRate,
        samples: Float64Array.from({ length: count }, (_, i) => bytes.readInt16LE(at + 2 * i) / 32768),
      };
    }
    at += size + (size & 1);
  }
  throw new Error(`${file} has no audio data`);
}

function wavBytes(samples) {
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + 2 * samples.length, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(SAMPLE_RATE, 24);
  bytes.writeUInt32LE(2 * SAMPLE_RATE, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((value, i) => {
    bytes.writeInt16LE(Math.round(value * 32767), 44 + 2 * i);
  });
  return bytes;
}

/** Resamples with a Hann-windowed sinc, band-limited to the lower of the two rates. */
function resample(samples, from, to) {
  const step = from / to;
  const cutoff = Math.min(1, to / from) * 0.95;
  const reach = Math.ceil(16 / cutoff);
  return Float64Array.from({ length: Math.floor(samples.length / step) }, (_, i) => {
    const center = i * step;
    const last = Math.min(samples.length - 1, Math.floor(center) + reach);
    let sum = 0;
    for (let k = Math.max(0, Math.ceil(center) - reach); k <= last; k++) {
      const distance = center - k;
      const x = Math.PI * cutoff * distance;
      const sinc = Math.abs(x) < 1e-9 ? 1 : Math.sin(x) / x;
      sum += samples[k] * cutoff * sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / (reach + 1)));
    }
    return sum;
  });
}

/**
 * First and one-past-last sample of the 10 ms frames that hold the word: those within 45 dB of the
 * loudest one and 6 dB above the background hiss, which some voices have and the quietest tenth of the
 * frames shows. Where a word leaves no pause to measure, the cap of 30 dB keeps its quiet consonants.
 */
function wordBounds(samples) {
  const size = SAMPLE_RATE / 100;
  const powers = Array.from({ length: Math.floor(samples.length / size) }, (_, frame) =>
    samples.subarray(frame * size, (frame + 1) * size).reduce((sum, value) => sum + value * value, 0),
  );
  const sorted = powers.toSorted((a, b) => a - b);
  const loudest = sorted.at(-1);
  const hiss = sorted[Math.floor(sorted.length / 10)];
  const floor = Math.min(loudest * 1e-3, Math.max(loudest * 10 ** -4.5, hiss * 4));
  const loud = (power) => power > floor;
  return [powers.findIndex(loud) * size, (powers.findLastIndex(loud) + 1) * size];
}

/** The finished clip's bytes, or the reason why there is none. */
function finish({ raw, tract }) {
  const { samples: said, sampleRate } = readWav(raw);
  const samples = resample(said, sampleRate * tract, SAMPLE_RATE);
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value - mean)), 0);
  if (!(peak >= MIN_PEAK)) return { problem: 'silent' };

  const centered = samples.map((value) => value - mean);
  const [start, end] = wordBounds(centered);
  const padding = PADDING_SECONDS * SAMPLE_RATE;
  const length = end - start + 2 * padding;
  const seconds = length / SAMPLE_RATE;
  if (seconds < MIN_SECONDS) return { problem: `too short, ${seconds.toFixed(2)} s` };
  if (seconds > MAX_SECONDS) return { problem: `too long, ${seconds.toFixed(2)} s` };

  const fade = FADE_SECONDS * SAMPLE_RATE;
  const clip = Float64Array.from({ length }, (_, i) => {
    const edge = Math.min(1, i / fade, (length - 1 - i) / fade);
    return ((centered[start - padding + i] ?? 0) * edge * PEAK) / peak;
  });
  return { bytes: wavBytes(clip) };
}

function makeClips(takes, target) {
  checkInstalled(takes);
  mkdirSync(target, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'sonospike-samples-'));
  try {
    const jobs = takes.flatMap((take, i) =>
      WORDS.map((word, digit) => ({
        ...take,
        text: word + take.mark,
        raw: join(folder, `${i}_${digit}.wav`),
        name: `${digit}_${speakerName(take.id)}_${take.take}.wav`,
      })),
    );
    synthesize(jobs, folder);
    const seen = new Map();
    let bytesWritten = 0;
    for (const job of jobs) {
      const { bytes, problem } = finish(job);
      const digest = bytes && createHash('sha256').update(bytes).digest('hex');
      const twin = seen.get(digest);
      if (problem || twin) {
        process.stderr.write(`left out ${job.name}: ${problem ?? `same as ${twin}`}\n`);
        rmSync(join(target, job.name), { force: true });
        continue;
      }
      seen.set(digest, job.name);
      writeFileSync(join(target, job.name), bytes);
      bytesWritten += bytes.length;
    }
    const megabytes = (bytesWritten / 1e6).toFixed(1);
    process.stdout.write(`${seen.size} clips of ${jobs.length}, ${megabytes} MB, in ${target}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      training: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else if (values.training !== undefined) makeClips(trainingTakes(), join(values.training, 'recordings'));
  else makeClips(shippedTakes(), values.out ?? import.meta.dirname);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
