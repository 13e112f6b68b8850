#pragma once

#include <napi.h>

#include "core/network/parameters.h"

namespace sonospike {

/// An object with one Float32Array a parameter, cut out of a flat array.
Napi::Object to_named_arrays(Napi::Env env, const ParameterTable& table, const float* values);
/// The reverse. Throws a TypeError where one is missing or has another length.
void from_named_arrays(const Napi::Value& value, const ParameterTable& table, float* values);

}  // namespace sonospike
