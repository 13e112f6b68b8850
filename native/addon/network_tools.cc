#include "addon/network_tools.h"

#include <algorithm>
#include <chrono>

#include "addon/named_arrays.h"

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

struct LabelledBatch {
  Batch batch;
  std::vector<int> labels;
  LossOptions loss;
};

/// Arguments: inputs, steps, clips, labels, labelSmoothing.
LabelledBatch given_labelled_batch(const Napi::CallbackInfo& info, const NetworkOptions& network) {
  const Napi::Env env = info.Env();
  LabelledBatch labelled;
  labelled.batch = given_batch(info, network.inputs);
  const int clips = labelled.batch.clips;
  if (!info[3].IsTypedArray() || info[3].As<Napi::TypedArray>().TypedArrayType() != napi_int32_array ||
      info[3].As<Napi::TypedArray>().ElementLength() != static_cast<size_t>(clips)) {
    throw Napi::TypeError::New(env, "labels must be an Int32Array with one element a clip");
  }
  const Napi::Int32Array given = info[3].As<Napi::Int32Array>();
  labelled.labels.assign(given.Data(), given.Data() + clips);
  for (int label : labelled.labels) {
    if (label < 0 || label >= network.classes) throw Napi::TypeError::New(env, "no such label");
  }
  labelled.batch.labels = labelled.labels.data();
  if (info[4].IsNumber()) labelled.loss.label_smoothing = info[4].As<Napi::Number>().FloatValue();
  return labelled;
}

/// { loss, correct, gradients, inputGradient: where the batch asks for it }
Napi::Object to_gradient(Napi::Env env, const Backend& backend, const Batch& batch,
                         const BatchStatistics& done) {
  std::vector<float> gradient(backend.table().size());
  backend.read_gradient(gradient.data());
  const Napi::Object result = Napi::Object::New(env);
  result.Set("loss", done.loss / batch.clips);
  result.Set("correct", done.correct);
  result.Set("gradients", to_named_arrays(env, backend.table(), gradient.data()));
  if (!batch.of_input) return result;
  const size_t size = static_cast<size_t>(batch.steps) * batch.clips * backend.options().inputs;
  Napi::Float32Array of_input = new_floats(env, size);
  backend.read_input_gradient(of_input.Data());
  result.Set("inputGradient", of_input);
  return result;
}

/// The inputs of a batch as bits, where all are 0 or 1.
class InputBits {
 public:
  InputBits(const Batch& batch, int inputs) : words_((inputs + kBits - 1) / kBits), steps_(batch.steps) {
    bits_.resize(static_cast<size_t>(batch.clips) * steps_ * words_);
    std::vector<float> row(inputs);
    uint16_t* bits = bits_.data();
    for (int clip = 0; clip < batch.clips && binary_; ++clip) {
      for (int t = 0; t < steps_; ++t, bits += words_) {
        batch.input(clip, t, 1, row.data(), inputs, 0);
        for (int i = 0; i < inputs; ++i) {
          binary_ = binary_ && (row[i] == 0.0f || row[i] == 1.0f);
          bits[i / kBits] |= static_cast<uint16_t>((row[i] == 1.0f) << i % kBits);
        }
      }
    }
  }

  bool binary() const { return binary_; }
  /// For as long as this lives.
  void replace_input(Batch& batch) const {
    batch.input = nullptr;
    batch.spikes = [this](int clip, int first, int steps, uint16_t* bits, size_t stride, int) {
      const uint16_t* from = bits_.data() + (static_cast<size_t>(clip) * steps_ + first) * words_;
      for (int t = 0; t < steps; ++t, from += words_, bits += stride) std::copy_n(from, words_, bits);
    };
  }

 private:
  static constexpr int kBits = 16;
  int words_, steps_;
  bool binary_ = true;
  std::vector<uint16_t> bits_;
};

