#include "addon/model.h"

#include <algorithm>

#include "core/support/denormals.h"

namespace sonospike {
namespace {

// Marks the objects of this class, so that nothing else is taken for one.
constexpr napi_type_tag kModelTag = {0x5d1c6b0c6f0a4b7eull, 0x9a3f0b7d2c5e4811ull};

std::vector<double> firing_rates(const std::vector<ActivityView>& layers, int steps) {
  std::vector<double> rates;
  for (const auto& layer : layers)
    rates.push_back(layer.spikes / (static_cast<double>(steps) * layer.neurons));
  return rates;
}

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
Napi::Float32Array compact(Napi::Env env, const float* rows, size_t stride, int steps, int neurons) {
  Napi::Float32Array array = new_floats(env, static_cast<size_t>(steps) * neurons);
  for (int t = 0; t < steps; ++t) std::copy_n(rows + stride * t, neurons, array.Data() + size_t(neurons) * t);
  return array;
}

}  // namespace

Napi::Object to_named_arrays(Napi::Env env, const ParameterTable& table, const float* values) {
  const Napi::Object object = Napi::Object::New(env);
  for (const auto& info : table.all())
    object.Set(info.name, new_floats(env, values + info.offset, info.size));
  return object;
}

void from_named_arrays(const Napi::Value& value, const ParameterTable& table, float* values) {
  if (!value.IsObject())
    throw Napi::TypeError::New(value.Env(), "parameters must be an object of Float32Arrays");
  for (const auto& info : table.all()) {
    const Napi::Float32Array array = to_floats(value.As<Napi::Object>().Get(info.name), info.name.c_str());
    if (array.ElementLength() != info.size) {
      throw Napi::TypeError::New(value.Env(),
                                 info.name + " must have " + std::to_string(info.size) + " elements");
    }
    std::copy_n(array.Data(), info.size, values + info.offset);
  }
}

Napi::Object to_prediction(Napi::Env env, const NetworkOptions& network, const float* scores,
                           const std::vector<double>& firing_rates) {
  const Napi::Object object = Napi::Object::New(env);
  Napi::Float32Array probabilities = Napi::Float32Array::New(env, network.classes);
  class_probabilities(network.readout.kind, scores, network.classes, probabilities.Data());
  const Napi::Array rates = Napi::Array::New(env, firing_rates.size());
  for (uint32_t k = 0; k < firing_rates.size(); ++k) rates.Set(k, firing_rates[k]);
  object.Set("scores", new_floats(env, scores, network.classes));
  object.Set("probabilities", probabilities);
  object.Set("best", best_class(scores, network.classes));
  object.Set("firingRates", rates);
  return object;
}

Napi::Function NativeModel::define(Napi::Env env) {
  return DefineClass(env, "Model",
                     {InstanceMethod("initialise", &NativeModel::guarded<&NativeModel::initialise>),
                      InstanceMethod("loadParameters", &NativeModel::guarded<&NativeModel::load_parameters>),
                      InstanceMethod("readParameters", &NativeModel::guarded<&NativeModel::read_parameters>),
                      InstanceMethod("loadScaling", &NativeModel::guarded<&NativeModel::load_scaling>),
                      InstanceMethod("readScaling", &NativeModel::guarded<&NativeModel::read_scaling>),
                      InstanceMethod("predictSync", &NativeModel::guarded<&NativeModel::predict_sync>),
                      InstanceMethod("predict", &NativeModel::guarded<&NativeModel::predict>),
                      InstanceMethod("observe", &NativeModel::guarded<&NativeModel::observe>),
                      InstanceMethod("forwardInputs", &NativeModel::guarded<&NativeModel::forward_inputs>),
                      InstanceMethod("gradient", &NativeModel::guarded<&NativeModel::gradient>),
                      InstanceMethod("optimizerStep", &NativeModel::guarded<&NativeModel::optimizer_step>)});
}

NativeModel::NativeModel(const Napi::CallbackInfo& info) : GuardedWrap(info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "settings must be an object");
  try {
    core_ = std::make_shared<ModelCore>();
    core_->options = read_model_options(info[0].As<Napi::Object>());
    core_->threads = static_cast<int>(to_int(info[1], "threads", 1, 256));
    const ModelOptions& options = core_->options;
    core_->extractor = std::make_shared<FeatureExtractor>(options.front_end, options.scaling, options.frames);
    if (options.scaling.over_training_set && options.scaling.kind != ScalingKind::kNone) {
      // Until there is a training set, features stay as they are.
      const size_t features = options.front_end.feature_count();
      core_->extractor->set_training_scaling(
          {std::vector<float>(features, 0.0f), std::vector<float>(features, 1.0f)});
    }
    core_->backend = make_cpu_backend(options.network, core_->threads);
    core_->recognizer = std::make_unique<Recognizer>(core_->extractor, options.encoding, core_->backend);
  } catch (...) {
    throw to_js_error(info.Env(), std::current_exception());
  }
  info.This().As<Napi::Object>().TypeTag(&kModelTag);
  const int64_t copies = 6;  // parameters, gradient, moments, and the weights as the kernels want them
  const int64_t bytes = static_cast<int64_t>(core_->backend->table().size() * sizeof(float)) * copies;
  weigh(info.Env(), bytes + core_->threads * kThreadBytes);
}

