#include "addon/model.h"

#include <algorithm>

#include "addon/devices.h"

namespace sonospike {
namespace {

// Marks the objects of this class, so that nothing else is taken for one.
constexpr napi_type_tag kModelTag = {0x5d1c6b0c6f0a4b7eull, 0x9a3f0b7d2c5e4811ull ^ kAddonMark};

struct OwnedClip {
  std::vector<float> samples;
  int rate;
};

Napi::Float32Array to_samples(const Napi::Value& value) {
  const Napi::Float32Array samples = to_floats(value, "samples");
  if (samples.ElementLength() == 0) throw Napi::TypeError::New(value.Env(), "samples are empty");
  return samples;
}

int to_rate(const Napi::Value& value) {
  return static_cast<int>(to_int(value, "the sample rate", 1, kMostClipRate));
}

OwnedClip to_clip(const Napi::Value& samples, const Napi::Value& rate) {
  const Napi::Float32Array array = to_samples(samples);
  return {{array.Data(), array.Data() + array.ElementLength()}, to_rate(rate)};
}

/// [steps, neurons] without the padding.
std::vector<float> compact(const float* rows, size_t stride, int steps, int neurons) {
  std::vector<float> values(static_cast<size_t>(steps) * neurons);
  for (int t = 0; t < steps; ++t)
    std::copy_n(rows + stride * t, neurons, values.data() + size_t(neurons) * t);
  return values;
}

Napi::Float32Array to_array(Napi::Env env, const std::vector<float>& values) {
  return new_floats(env, values.data(), values.size());
}

/// A prediction on its way through another thread.
struct PredictionRequest {
  OwnedClip clip;
  uint64_t seed;
  std::vector<float> scores;
  std::vector<double> rates;
  HeardFrames heard;

  void ask(ModelCore& core) {
    const Answer answer = core.recognizer->predict(clip.samples.data(), clip.samples.size(), clip.rate, seed);
    scores.assign(answer.scores, answer.scores + core.options.network.classes);
    rates = firing_rates(core.options.network, answer.spikes, answer.steps);
    heard = answer.heard;
    core.measure();
  }
};

/// An observation on its way through another thread: a prediction and what every layer did.
struct ObservationRequest {
  struct Layer {
    int neurons;
    std::vector<float> spikes, potential;
  };
  PredictionRequest request;
  int steps = 0;
  std::vector<float> features, input;
  std::vector<Layer> layers;
  std::vector<float> potential;  // of the readout; empty where it counts spikes

