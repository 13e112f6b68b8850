// What importing the package gives. Only what is small is loaded at once: the functions below that give a promise load
// their part of the program when they are first called. Pictures are in `sonospike/plot`, splits in `sonospike/datasets`.
import type { AudioInput, LoadedAudio } from './audio/source.js';
import type { Dataset, OpenOptions } from './datasets/index.js';
import type { EvaluateOptions, Evaluation } from './evaluation/evaluate.js';
import type { Operations, OperationsOptions } from './evaluation/operations.js';
import type { Model, ModelOptions, NewModelOptions } from './model/model.js';
import type { DeviceInfo } from './native/info.js';
import type { CompareOptions } from './protocol/compare-options.js';
import type { Comparison } from './protocol/comparison.js';
import type { ProtocolOptions, ProtocolResult } from './protocol/evaluate-protocol.js';
import type { ModelSettings } from './settings/settings.js';
import type { TrainOptions, TrainResult } from './training/train.js';

export type { Audio, AudioInMemory, AudioInput, LoadedAudio } from './audio/source.js';
export type { Clip, PartName } from './datasets/clip.js';
export type { Dataset, SkippedFile } from './datasets/dataset.js';
export type { OpenOptions } from './datasets/index.js';
export type { LayoutName } from './datasets/layouts/index.js';
export type { Split, SplitOptions } from './datasets/split.js';
export type { ClipResult, Scored } from './evaluation/clip-results.js';
export type { EvaluateOptions, Evaluation, EvaluationProgress } from './evaluation/evaluate.js';
export type { Calibration, ClassMetrics, ReliabilityBin, Spread } from './evaluation/metrics.js';
export type { Operations, OperationsOptions } from './evaluation/operations.js';
export type { PairedDifference } from './evaluation/paired.js';
export type { Rejection, UnknownResult } from './evaluation/rejection.js';
export type { RobustnessResult } from './evaluation/robustness.js';
export type { Model, ModelOptions, NewModelOptions, Observation, PredictOptions } from './model/model.js';
export type { HeardPart, Prediction, RankedLabel } from './model/prediction.js';
export type { StreamOptions, Word, WordStream } from './model/word-stream.js';
export type { CudaDevice, CudaReport } from './native/cuda/devices.js';
export type { Device, DeviceChoice } from './native/device.js';
export type { DeviceInfo } from './native/info.js';
export type {
  ComparedRunReport,
  CompareOptions,
  CompareProgress,
  ComparisonPlan,
} from './protocol/compare-options.js';
export type { ComparedRun, ComparedVariant, Comparison, VariantSummary } from './protocol/comparison.js';
export type {
  ProtocolOptions,
  ProtocolProgress,
  ProtocolResult,
  RunReport,
} from './protocol/evaluate-protocol.js';
export type { ProtocolName } from './protocol/names.js';
export type { Plan, PlannedRun } from './protocol/plan.js';
export type { ProtocolRun } from './protocol/run.js';
export type { FoldResult, ProtocolSummary, SpeakerResult } from './protocol/summary.js';
export type { Variant, VariantOptions } from './protocol/variants.js';
export type { Augmentation } from './settings/augmentation.js';
export { DEFAULT_AUGMENTATION } from './settings/augmentation.js';
export type { SettingsOptions } from './settings/change.js';
export { changeSettings } from './settings/change.js';
export {
  CONNECTIONS,
  ENCODINGS,
  type EncodingName,
  type EncodingTraits,
  FRONTENDS,
  NEURONS,
  type NeuronName,
  OPTIMIZERS,
  READOUTS,
  RESETS,
  SCALED_OVER,
  SCALINGS,
  SCHEDULES,
  SPIKES,
  SURROGATES,
  type ThresholdEncoding,
} from './settings/choices.js';
export type { ConfidenceSettings } from './settings/confidence.js';
export type { PresetName } from './settings/presets.js';
export { presetNames, presetSettings } from './settings/presets.js';
export { type JsonSchema, settingsSchema } from './settings/schema.js';
export type {
  AdaptationSettings,
  AdaptiveLayer,
  AnyLayer,
  ConnectionSettings,
  ConvolutionConnection,
  DenseConnection,
  EncodingSettings,
  FrontendSettings,
  HardSpike,
  IntegratorReadout,
  LayerSettings,
  LifLayer,
  LogMelFrontend,
  MelFrontend,
  MfccFrontend,
  ModelSettings,
  NetworkSettings,
  NoScaling,
  PlainEncoding,
  ReadoutSettings,
  ReluLayer,
  ScalingSettings,
  SoftSpike,
  SpikeCountReadout,
  SpikeSettings,
  SpikingLayer,
  StatisticalScaling,
  Surrogate,
  ThresholdedEncoding,
} from './settings/settings.js';
export type { ErrorCode } from './support/errors.js';
export { SonospikeError } from './support/errors.js';
export type { Tensor, Tensors } from './support/tensor.js';
export type { CrossValidation } from './training/cross-validate.js';
export type {
  CalibrationProgress,
  DataReport,
  EpochMetrics,
  EpochReport,
  LoadProgress,
  Score,
  TrainingProgress,
} from './training/epoch.js';
export type { RunOptions, SplitChoice, TrainingRecipe } from './training/recipe.js';
export { presetRecipe } from './training/recipe.js';
export type { TrainOptions, TrainResult } from './training/train.js';

