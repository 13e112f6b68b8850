#include "addon/trainer.h"

#include <algorithm>

namespace sonospike {
namespace {

constexpr int64_t kMostCount = int64_t{1} << 53;  // whole numbers that JavaScript can tell apart

Napi::Object to_object(Napi::Env env, const TrainingPosition& position) {
  const Napi::Object object = Napi::Object::New(env);
  const Napi::Array spikes = Napi::Array::New(env, position.spikes.size());
  for (uint32_t k = 0; k < position.spikes.size(); ++k) spikes.Set(k, position.spikes[k]);
  object.Set("epoch", position.epoch);
  object.Set("batch", position.batch);
  object.Set("clips", static_cast<double>(position.clips));
  object.Set("loss", position.loss);
  object.Set("correct", static_cast<double>(position.correct));
  object.Set("steps", static_cast<double>(position.steps));
  object.Set("spikes", spikes);
  return object;
}

TrainingPosition to_position(const Napi::Object& object, size_t layers) {
  TrainingPosition position;
  position.epoch = static_cast<int>(get_int(object, "epoch", 0, 1 << 30));
  position.batch = static_cast<int>(get_int(object, "batch", 0, 1 << 30));
  position.clips = get_int(object, "clips", 0, kMostCount);
  position.loss = get_number(object, "loss");
  position.correct = get_int(object, "correct", 0, kMostCount);
  position.steps = get_int(object, "steps", 0, kMostCount);
  const Napi::Value spikes = object.Get("spikes");
  if (!spikes.IsArray() || spikes.As<Napi::Array>().Length() != layers) {
    throw Napi::TypeError::New(object.Env(), "spikes must have an element for each layer");
  }
  for (uint32_t k = 0; k < layers; ++k) {
    const Napi::Value sum = spikes.As<Napi::Array>().Get(k);
    if (!sum.IsNumber()) throw Napi::TypeError::New(object.Env(), "spikes must be numbers");
    position.spikes.push_back(sum.As<Napi::Number>().DoubleValue());
  }
  return position;
}

/// runEpoch() → promise of { complete, sums: of the epoch so far }
Napi::Value run_epoch(const Napi::CallbackInfo& info, const std::shared_ptr<TrainerCore>& core) {
  const Napi::Env env = info.Env();
  auto claimed = claim(env, {core, &core->busy}, "This training is running already.");
  auto store_claimed = claim_store(env, core->store);
  auto complete = std::make_shared<bool>(false);
  return JobRunner::of(env).detach(
      {[core, complete, claimed, store_claimed] {
         std::lock_guard held(core->model->in_use);
         *complete = core->trainer->run_epoch(*core->abort);
         core->model->measure();
       },
       [core, complete](Napi::Env e) -> Napi::Value {
         core->model->memory.tell(e);
         const Napi::Object result = Napi::Object::New(e);
         const Trainer& trainer = *core->trainer;
         result.Set("complete", *complete);
         result.Set("sums", to_object(e, *complete ? trainer.finished() : trainer.position()));
         return result;
       },
       core->abort});
}

/// Makes runEpoch end after the batch in hand; for good.
Napi::Value abort(const Napi::CallbackInfo& info, const std::shared_ptr<TrainerCore>& core) {
  core->abort->store(true);
  return info.Env().Undefined();
}

/// Clips of the epoch in hand that are done.
Napi::Value progress(const Napi::CallbackInfo& info, const std::shared_ptr<TrainerCore>& core) {
  return Napi::Number::New(info.Env(), static_cast<double>(core->trainer->progress()));
}

/// readState() → { position, steps, m, v }: all that is needed beside the parameters to go on to the same
/// bits.
Napi::Value read_state(const Napi::CallbackInfo& info, const std::shared_ptr<TrainerCore>& core) {
  const Napi::Env env = info.Env();
  std::unique_lock<AsyncMutex> held(core->model->in_use, std::try_to_lock);
  if (!held.owns_lock()) throw coded_error(env, "ERR_BUSY", "This training is running.");
  const ParameterTable& table = core->model->backend->table();
  std::vector<float> m(table.size()), v(table.size());
  int64_t steps = 0;
  core->model->backend->read_moments(m.data(), v.data(), &steps);
  const Napi::Object state = Napi::Object::New(env);
  state.Set("position", to_object(env, core->trainer->position()));
  state.Set("steps", static_cast<double>(steps));
  state.Set("m", to_named_arrays(env, table, m.data()));
  state.Set("v", to_named_arrays(env, table, v.data()));
  return state;
}

/// loadState(state): the reverse.
Napi::Value load_state(const Napi::CallbackInfo& info, const std::shared_ptr<TrainerCore>& core) {
  const Napi::Env env = info.Env();
  std::unique_lock<AsyncMutex> held(core->model->in_use, std::try_to_lock);
  if (!held.owns_lock()) throw coded_error(env, "ERR_BUSY", "This training is running.");
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "a state must be an object");
  const Napi::Object state = info[0].As<Napi::Object>();
  const ParameterTable& table = core->model->backend->table();
  std::vector<float> m(table.size()), v(table.size());
  from_named_arrays(state.Get("m"), table, m.data());
  from_named_arrays(state.Get("v"), table, v.data());
  const Napi::Value given = state.Get("position");
  if (!given.IsObject()) throw Napi::TypeError::New(env, "a state needs a position");
  const TrainingPosition position =
      to_position(given.As<Napi::Object>(), core->model->options.network.layers.size());
  const int64_t steps = get_int(state, "steps", 0, kMostCount);
  core->trainer->set_position(position);
  core->model->backend->load_moments(m.data(), v.data(), steps);
  return env.Undefined();
}

}  // namespace

