import { fileURLToPath } from 'node:url';
import {
  type Audio,
  type AudioInMemory,
  type AudioInput,
  audioFromMemory,
  holdAudio,
  readAudio,
} from '../audio/source.js';
import type { ModelFile } from '../files/model-file.js';
import type {
  NamedArrays,
  NativeAddon,
  NativeModel,
  NativePrediction,
  NativeScaling,
} from '../native/addon.js';
import { choosePlace, type Device, type DeviceChoice, host, type Place } from '../native/device.js';
import { guard, guardAsync } from '../native/errors.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import type { ModelSettings } from '../settings/settings.js';
import { inputCount, parameterShapes } from '../settings/shapes.js';
import { validateSettings } from '../settings/validate.js';
import { SonospikeError } from '../support/errors.js';
import { checkSeed, checkThreads, flag, optionsObject } from '../support/options.js';
import { packageFile } from '../support/package-files.js';
import type { Tensors } from '../support/tensor.js';
import { namedPrediction, type Prediction, silentPrediction, tellLonger } from './prediction.js';
import { type StreamOptions, WordStream } from './word-stream.js';

/** Values that `observe` shows, 1 GiB. */
const MAX_VIEWED = 2 ** 28;

/** The model that comes with the package. */
export const SHIPPED_MODEL = packageFile('models/digits.safetensors');

/** A prediction with everything on the way to it. */
export interface Observation extends Prediction {
  /**
   * Scaled features, [frames, features]. `first` is the frame of the clip that they begin with: 0, unless only the word
   * in the clip is heard. Frame i of the clip is that around sample i x hopLength at the model's rate.
   */
  features: { first: number; frames: number; features: number; data: Float32Array };
  /** Input of every time step, [steps, channels]. */
  input: { steps: number; channels: number; data: Float32Array };
  /** Spikes and membrane potential before the reset, [steps, neurons]. */
  layers: { neurons: number; spikes: Float32Array; potential: Float32Array }[];
  /** Potential of the leaky integrator after every step, [steps, classes]; null where the readout counts spikes. */
  readout: { classes: number; potential: Float32Array } | null;
}

/** What `predict` and its like take beside the audio. */
export interface PredictOptions {
  /** Seed of the random draws of the `rate` encoding (default: 0). The same seed gives the same result. */
  seed?: number;
}

/** What `loadModel` takes beside the path. */
export interface ModelOptions {
  /** Number of threads for batches, from 1 to 256 (default: all cores). A single clip is the work of one thread. */
  threads?: number;
  /**
   * Where batches are computed (default: `cpu`, as a GPU takes a second to start). `predict` and `observe` compute on
   * the CPU in any case. The environment variable SONOSPIKE_DEVICE changes the default.
   */
  device?: DeviceChoice;
}

/** What `createModel` takes beside the settings. */
export interface NewModelOptions extends ModelOptions {
  /** Seed of the random draws of the weights (default: 0). */
  seed?: number;
}

/** Options of `save` of a model. */
export interface SaveOptions {
  /** Whether the file tells by short hashes which clips the model was trained on (default: true). */
  hashes?: boolean;
}

/**
 * A trained network with its front end, encoding and labels. Made by `loadModel` and `train`.
 *
 * One computation at a time uses it: methods that give a promise wait for those before them, and for an evaluation or
 * a training of this model; the others throw ERR_BUSY. After `close` all of them throw ERR_CLOSED.
 */
export class Model {
  /** What the model file says of the training (preset, data, split, accuracy); null where it says nothing. */
  readonly training: Readonly<Record<string, unknown>> | null;
  /** Sample rate, front end, scaling, encoding, network and labels. */
  readonly settings: Readonly<ModelSettings>;
  /** How the confidence is made, and the threshold of `rejected`; null: the model file has none, nothing is rejected. */
  readonly confidence: Readonly<ConfidenceSettings> | null;
  /** @internal Hashes of the clips that it was trained on; null where its file does not tell them. */
  readonly clipHashes: Uint8Array | null;
  /** Where batches are computed. */
  readonly device: Device;
  /** @internal */
  readonly native: NativeModel;
  /** @internal The addon that `native` is of, which its stores and trainers must be of too. */
  readonly addon: NativeAddon;
  readonly #threads: number;
  #closed = false;

