import { type NoiseColour, noise, power, ratioOf, scaled } from '../audio/signals.js';
import { type Audio, readAudio } from '../audio/source.js';
import { shuffled } from '../datasets/draw.js';
import { clipKey } from '../datasets/keys.js';
import type { LayoutName } from '../datasets/layouts/index.js';
import type { Model } from '../model/model.js';
import { native } from '../native/load.js';
import { Random } from '../support/random.js';
import { type AnswerOptions, answerSounds } from './answers.js';
import type { Scored } from './clip-results.js';
import { wilsonInterval } from './metrics.js';
import { amongVoices, reverberated, telephoned } from './rooms.js';

/** A change to the clips, with which a model is tested again. */
export interface Condition {
  name: string;
  /** `others`: what other voices say. */
  change: (audio: Audio, random: Random, others: readonly Audio[]) => Audio;
}

/** Accuracy under a condition. */
export interface RobustnessResult {
  /** Name of the condition, as in `white noise at 10 dB`. */
  condition: string;
  /** Share of the changed clips that is recognised. */
  accuracy: number;
  /** Accuracy minus that of the same clips unchanged. */
  difference: number;
  /** 95% interval of the accuracy (Wilson). */
  interval: [number, number];
  /** Number of clips. */
  clips: number;
  /** Share of the clips that was rejected. */
  rejected: number;
}

/** The constant that is added, as a share of full scale. */
const OFFSET = 0.1;
const SILENCE = 0.1; // s
/** Clips of the test that the other voices say. */
const MOST_OTHERS = 60;

/**
 * The conditions: noise at a signal-to-noise ratio by the mean power of the whole clip; gain in floating point, and
 * once more cut off at full scale as an overdriven converter does; a constant added; digital silence around the word;
 * rooms with echoes; other voices; the band of a telephone; the clip resampled to other rates, from which the model
 * resamples it to its own.
 */
export const CONDITIONS: readonly Condition[] = [
  ...(['white', 'pink'] as const).flatMap((colour) => [20, 10, 0].map((snr) => withNoise(colour, snr))),
  changed('gain +20 dB', (samples) => scaled(samples, ratioOf(20))),
  changed('gain +20 dB, clipped', (samples) =>
    samples.map((x) => Math.max(-1, Math.min(1, ratioOf(20) * x))),
  ),
  changed('gain -20 dB', (samples) => scaled(samples, ratioOf(-20))),
  changed(`offset ${OFFSET}`, (samples) => samples.map((x) => x + OFFSET)),
  changed('100 ms silence before', (samples, sampleRate) => {
    const silence = Math.round(SILENCE * sampleRate);
    const longer = new Float32Array(samples.length + silence);
    longer.set(samples, silence);
    return longer;
  }),
  changed('100 ms silence after', (samples, sampleRate) => {
    const longer = new Float32Array(samples.length + Math.round(SILENCE * sampleRate));
    longer.set(samples);
    return longer;
  }),
  ...[0.3, 0.6].map(inRoom),
  ...[20, 10].map(amongOthers),
  changed('telephone', telephoned),
  ...[8000, 16_000, 44_100, 48_000].map(atRate),
];

function changed(
  name: string,
  change: (samples: Float32Array, sampleRate: number) => Float32Array,
): Condition {
  return {
    name,
    change: ({ samples, sampleRate }) => ({ samples: change(samples, sampleRate), sampleRate }),
  };
}

function withNoise(colour: NoiseColour, snr: number): Condition {
  return {
    name: `${colour} noise at ${snr} dB`,
    change: ({ samples, sampleRate }, random) => {
      const level = Math.sqrt(power(samples)) * ratioOf(-snr);
      const added = noise(samples.length, colour, random);
      return { samples: samples.map((x, i) => x + level * added[i]!), sampleRate };
    },
  };
}

function inRoom(t60: number): Condition {
  return {
    name: `reverberation of ${t60} s`,
    change: ({ samples, sampleRate }, random) => ({
      samples: reverberated(samples, sampleRate, t60, random),
      sampleRate,
    }),
  };
}

function amongOthers(snr: number): Condition {
  return {
    name: `other voices at ${snr} dB`,
    change: (audio, random, others) => ({
      samples: amongVoices(audio, snr, others, random),
      sampleRate: audio.sampleRate,
    }),
  };
}

function atRate(rate: number): Condition {
  return {
    name: `at ${rate / 1000} kHz`,
    change: ({ samples, sampleRate }) => ({
      samples: sampleRate === rate ? samples : native().resample(samples, sampleRate, rate),
      sampleRate: rate,
    }),
  };
}

/** The condition's version of a clip, which depends on the seed, the clip's name and what other voices say alone. */
export function disturb(
  { name, change }: Condition,
  audio: Audio,
  clip: string,
  seed: number,
  others: readonly Audio[] = [centred(audio)],
): Audio {
  return change(centred(audio), new Random(`${seed}\0${name}\0${clip}`), others);
}

/** Audio without its mean: noise and silence are set against the sound, not against an offset of the microphone. */
function centred({ samples, sampleRate }: Audio): Audio {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  return { samples: samples.map((x) => x - mean), sampleRate };
}

/** Tests a model under all conditions, on the clips that it was tested on without them. */
export async function measureRobustness(
  model: Model,
  layout: LayoutName,
  clean: Pick<Scored, 'predictions' | 'accuracy'>,
  options: AnswerOptions,
  onProgress?: (done: number, total: number) => void,
): Promise<RobustnessResult[]> {
  const clips = clean.predictions;
  const others = await otherVoices(clips, options.seed);
  const results: RobustnessResult[] = [];
  for (const [number, condition] of CONDITIONS.entries()) {
    onProgress?.(number, CONDITIONS.length);
    const read = async (i: number) => {
      const { file } = clips[i]!;
      return disturb(condition, await readAudio(file), clipKey(layout, { file }), options.seed, others);
    };
    const { answers } = await answerSounds(model, clips.length, read, options);
    const used = answers.flatMap((answer, i) =>
      answer === null ? [] : { ...answer, label: clips[i]!.label },
    );
    const right = used.filter(({ label, predicted }) => label === predicted).length;
    const accuracy = right / used.length;
    results.push({
      condition: condition.name,
      accuracy,
      difference: accuracy - clean.accuracy,
      interval: wilsonInterval(right, used.length),
      clips: used.length,
      rejected: used.filter(({ rejected }) => rejected).length / used.length,
    });
  }
  return results;
}

/** Some of the clips, for other voices to say. */
async function otherVoices(clips: readonly { file: string }[], seed: number): Promise<Audio[]> {
  const files = shuffled(
    clips.map(({ file }) => file),
    seed,
    'other voices',
  );
  return Promise.all(files.slice(0, MOST_OTHERS).map(async (file) => centred(await readAudio(file))));
}