NativeModel& NativeModel::unwrap(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kModelTag)) {
    throw Napi::TypeError::New(value.Env(), "a Model is needed");
  }
  return *Napi::ObjectWrap<NativeModel>::Unwrap(value.As<Napi::Object>());
}

std::unique_lock<std::mutex> NativeModel::lock(Napi::Env env) const {
  std::unique_lock<std::mutex> lock(core_->in_use, std::try_to_lock);
  if (!lock.owns_lock()) {
    throw coded_error(env, "ERR_BUSY",
                      "The model is in use by a training or a prediction that has not ended yet.");
  }
  return lock;
}

Napi::Value NativeModel::initialise(const Napi::CallbackInfo& info) {
  const auto held = lock(info.Env());
  const ParameterTable& table = core_->backend->table();
  std::vector<float> values(table.size());
  table.initialise(to_seed(info[0]), values.data());
  core_->backend->load_parameters(values.data());
  return info.Env().Undefined();
}

Napi::Value NativeModel::load_parameters(const Napi::CallbackInfo& info) {
  const auto held = lock(info.Env());
  std::vector<float> values(core_->backend->table().size());
  from_named_arrays(info[0], core_->backend->table(), values.data());
  core_->backend->load_parameters(values.data());
  return info.Env().Undefined();
}

Napi::Value NativeModel::read_parameters(const Napi::CallbackInfo& info) {
  const auto held = lock(info.Env());
  std::vector<float> values(core_->backend->table().size());
  core_->backend->read_parameters(values.data());
  return to_named_arrays(info.Env(), core_->backend->table(), values.data());
}

Napi::Value NativeModel::load_scaling(const Napi::CallbackInfo& info) {
  const auto held = lock(info.Env());
  const Napi::Float32Array offset = to_floats(info[0], "offset"), scale = to_floats(info[1], "scale");
  const size_t features = core_->extractor->feature_count();
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
  core_->extractor->set_training_scaling(std::move(scaling));
  return info.Env().Undefined();
}

Napi::Value NativeModel::read_scaling(const Napi::CallbackInfo& info) {
  const auto held = lock(info.Env());
  const FeatureScaling& scaling = core_->extractor->training_scaling();
  if (scaling.offset.empty()) return info.Env().Null();
  const size_t count = core_->options.scaling.pooled ? 1 : scaling.offset.size();
  const Napi::Object object = Napi::Object::New(info.Env());
  object.Set("offset", new_floats(info.Env(), scaling.offset.data(), count));
  object.Set("scale", new_floats(info.Env(), scaling.scale.data(), count));
  return object;
}

