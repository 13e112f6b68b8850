import type { Audio } from '../audio/source.js';
import type { Clip } from '../datasets/clip.js';
import { UNKNOWN_LABEL } from '../datasets/names.js';
import { evaluateNumbers, type RunOver } from '../evaluation/clip-results.js';
import { Model } from '../model/model.js';
import type { NativePrediction } from '../native/addon.js';
import { host } from '../native/device.js';
import { guard, guardAsync } from '../native/errors.js';
import type { ModelSettings } from '../settings/settings.js';
import { SonospikeError } from '../support/errors.js';
import { DRAWS } from './calibrate-on-part.js';
import { notWords } from './not-words.js';
import { negativesOf, type RunOptions, toNative } from './recipe.js';

/** A clip of a cross-validation. */
export interface FoldClip {
  clip: Clip;
  audio: Audio;
  /** Whether this fold is not trained on it. */
  held: boolean;
}

export interface FoldOptions {
  clips: readonly FoldClip[];
  settings: ModelSettings;
  run: RunOptions;
  /** Seed of the sounds that are made. */
  seed: string;
  threads: number;
  signal: AbortSignal;
  onEpoch: () => void;
}

/** What the model of a fold answers to a clip that it was not trained on. */
export interface ClipAnswer {
  clip: Clip;
  prediction: NativePrediction;
}

export interface FoldAnswers {
  plain: ClipAnswer[];
  /** The same, each several times, augmented; none where the training does not augment. */
  changed: ClipAnswer[];
  /** To sounds that are no word. */
  made: NativePrediction[];
  /** Mean cross-entropy over the clips of words, in nats, and their number. */
  loss: number;
  labelled: number;
  firingRates: number[];
}

/** Trains a fold and asks it. */
export async function trainFold(options: FoldOptions): Promise<FoldAnswers> {
  const { clips, settings, run, threads, signal } = options;
  const model = new Model(settings, { threads }, {}, host());
  try {
    const store = guard(() => new model.addon.FeatureStore(model.native, threads));
    const numberOf = new Map(settings.labels.map((label, i) => [label, i]));
    const held = clips.filter((clip) => clip.held);
    const made = notWords(
      held.flatMap(({ clip, audio }) =>
        clip.label === UNKNOWN_LABEL ? [] : { ...audio, label: clip.label },
      ),
      settings.sampleRate,
      options.seed,
    );
    const augmented = run.augmentation !== null || run.negatives > 0;
    await guardAsync(() =>
      store.add([
        ...clips.map(({ clip, audio }) => ({ ...audio, label: numberOf.get(clip.label) ?? -1, augmented })),
        ...made.map((audio) => ({ ...audio, label: -1 })),
      ]),
    );
    const numbersOf = (chosen: boolean) =>
      Int32Array.from([...clips.keys()].filter((i) => clips[i]!.held === chosen));
    const training = numbersOf(false);
    await guardAsync(() => store.fit(training, false));
    const negatives = negativesOf(run, training.length);
    const trainer = guard(
      () => new model.addon.Trainer(model.native, store, { ...toNative(run), negatives }, training),
    );
    model.native.initialise(run.seed);
    const stop = () => trainer.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (let epoch = 0; epoch < run.epochs; epoch++) {
        const complete = !signal.aborted && (await guardAsync(() => trainer.runEpoch())).complete;
        if (!complete) throw stopped(signal);
        options.onEpoch();
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
    const ask = (numbers: Int32Array, over: RunOver) => evaluateNumbers(store, numbers, { ...over, signal });
    const named = (predictions: NativePrediction[]) =>
      predictions.map((prediction, i): ClipAnswer => ({ clip: held[i]!.clip, prediction }));
    const numbers = numbersOf(true);
    const plain = await ask(numbers, { seed: 0 });
    const changed: ClipAnswer[] = [];
    for (let draw = 0; run.augmentation !== null && draw < DRAWS; draw++) {
      const { predictions } = await ask(numbers, { seed: draw, augmentation: run.augmentation });
      changed.push(...named(predictions));
    }
    const sounds = Int32Array.from(made, (_, i) => clips.length + i);
    return {
      plain: named(plain.predictions),
      changed,
      made: (await ask(sounds, { seed: 0 })).predictions,
      loss: plain.loss,
      labelled: held.filter(({ clip }) => clip.label !== UNKNOWN_LABEL).length,
      firingRates: plain.firingRates,
    };
  } finally {
    model.close();
  }
}

function stopped(signal: AbortSignal): SonospikeError {
  return new SonospikeError('ERR_ABORTED', 'The cross-validation was stopped.', { cause: signal.reason });
}
