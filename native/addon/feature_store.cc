#include "addon/feature_store.h"

#include <functional>

#include "addon/devices.h"

namespace sonospike {
namespace {

// Marks the objects of this class, so that nothing else is taken for one.
constexpr napi_type_tag kStoreTag = {0x0f3a9a5be0f24c8aull, 0x8d6e1f7a92c34b15ull ^ kAddonMark};

/// Changes the clips of a store; one that fails halfway leaves it unfit for use.
void change(StoreCore& core, const std::function<void(FeatureStore&)>& work) {
  try {
    work(*core.store);
  } catch (...) {
    core.broken.store(true);
    throw;
  }
}

/// Memory that clips take in a store.
int64_t kept_bytes(const std::vector<ClipAudio>& clips, const FeatureExtractor& extractor) {
  double values = static_cast<double>(clips.size()) * static_cast<double>(extractor.size());
  for (const auto& clip : clips) {
    if (clip.augmented)
      values += static_cast<double>(clip.count) * extractor.front_end().sample_rate / clip.rate;
  }
  return static_cast<int64_t>(values * sizeof(float));
}

Napi::Object to_result(Napi::Env env, const ModelCore& model, const EvaluationResult& result,
                       const std::vector<HeardFrames>& heard) {
  const NetworkOptions& network = model.options.network;
  const size_t clips = result.scores.size() / network.classes, layers = network.layers.size();
  const Napi::Array predictions = Napi::Array::New(env, clips);
  for (uint32_t i = 0; i < clips; ++i) {
    Napi::HandleScope scope(env);
    predictions.Set(
        i,
        to_prediction(env, model, result.scores.data() + static_cast<size_t>(i) * network.classes,
                      firing_rates(network, result.spikes.data() + i * layers, result.steps[i]), heard[i]));
  }
  const std::vector<double> rates =
      firing_rates(network, result.statistics.spikes.data(), static_cast<double>(result.statistics.steps));
  const Napi::Array all = Napi::Array::New(env, rates.size());
  for (uint32_t k = 0; k < rates.size(); ++k) all.Set(k, rates[k]);
  const Napi::Object object = Napi::Object::New(env);
  object.Set("loss", result.labelled ? result.statistics.loss / result.labelled : 0.0);
  object.Set("correct", result.statistics.correct);
  object.Set("firingRates", all);
  object.Set("predictions", predictions);
  return object;
}

}  // namespace

std::shared_ptr<void> claim_store(Napi::Env env, const std::shared_ptr<StoreCore>& core) {
  auto claimed = claim(env, {core, &core->busy}, "The features are in use by a call that has not ended yet.");
  if (core->broken)
    throw coded_error(env, "ERR_INTERNAL", "An earlier call on these features failed: make them anew.");
  return claimed;
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

namespace {

/// add(clips: { samples, sampleRate, label, augmented }[]) → promise. The samples are copied first.
Napi::Value add(const Napi::CallbackInfo& info, const std::shared_ptr<StoreCore>& core) {
  struct Owned {
    std::vector<std::vector<float>> samples;
    std::vector<ClipAudio> clips;
  };
  const Napi::Env env = info.Env();
  if (!info[0].IsArray()) throw Napi::TypeError::New(env, "clips must be an array");
  const Napi::Array list = info[0].As<Napi::Array>();
  auto owned = std::make_shared<Owned>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::HandleScope scope(env);
    const Napi::Value item = list.Get(i);
    if (!item.IsObject()) throw Napi::TypeError::New(env, "a clip must be an object");
    const Napi::Object clip = item.As<Napi::Object>();
    const int rate = static_cast<int>(get_int(clip, "sampleRate", 1, kMostClipRate));
    const int label = static_cast<int>(get_int(clip, "label", -1, core->model->options.network.classes - 1));
    const bool augmented = clip.Get("augmented").ToBoolean();
    const Napi::Float32Array samples = to_floats(clip.Get("samples"), "samples");
    if (samples.ElementLength() == 0) throw Napi::TypeError::New(env, "samples are empty");
    owned->samples.emplace_back(samples.Data(), samples.Data() + samples.ElementLength());
    owned->clips.push_back({nullptr, samples.ElementLength(), rate, label, augmented});
  }
  for (size_t i = 0; i < owned->clips.size(); ++i) owned->clips[i].samples = owned->samples[i].data();
  auto claimed = claim_store(env, core);
  if (!core->store->open())
    throw Napi::TypeError::New(env, "the features are scaled already: clips must be added before fit");
  core->memory.add(kept_bytes(owned->clips, *core->model->extractor));
  return JobRunner::of(env).detach(
      {[core, owned, claimed] { change(*core, [&](FeatureStore& store) { store.add(owned->clips); }); },
       [](Napi::Env e) { return e.Undefined(); }, nullptr});
}

/// fit(training: Int32Array, keep: boolean) → promise
Napi::Value fit(const Napi::CallbackInfo& info, const std::shared_ptr<StoreCore>& core) {
  auto claimed = claim_store(info.Env(), core);
  const std::vector<int> training = to_clips(info[0], *core->store);
  const bool keep = info[1].ToBoolean();
  return JobRunner::of(info.Env())
      .detach({[core, training, keep, claimed] {
                 std::lock_guard held(core->model->in_use);
                 change(*core, [&](FeatureStore& store) { store.fit(training, keep); });
               },
               [](Napi::Env e) { return e.Undefined(); }, nullptr});
}

Napi::Value size(const Napi::CallbackInfo& info, const std::shared_ptr<StoreCore>& core) {
  const auto claimed = claim_store(info.Env(), core);
  return Napi::Number::New(info.Env(), core->store->size());
}

/// evaluate(clips: Int32Array, seed, labelSmoothing, augmentation) → promise of { loss, correct, firingRates,
/// predictions }; ERR_ABORTED where abortEvaluation cut it short.
Napi::Value evaluate(const Napi::CallbackInfo& info, const std::shared_ptr<StoreCore>& core) {
  struct State {
    std::vector<int> clips;
    EvaluationResult result;
    std::vector<HeardFrames> heard;
    std::unique_ptr<Augmenter> augmenter;
  };
  const Napi::Env env = info.Env();
  auto claimed = claim_store(env, core);
  auto state = std::make_shared<State>(State{to_clips(info[0], *core->store), {}, {}, nullptr});
  const uint64_t seed = to_seed(info[1]);
  const LossOptions loss{info[2].IsNumber() ? info[2].As<Napi::Number>().FloatValue() : 0.0f};
  if (!core->store->ready())
    throw Napi::TypeError::New(env, "the features are not scaled yet: call fit first");
  if (info[3].IsObject()) {
    for (int clip : state->clips) {
      if (core->store->samples(clip).empty())
        throw Napi::TypeError::New(env, "the samples of a clip to be augmented were not kept");
    }
    const AugmentationOptions augmentation = read_augmentation(info[3].As<Napi::Object>());
    require_bands(env, augmentation, core->store->extractor().front_end());
    state->augmenter = std::make_unique<Augmenter>(core->store->shared_extractor(), augmentation);
  }
  const auto abort = core->evaluation = std::make_shared<std::atomic<bool>>(false);
  return JobRunner::of(env).detach({[core, state, seed, loss, abort, claimed] {
                                      std::lock_guard held(core->model->in_use);
                                      state->result = sonospike::evaluate(
                                          *core->model->backend, *core->store, core->model->options.encoding,
                                          loss, state->clips, seed, *abort, state->augmenter.get());
                                      core->model->measure();
                                      for (int clip : state->clips)
                                        state->heard.push_back(core->store->heard(clip));
                                      if (!state->result.complete)
                                        throw CodedFailure("ERR_ABORTED", "The evaluation was stopped.");
                                    },
                                    [core, state](Napi::Env e) -> Napi::Value {
                                      core->model->memory.tell(e);
                                      return to_result(e, *core->model, state->result, state->heard);
                                    },
                                    abort});
}

/// abortEvaluation(): makes an evaluation in progress end after the batch in hand.
Napi::Value abort_evaluation(const Napi::CallbackInfo& info, const std::shared_ptr<StoreCore>& core) {
  if (core->evaluation) core->evaluation->store(true);
  return info.Env().Undefined();
}

}  // namespace

Napi::Function NativeFeatureStore::define(Napi::Env env) {
  return DefineClass(env, "FeatureStore",
                     {InstanceMethod("add", &NativeFeatureStore::method<add>),
                      InstanceMethod("fit", &NativeFeatureStore::method<fit>),
                      InstanceMethod("size", &NativeFeatureStore::method<size>),
                      InstanceMethod("evaluate", &NativeFeatureStore::method<evaluate>),
                      InstanceMethod("abortEvaluation", &NativeFeatureStore::method<abort_evaluation>),
                      InstanceMethod("close", &NativeFeatureStore::close)});
}

NativeFeatureStore::NativeFeatureStore(const Napi::CallbackInfo& info) : WrappedObject(info) {
  const Napi::Env env = info.Env();
  try {
    const auto core = std::make_shared<StoreCore>(NativeModel::unwrap(info[0]));
    const int threads = static_cast<int>(to_int(info[1], "threads", 1, 256));
    core->store = std::make_shared<FeatureStore>(core->model->extractor, threads);
    core->memory.set(threads * HeldMemory::kThreadBytes);
    core->memory.tell(env);
    core_ = core;
  } catch (...) {
    throw to_js_error(env, std::current_exception());
  }
  info.This().As<Napi::Object>().TypeTag(&kStoreTag);
}

std::shared_ptr<StoreCore> NativeFeatureStore::unwrap(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kStoreTag)) {
    throw Napi::TypeError::New(value.Env(), "a FeatureStore is needed");
  }
  return Napi::ObjectWrap<NativeFeatureStore>::Unwrap(value.As<Napi::Object>())->core(value.Env());
}

}  // namespace sonospike
