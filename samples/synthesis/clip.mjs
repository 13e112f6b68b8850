// Reads what a synthesizer wrote, and makes a finished clip of it: resampled, trimmed, levelled.
import { readFileSync } from 'node:fs';

const SAMPLE_RATE = 16_000;
const PEAK = 10 ** (-3 / 20);
const PADDING_SECONDS = 0.04;
const FADE_SECONDS = 0.01;
const MIN_SECONDS = 0.15;
const MIN_PEAK = 0.02;
const FESTIVAL_END_FRAMES = 3;

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

/**
 * Silences the end of festival's last pause. Its filter sometimes blows up there, by what lies in memory behind the
 * coefficients: that would be a click, and not the same in every run.
 */
function silenceEnd(samples, sampleRate) {
  const frame = sampleRate / 100;
  const end = Math.ceil((samples.findLastIndex((value) => value !== 0) + 1) / frame) * frame;
  samples.fill(0, Math.max(0, Math.round(end - FESTIVAL_END_FRAMES * frame)));
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

/**
 * The finished clip's bytes, or the reason why there is none. `unsteadyEnd`: the end may be one of festival's clicks.
 * `tract` scales pitch and formants together, as a shorter (> 1) or longer (< 1) vocal tract does.
 */
export function finish({ raw, unsteadyEnd, tract, maxSeconds }) {
  const { samples: said, sampleRate } = readWav(raw);
  if (unsteadyEnd) silenceEnd(said, sampleRate);
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
  if (seconds > maxSeconds) return { problem: `too long, ${seconds.toFixed(2)} s` };

  const fade = FADE_SECONDS * SAMPLE_RATE;
  const clip = Float64Array.from({ length }, (_, i) => {
    const edge = Math.min(1, i / fade, (length - 1 - i) / fade);
    return ((centered[start - padding + i] ?? 0) * edge * PEAK) / peak;
  });
  return { bytes: wavBytes(clip) };
}
