import type { Prediction } from '../model/prediction.js';
import type { ConfidenceSettings } from '../settings/confidence.js';
import type { EncodingSettings, ModelSettings } from '../settings/settings.js';

/**
 * What the page and its server say to each other. Arrays travel beside the JSON (message.ts); those of a message are
 * named in its comment. Numbers that answer each other are called `id`.
 */
export type ClientMessage =
  | { type: 'listen'; id: number; sampleRate: number; pictures: boolean } // Hz; of a recording only words are told
  | { type: 'audio'; id: number } // samples f32, of the rate above
  | { type: 'stop'; id: number }
  | { type: 'inspect'; layer: number | null } // live pictures have the potentials of this layer
  | { type: 'decode'; id: number } // bytes u8 of a sound file
  | { type: 'clip'; id: number; sampleRate: number } // samples f32, Hz
  | { type: 'sample'; id: number; name: string }
  | { type: 'encode'; id: number; frames: number; encodings: EncodingSettings[] }; // features f32 [frames, features]

export type ServerMessage =
  | Hello
  | Live
  | WordFound
  | Picture
  | Decoded
  | Encoded
  | { type: 'stopped'; id: number } // the last word of this listening has come
  | { type: 'error'; id: number | null; code: string; message: string };

/** The first message. Arrays: threshold.K of every layer, one for each neuron, or for each channel of a convolution. */
export interface Hello {
  type: 'hello';
  version: string;
  /** The file's name. */
  model: string;
  settings: ModelSettings;
  /** null where the model has no calibration. */
  confidence: ConfidenceSettings | null;
  /** Clips of the model's words; null where none are known. */
  samples: SamplesOffered | null;
}

/** Where samples come from: the package, the folder that the model was trained on, or one that was named. */
export type SampleSource = 'included' | 'training' | 'named';

/** Clips that can be asked for by name. */
export interface SamplesOffered {
  source: SampleSource;
  /** Name of the folder. */
  folder: string;
  /** In the order of the model's labels; words without clips are left out. */
  words: { label: string; names: string[] }[];
  /** The one that is shown first. */
  first: string;
}

/** What the page shows of a prediction. */
export type Guess = Pick<
  Prediction,
  'label' | 'confidence' | 'rejected' | 'softmax' | 'scores' | 'firingRates'
>;

/**
 * What the network did. Arrays: features f32 [frames, features], input f32 or bits [steps, channels], spikes.K f32 or
 * bits [steps, neurons], readout f32 [steps, classes] unless spikes are counted, and potential.K f32 [steps, neurons]
 * of the layers in `potentials`.
 */
export interface Activity {
  guess: Guess;
  /** The frame of the clip that it begins with (Observation). */
  first: number;
  frames: number;
  steps: number;
  potentials: number[];
}

/** The last second of a stream. */
export interface Live {
  type: 'live';
  id: number;
  /** Samples heard so far, and of these the last that are in the picture. */
  heard: number;
  shown: number;
  /** dBFS; null for digital silence. */
  level: number | null;
  /** Whether a word is being spoken. */
  speaking: boolean;
  /** null for silence of which there is nothing to show. */
  activity: Activity | null;
}

/** At once when a word has ended; its picture follows, with the same number. */
export interface WordFound {
  type: 'word';
  id: number;
  word: number;
  guess: Guess;
  /** Seconds in the stream. */
  start: number;
  end: number;
}

/** A sound file that the server has read. Arrays: samples f32. */
export interface Decoded {
  type: 'decoded';
  id: number;
  /** Hz. */
  sampleRate: number;
  /** What is wrong with the file although it can be read. */
  remarks: string[];
}

/** A clip with all that can be seen of it. Arrays: those of Activity, samples f32. */
export interface Picture {
  type: 'picture';
  id: number;
  of: 'word' | 'clip';
  /** Number of the word in the stream; 0 for a clip. */
  word: number;
  /** Hz. */
  sampleRate: number;
  activity: Activity;
}

/** Arrays: input.0, input.1 … [steps, channels]. */
export interface Encoded {
  type: 'encoded';
  id: number;
  encodings: { encoding: EncodingSettings; steps: number; channels: number }[];
}