/// predictSync(samples, rate, seed) on the calling thread.
Napi::Value NativeModel::predict_sync(const Napi::CallbackInfo& info) {
  const auto held = lock(info.Env());
  const Napi::Float32Array samples = to_samples(info[0]);
  const Observation seen =
      core_->recognizer->observe(samples.Data(), samples.ElementLength(), to_rate(info[1]), to_seed(info[2]));
  return to_prediction(info.Env(), core_->options.network, seen.scores.data(),
                       firing_rates(seen.layers, core_->recognizer->steps()));
}

/// predict(samples, rate, seed): the same on another thread.
Napi::Value NativeModel::predict(const Napi::CallbackInfo& info) {
  struct State {
    OwnedClip clip;
    uint64_t seed;
    std::vector<float> scores;
    std::vector<double> rates;
  };
  auto state = std::make_shared<State>(State{to_clip(info[0], info[1]), to_seed(info[2]), {}, {}});
  auto core = core_;
  return JobRunner::of(info.Env())
      .enqueue({[core, state] {
                  std::lock_guard held(core->in_use);
                  const Observation seen = core->recognizer->observe(
                      state->clip.samples.data(), state->clip.samples.size(), state->clip.rate, state->seed);
                  state->scores = seen.scores;
                  state->rates = firing_rates(seen.layers, core->recognizer->steps());
                },
                [core, state](Napi::Env env) -> Napi::Value {
                  return to_prediction(env, core->options.network, state->scores.data(), state->rates);
                },
                nullptr});
}

/// observe(samples, rate, seed): a prediction with everything on the way.
Napi::Value NativeModel::observe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto held = lock(env);
  const OwnedClip clip = to_clip(info[0], info[1]);
  Recognizer& recognizer = *core_->recognizer;
  const int steps = recognizer.steps();
  const Observation seen =
      recognizer.observe(clip.samples.data(), clip.samples.size(), clip.rate, to_seed(info[2]));
  const Napi::Object result =
      to_prediction(env, core_->options.network, seen.scores.data(), firing_rates(seen.layers, steps));
  result.Set("steps", steps);
  result.Set("features", new_floats(env, seen.features, core_->extractor->size()));
  result.Set("input", new_floats(env, seen.input, static_cast<size_t>(steps) * recognizer.channels()));
  const Napi::Array layers = Napi::Array::New(env, seen.layers.size());
  for (uint32_t k = 0; k < seen.layers.size(); ++k) {
    const ActivityView& view = seen.layers[k];
    const Napi::Object layer = Napi::Object::New(env);
    layer.Set("neurons", view.neurons);
    layer.Set("spikes", compact(env, view.s, view.stride, steps, view.neurons));
    layer.Set("potential", compact(env, view.u, view.stride, steps, view.neurons));
    layers.Set(k, layer);
  }
  result.Set("layers", layers);
  return result;
}

namespace {

/// A batch whose inputs are given: [steps, clips, inputs].
Batch given_batch(const Napi::CallbackInfo& info, int inputs, std::vector<float>& values) {
  const Napi::Float32Array array = to_floats(info[0], "inputs");
  const int64_t steps = to_int(info[1], "steps", 1, 1 << 24), clips = to_int(info[2], "clips", 1, 1 << 24);
  if (array.ElementLength() != static_cast<size_t>(steps * clips) * inputs) {
    throw Napi::TypeError::New(info.Env(), "inputs must have steps x clips x channels elements");
  }
  values.assign(array.Data(), array.Data() + array.ElementLength());
  Batch batch;
  batch.clips = static_cast<int>(clips);
  batch.steps = static_cast<int>(steps);
  batch.input = [&values, clips, inputs, steps](int clip, float* x, size_t stride, int) {
    for (int64_t t = 0; t < steps; ++t)
      std::copy_n(values.data() + (t * clips + clip) * inputs, inputs, x + stride * t);
  };
  return batch;
}

}  // namespace

