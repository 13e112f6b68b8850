#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <vector>

#include "addon/jobs.h"
#include "addon/model.h"
#include "core/stream/word_divider.h"
#include "core/stream/word_finder.h"

namespace sonospike {

/// A sound of a stream with the model's answer, on its way to JavaScript.
struct FoundSound {
  int64_t start, end;
  double sure;
  std::vector<float> scores;
  std::vector<double> rates;
  HeardFrames heard;
  std::vector<float> samples;  ///< empty where they are not to be kept
};

/// What JavaScript can ask of a stream while a job is changing its finder: as the last write left it.
struct StreamStatus {
  double time = 0, level = 0;
  bool speaking = false;
};

/// What a stream shares with the job that works on it.
struct StreamCore {
  std::shared_ptr<ModelCore> model;
  std::unique_ptr<WordFinder> finder;
  std::unique_ptr<WordDivider> divider;
  int rate;
  bool keep_samples;
  std::atomic<bool> busy{false};  ///< a job has it
  std::shared_ptr<StreamStatus> status = std::make_shared<StreamStatus>();
  HeldMemory memory;
};

/// `new Stream(model, { sampleRate, endSilence, seed, keepSamples })`: the state of one stream of
/// samples, in which it finds words.
class NativeStream : public WrappedObject<NativeStream, StreamCore> {
 public:
  static constexpr const char* kName = "stream";
  static Napi::Function define(Napi::Env env);
  explicit NativeStream(const Napi::CallbackInfo& info);

 private:
  // These answer when the stream is closed, too.
  Napi::Value time(const Napi::CallbackInfo& info);
  Napi::Value level(const Napi::CallbackInfo& info);
  Napi::Value speaking(const Napi::CallbackInfo& info);

  std::shared_ptr<const StreamStatus> status_;
};

}  // namespace sonospike
