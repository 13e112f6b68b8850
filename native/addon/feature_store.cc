#include "addon/feature_store.h"

#include <algorithm>

namespace sonospike {
namespace {

// Marks the objects of this class, so that nothing else is taken for one.
constexpr napi_type_tag kStoreTag = {0x0f3a9a5be0f24c8aull, 0x8d6e1f7a92c34b15ull};

/// Clears the flag that keeps a second call out.
struct BusyGuard {
  std::atomic<bool>& busy;
  ~BusyGuard() { busy.store(false); }
};

void claim(Napi::Env env, std::atomic<bool>& busy) {
  if (busy.exchange(true)) throw coded_error(env, "ERR_BUSY", "The features are in use by a call that has not ended yet.");
}

/// Firing rates from numbers of spikes.
std::vector<double> rates_of(const double* spikes, const ModelCore& model, size_t clips) {
  const double rows = static_cast<double>(clips) * model.recognizer->steps();
  std::vector<double> rates;
  for (const auto& layer : model.options.network.layers) rates.push_back(*spikes++ / (rows * layer.neurons));
  return rates;
}

Napi::Object to_result(Napi::Env env, const ModelCore& model, const EvaluationResult& result) {
  const NetworkOptions& network = model.options.network;
  const size_t clips = result.scores.size() / network.classes, layers = network.layers.size();
  const Napi::Array predictions = Napi::Array::New(env, clips);
  for (uint32_t i = 0; i < clips; ++i) {
    Napi::HandleScope scope(env);
    predictions.Set(i, to_prediction(env, network, result.scores.data() + static_cast<size_t>(i) * network.classes,
                                     rates_of(result.spikes.data() + i * layers, model, 1)));
  }
  const std::vector<double> rates = rates_of(result.statistics.spikes.data(), model, clips);
  const Napi::Array all = Napi::Array::New(env, rates.size());
  for (uint32_t k = 0; k < rates.size(); ++k) all.Set(k, rates[k]);
  const Napi::Object object = Napi::Object::New(env);
  object.Set("loss", clips ? result.statistics.loss / static_cast<double>(clips) : 0.0);
  object.Set("correct", result.statistics.correct);
  object.Set("firingRates", all);
  object.Set("predictions", predictions);
  return object;
}

}  // namespace

Napi::Function NativeFeatureStore::define(Napi::Env env) {
  return DefineClass(env, "FeatureStore",
                     {InstanceMethod<&NativeFeatureStore::add>("add"), InstanceMethod<&NativeFeatureStore::fit>("fit"),
                      InstanceMethod<&NativeFeatureStore::size>("size"),
                      InstanceMethod<&NativeFeatureStore::evaluate>("evaluate")});
}

NativeFeatureStore::NativeFeatureStore(const Napi::CallbackInfo& info)
    : ObjectWrap(info), core_(std::make_shared<StoreCore>(NativeModel::unwrap(info[0]).core())) {
  const int threads = std::clamp(info[1].IsNumber() ? info[1].As<Napi::Number>().Int32Value() : 1, 1, 256);
  try {
    core_->store = std::make_shared<FeatureStore>(core_->model->extractor, threads);
  } catch (...) {
    throw to_js_error(info.Env(), std::current_exception());
  }
  info.This().As<Napi::Object>().TypeTag(&kStoreTag);
}

NativeFeatureStore& NativeFeatureStore::unwrap(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kStoreTag)) {
    throw Napi::TypeError::New(value.Env(), "a FeatureStore is needed");
  }
  return *Napi::ObjectWrap<NativeFeatureStore>::Unwrap(value.As<Napi::Object>());
}