/**
 * Loads a model: a `.safetensors` file of sonospike, a checkpoint, or the original program's `.pt`.
 * @param model a path, a `file:` URL or the bytes of the file, for programs that are bundled into one file (default: the
 * model that comes with the package, for the ten English digits)
 * @throws SonospikeError ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_MODEL_INVALID, ERR_MODEL_VERSION,
 * ERR_PICKLE_FORBIDDEN (a `.pt` that asks for code to be run), ERR_INVALID_OPTION, ERR_NATIVE_MISSING, ERR_DEVICE_*
 */
export async function loadModel(model?: string | URL | Uint8Array, options?: ModelOptions): Promise<Model> {
  return (await import('./model/model.js')).loadModel(model, options);
}

/**
 * Makes a network with fresh weights, to look at one before it is trained.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_NATIVE_MISSING, ERR_DEVICE_*
 */
export async function createModel(settings: ModelSettings, options?: NewModelOptions): Promise<Model> {
  return (await import('./model/model.js')).createModel(settings, options);
}

/**
 * Reads audio as `Model.predict` does: mono samples, and their rate in Hz.
 * @throws SonospikeError ERR_INVALID_OPTION (wrong type, or a sample rate out of range), ERR_FILE_NOT_FOUND,
 * ERR_FILE_UNREADABLE, ERR_AUDIO_INVALID, ERR_AUDIO_UNSUPPORTED, ERR_AUDIO_EMPTY, ERR_AUDIO_NOT_FINITE,
 * ERR_AUDIO_SILENT (all samples are equal), ERR_AUDIO_TOO_LONG (over 30 minutes)
 */
export async function readAudio(input: AudioInput): Promise<LoadedAudio> {
  return (await import('./audio/source.js')).readAudio(input);
}

/**
 * Lists the clips of a data set without reading them. Layouts:
 *
 * - `folders`: a folder for each word, named after it; in it any files or folders
 * - `fsdd`: one folder of `label_speaker_index.wav`; or the folder above, with `recordings`
 * - `audiomnist`: a folder for each speaker, in it `label_speaker_index.wav`; or the folder above, with `data`
 * - `speakers`: a folder for each speaker, in it a folder for each word, or `word_index.wav`
 * - `flat`: one folder of `word_index.wav`
 * - `speaker-first`: one folder of `speaker_label_index.wav`; never recognised, only asked for
 * - `speech-commands`, `arabic-speech-commands`, `mswc`: as these data sets unpack, with their lists, which are the
 *   official split (and tell MSWC's speakers). Background noise of Speech Commands is cut into seconds, as `_unknown_`
 * - `metadata`: any folders with a metadata.csv or .jsonl (file_name, label, and speaker and split if known)
 * - `list`: a .csv, .tsv, .json or .jsonl file of one's own instead of the folder (path, label, speaker, split)
 *
 * Folders called train and test (and validation) that hold one of these each are the parts of the `official` split.
 * Labels and speakers are Unicode NFC. Clips with the label `_unknown_` are none of the words: the label is not among
 * the data set's, and a data set may have such clips alone (more to train on, or to reject).
 *
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_DATASET_EMPTY,
 * ERR_DATASET_LAYOUT (sound files, but none named as above, or it is ambiguous what is the word),
 * ERR_DATASET_ONE_CLASS, ERR_ABORTED; with `strict` ERR_DATASET_BAD_CLIP and ERR_DATASET_DUPLICATE
 */
