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
  bool accepted;
  std::vector<float> scores;
  std::vector<double> rates;
  HeardFrames heard;
  std::vector<float> samples;  ///< empty where they are not to be kept
};

/// What a stream shares with the job that works on it.
struct StreamCore {
  std::shared_ptr<ModelCore> model;
  std::unique_ptr<WordFinder> finder;
  std::unique_ptr<WordDivider> divider;
  int rate;
  bool keep_samples;
  std::atomic<bool> busy{false};  ///< a job has it
  // As the last write left them, for JavaScript: a job may be changing the finder.
  double time = 0, level = 0;
  bool speaking = false;
};

/// `new Stream(model, { sampleRate, endSilence, seed, keepSamples, confidence })`: the state of one stream of
/// samples, in which it finds words.
class NativeStream : public GuardedWrap<NativeStream> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit NativeStream(const Napi::CallbackInfo& info);

 private:
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value flush(const Napi::CallbackInfo& info);
  Napi::Value reset(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value time(const Napi::CallbackInfo& info);
  Napi::Value level(const Napi::CallbackInfo& info);
  Napi::Value speaking(const Napi::CallbackInfo& info);

  Napi::Value work(Napi::Env env, const Pcm& pcm, bool last);
  void require_free(Napi::Env env) const;

  std::shared_ptr<StreamCore> core_;
};

}  // namespace sonospike
