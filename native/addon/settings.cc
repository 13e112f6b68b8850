#include "addon/settings.h"

#include <algorithm>
#include <map>

namespace sonospike {
namespace {

[[noreturn]] void fail(const Napi::Env& env, const std::string& what) {
  throw Napi::TypeError::New(env, "native settings: " + what);
}

Napi::Object get_object(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsObject()) fail(object.Env(), std::string(key) + " must be an object");
  return value.As<Napi::Object>();
}

bool get_bool(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsBoolean()) fail(object.Env(), std::string(key) + " must be true or false");
  return value.As<Napi::Boolean>();
}

template <typename T>
T get_choice(const Napi::Object& object, const char* key, const std::map<std::string, T>& choices) {
  const Napi::Value value = object.Get(key);
  if (value.IsString()) {
    const auto found = choices.find(value.As<Napi::String>().Utf8Value());
    if (found != choices.end()) return found->second;
  }
  fail(object.Env(), std::string(key) + " is not one of those known");
}

float get_float(const Napi::Object& object, const char* key) {
  return static_cast<float>(get_number(object, key));
}

NeuronModel read_neuron(const Napi::Object& layer) {
  const Napi::Object spike = get_object(layer, "spike");
  NeuronModel model;
  const bool hard = get_choice<bool>(spike, "type", {{"hard", true}, {"soft", false}});
  model.spike = hard ? get_choice<SpikeKind>(spike, "surrogate",
                                             {{"fast-sigmoid", SpikeKind::kFastSigmoid},
                                              {"atan", SpikeKind::kAtan},
                                              {"triangle", SpikeKind::kTriangle},
                                              {"boxcar", SpikeKind::kBoxcar},
                                              {"sigmoid", SpikeKind::kSigmoid}})
                     : SpikeKind::kSoft;
  model.slope = get_float(spike, "slope");
  model.reset =
      get_choice<ResetKind>(layer, "reset", {{"zero", ResetKind::kZero}, {"subtract", ResetKind::kSubtract}});
  model.detach_reset = get_bool(layer, "detachReset");
  return model;
}

LayerOptions read_layer(const Napi::Object& layer) {
  LayerOptions options;
  options.neurons = get_int(layer, "neurons");
  options.recurrent = get_bool(layer, "recurrent");
  options.neuron = read_neuron(layer);
  options.decay = get_float(layer, "decay");
  options.decay_spread = get_float(layer, "decaySpread");
  options.threshold = get_float(layer, "threshold");
  options.threshold_spread = get_float(layer, "thresholdSpread");
  options.learn_decay = get_bool(layer, "learnDecay");
  options.learn_threshold = get_bool(layer, "learnThreshold");
  options.constrain = get_bool(layer, "constrain");
  return options;
}

NetworkOptions read_network(const Napi::Object& network, int inputs, int classes) {
  NetworkOptions options;
  options.inputs = inputs;
  options.classes = classes;
  const Napi::Value layers = network.Get("layers");
  if (!layers.IsArray() || layers.As<Napi::Array>().Length() == 0) fail(network.Env(), "layers must be an array");
  for (uint32_t i = 0; i < layers.As<Napi::Array>().Length(); ++i) {
    const Napi::Value layer = layers.As<Napi::Array>().Get(i);
    if (!layer.IsObject()) fail(network.Env(), "a layer must be an object");
    options.layers.push_back(read_layer(layer.As<Napi::Object>()));
  }
  const Napi::Object readout = get_object(network, "readout");
  options.readout.kind = get_choice<ReadoutKind>(
      readout, "type",
      {{"spike-count", ReadoutKind::kSpikeCount}, {"leaky-integrator", ReadoutKind::kLeakyIntegrator}});
  options.readout.decay = get_float(readout, "decay");
  options.readout.learn_decay = get_bool(readout, "learnDecay");
  if (options.readout.kind == ReadoutKind::kSpikeCount && options.layers.back().neurons != classes) {
    fail(network.Env(), "the last layer needs a neuron for each label");
  }
  return options;
}

}  // namespace

double get_number(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsNumber()) fail(object.Env(), std::string(key) + " must be a number");
  return value.As<Napi::Number>().DoubleValue();
}

int get_int(const Napi::Object& object, const char* key) {
  const double value = get_number(object, key);
  if (!(value >= 0 && value <= 1 << 30)) fail(object.Env(), std::string(key) + " must be a whole number");
  return static_cast<int>(value);
}

uint64_t to_seed(const Napi::Value& value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "seed must be a number");
  const double seed = value.As<Napi::Number>().DoubleValue();
  if (!(seed >= 0 && seed <= 9007199254740991.0)) throw Napi::TypeError::New(value.Env(), "seed is out of range");
  return static_cast<uint64_t>(seed);
}

