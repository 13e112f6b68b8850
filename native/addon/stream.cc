#include "addon/stream.h"

#include <algorithm>
#include <string>

#include "addon/fields.h"
#include "core/support/denormals.h"

namespace sonospike {
namespace {

double get_seconds(const Napi::Object& object, const char* key, double min, double max) {
  const double seconds = get_number(object, key);
  if (seconds >= min && seconds <= max) return seconds;
  fail(object.Env(), std::string(key) + " is out of range");
}

/// Seconds. Speakers may be slower than the clips that the model was made for.
double longest_word(const ModelOptions& model) {
  constexpr double kSlower = 1.25, kLeast = 0.5, kMost = 60;
  const FrontEndOptions& front_end = model.front_end;
  const double heard = static_cast<double>(model.frames.most) * front_end.hop_length / front_end.sample_rate;
  return std::clamp(kSlower * heard, kLeast, kMost);
}

Pcm to_pcm(const Napi::Value& value) {
  if (value.IsTypedArray()) {
    const auto array = value.As<Napi::TypedArray>();
    const auto* bytes = static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
    switch (array.TypedArrayType()) {
      case napi_float32_array:
        return {PcmKind::kFloat32, bytes, array.ElementLength()};
      case napi_int16_array:
        return {PcmKind::kInt16, bytes, array.ElementLength()};
      case napi_uint8_array:
        if (array.ElementLength() % sizeof(int16_t) == 0)
          return {PcmKind::kInt16LittleEndian, bytes, array.ElementLength() / sizeof(int16_t)};
        break;
      default:
        break;
    }
  }
  throw Napi::TypeError::New(
      value.Env(), "samples must be a Float32Array, an Int16Array or whole 16-bit samples as bytes");
}

/// Takes samples, `taken` of which have been taken before, and the end of the stream where they are the last,
/// for as long as the model is not needed or `may_ask` gives it. False: it did not.
template <typename MayAsk>
bool listen(StreamCore& core, const Pcm& pcm, bool last, size_t& taken, std::vector<FoundSound>& found,
            MayAsk may_ask) {
  WordFinder& finder = *core.finder;
  const NetworkOptions& network = core.model->options.network;
  const auto report = [&](const Sound& sound) {
    const Answer& answer = sound.answer;
    FoundSound& one = found.emplace_back();
    one.start = sound.start;
    one.end = sound.end;
    one.sure = sound.sure;
    one.scores.assign(answer.scores, answer.scores + network.classes);
    one.rates = firing_rates(network, answer.spikes, answer.steps);
    one.heard = answer.heard;
    if (core.keep_samples) one.samples.assign(sound.samples.begin(), sound.samples.end());
  };
  for (;;) {
    taken += finder.take(pcm.from(taken));
    if (!finder.ready() && last && taken == pcm.count) finder.finish();
    if (!finder.ready()) return true;
    if (!may_ask()) return false;
    finder.release(core.divider->divide(*core.model->recognizer, finder.segment(), report));
    core.model->measure();
  }
}

void remember(StreamCore& core) {
  core.status->time = static_cast<double>(core.finder->position()) / core.rate;
  core.status->level = core.finder->level();
  core.status->speaking = core.finder->speaking();
}

/// An array of predictions with `start` and `end` in samples, and `samples`; undefined where there is
/// nothing.
Napi::Value to_sounds(Napi::Env env, const StreamCore& core, const std::vector<FoundSound>& found) {
  if (found.empty()) return env.Undefined();
  const Napi::Array array = Napi::Array::New(env, found.size());
  for (uint32_t i = 0; i < found.size(); ++i) {
    const Napi::HandleScope scope(env);
    const FoundSound& sound = found[i];
    const Napi::Object object =
        to_prediction(env, *core.model, sound.scores.data(), sound.rates, sound.heard);
    object.Set("start", static_cast<double>(sound.start));
    object.Set("end", static_cast<double>(sound.end));
    object.Set("confidence", sound.sure);
    object.Set("rejected", core.model->confidence.rejects(sound.sure));
    if (core.keep_samples) object.Set("samples", new_floats(env, sound.samples.data(), sound.samples.size()));
    array.Set(i, object);
  }
  return array;
}

void require_free(Napi::Env env, const StreamCore& core) {
  if (core.busy.load()) throw coded_error(env, "ERR_BUSY", "The stream is at work on a write before.");
}

/// Takes samples on the calling thread for as long as the model is free when it is needed, the rest on
/// another.
Napi::Value work(Napi::Env env, const std::shared_ptr<StreamCore>& core, const Pcm& pcm, bool last) {
  std::vector<FoundSound> found;
  size_t taken = 0;
  {
    const FlushDenormals flush;
    std::unique_lock<AsyncMutex> held(core->model->in_use, std::defer_lock);
    const auto may_ask = [&held] { return held.owns_lock() || held.try_lock(); };
    if (listen(*core, pcm, last, taken, found, may_ask)) {
      remember(*core);
      core->model->memory.tell(env);
      return to_sounds(env, *core, found);
    }
  }
  struct Rest {
    std::vector<uint8_t> bytes;
    Pcm pcm;
    std::vector<FoundSound> found;
    std::shared_ptr<void> claimed;
  };
  auto rest = std::make_shared<Rest>();
  const Pcm left = pcm.from(taken);
  rest->bytes.assign(left.bytes, left.bytes + left.count * left.sample_bytes());
  rest->pcm = {left.kind, rest->bytes.data(), left.count};
  rest->found = std::move(found);
  rest->claimed = claim(env, {core, &core->busy}, "The stream is at work on a write before.");
  return JobRunner::of(env).enqueue({[core, rest, last] {
                                       size_t done = 0;
                                       listen(*core, rest->pcm, last, done, rest->found, [] { return true; });
                                     },
                                     [core, rest](Napi::Env env) -> Napi::Value {
                                       remember(*core);
                                       core->model->memory.tell(env);
                                       return to_sounds(env, *core, rest->found);
                                     },
                                     nullptr, &core->model->in_use});
}

/// write(samples: Float32Array | Int16Array | Uint8Array of 16-bit little-endian samples) → what was found,
/// or a promise of it where the model is in use.
Napi::Value write(const Napi::CallbackInfo& info, const std::shared_ptr<StreamCore>& core) {
  const Napi::Env env = info.Env();
  require_free(env, *core);
  const Pcm pcm = to_pcm(info[0]);
  const size_t bad = pcm.first_unusable();
  if (bad < pcm.count) {
    throw coded_error(env, "ERR_AUDIO_NOT_FINITE",
                      "Sample " + std::to_string(core->finder->position() + static_cast<int64_t>(bad)) +
                          " of the stream is not a finite number, or is far beyond full scale. "
                          "Check what is written: floats are in [-1, 1].");
  }
  return work(env, core, pcm, false);
}

/// flush() → what was left, as `write` gives it. The stream is to be reset then.
Napi::Value flush(const Napi::CallbackInfo& info, const std::shared_ptr<StreamCore>& core) {
  require_free(info.Env(), *core);
  return work(info.Env(), core, {}, true);
}

Napi::Value reset(const Napi::CallbackInfo& info, const std::shared_ptr<StreamCore>& core) {
  require_free(info.Env(), *core);
  core->finder->reset();
  remember(*core);
  return info.Env().Undefined();
}

}  // namespace

Napi::Function NativeStream::define(Napi::Env env) {
  return DefineClass(
      env, "Stream",
      {InstanceMethod("write", &NativeStream::method<write>),
       InstanceMethod("flush", &NativeStream::method<flush>),
       InstanceMethod("reset", &NativeStream::method<reset>), InstanceMethod("close", &NativeStream::close),
       InstanceMethod("time", &NativeStream::time), InstanceMethod("level", &NativeStream::level),
       InstanceMethod("speaking", &NativeStream::speaking)});
}

NativeStream::NativeStream(const Napi::CallbackInfo& info) : WrappedObject(info) {
  const Napi::Env env = info.Env();
  const auto core = std::make_shared<StreamCore>();
  try {
    core->model = NativeModel::unwrap(info[0]);
    if (!info[1].IsObject()) throw Napi::TypeError::New(env, "options must be an object");
    const auto options = info[1].As<Napi::Object>();
    FinderOptions finder;
    finder.rate = core->rate = static_cast<int>(get_int(options, "sampleRate", 1000, kMostClipRate));
    finder.end_silence = get_seconds(options, "endSilence", 0.05, 5);
    finder.longest = longest_word(core->model->options);
    const auto seed = to_seed(options.Get("seed"));
    core->keep_samples = get_bool(options, "keepSamples");
    core->finder = std::make_unique<WordFinder>(finder, core->model->pool);
    core->divider = std::make_unique<WordDivider>(core->model->options.network, core->model->confidence,
                                                  core->rate, core->finder->longest(), seed);
  } catch (...) {
    throw to_js_error(env, std::current_exception());
  }
  remember(*core);
  core->memory.set(static_cast<int64_t>(core->finder->bytes()));
  core->memory.tell(env);
  core_ = core;
  status_ = core->status;
}

Napi::Value NativeStream::time(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), status_->time);
}

Napi::Value NativeStream::level(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), status_->level);
}

Napi::Value NativeStream::speaking(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), status_->speaking);
}

}  // namespace sonospike
