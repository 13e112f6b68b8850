export type { Audio, AudioInMemory, AudioInput } from './audio/source.js';
export { readAudio } from './audio/source.js';
export type { Clip, Dataset, OpenOptions } from './datasets/index.js';
export { openDataset } from './datasets/index.js';
export type { Split, SplitOptions } from './datasets/split.js';
export { describeSplit, foldsOf, splitDataset } from './datasets/split.js';
export type { ErrorCode } from './errors.js';
export { SonospikeError } from './errors.js';
export type { ClipResult, EvaluateOptions, Evaluation } from './evaluation.js';
export { evaluate } from './evaluation.js';
export { type Info, info } from './info.js';
export type { ModelOptions, Observation, Prediction, PredictOptions } from './model.js';
export { createModel, loadModel, Model } from './model.js';
export type { PresetName } from './presets.js';
export { presetNames, presetSettings } from './presets.js';
export type {
  AdaptationSettings,
  ConnectionSettings,
  ConvolutionConnection,
  DenseConnection,
  EncodingSettings,
  FrontendSettings,
  LayerSettings,
  ModelSettings,
  NetworkSettings,
  ScalingSettings,
  SpikeSettings,
  Surrogate,
} from './settings.js';
export type { SettingsOptions } from './settings-options.js';
export { withOptions } from './settings-options.js';
export type { Tensor, Tensors } from './tensor.js';
export type { EpochMetrics, Score, TrainingProgress, TrainOptions, TrainResult } from './training.js';
export { train } from './training.js';
export type { RunOptions, SplitChoice, TrainingRecipe } from './training-options.js';