Napi::Float32Array to_floats(const Napi::Value& value, const char* what) {
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) {
    return value.As<Napi::Float32Array>();
  }
  throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a Float32Array");
}

Napi::Float32Array new_floats(Napi::Env env, const float* values, size_t count) {
  Napi::Float32Array array = Napi::Float32Array::New(env, count);
  std::copy_n(values, count, array.Data());
  return array;
}

FrontEndOptions read_front_end(const Napi::Object& front_end, int sample_rate) {
  FrontEndOptions options;
  options.sample_rate = sample_rate;
  options.kind =
      get_choice<FeatureKind>(front_end, "type", {{"mfcc", FeatureKind::kMfcc}, {"log-mel", FeatureKind::kLogMel}});
  options.window_length = get_int(front_end, "windowLength");
  options.hop_length = get_int(front_end, "hopLength");
  options.fft_length = get_int(front_end, "fftLength");
  options.mel_bands = get_int(front_end, "melBands");
  options.min_frequency = get_number(front_end, "minFrequency");
  options.max_frequency = get_number(front_end, "maxFrequency");
  options.coefficients = get_int(front_end, "coefficients");
  options.top_db = front_end.Get("topDb").IsNull() ? -1.0 : get_number(front_end, "topDb");
  return options;
}

EncodingOptions read_encoding(const Napi::Object& encoding) {
  EncodingOptions options;
  options.kind = get_choice<EncodingKind>(encoding, "type",
                                          {{"rate", EncodingKind::kRate},
                                           {"latency", EncodingKind::kLatency},
                                           {"delta", EncodingKind::kDelta},
                                           {"direct", EncodingKind::kDirect}});
  options.steps_per_frame = get_int(encoding, "stepsPerFrame");
  options.threshold = get_float(encoding, "threshold");
  return options;
}

ModelOptions read_model_options(const Napi::Object& settings) {
  ModelOptions options;
  options.front_end = read_front_end(get_object(settings, "frontend"), get_int(settings, "sampleRate"));
  const Napi::Object scaling = get_object(settings, "scaling");
  options.scaling.kind = get_choice<ScalingKind>(
      scaling, "type",
      {{"min-max", ScalingKind::kMinMax}, {"standard", ScalingKind::kStandard}, {"none", ScalingKind::kNone}});
  options.scaling.over_training_set =
      get_choice<bool>(scaling, "over", {{"clip", false}, {"training-set", true}});
  options.scaling.pooled = get_bool(scaling, "pooled");
  options.frames = get_int(settings, "frames");
  options.encoding = read_encoding(get_object(settings, "encoding"));
  const Napi::Value labels = settings.Get("labels");
  if (!labels.IsArray()) fail(settings.Env(), "labels must be an array");
  options.network = read_network(get_object(settings, "network"),
                                 Encoder(options.encoding).channels(options.front_end.feature_count()),
                                 static_cast<int>(labels.As<Napi::Array>().Length()));
  return options;
}

OptimizerOptions read_optimizer(const Napi::Object& object) {
  OptimizerOptions options;
  options.decoupled_decay = get_choice<bool>(object, "type", {{"adam", false}, {"adamw", true}});
  options.beta1 = get_float(object, "beta1");
  options.beta2 = get_float(object, "beta2");
  options.epsilon = get_float(object, "epsilon");
  options.weight_decay = get_float(object, "weightDecay");
  options.clip_norm = get_float(object, "clipNorm");
  return options;
}

TrainingOptions read_training_options(const Napi::Object& object) {
  TrainingOptions options;
  options.epochs = get_int(object, "epochs");
  options.batch_size = get_int(object, "batchSize");
  if (options.epochs < 1 || options.batch_size < 1) fail(object.Env(), "epochs and batchSize must be at least 1");
  options.seed = to_seed(object.Get("seed"));
  options.optimizer = read_optimizer(get_object(object, "optimizer"));
  const Napi::Object schedule = get_object(object, "schedule");
  options.schedule.kind = get_choice<ScheduleKind>(schedule, "type",
                                                   {{"constant", ScheduleKind::kConstant},
                                                    {"cosine", ScheduleKind::kCosine},
                                                    {"one-cycle", ScheduleKind::kOneCycle}});
  options.schedule.rate = get_float(schedule, "rate");
  options.schedule.warmup_share = get_float(schedule, "warmupShare");
  options.loss.label_smoothing = get_float(object, "labelSmoothing");
  return options;
}

}  // namespace sonospike