  /** @internal */
  constructor(
    settings: ModelSettings,
    options: Pick<ModelOptions, 'threads'> = {},
    about: Partial<Pick<ModelFile, 'training' | 'confidence' | 'clipHashes'>> = {},
    place: Place = host(),
  ) {
    const threads = checkThreads(options.threads);
    this.#threads = threads;
    this.settings = settings;
    this.training = about.training ?? null;
    this.confidence = about.confidence ?? null;
    this.clipHashes = about.clipHashes ?? null;
    this.device = place.device;
    this.addon = place.addon;
    this.native = guard(() => new place.addon.Model(settings, threads, place.number));
    guard(() => this.native.setConfidence(this.confidence));
  }

  /**
   * Gives up the parameters, threads and device memory of the model, and those of its streams. Calls that wait or run
   * end first; later calls throw ERR_CLOSED. A model that is not closed gives them up when it is collected.
   */
  close(): void {
    this.#closed = true;
    this.native.close();
  }

  /** `close`, for `using model = await loadModel()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close` once all calls that wait or run have ended, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.native.snapshot();
    this.close();
  }

  /** The words that the model knows, in the order of its scores. */
  get labels(): readonly string[] {
    return this.settings.labels;
  }

  /**
   * Recognises one clip: the path or the bytes of a sound file, or samples with their rate. Digital silence is no error: it
   * is rejected, and the prediction says that it is `silent`. `heard` tells which part of the
   * clip the network heard; the first clip in a process that holds more sound than that gives a warning of Node with the
   * code SONOSPIKE_CLIP_LONGER.
   * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED,
   * ERR_AUDIO_EMPTY, ERR_AUDIO_NOT_FINITE, ERR_AUDIO_TOO_LONG, ERR_INVALID_OPTION, ERR_OUT_OF_MEMORY
   */
  async predict(input: AudioInput, options: PredictOptions = {}): Promise<Prediction> {
    const seed = checkSeed(options.seed);
    const audio = await readAudio(input).catch(silence);
    if (audio instanceof SonospikeError) return this.#silent();
    const { samples, sampleRate } = audio;
    return this.#named(
      await guardAsync(() => this.native.predict(samples, sampleRate, seed)),
      samples.length / sampleRate,
    );
  }

  /**
   * `predict` for audio that is in memory, on the calling thread.
   * @throws SonospikeError as `predict`, without the file errors; ERR_BUSY while the model is in use
   */
  predictSync(input: AudioInMemory, options: PredictOptions = {}): Prediction {
    const seed = checkSeed(options.seed);
    const audio = audioOrSilence(input);
    if (audio instanceof SonospikeError) return this.#silent();
    const { samples, sampleRate } = audio;
    return this.#named(
      guard(() => this.native.predictSync(samples, sampleRate, seed)),
      samples.length / sampleRate,
    );
  }

  /**
   * `predict` for many clips, shared out over all threads. The results are those of `predict`, to the bit, in the order
   * of the inputs. Files are read a few at a time.
   * @throws SonospikeError as `predict`, for the first clip that cannot be used
   */
  async predictBatch(inputs: readonly AudioInput[], options: PredictOptions = {}): Promise<Prediction[]> {
    const seed = checkSeed(options.seed);
    if (!Array.isArray(inputs)) throw new SonospikeError('ERR_INVALID_OPTION', 'inputs must be an array.');
    if (inputs.length === 0) return [];
    // What is in memory is copied before this returns, so that the caller is free to reuse it.
    const sources = Array.from(inputs, (input) =>
      typeof input === 'string' || input instanceof URL ? () => readAudio(input) : holdOrSilence(input),
    );
    const read = async (i: number) => {
      const source = sources[i]!;
      if (source instanceof SonospikeError) throw source;
      return source();
    };
    /** Number of each clip in the store, and its seconds; null for silence. */
    const stored: ({ number: number; seconds: number } | null)[] = [];
    let next = 0;
    const { addInChunks } = await import('../datasets/clip-loader.js');
    return guardAsync(async () => {
      const store = new this.addon.FeatureStore(this.native, this.#threads);
      try {
        await addInChunks(store, sources.length, read, (result) => {
          const silent = result instanceof SonospikeError;
          stored.push(silent ? null : { number: next++, seconds: result.samples.length / result.sampleRate });
          if (!silent) return { ...result, label: -1 };
          silence(result);
          return null;
        });
        if (next === 0) return stored.map(() => this.#silent());
        await store.fit(new Int32Array(), true);
        const clips = Int32Array.from({ length: next }, (_, i) => i);
        const { predictions } = await store.evaluate(clips, seed, 0);
        return stored.map((clip) =>
          clip === null ? this.#silent() : this.#named(predictions[clip.number]!, clip.seconds),
        );
      } finally {
        store.close();
      }
    });
  }

  /**
   * Recognises one clip and shows what every layer did.
   * @throws SonospikeError as `predict`; ERR_AUDIO_SILENT for digital silence, in which there is nothing to see;
   * ERR_OUT_OF_MEMORY if there are more than 2^28 values to show, as of a clip of many minutes
   */
  async observe(input: AudioInput, options: PredictOptions = {}): Promise<Observation> {
    const seed = checkSeed(options.seed);
    requireViewable(this.settings);
    const { samples, sampleRate } = await readAudio(input);
    const seen = await guardAsync(() => this.native.observe(samples, sampleRate, seed));
    const frames = seen.steps / this.settings.encoding.stepsPerFrame;
    return {
      ...this.#named(seen, samples.length / sampleRate),
      features: {
        first: seen.firstFrame,
        frames,
        features: seen.features.length / frames,
        data: seen.features,
      },
      input: { steps: seen.steps, channels: inputCount(this.settings), data: seen.input },
      layers: seen.layers,
      readout: seen.potential && { classes: this.labels.length, potential: seen.potential },
    };
  }

  /**
   * A stream that finds words in samples as they are spoken: a `Duplex` of samples to `Word` objects, see `WordStream`.
   * Any number of streams can be open at once.
   * @throws SonospikeError ERR_INVALID_OPTION
   */
  stream(options: StreamOptions = {}): WordStream {
    return new WordStream(this, options);
  }

  /**
   * The parameters by name, copied: `layers.0.weight` and so on, with the shapes of the model's file.
   * @throws SonospikeError ERR_BUSY while the model is in use
   */
  parameters(): Tensors {
    const scaling = guard(() => this.native.readScaling());
    return this.#tensors(
      guard(() => this.native.readParameters()),
      scaling,
    );
  }

  /**
   * Writes the model to a file, whole or not at all.
   * @throws SonospikeError ERR_FILE_WRITE, ERR_INVALID_OPTION
   */
  async save(path: string, options?: SaveOptions): Promise<void> {
    const { settings, training, confidence } = this;
    const { hashes } = optionsObject(options, 'options', ['hashes']);
    const clipHashes = flag(hashes, 'hashes', true) ? this.clipHashes : null;
    const [parameters, { writeModelFile }] = await Promise.all([
      this.snapshot(),
      import('../files/model-file.js'),
    ]);
    await writeModelFile(path, { settings, parameters, training, confidence, clipHashes, state: null });
  }

  /** @internal What `parameters` gives, once the model is free. */
  async snapshot(): Promise<Tensors> {
    const { parameters, scaling } = await guardAsync(() => this.native.snapshot());
    return this.#tensors(parameters, scaling);
  }

  #tensors(arrays: NamedArrays, scaling: NativeScaling | null): Tensors {
    if (scaling) Object.assign(arrays, { 'scaling.offset': scaling.offset, 'scaling.scale': scaling.scale });
    const tensors: Tensors = new Map();
    for (const [name, shape] of parameterShapes(this.settings)) {
      const data = arrays[name];
      if (!data) throw new SonospikeError('ERR_INTERNAL', `The network has no parameter ${name}.`);
      tensors.set(name, { shape, data });
    }
    return tensors;
  }

  #silent(): Prediction {
    if (this.#closed) throw new SonospikeError('ERR_CLOSED', 'The model is closed.');
    return silentPrediction(this.labels, this.settings.network.layers.length);
  }

  #named(prediction: NativePrediction, seconds: number): Prediction {
    const found = namedPrediction(this, prediction, seconds);
    tellLonger(found);
    return found;
  }
}

