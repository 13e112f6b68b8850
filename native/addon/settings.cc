#include "addon/settings.h"

#include <algorithm>
#include <new>

#include "addon/choices.h"
#include "addon/fields.h"
#include "core/network/parameters.h"

namespace sonospike {
namespace {

// As in lib/settings/table.ts, where the user is told, or wider (features and labels, for layers that are
// measured by themselves); here they keep the core's arithmetic and memory within bounds.
constexpr int64_t kMostLabels = kMostNeurons;
constexpr int64_t kMostFrames = 200'000, kMostStepsPerFrame = 1000, kMostSteps = 2'000'000;
constexpr int64_t kMostMelBands = kMostNeurons, kMostFftLength = 16'384, kMostHopLength = 65'536;
constexpr int64_t kLeastRate = 1000, kMostRate = 192'000;
constexpr int64_t kMostFeatures = int64_t{1} << 25;  // of a clip
constexpr int64_t kMostParameters = int64_t{1} << 28;

/// Memory follows from the settings alone, so that a small file cannot ask for more than a machine has.
void check_size(const Napi::Env& env, const ModelOptions& options) {
  if (int64_t{options.frames.most} * options.encoding.steps_per_frame > kMostSteps)
    fail(env, "too many time steps");
  if (int64_t{options.frames.most} * options.front_end.feature_count() > kMostFeatures)
    fail(env, "too many features");
  if (ParameterTable(options.network).size() > static_cast<size_t>(kMostParameters)) {
    fail(env, "the network has too many parameters");
  }
}

}  // namespace

double get_number(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsNumber()) fail(object.Env(), std::string(key) + " must be a number");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t get_int(const Napi::Object& object, const char* key, int64_t min, int64_t max) {
  return to_int(object.Get(key), key, min, max);
}

int64_t to_int(const Napi::Value& value, const char* what, int64_t min, int64_t max) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number >= static_cast<double>(min) && number <= static_cast<double>(max))
      return static_cast<int64_t>(number);
  }
  throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a whole number from " +
                                              std::to_string(min) + " to " + std::to_string(max));
}

uint64_t to_seed(const Napi::Value& value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "seed must be a number");
  const double seed = value.As<Napi::Number>().DoubleValue();
  if (!(seed >= 0 && seed <= 9007199254740991.0))
    throw Napi::TypeError::New(value.Env(), "seed is out of range");
  return static_cast<uint64_t>(seed);
}

Napi::Float32Array to_floats(const Napi::Value& value, const char* what) {
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) {
    return value.As<Napi::Float32Array>();
  }
  throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a Float32Array");
}

Napi::Float32Array new_floats(Napi::Env env, size_t count) {
  constexpr size_t kSmall = size_t{1} << 22;
  if (count <= kSmall) return Napi::Float32Array::New(env, count);
  // Where memory runs out, napi_create_arraybuffer ends the process, but JavaScript's constructor throws.
  try {
    const auto constructor = env.Global().Get("Float32Array").As<Napi::Function>();
    const auto array =
        to_floats(constructor.New({Napi::Number::New(env, static_cast<double>(count))}), "memory");
    if (array.ElementLength() == count) return array;
  } catch (const Napi::Error&) {
  }
  throw std::bad_alloc();
}

Napi::Float32Array new_floats(Napi::Env env, const float* values, size_t count) {
  Napi::Float32Array array = new_floats(env, count);
  std::copy_n(values, count, array.Data());
  return array;
}

FrontEndOptions read_front_end(const Napi::Object& front_end, int sample_rate) {
  FrontEndOptions options;
  options.sample_rate = sample_rate;
  options.kind = get_choice(front_end, "type", kFrontEnds);
  options.fft_length = static_cast<int>(get_int(front_end, "fftLength", 2, kMostFftLength));
  options.window_length = static_cast<int>(get_int(front_end, "windowLength", 2, options.fft_length));
  options.hop_length = static_cast<int>(get_int(front_end, "hopLength", 1, kMostHopLength));
  options.mel_bands = static_cast<int>(get_int(front_end, "melBands", 1, kMostMelBands));
  options.min_frequency = get_number(front_end, "minFrequency");
  options.max_frequency = get_number(front_end, "maxFrequency");
  if (!(options.min_frequency >= 0 && options.min_frequency < options.max_frequency &&
        options.max_frequency <= sample_rate / 2.0)) {
    fail(front_end.Env(), "the frequencies must rise from 0 to half of the sample rate");
  }
  if (options.kind == FeatureKind::kMfcc)
    options.coefficients = static_cast<int>(get_int(front_end, "coefficients", 1, options.mel_bands));
  options.top_db = front_end.Get("topDb").IsNull() ? -1.0 : get_number(front_end, "topDb");
  options.remove_mean = front_end.Get("removeMean").ToBoolean();
  return options;
}