/// forward(inputs, steps, clips) → { scores [clips, classes], spikes: [steps, clips, neurons] of each
/// layer }
Napi::Value forward(const Napi::CallbackInfo& info, const std::shared_ptr<NetworkToolsCore>& core) {
  const Napi::Env env = info.Env();
  const ModelTurn turn(env, *core->model);
  const int classes = core->model->options.network.classes;
  const Batch batch = given_batch(info, core->model->options.network.inputs);
  std::vector<float> scores(static_cast<size_t>(batch.clips) * classes);
  std::vector<std::vector<float>> spikes(core->model->options.network.layers.size());
  for (int clip = 0; clip < batch.clips; ++clip) {
    Batch one = batch;
    one.clips = 1;
    one.input = [&batch, clip](int, int first, int steps, float* x, size_t stride, int worker) {
      batch.input(clip, first, steps, x, stride, worker);
    };
    const auto views =
        core->model->backend->observe(one, scores.data() + static_cast<size_t>(clip) * classes).layers;
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
Napi::Value gradient(const Napi::CallbackInfo& info, const std::shared_ptr<NetworkToolsCore>& core) {
  const ModelTurn turn(info.Env(), *core->model);
  LabelledBatch labelled = given_labelled_batch(info, core->model->options.network);
  labelled.batch.of_input = info[5].ToBoolean();
  const BatchStatistics done = core->model->backend->gradient(labelled.batch, labelled.loss);
  return to_gradient(info.Env(), *core->model->backend, labelled.batch, done);
}

/// timeGradient(inputs, steps, clips, labels, labelSmoothing, repeats) → what `gradient` gives, of the inputs
/// too, and { seconds: that each repeat took, bits: whether the inputs went in as bits }.
///
/// What is timed is the work of a training step, forward and back, with inputs that are where it is done, and
/// whose gradient stays there: on a device of its own from when it has nothing to do until it has nothing to
/// do again, with the weights packed anew as after an optimizer's step.
Napi::Value time_gradient(const Napi::CallbackInfo& info, const std::shared_ptr<NetworkToolsCore>& core) {
  const Napi::Env env = info.Env();
  const ModelTurn turn(env, *core->model);
  const auto repeats = static_cast<size_t>(to_int(info[5], "repeats", 1, 1 << 20));
  LabelledBatch labelled = given_labelled_batch(info, core->model->options.network);
  Batch& batch = labelled.batch;
  Backend& backend = *core->model->backend;
  const InputBits bits(batch, core->model->options.network.inputs);
  if (bits.binary()) bits.replace_input(batch);
  batch.of_input = true;
  BatchStatistics done;
  if (backend.works_elsewhere()) {
    // Brings the inputs there, and then does once what is to be repeated.
    for (const bool same : {false, true}) {
      batch.same_inputs = same;
      done = backend.gradient(batch, labelled.loss);
    }
  }
  Napi::Float64Array seconds = Napi::Float64Array::New(env, repeats);
  for (size_t i = 0; i < repeats; ++i) {
    backend.synchronize();
    const auto start = std::chrono::steady_clock::now();
    done = backend.gradient(batch, labelled.loss);
    backend.synchronize();
    seconds[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  const Napi::Object result = to_gradient(env, backend, batch, done);
  result.Set("seconds", seconds);
  result.Set("bits", bits.binary());
  return result;
}

/// optimizerStep(options, rate): one step along the gradient that `gradient` left.
Napi::Value optimizer_step(const Napi::CallbackInfo& info, const std::shared_ptr<NetworkToolsCore>& core) {
  const ModelTurn turn(info.Env(), *core->model);
  if (!info[0].IsObject() || !info[1].IsNumber())
    throw Napi::TypeError::New(info.Env(), "options and a rate are needed");
  core->model->backend->step(read_optimizer(info[0].As<Napi::Object>()),
                             info[1].As<Napi::Number>().FloatValue());
  return info.Env().Undefined();
}

}  // namespace

Napi::Function NativeNetworkTools::define(Napi::Env env) {
  return DefineClass(env, "NetworkTools",
                     {InstanceMethod("forward", &NativeNetworkTools::method<forward>),
                      InstanceMethod("gradient", &NativeNetworkTools::method<gradient>),
                      InstanceMethod("timeGradient", &NativeNetworkTools::method<time_gradient>),
                      InstanceMethod("optimizerStep", &NativeNetworkTools::method<optimizer_step>)});
}

NativeNetworkTools::NativeNetworkTools(const Napi::CallbackInfo& info) : WrappedObject(info) {
  core_ = std::make_shared<NetworkToolsCore>();
  core_->model = NativeModel::unwrap(info[0]);
}

}  // namespace sonospike