/** `loadModel` of index.ts. */
export async function loadModel(
  source: string | URL | Uint8Array = SHIPPED_MODEL,
  options: ModelOptions = {},
): Promise<Model> {
  const file = source instanceof URL ? fileURLToPath(source) : source;
  if (!(file instanceof Uint8Array) && (typeof file !== 'string' || file === '')) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      'The model must be given as the path of a file, or as its bytes in a Uint8Array.',
    );
  }
  const [place, { parseModelFile, readModelFile }] = await Promise.all([
    choosePlace(options.device, 'cpu'),
    import('../files/model-file.js'),
  ]);
  const read = file instanceof Uint8Array ? await parseModelFile(file) : await readModelFile(file);
  return modelFromFile(read, options, place);
}

/** @internal */
export function modelFromFile(file: ModelFile, options: ModelOptions = {}, place: Place = host()): Model {
  const model = new Model(file.settings, options, file, place);
  loadTensors(model.native, file.parameters);
  return model;
}

/** `createModel` of index.ts. */
export async function createModel(settings: ModelSettings, options: NewModelOptions = {}): Promise<Model> {
  const seed = checkSeed(options.seed);
  const checked = validateSettings(settings, 'settings');
  const model = new Model(checked, options, {}, await choosePlace(options.device, 'cpu'));
  model.native.initialise(seed);
  return model;
}