EncodingOptions read_encoding(const Napi::Object& encoding) {
  EncodingOptions options;
  options.kind = get_choice(encoding, "type", kEncodings);
  options.steps_per_frame = static_cast<int>(get_int(encoding, "stepsPerFrame", 1, kMostStepsPerFrame));
  options.threshold = get_float_or(encoding, "threshold", 0.0f);
  return options;
}

ModelOptions read_model_options(const Napi::Object& settings) {
  ModelOptions options;
  options.front_end =
      read_front_end(get_object(settings, "frontend"),
                     static_cast<int>(get_int(settings, "sampleRate", kLeastRate, kMostRate)));
  const Napi::Object scaling = get_object(settings, "scaling");
  options.scaling.kind = get_choice(scaling, "type", kScalings);
  if (options.scaling.kind != ScalingKind::kNone) {
    options.scaling.over_training_set = get_choice(scaling, "over", kScaledOver);
    options.scaling.pooled = get_bool(scaling, "pooled");
  }
  if (options.scaling.kind == ScalingKind::kPeak &&
      (options.scaling.over_training_set || !options.scaling.pooled || !(options.front_end.top_db > 0) ||
       options.front_end.kind != FeatureKind::kLogMel)) {
    fail(settings.Env(), "peak scaling needs a log-mel front end with topDb, over the clip, pooled");
  }
  options.frames.most = static_cast<int>(get_int(settings, "frames", 1, kMostFrames));
  const Napi::Value tail = settings.Get("tail");
  if (!tail.IsUndefined() && !tail.IsNull())
    options.frames.tail = static_cast<int>(get_int(settings, "tail", 0, kMostFrames));
  options.encoding = read_encoding(get_object(settings, "encoding"));
  options.network = read_network(get_object(settings, "network"), options.front_end.feature_count(),
                                 Encoder(options.encoding).channels_of_feature(),
                                 static_cast<int>(get_array(settings, "labels", 1, kMostLabels).Length()));
  check_size(settings.Env(), options);
  return options;
}

OptimizerOptions read_optimizer(const Napi::Object& object) {
  OptimizerOptions options;
  options.decoupled_decay = get_choice(object, "type", kOptimizers);
  options.beta1 = get_float(object, "beta1");
  options.beta2 = get_float(object, "beta2");
  options.epsilon = get_float(object, "epsilon");
  options.weight_decay = get_float(object, "weightDecay");
  options.clip_norm = get_float(object, "clipNorm");
  return options;
}

namespace {

/// A pair [min, max]; what changes nothing where it is null.
Range get_range(const Napi::Object& object, const char* key, double nothing, double min, double max) {
  const Napi::Value value = object.Get(key);
  if (value.IsNull()) return {nothing, nothing};
  const Napi::Array pair = get_array(object, key, 2, 2);
  const Napi::Value first = pair.Get(0u), second = pair.Get(1u);
  if (!first.IsNumber() || !second.IsNumber()) fail(object.Env(), std::string(key) + " must be two numbers");
  const Range range{first.As<Napi::Number>().DoubleValue(), second.As<Napi::Number>().DoubleValue()};
  if (!(range.min >= min && range.min <= range.max && range.max <= max))
    fail(object.Env(), std::string(key) + " is out of range");
  return range;
}

double get_within(const Napi::Object& object, const char* key, double min, double max) {
  const double value = get_number(object, key);
  if (!(value >= min && value <= max)) fail(object.Env(), std::string(key) + " is out of range");
  return value;
}

}  // namespace