export async function openDataset(directory: string, options?: OpenOptions): Promise<Dataset> {
  return (await import('./datasets/index.js')).openDataset(directory, options);
}

/**
 * Trains a network on the words of a dataset, off Node's threads. `signal` stops the training after the current batch,
 * with the checkpoint written.
 *
 * A resumed run may have more or fewer `epochs`. With the schedules cosine and one-cycle that changes the learning
 * rates of the epochs that are left, so the bits are those of an uninterrupted run only if `epochs` stays the same.
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_UNKNOWN_PRESET, ERR_DATASET_*, ERR_SPLIT_INVALID,
 * ERR_CHECKPOINT_INVALID, ERR_FILE_*, ERR_TRAINING_DIVERGED, ERR_ABORTED, ERR_OUT_OF_MEMORY, ERR_DEVICE_*
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  return (await import('./training/train.js')).train(options);
}

/**
 * Measures a model on the clips of a dataset.
 * @throws SonospikeError as `openDataset`, `splitDataset` and `loadModel`; ERR_UNKNOWN_LABEL if the dataset has words
 * that the model does not know; ERR_DATASET_EMPTY if no clip could be read; ERR_ABORTED, ERR_DEVICE_*
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  return (await import('./evaluation/evaluate.js')).evaluate(options);
}

/**
 * Trains and tests on every fold of a protocol with several seeds, side by side where there are cores for it. The test
 * parts choose nothing: the epoch of each model is the last, or is chosen on the validation part of its split. The
 * figures of a run are those of `train` with the same options, fold and seed, however many run at once.
 * @throws SonospikeError as `train`; ERR_SPLIT_INVALID if the dataset does not suit the protocol; ERR_ABORTED, with
 * the runs that had ended in the file `out`
 */
export async function evaluateProtocol(options: ProtocolOptions): Promise<ProtocolResult> {
  return (await import('./protocol/evaluate-protocol.js')).evaluateProtocol(options);
}

/**
 * Trains and tests several variants of a model or of its training with the same seeds and folds, and tells how their test
 * accuracies differ from that of the first, with 95% intervals of the paired differences. No variant sees the test part
 * before it is tested. A comparison that is stopped goes on with the option `resume`.
 * @throws SonospikeError as `train`, with the name of the variant; ERR_SPLIT_INVALID if the dataset does not suit the
 * protocol; ERR_CHECKPOINT_INVALID if the file `out` cannot be gone on with; ERR_ABORTED, with the runs that had ended in
 * the file `out`
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  return (await import('./protocol/compare.js')).compare(options);
}

/**
 * Puts together the files of a protocol's shards (`evaluateProtocol` with `shard` and `out`): the result is that of one
 * machine which trained all runs, but for the times.
 * @throws SonospikeError ERR_CHECKPOINT_INVALID if they are not of the same protocol, or differ in a run that two of
 * them have; ERR_FILE_NOT_FOUND, ERR_FILE_UNREADABLE, ERR_INVALID_OPTION
 */
export async function mergeProtocols(files: readonly string[]): Promise<ProtocolResult> {
  return (await import('./protocol/kept-protocol.js')).mergeProtocols(files);
}

/**
 * Counts the operations of a model on some clips, from what its layers do on them.
 * @returns null where a clip is too long for `Model.observe`
 * @throws SonospikeError as `Model.observe`; ERR_ABORTED
 */
export async function countOperations(model: Model, options: OperationsOptions): Promise<Operations | null> {
  return (await import('./evaluation/operations.js')).countOperations(model, options);
}

/**
 * Tells what this installation is and what this machine can do. Where the addon with CUDA is built, the first call in a
 * process tries the GPU in a child process: about a second, and at most 120 s with a driver that hangs.
 * @throws SonospikeError ERR_NATIVE_MISSING
 */
export async function deviceInfo(): Promise<DeviceInfo> {
  return (await import('./native/info.js')).deviceInfo();
}
