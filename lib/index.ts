export type { Audio, AudioInMemory, AudioInput } from './audio/source.js';
export { readAudio } from './audio/source.js';
export type { Augmentation } from './augmentation.js';
export { DEFAULT_AUGMENTATION } from './augmentation.js';
export type { ClipResult, Scored } from './clip-results.js';
export type { ConfidenceSettings } from './confidence/confidence.js';
export type { Clip, Dataset, OpenOptions } from './datasets/index.js';
export { openDataset } from './datasets/index.js';
export type { Split, SplitOptions } from './datasets/split.js';
export { describeSplit, foldsOf, splitDataset } from './datasets/split.js';
export type { ErrorCode } from './errors.js';
export { SonospikeError } from './errors.js';
export type { EvaluateOptions, Evaluation } from './evaluation.js';
export { evaluate } from './evaluation.js';
export { type Info, info } from './info.js';
export type { Calibration, ClassMetrics, ReliabilityBin, Spread } from './metrics.js';
export type { ModelOptions, Observation, Prediction, PredictOptions } from './model.js';
export { createModel, loadModel, Model } from './model.js';
export type { Operations } from './operations.js';
export { countOperations } from './operations.js';
export type {
  FigureOptions,
  ObservationPlotOptions,
  PlotPageEntry,
  PlottedEpoch,
  PlottedEvaluation,
  PlottedProtocol,
} from './plot/index.js';
export { plotEvaluation, plotObservation, plotPage, plotProtocol, plotTraining } from './plots.js';
export type { PresetName } from './presets.js';
export { presetNames, presetSettings } from './presets.js';
export type { ProtocolOptions, ProtocolProgress, ProtocolResult } from './protocol/evaluate-protocol.js';
export { evaluateProtocol } from './protocol/evaluate-protocol.js';
export type { Plan, PlannedRun, ProtocolName } from './protocol/plan.js';
export type { ProtocolRun } from './protocol/run.js';
export type { FoldResult, ProtocolSummary, SpeakerResult } from './protocol/summary.js';
export type { Rejection, UnknownResult } from './rejection.js';
export type { RobustnessResult } from './robustness.js';
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
export { recipeOf } from './training-options.js';
export type { StreamOptions, Word } from './word-stream.js';
export { WordStream } from './word-stream.js';
