#pragma once

#include <napi.h>

namespace sonospike {

/// Adds the parts of the core that are of use by themselves: info, resample, features, encode.
void define_tools(Napi::Env env, Napi::Object exports);

}  // namespace sonospike
