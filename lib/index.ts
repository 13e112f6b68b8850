export type { Audio, AudioInMemory, AudioInput } from './audio/source.js';
export { readAudio } from './audio/source.js';
export type { Clip, Dataset, OpenOptions } from './datasets/index.js';
export { openDataset } from './datasets/index.js';
export type { Split, SplitOptions } from './datasets/split.js';
export { describeSplit, foldsOf, splitDataset } from './datasets/split.js';
export type { ClipResult, Scored } from './evaluation/clip-results.js';
export type { EvaluateOptions, Evaluation } from './evaluation/evaluate.js';
export { evaluate } from './evaluation/evaluate.js';
export type { Calibration, ClassMetrics, ReliabilityBin, Spread } from './evaluation/metrics.js';
export type { Operations } from './evaluation/operations.js';
export { countOperations } from './evaluation/operations.js';
export type { Rejection, UnknownResult } from './evaluation/rejection.js';
export type { RobustnessResult } from './evaluation/robustness.js';
export type { ModelOptions, Observation, PredictOptions } from './model/model.js';
export { createModel, loadModel, Model } from './model/model.js';
export type { Prediction } from './model/prediction.js';
export type { StreamOptions, Word } from './model/word-stream.js';
export { WordStream } from './model/word-stream.js';
export type { CudaDevice, CudaReport } from './native/cuda/devices.js';
export type { Device, DeviceChoice } from './native/device.js';
export { type Info, info } from './native/info.js';
export { plotEvaluation, plotObservation, plotPage, plotProtocol, plotTraining } from './plot/checked.js';
export type {
  FigureOptions,
  ObservationPlotOptions,
  PlotPageEntry,
  PlottedEpoch,
  PlottedEvaluation,
  PlottedProtocol,
} from './plot/index.js';
export type { ProtocolOptions, ProtocolProgress, ProtocolResult } from './protocol/evaluate-protocol.js';
export { evaluateProtocol } from './protocol/evaluate-protocol.js';
export type { Plan, PlannedRun, ProtocolName } from './protocol/plan.js';
export type { ProtocolRun } from './protocol/run.js';
export type { FoldResult, ProtocolSummary, SpeakerResult } from './protocol/summary.js';
export type { Augmentation } from './settings/augmentation.js';
export { DEFAULT_AUGMENTATION } from './settings/augmentation.js';
export type { SettingsOptions } from './settings/change.js';
export { withOptions } from './settings/change.js';
export type { ConfidenceSettings } from './settings/confidence.js';
export type { PresetName } from './settings/presets.js';
export { presetNames, presetSettings } from './settings/presets.js';
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
} from './settings/settings.js';
export type { ErrorCode } from './support/errors.js';
export { SonospikeError } from './support/errors.js';
export type { Tensor, Tensors } from './support/tensor.js';
export type { EpochMetrics, Score, TrainingProgress } from './training/epoch.js';
export type { RunOptions, SplitChoice, TrainingRecipe } from './training/recipe.js';
export { recipeOf } from './training/recipe.js';
export type { TrainOptions, TrainResult } from './training/train.js';
export { train } from './training/train.js';