Napi::Function NativeTrainer::define(Napi::Env env) {
  return DefineClass(env, "Trainer",
                     {InstanceMethod("runEpoch", &NativeTrainer::method<run_epoch>),
                      InstanceMethod("abort", &NativeTrainer::method<abort>),
                      InstanceMethod("progress", &NativeTrainer::method<progress>),
                      InstanceMethod("readState", &NativeTrainer::method<read_state>),
                      InstanceMethod("loadState", &NativeTrainer::method<load_state>),
                      InstanceMethod("close", &NativeTrainer::close)});
}

NativeTrainer::NativeTrainer(const Napi::CallbackInfo& info) : WrappedObject(info) {
  const Napi::Env env = info.Env();
  try {
    const auto core = std::make_shared<TrainerCore>();
    core->model = NativeModel::unwrap(info[0]);
    core->store = NativeFeatureStore::unwrap(info[1]);
    if (core->store->model != core->model)
      throw Napi::TypeError::New(env, "the features belong to another model");
    if (!info[2].IsObject()) throw Napi::TypeError::New(env, "options must be an object");
    TrainingOptions options = read_training_options(info[2].As<Napi::Object>());
    const auto claimed = claim_store(env, core->store);
    const FeatureStore& store = *core->store->store;
    if (!store.ready()) throw Napi::TypeError::New(env, "the features are not scaled yet: call fit first");
    std::vector<int> clips = to_clips(info[3], store);
    if (clips.empty()) throw Napi::TypeError::New(env, "there are no clips to train on");
    if (options.augmentation) require_bands(env, *options.augmentation, store.extractor().front_end());
    const bool kept = options.augmentation || options.negatives > 0;
    bool labelled = false;
    for (int clip : clips) {
      labelled = labelled || store.label(clip) >= 0;
      if (kept && store.samples(clip).empty())
        throw Napi::TypeError::New(env, "the samples of a clip to be augmented were not kept");
    }
    if (!labelled) throw Napi::TypeError::New(env, "no clip to train on has a label");
    options.batch_size = std::min(options.batch_size, static_cast<int>(clips.size()) + options.negatives);
    core->trainer = std::make_unique<Trainer>(core->model->backend, core->store->store,
                                              core->model->options.encoding, options, std::move(clips));
    core_ = core;
  } catch (...) {
    throw to_js_error(env, std::current_exception());
  }
}

}  // namespace sonospike
