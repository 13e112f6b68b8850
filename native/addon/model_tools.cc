// Single steps of a network on inputs that are given, for tests and for those who bring an encoding of their
// own.
#include <algorithm>

#include "addon/model.h"

namespace sonospike {
namespace {

/// A batch whose inputs are given: [steps, clips, inputs]. JavaScript's own array, which nobody changes while
/// the call lasts.
Batch given_batch(const Napi::CallbackInfo& info, int inputs) {
  const Napi::Float32Array array = to_floats(info[0], "inputs");
  const int64_t steps = to_int(info[1], "steps", 1, 1 << 24), clips = to_int(info[2], "clips", 1, 1 << 24);
  if (array.ElementLength() != static_cast<size_t>(steps * clips) * inputs) {
    throw Napi::TypeError::New(info.Env(), "inputs must have steps x clips x channels elements");
  }
  Batch batch;
  batch.clips = static_cast<int>(clips);
  batch.steps = static_cast<int>(steps);
  batch.input = [values = array.Data(), clips, inputs](int clip, int first, int count, float* x,
                                                       size_t stride, int) {
    for (int64_t t = first; t < first + count; ++t, x += stride)
      std::copy_n(values + (t * clips + clip) * inputs, inputs, x);
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
  const Batch batch = given_batch(info, core_->options.network.inputs);
  std::vector<float> scores(static_cast<size_t>(batch.clips) * classes);
  std::vector<std::vector<float>> spikes(core_->options.network.layers.size());
  for (int clip = 0; clip < batch.clips; ++clip) {
    Batch one = batch;
    one.clips = 1;
    one.input = [&batch, clip](int, int first, int steps, float* x, size_t stride, int worker) {
      batch.input(clip, first, steps, x, stride, worker);
    };
    const auto views =
        core_->backend->observe(one, scores.data() + static_cast<size_t>(clip) * classes).layers;
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
  std::vector<int> labels;
  const int inputs = core_->options.network.inputs;
  Batch batch = given_batch(info, inputs);
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
  const LossOptions loss{info[4].IsNumber() ? info[4].As<Napi::Number>().FloatValue() : 0.0f, 0.0f};
  Napi::Float32Array input_gradient;
  if (info[5].ToBoolean()) {
    input_gradient = new_floats(env, static_cast<size_t>(batch.steps) * batch.clips * inputs);
    batch.input_gradient = input_gradient.Data();
  }
  const BatchStatistics done = core_->backend->gradient(batch, loss);
  std::vector<float> gradient(core_->backend->table().size());
  core_->backend->read_gradient(gradient.data());
  const Napi::Object result = Napi::Object::New(env);
  result.Set("loss", done.loss / batch.clips);
  result.Set("correct", done.correct);
  result.Set("gradients", to_named_arrays(env, core_->backend->table(), gradient.data()));
  if (!input_gradient.IsEmpty()) result.Set("inputGradient", input_gradient);
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
