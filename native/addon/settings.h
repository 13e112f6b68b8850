#pragma once

#include <napi.h>

#include "core/encoding/encoder.h"
#include "core/frontend/options.h"
#include "core/network/options.h"
#include "core/training/trainer.h"

namespace sonospike {

/// The C++ form of ModelSettings (lib/settings.ts), which has been validated there.
struct ModelOptions {
  FrontEndOptions front_end;
  ScalingOptions scaling;
  int frames;
  EncodingOptions encoding;
  NetworkOptions network;
};

/// These throw a TypeError where a field is missing or has a wrong type.
FrontEndOptions read_front_end(const Napi::Object& front_end, int sample_rate);
EncodingOptions read_encoding(const Napi::Object& encoding);
ModelOptions read_model_options(const Napi::Object& settings);
TrainingOptions read_training_options(const Napi::Object& options);
OptimizerOptions read_optimizer(const Napi::Object& options);

/// Fields of a JavaScript object.
int get_int(const Napi::Object& object, const char* key);
double get_number(const Napi::Object& object, const char* key);
uint64_t to_seed(const Napi::Value& value);

/// Arrays from JavaScript; they throw a TypeError.
Napi::Float32Array to_floats(const Napi::Value& value, const char* what);
Napi::Float32Array new_floats(Napi::Env env, const float* values, size_t count);

}  // namespace sonospike