/// add(clips: { samples, sampleRate, label }[]) → promise. The samples are copied first.
Napi::Value NativeFeatureStore::add(const Napi::CallbackInfo& info) {
  struct Owned {
    std::vector<std::vector<float>> samples;
    std::vector<ClipAudio> clips;
  };
  const Napi::Env env = info.Env();
  if (!info[0].IsArray()) throw Napi::TypeError::New(env, "clips must be an array");
  const Napi::Array list = info[0].As<Napi::Array>();
  auto owned = std::make_shared<Owned>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    if (!list.Get(i).IsObject()) throw Napi::TypeError::New(env, "a clip must be an object");
    const Napi::Object clip = list.Get(i).As<Napi::Object>();
    const Napi::Float32Array samples = to_floats(clip.Get("samples"), "samples");
    const int rate = get_int(clip, "sampleRate"), label = static_cast<int>(get_number(clip, "label"));
    if (samples.ElementLength() == 0 || rate < 1 || label < -1 || label >= core_->model->options.network.classes) {
      throw Napi::TypeError::New(env, "a clip needs samples, a sample rate and a label that the model knows");
    }
    owned->samples.emplace_back(samples.Data(), samples.Data() + samples.ElementLength());
    owned->clips.push_back({nullptr, samples.ElementLength(), rate, label});
  }
  for (size_t i = 0; i < owned->clips.size(); ++i) owned->clips[i].samples = owned->samples[i].data();
  claim(env, core_->busy);
  auto core = core_;
  return JobRunner::of(env).detach({[core, owned] {
                                      const BusyGuard guard{core->busy};
                                      core->store->add(owned->clips);
                                    },
                                    [](Napi::Env e) { return e.Undefined(); }, nullptr});
}

/// fit(training: Int32Array, keep: boolean) → promise
Napi::Value NativeFeatureStore::fit(const Napi::CallbackInfo& info) {
  const std::vector<int> training = to_clips(info[0], *core_->store);
  const bool keep = info[1].ToBoolean();
  claim(info.Env(), core_->busy);
  auto core = core_;
  return JobRunner::of(info.Env())
      .detach({[core, training, keep] {
                 const BusyGuard guard{core->busy};
                 std::lock_guard held(core->model->in_use);
                 core->store->fit(training, keep);
               },
               [](Napi::Env e) { return e.Undefined(); }, nullptr});
}

Napi::Value NativeFeatureStore::size(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), core_->store->size());
}

/// evaluate(clips: Int32Array, seed, labelSmoothing) → promise of { loss, correct, firingRates, predictions }
Napi::Value NativeFeatureStore::evaluate(const Napi::CallbackInfo& info) {
  struct State {
    std::vector<int> clips;
    EvaluationResult result;
  };
  const Napi::Env env = info.Env();
  auto state = std::make_shared<State>(State{to_clips(info[0], *core_->store), {}});
  const uint64_t seed = to_seed(info[1]);
  const LossOptions loss{info[2].IsNumber() ? info[2].As<Napi::Number>().FloatValue() : 0.0f};
  if (!core_->store->ready()) throw Napi::TypeError::New(env, "the features are not scaled yet: call fit first");
  claim(env, core_->busy);
  auto core = core_;
  auto abort = std::make_shared<std::atomic<bool>>(false);
  return JobRunner::of(env).detach(
      {[core, state, seed, loss, abort] {
         const BusyGuard guard{core->busy};
         std::lock_guard held(core->model->in_use);
         state->result = sonospike::evaluate(*core->model->backend, *core->store, core->model->options.encoding, loss,
                                             state->clips, seed, *abort);
       },
       [core, state](Napi::Env e) -> Napi::Value { return to_result(e, *core->model, state->result); },
       abort});
}

std::vector<int> to_clips(const Napi::Value& value, const FeatureStore& store) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    throw Napi::TypeError::New(value.Env(), "clip numbers must be an Int32Array");
  }
  const Napi::Int32Array array = value.As<Napi::Int32Array>();
  std::vector<int> clips(array.Data(), array.Data() + array.ElementLength());
  for (int clip : clips) {
    if (clip < 0 || clip >= store.size()) throw Napi::TypeError::New(value.Env(), "no clip has that number");
  }
  return clips;
}

}  // namespace sonospike