/** @internal */
export function loadTensors(target: NativeModel, tensors: Tensors): void {
  const offset = tensors.get('scaling.offset');
  const scale = tensors.get('scaling.scale');
  if (offset && scale) guard(() => target.loadScaling(offset.data, scale.data));
  guard(() => target.loadParameters(toArrays(tensors)));
}

/** @internal */
export function toArrays(tensors: Tensors): NamedArrays {
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
}

/** Gives back the error for digital silence, and throws any other. */
function silence(error: unknown): SonospikeError {
  if (error instanceof SonospikeError && error.code === 'ERR_AUDIO_SILENT') return error;
  throw error;
}

/** Audio in memory, or the error for digital silence. */
function audioOrSilence(input: AudioInMemory): Audio | SonospikeError {
  try {
    return audioFromMemory(input);
  } catch (error) {
    return silence(error);
  }
}

/** A function that gives audio in memory, or the error for digital silence. */
function holdOrSilence(input: AudioInMemory): (() => Audio | Promise<Audio>) | SonospikeError {
  try {
    return holdAudio(input);
  } catch (error) {
    return silence(error);
  }
}

/** What `observe` shows of a clip is all in memory at once. */
function requireViewable(settings: ModelSettings): void {
  const neurons = settings.network.layers.reduce((sum, layer) => sum + layer.neurons, 0);
  const steps = settings.frames * settings.encoding.stepsPerFrame;
  const values = steps * (inputCount(settings) + 2 * neurons + settings.labels.length);
  if (values > MAX_VIEWED) {
    throw new SonospikeError(
      'ERR_OUT_OF_MEMORY',
      `observe() would have to show ${values} values: ${steps} time steps of ${neurons} neurons. ` +
        `At most ${MAX_VIEWED} are shown; predict() has no such limit.`,
    );
  }
}