  void look(ModelCore& core) {
    const OwnedClip& clip = request.clip;
    const Observation seen =
        core.recognizer->observe(clip.samples.data(), clip.samples.size(), clip.rate, request.seed);
    steps = seen.steps;
    request.heard = seen.heard;
    request.scores.assign(seen.scores, seen.scores + core.options.network.classes);
    const size_t values = static_cast<size_t>(seen.frames) * core.extractor->feature_count();
    features.assign(seen.features, seen.features + values);
    input.assign(seen.input, seen.input + static_cast<size_t>(steps) * core.recognizer->channels());
    std::vector<double> spikes;
    for (const ActivityView& view : seen.network.layers) {
      spikes.push_back(view.spikes);
      layers.push_back({view.neurons, compact(view.s, view.stride, steps, view.neurons),
                        compact(view.u, view.stride, steps, view.neurons)});
    }
    if (seen.network.potential) {
      potential =
          compact(seen.network.potential, seen.network.potential_stride, steps, core.options.network.classes);
    }
    request.rates = firing_rates(core.options.network, spikes.data(), steps);
    core.measure();
  }
};

/// { offset, scale } of the training set, or null.
Napi::Value to_scaling(Napi::Env env, const FeatureScaling& scaling, bool pooled) {
  if (scaling.offset.empty()) return env.Null();
  const size_t count = pooled ? 1 : scaling.offset.size();
  const Napi::Object object = Napi::Object::New(env);
  object.Set("offset", new_floats(env, scaling.offset.data(), count));
  object.Set("scale", new_floats(env, scaling.scale.data(), count));
  return object;
}

}  // namespace

void ModelCore::measure() {
  const size_t bytes = backend->bytes() + recognizer->bytes();
  memory.set(static_cast<int64_t>(bytes) + threads * HeldMemory::kThreadBytes);
}

ModelTurn::ModelTurn(Napi::Env env, ModelCore& core) : core_(core), lock_(core.in_use, std::try_to_lock) {
  if (!lock_.owns_lock()) {
    throw coded_error(env, "ERR_BUSY",
                      "The model is in use by a training or a prediction that has not ended yet.");
  }
}

std::vector<double> firing_rates(const NetworkOptions& network, const double* spikes, double steps) {
  std::vector<double> rates;
  for (const auto& layer : network.layers) rates.push_back(*spikes++ / (steps * layer.neurons));
  return rates;
}

Napi::Object to_prediction(Napi::Env env, const ModelCore& model, const float* scores,
                           const std::vector<double>& firing_rates, const HeardFrames& heard) {
  const NetworkOptions& network = model.options.network;
  const Napi::Object object = Napi::Object::New(env);
  Napi::Float32Array probabilities = Napi::Float32Array::New(env, network.classes);
  class_probabilities(network.readout.kind, scores, network.classes, probabilities.Data());
  const Napi::Array rates = Napi::Array::New(env, firing_rates.size());
  for (uint32_t k = 0; k < firing_rates.size(); ++k) rates.Set(k, firing_rates[k]);
  object.Set("scores", new_floats(env, scores, network.classes));
  object.Set("probabilities", probabilities);
  const int best = best_class(scores, network.classes);
  const double sure = confidence(model.confidence, probabilities.Data(), network.classes, best);
  object.Set("best", best);
  object.Set("confidence", sure);
  object.Set("rejected", model.confidence.rejects(sure));
  object.Set("firingRates", rates);
  object.Set("firstFrame", static_cast<double>(heard.first));
  object.Set("heardFrames", static_cast<double>(heard.count));
  object.Set("ownFrames", static_cast<double>(heard.own));
  object.Set("moreToHear", heard.more);
  return object;
}

namespace {

ConfidenceOptions read_confidence(const Napi::Value& value) {
  ConfidenceOptions options;
  if (value.IsNull()) return options;
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "confidence must be an object or null");
  const auto object = value.As<Napi::Object>();
  options.calibrated = true;
  options.bias = get_number(object, "bias");
  options.log_odds = get_number(object, "logOdds");
  options.margin = get_number(object, "margin");
  options.entropy = get_number(object, "entropy");
  options.threshold = get_number(object, "threshold");
  return options;
}

Napi::Value initialise(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  const ModelTurn turn(info.Env(), *core);
  const ParameterTable& table = core->backend->table();
  std::vector<float> values(table.size());
  table.initialise(to_seed(info[0]), values.data());
  core->backend->load_parameters(values.data());
  return info.Env().Undefined();
}

Napi::Value load_parameters(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  const ModelTurn turn(info.Env(), *core);
  std::vector<float> values(core->backend->table().size());
  from_named_arrays(info[0], core->backend->table(), values.data());
  core->backend->load_parameters(values.data());
  return info.Env().Undefined();
}

Napi::Value read_parameters(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  const ModelTurn turn(info.Env(), *core);
  std::vector<float> values(core->backend->table().size());
  core->backend->read_parameters(values.data());
  return to_named_arrays(info.Env(), core->backend->table(), values.data());
}

Napi::Value load_scaling(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  const ModelTurn turn(info.Env(), *core);
  const Napi::Float32Array offset = to_floats(info[0], "offset"), scale = to_floats(info[1], "scale");
  const size_t features = core->extractor->feature_count();
  FeatureScaling scaling{std::vector<float>(features), std::vector<float>(features)};
  const bool pooled = offset.ElementLength() == 1;
  if (offset.ElementLength() != scale.ElementLength() || (!pooled && offset.ElementLength() != features)) {
    throw Napi::TypeError::New(info.Env(),
                               "the scaling must have an element for each feature, or one for all");
  }
  for (size_t i = 0; i < features; ++i) {
    scaling.offset[i] = offset[pooled ? 0 : i];
    scaling.scale[i] = scale[pooled ? 0 : i];
  }
  core->extractor->set_training_scaling(std::move(scaling));
  return info.Env().Undefined();
}

Napi::Value read_scaling(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  const ModelTurn turn(info.Env(), *core);
  return to_scaling(info.Env(), core->extractor->training_scaling(), core->options.scaling.pooled);
}

/// setConfidence(confidence or null): how answers are judged from now on, and those of streams made from now
/// on.
Napi::Value set_confidence(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  core->confidence = read_confidence(info[0]);
  return info.Env().Undefined();
}

/// snapshot() → promise of { parameters, scaling }: both as they are when its turn comes.
Napi::Value snapshot(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  struct State {
    std::vector<float> values;
    FeatureScaling scaling;
  };
  auto state = std::make_shared<State>();
  return JobRunner::of(info.Env())
      .enqueue({[core, state] {
                  state->values.resize(core->backend->table().size());
                  core->backend->read_parameters(state->values.data());
                  state->scaling = core->extractor->training_scaling();
                },
                [core, state](Napi::Env env) -> Napi::Value {
                  const Napi::Object result = Napi::Object::New(env);
                  result.Set("parameters",
                             to_named_arrays(env, core->backend->table(), state->values.data()));
                  result.Set("scaling", to_scaling(env, state->scaling, core->options.scaling.pooled));
                  return result;
                },
                nullptr, &core->in_use});
}

/// predictSync(samples, rate, seed) on the calling thread.
Napi::Value predict_sync(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  const ModelTurn turn(info.Env(), *core);
  const Napi::Float32Array samples = to_samples(info[0]);
  const Answer answer =
      core->recognizer->predict(samples.Data(), samples.ElementLength(), to_rate(info[1]), to_seed(info[2]));
  return to_prediction(info.Env(), *core, answer.scores,
                       firing_rates(core->options.network, answer.spikes, answer.steps), answer.heard);
}

/// predict(samples, rate, seed) → promise: the same on another thread, when the model is free.
Napi::Value predict(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  auto request = std::make_shared<PredictionRequest>(
      PredictionRequest{to_clip(info[0], info[1]), to_seed(info[2]), {}, {}, {}});
  return JobRunner::of(info.Env())
      .enqueue({[core, request] { request->ask(*core); },
                [core, request](Napi::Env env) -> Napi::Value {
                  core->memory.tell(env);
                  return to_prediction(env, *core, request->scores.data(), request->rates, request->heard);
                },
                nullptr, &core->in_use});
}

/// observe(samples, rate, seed) → promise: a prediction with everything on the way.
Napi::Value observe(const Napi::CallbackInfo& info, const std::shared_ptr<ModelCore>& core) {
  auto observed = std::make_shared<ObservationRequest>(
      ObservationRequest{{to_clip(info[0], info[1]), to_seed(info[2]), {}, {}, {}}, 0, {}, {}, {}, {}});
  return JobRunner::of(info.Env())
      .enqueue({[core, observed] { observed->look(*core); },
                [core, observed](Napi::Env env) -> Napi::Value {
                  core->memory.tell(env);
                  const Napi::Object result = to_prediction(env, *core, observed->request.scores.data(),
                                                            observed->request.rates, observed->request.heard);
                  result.Set("steps", observed->steps);
                  result.Set("features", to_array(env, observed->features));
                  result.Set("input", to_array(env, observed->input));
                  const Napi::Array layers = Napi::Array::New(env, observed->layers.size());
                  for (uint32_t k = 0; k < observed->layers.size(); ++k) {
                    const Napi::Object layer = Napi::Object::New(env);
                    layer.Set("neurons", observed->layers[k].neurons);
                    layer.Set("spikes", to_array(env, observed->layers[k].spikes));
                    layer.Set("potential", to_array(env, observed->layers[k].potential));
                    layers.Set(k, layer);
                  }
                  result.Set("layers", layers);
                  result.Set("potential",
                             observed->potential.empty() ? env.Null() : to_array(env, observed->potential));
                  return result;
                },
                nullptr, &core->in_use});
}

}  // namespace