/// forwardInputs(inputs, steps, clips) → { scores [clips, classes], spikes: [steps, clips, neurons] of each
/// layer }
Napi::Value NativeModel::forward_inputs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto held = lock(env);
  const int classes = core_->options.network.classes;
  std::vector<float> values;
  const Batch batch = given_batch(info, core_->options.network.inputs, values);
  std::vector<float> scores(static_cast<size_t>(batch.clips) * classes);
  std::vector<std::vector<float>> spikes(core_->options.network.layers.size());
  for (int clip = 0; clip < batch.clips; ++clip) {
    Batch one = batch;
    one.clips = 1;
    one.input = [&batch, clip](int, float* x, size_t stride, int worker) {
      batch.input(clip, x, stride, worker);
    };
    const auto views = core_->backend->observe(one, scores.data() + static_cast<size_t>(clip) * classes);
    for (size_t k = 0; k < views.size(); ++k) {
      const size_t n = views[k].neurons;
      spikes[k].resize(n * batch.clips * batch.steps);
      for (int t = 0; t < batch.steps; ++t) {
        std::copy_n(views[k].s + views[k].stride * t, n,
                    spikes[k].data() + (static_cast<size_t>(t) * batch.clips + clip) * n);
      }
    }
  }
  const Napi::Array layers = Napi::Array::New(env, spikes.size());
  for (uint32_t k = 0; k < spikes.size(); ++k)
    layers.Set(k, new_floats(env, spikes[k].data(), spikes[k].size()));
  const Napi::Object result = Napi::Object::New(env);
  result.Set("scores", new_floats(env, scores.data(), scores.size()));
  result.Set("spikes", layers);
  return result;
}

/// gradient(inputs, steps, clips, labels, labelSmoothing, ofInput) → { loss, correct, gradients,
/// inputGradient }
Napi::Value NativeModel::gradient(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto held = lock(env);
  std::vector<float> values;
  std::vector<int> labels;
  Batch batch = given_batch(info, core_->options.network.inputs, values);
  if (!info[3].IsTypedArray() || info[3].As<Napi::TypedArray>().TypedArrayType() != napi_int32_array ||
      info[3].As<Napi::TypedArray>().ElementLength() != static_cast<size_t>(batch.clips)) {
    throw Napi::TypeError::New(env, "labels must be an Int32Array with one element a clip");
  }
  const Napi::Int32Array given = info[3].As<Napi::Int32Array>();
  labels.assign(given.Data(), given.Data() + batch.clips);
  for (int label : labels) {
    if (label < 0 || label >= core_->options.network.classes)
      throw Napi::TypeError::New(env, "no such label");
  }
  batch.labels = labels.data();
  const LossOptions loss{info[4].IsNumber() ? info[4].As<Napi::Number>().FloatValue() : 0.0f};
  std::vector<float> input_gradient(info[5].ToBoolean() ? values.size() : 0);
  if (!input_gradient.empty()) batch.input_gradient = input_gradient.data();
  const BatchStatistics done = core_->backend->gradient(batch, loss);
  std::vector<float> gradient(core_->backend->table().size());
  core_->backend->read_gradient(gradient.data());
  const Napi::Object result = Napi::Object::New(env);
  result.Set("loss", done.loss / batch.clips);
  result.Set("correct", done.correct);
  result.Set("gradients", to_named_arrays(env, core_->backend->table(), gradient.data()));
  if (!input_gradient.empty()) {
    result.Set("inputGradient", new_floats(env, input_gradient.data(), input_gradient.size()));
  }
  return result;
}

/// optimizerStep(options, rate): one step along the gradient that `gradient` left.
Napi::Value NativeModel::optimizer_step(const Napi::CallbackInfo& info) {
  const auto held = lock(info.Env());
  if (!info[0].IsObject() || !info[1].IsNumber())
    throw Napi::TypeError::New(info.Env(), "options and a rate are needed");
  core_->backend->step(read_optimizer(info[0].As<Napi::Object>()), info[1].As<Napi::Number>().FloatValue());
  return info.Env().Undefined();
}

}  // namespace sonospike
