#pragma once

#include <napi.h>

#include "core/encoding/encoder.h"
#include "core/frontend/options.h"
#include "core/network/options.h"
#include "core/training/trainer.h"

namespace sonospike {

/// Highest sample rate of clips and streams, Hz: MAX_CLIP_RATE of lib/settings/table.ts.
inline constexpr int kMostClipRate = 768'000;
/// Neurons of a layer; there may be as many bands and classes.
inline constexpr int64_t kMostNeurons = 8192;

/// The C++ form of ModelSettings (lib/settings/settings.ts), which has been validated there.
struct ModelOptions {
  FrontEndOptions front_end;
  ScalingOptions scaling;
  ClipFrames frames;
  EncodingOptions encoding;
  NetworkOptions network;
};

/// These throw a TypeError where a field is missing, has a wrong type, or is beyond what
/// lib/settings/table.ts lets pass (test/limits.test.ts). Fields that a choice does not use are not read.
FrontEndOptions read_front_end(const Napi::Object& front_end, int sample_rate);
EncodingOptions read_encoding(const Napi::Object& encoding);
/// `channels`: inputs for each of the features.
NetworkOptions read_network(const Napi::Object& network, int features, int channels, int classes);
ModelOptions read_model_options(const Napi::Object& settings);
AugmentationOptions read_augmentation(const Napi::Object& augmentation);
/// Throws a TypeError where the augmentation changes bands that the front end does not have.
void require_bands(const Napi::Env& env, const AugmentationOptions& augmentation,
                   const FrontEndOptions& front_end);
TrainingOptions read_training_options(const Napi::Object& options);
OptimizerOptions read_optimizer(const Napi::Object& options);
/// The names of every choice by its kind: { encodings: ['rate', …], … }.
Napi::Object choice_names(const Napi::Env& env);

/// Fields of a JavaScript object; they throw a TypeError. Reading one can run JavaScript (a getter), which
/// can take the memory of any array away: arrays are read last.
int64_t get_int(const Napi::Object& object, const char* key, int64_t min, int64_t max);
double get_number(const Napi::Object& object, const char* key);
/// A whole number of the given range. Throws a TypeError.
int64_t to_int(const Napi::Value& value, const char* what, int64_t min, int64_t max);
uint64_t to_seed(const Napi::Value& value);

/// Arrays from JavaScript; they throw a TypeError.
Napi::Float32Array to_floats(const Napi::Value& value, const char* what);
/// A new array of zeros. Throws std::bad_alloc.
Napi::Float32Array new_floats(Napi::Env env, size_t count);
Napi::Float32Array new_floats(Napi::Env env, const float* values, size_t count);

}  // namespace sonospike