Napi::Function NativeModel::define(Napi::Env env) {
  return DefineClass(env, "Model",
                     {InstanceMethod("initialise", &NativeModel::method<initialise>),
                      InstanceMethod("loadParameters", &NativeModel::method<load_parameters>),
                      InstanceMethod("readParameters", &NativeModel::method<read_parameters>),
                      InstanceMethod("snapshot", &NativeModel::method<snapshot>),
                      InstanceMethod("loadScaling", &NativeModel::method<load_scaling>),
                      InstanceMethod("readScaling", &NativeModel::method<read_scaling>),
                      InstanceMethod("setConfidence", &NativeModel::method<set_confidence>),
                      InstanceMethod("predictSync", &NativeModel::method<predict_sync>),
                      InstanceMethod("predict", &NativeModel::method<predict>),
                      InstanceMethod("observe", &NativeModel::method<observe>),
                      InstanceMethod("close", &NativeModel::close)});
}

NativeModel::NativeModel(const Napi::CallbackInfo& info) : WrappedObject(info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "settings must be an object");
  const auto core = std::make_shared<ModelCore>();
  try {
    core->options = read_model_options(info[0].As<Napi::Object>());
    core->threads = static_cast<int>(to_int(info[1], "threads", 1, 256));
    const ModelOptions& options = core->options;
    core->extractor = std::make_shared<FeatureExtractor>(options.front_end, options.scaling, options.frames);
    if (options.scaling.over_training_set && options.scaling.kind != ScalingKind::kNone) {
      // Until there is a training set, features stay as they are.
      const size_t features = options.front_end.feature_count();
      core->extractor->set_training_scaling(
          {std::vector<float>(features, 0.0f), std::vector<float>(features, 1.0f)});
    }
    core->backend = make_backend(options.network, core->threads, info[2]);
    core->recognizer = std::make_unique<Recognizer>(core->extractor, options.encoding, core->backend);
  } catch (...) {
    throw to_js_error(info.Env(), std::current_exception());
  }
  info.This().As<Napi::Object>().TypeTag(&kModelTag);
  core->measure();
  core->memory.tell(info.Env());
  core_ = core;
}

std::shared_ptr<ModelCore> NativeModel::unwrap(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kModelTag)) {
    throw Napi::TypeError::New(value.Env(), "a Model is needed");
  }
  return Napi::ObjectWrap<NativeModel>::Unwrap(value.As<Napi::Object>())->core(value.Env());
}

}  // namespace sonospike