AugmentationOptions read_augmentation(const Napi::Object& object) {
  AugmentationOptions options;
  options.speed = get_range(object, "speed", 1, 0.5, 2);
  options.tempo = get_range(object, "tempo", 1, 0.5, 2);
  options.frequency_warp = get_range(object, "frequencyWarp", 1, 0.5, 2);
  options.gain = get_range(object, "gain", 0, -100, 100);
  options.filter = get_range(object, "filter", 0, -100, 100);
  options.shift = get_range(object, "shift", 0, -10, 10);
  options.silence_after = get_range(object, "silenceAfter", 0, 0, 10);
  if (!object.Get("noise").IsNull()) {
    const Napi::Object noise = get_object(object, "noise");
    options.noise_probability = get_within(noise, "probability", 0, 1);
    options.snr = get_range(noise, "snr", 0, -100, 200);
  }
  if (!object.Get("timeMask").IsNull()) {
    const Napi::Object mask = get_object(object, "timeMask");
    options.time_masks = static_cast<int>(get_int(mask, "count", 0, 1000));
    options.time_mask_seconds = get_within(mask, "seconds", 0, 100);
  }
  if (!object.Get("frequencyMask").IsNull()) {
    const Napi::Object mask = get_object(object, "frequencyMask");
    options.frequency_masks = static_cast<int>(get_int(mask, "count", 0, 1000));
    options.frequency_mask_bands = static_cast<int>(get_int(mask, "bands", 0, kMostMelBands));
  }
  return options;
}

void require_bands(const Napi::Env& env, const AugmentationOptions& augmentation,
                   const FrontEndOptions& front_end) {
  if (augmentation.changes_bands() && front_end.kind != FeatureKind::kLogMel)
    fail(env, "bands can be changed with a log-mel front end only");
}

TrainingOptions read_training_options(const Napi::Object& object) {
  TrainingOptions options;
  options.epochs = static_cast<int>(get_int(object, "epochs", 1, 1 << 30));
  options.batch_size = static_cast<int>(get_int(object, "batchSize", 1, 1 << 30));
  options.seed = to_seed(object.Get("seed"));
  options.optimizer = read_optimizer(get_object(object, "optimizer"));
  const Napi::Object schedule = get_object(object, "schedule");
  options.schedule.kind = get_choice(schedule, "type", kSchedules);
  options.schedule.rate = get_float(schedule, "rate");
  if (options.schedule.kind == ScheduleKind::kOneCycle)
    options.schedule.warmup_share = get_float(schedule, "warmupShare");
  options.loss.label_smoothing = get_float(object, "labelSmoothing");
  options.loss.spike_cost = get_float_or(object, "spikeCost", 0.0f);
  if (!object.Get("negatives").IsUndefined())
    options.negatives = static_cast<int>(get_int(object, "negatives", 0, 1 << 28));
  const Napi::Value augmentation = object.Get("augmentation");
  if (!augmentation.IsNull() && !augmentation.IsUndefined())
    options.augmentation = read_augmentation(get_object(object, "augmentation"));
  return options;
}

namespace {

template <typename T>
void add_names(const Napi::Object& names, const char* kind, const Choices<T>& choices) {
  const Napi::Array array = Napi::Array::New(names.Env());
  uint32_t at = 0;
  for (const auto& [name, _] : choices) array.Set(at++, name);
  names.Set(kind, array);
}

}  // namespace

Napi::Object choice_names(const Napi::Env& env) {
  const Napi::Object names = Napi::Object::New(env);
  add_names(names, "frontends", kFrontEnds);
  add_names(names, "scalings", kScalings);
  add_names(names, "scaledOver", kScaledOver);
  add_names(names, "encodings", kEncodings);
  add_names(names, "connections", kConnections);
  add_names(names, "neurons", kNeurons);
  add_names(names, "spikes", kSpikes);
  add_names(names, "surrogates", kSurrogates);
  add_names(names, "resets", kResets);
  add_names(names, "readouts", kReadouts);
  add_names(names, "optimizers", kOptimizers);
  add_names(names, "schedules", kSchedules);
  return names;
}

}  // namespace sonospike
