#include "addon/tools.h"

#include <chrono>
#include <functional>
#include <numeric>
#include <vector>

#include "addon/jobs.h"
#include "addon/recently_used.h"
#include "addon/settings.h"
#include "core/frontend/front_end.h"
#include "core/frontend/resampler.h"
#include "core/frontend/scaling.h"
#include "core/kernels/kernels.h"
#include "core/support/buffer.h"
#include "core/support/thread_pool.h"

namespace sonospike {
namespace {

constexpr int kMostThreads = 256;
constexpr int kMostEncoded = 1 << 20;  // frames, and features of a frame

// A workspace that has grown beyond this is not kept for the next clip.
constexpr size_t kMostFramesKept = 10'000;

struct Rates {
  int from, to;
  bool operator==(const Rates&) const = default;
};

struct ResamplerTool {
  explicit ResamplerTool(const Rates& rates) : resampler(rates.from, rates.to) {}
  const Resampler resampler;
  ResamplerWorkspace workspace;
};

struct FrontEndTool {
  explicit FrontEndTool(const FrontEndOptions& options) : front_end(options) {}
  const FrontEnd front_end;
  FrontEndWorkspace workspace;
};

/// Tables take longer to make than a second of sound takes to go through them. One of these belongs to each
/// environment (main thread or worker).
struct Tools {
  RecentlyUsed<Rates, ResamplerTool> resamplers{4};
  RecentlyUsed<FrontEndOptions, FrontEndTool> front_ends{4};
};

Tools& tools_of(const Napi::CallbackInfo& info) {
  return *static_cast<Tools*>(info.Data());
}

Napi::Value info_of(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object object = Napi::Object::New(env);
  const Napi::Array sets = Napi::Array::New(env);
  for (uint32_t i = 0; available_kernels()[i]; ++i) sets.Set(i, available_kernels()[i]->name);
  object.Set("instructionSet", kernels().name);
  object.Set("instructionSets", sets);
  object.Set("threads", hardware_threads());
#if defined(__clang__)
  object.Set("compiler", __VERSION__);
#else
  object.Set("compiler", "GCC " __VERSION__);
#endif
  return object;
}

/// choices() → the names of every choice in settings, by its kind
Napi::Value choices(const Napi::CallbackInfo& info) {
  return choice_names(info.Env());
}

/// selectInstructionSet(name) → whether this machine has it
Napi::Value select_instruction_set(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "a name is needed");
  return Napi::Boolean::New(info.Env(), select_kernels(info[0].As<Napi::String>().Utf8Value().c_str()));
}

/// resample(samples, from, to)
Napi::Value resample(const Napi::CallbackInfo& info) {
  const Rates rates{static_cast<int>(to_int(info[1], "from", 1, kMostClipRate)),
                    static_cast<int>(to_int(info[2], "to", 1, kMostClipRate))};
  const auto tool = tools_of(info).resamplers.get(rates);
  const Napi::Float32Array in = to_floats(info[0], "samples");
  Napi::Float32Array out = new_floats(info.Env(), tool->resampler.output_length(in.ElementLength()));
  tool->resampler.process(in.Data(), in.ElementLength(), out.Data(), tool->workspace);
  return out;
}

/// features(samples, sampleRate, frontend) → { frames, features, data }: unscaled
Napi::Value features(const Napi::CallbackInfo& info) {
  if (!info[2].IsObject()) throw Napi::TypeError::New(info.Env(), "settings must be an object");
  const auto tool = tools_of(info).front_ends.get(read_front_end(
      info[2].As<Napi::Object>(), static_cast<int>(to_int(info[1], "sampleRate", 1, kMostClipRate))));
  const Napi::Float32Array in = to_floats(info[0], "samples");
  if (in.ElementLength() == 0) throw Napi::TypeError::New(info.Env(), "samples are empty");
  const FrontEnd& front_end = tool->front_end;
  const size_t frames = front_end.frame_count(in.ElementLength());
  Napi::Float32Array data = new_floats(info.Env(), frames * front_end.feature_count());
  front_end.compute(in.Data(), in.ElementLength(), data.Data(), tool->workspace);
  if (frames > kMostFramesKept) tool->workspace = {};
  const Napi::Object object = Napi::Object::New(info.Env());
  object.Set("frames", static_cast<double>(frames));
  object.Set("features", front_end.feature_count());
  object.Set("data", data);
  return object;
}

/// encode(values [frames, features], frames, features, encoding, seed, clip, epoch) → [steps, channels]
Napi::Value encode(const Napi::CallbackInfo& info) {
  const int frames = static_cast<int>(to_int(info[1], "frames", 1, kMostEncoded));
  const int count = static_cast<int>(to_int(info[2], "features", 1, kMostEncoded));
  if (!info[3].IsObject()) throw Napi::TypeError::New(info.Env(), "an encoding must be an object");
  const Encoder encoder(read_encoding(info[3].As<Napi::Object>()));
  const ClipKey key{to_seed(info[4]), static_cast<uint32_t>(to_int(info[5], "clip", 0, UINT32_MAX)),
                    static_cast<uint32_t>(to_int(info[6], "epoch", 0, UINT32_MAX))};
  const Napi::Float32Array values = to_floats(info[0], "values");
  if (values.ElementLength() != static_cast<size_t>(frames) * count) {
    throw Napi::TypeError::New(info.Env(), "values must have frames x features elements");
  }
  const size_t channels = encoder.channels(count);
  Napi::Float32Array out = new_floats(info.Env(), channels * encoder.steps(frames));
  EncoderScratch scratch;
  encoder.encode(values.Data(), count, 0, encoder.steps(frames), key, out.Data(), channels, scratch);
  return out;
}

/// Seconds that `threads` threads take for a task each, all at once.
double seconds_of(int threads, const std::function<void(int)>& task) {
  ThreadPool pool(threads);
  pool.run(threads, [](int, int) {});
  const auto start = std::chrono::steady_clock::now();
  pool.run(threads, [&](int index, int) { task(index); });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// peakOperations(threads, rounds) → floating-point operations per second, of multiply-adds in registers
Napi::Value peak_operations(const Napi::CallbackInfo& info) {
  const int threads = static_cast<int>(to_int(info[0], "threads", 1, kMostThreads));
  const int64_t rounds = to_int(info[1], "rounds", 1, int64_t{1} << 40);
  std::vector<double> counts(threads);
  const double seconds = seconds_of(threads, [&](int index) {
    Buffer<float> sink(kPeakSink);
    counts[index] = kernels().multiply_add(rounds, sink.data());
  });
  return Napi::Number::New(info.Env(), std::accumulate(counts.begin(), counts.end(), 0.0) / seconds);
}

/// memoryBandwidth(threads, floats) → bytes per second, of adding an array of that size to another on every
/// thread
Napi::Value memory_bandwidth(const Napi::CallbackInfo& info) {
  const int threads = static_cast<int>(to_int(info[0], "threads", 1, kMostThreads));
  const size_t count = static_cast<size_t>(to_int(info[1], "floats", 1, 1 << 28)) / kLanePad * kLanePad;
  std::vector<Buffer<float>> arrays(2 * threads);
  for (auto& array : arrays) array.resize(count);
  const double seconds = seconds_of(threads, [&](int index) {
    kernels().add(arrays[2 * index].data(), arrays[2 * index + 1].data(), count);
  });
  constexpr double kMoved = 3.0 * sizeof(float);  // two read, one written
  return Napi::Number::New(info.Env(), kMoved * static_cast<double>(count) * threads / seconds);
}

/// A function whose C++ exceptions become JavaScript errors.
template <Napi::Value (*Call)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return Call(info);
  } catch (...) {
    throw to_js_error(info.Env(), std::current_exception());
  }
}

}  // namespace

void define_tools(Napi::Env env, Napi::Object exports) {
  auto* tools = new Tools;
  env.AddCleanupHook([](Tools* gone) { delete gone; }, tools);
  exports.Set("info", Napi::Function::New<guarded<info_of>>(env, "info"));
  exports.Set("choices", Napi::Function::New<guarded<choices>>(env, "choices"));
  exports.Set("selectInstructionSet",
              Napi::Function::New<guarded<select_instruction_set>>(env, "selectInstructionSet"));
  exports.Set("resample", Napi::Function::New<guarded<resample>>(env, "resample", tools));
  exports.Set("features", Napi::Function::New<guarded<features>>(env, "features", tools));
  exports.Set("encode", Napi::Function::New<guarded<encode>>(env, "encode"));
  exports.Set("peakOperations", Napi::Function::New<guarded<peak_operations>>(env, "peakOperations"));
  exports.Set("memoryBandwidth", Napi::Function::New<guarded<memory_bandwidth>>(env, "memoryBandwidth"));
}

}  // namespace sonospike
