#include "addon/named_arrays.h"

#include <algorithm>

#include "addon/settings.h"

namespace sonospike {

Napi::Object to_named_arrays(Napi::Env env, const ParameterTable& table, const float* values) {
  const Napi::Object object = Napi::Object::New(env);
  for (const auto& info : table.all())
    object.Set(info.name, new_floats(env, values + info.offset, info.size));
  return object;
}

void from_named_arrays(const Napi::Value& value, const ParameterTable& table, float* values) {
  if (!value.IsObject())
    throw Napi::TypeError::New(value.Env(), "parameters must be an object of Float32Arrays");
  for (const auto& info : table.all()) {
    const Napi::Float32Array array = to_floats(value.As<Napi::Object>().Get(info.name), info.name.c_str());
    if (array.ElementLength() != info.size) {
      throw Napi::TypeError::New(value.Env(),
                                 info.name + " must have " + std::to_string(info.size) + " elements");
    }
    std::copy_n(array.Data(), info.size, values + info.offset);
  }
}

}  // namespace sonospike
