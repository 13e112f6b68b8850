#pragma once

#include <map>
#include <string>

#include "addon/settings.h"

namespace sonospike {

// Fields of the settings' objects; they throw a TypeError.

[[noreturn]] inline void fail(const Napi::Env& env, const std::string& what) {
  throw Napi::TypeError::New(env, "native settings: " + what);
}

inline Napi::Object get_object(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsObject()) fail(object.Env(), std::string(key) + " must be an object");
  return value.As<Napi::Object>();
}

inline Napi::Array get_array(const Napi::Object& object, const char* key, uint32_t min, uint32_t max) {
  const Napi::Value value = object.Get(key);
  if (value.IsArray()) {
    const Napi::Array array = value.As<Napi::Array>();
    if (array.Length() >= min && array.Length() <= max) return array;
  }
  fail(object.Env(), std::string(key) + " must be an array of " + std::to_string(min) + " to " +
                         std::to_string(max) + " items");
}

inline bool get_bool(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsBoolean()) fail(object.Env(), std::string(key) + " must be true or false");
  return value.As<Napi::Boolean>();
}

template <typename T>
T get_choice(const Napi::Object& object, const char* key, const std::map<std::string, T>& choices) {
  const Napi::Value value = object.Get(key);
  if (value.IsString()) {
    const auto found = choices.find(value.As<Napi::String>().Utf8Value());
    if (found != choices.end()) return found->second;
  }
  std::string names;
  for (const auto& [name, _] : choices) names += (names.empty() ? "" : ", ") + name;
  fail(object.Env(), std::string(key) + " must be one of " + names);
}

inline float get_float(const Napi::Object& object, const char* key) {
  return static_cast<float>(get_number(object, key));
}

/// The same for a field that may be left out.
inline float get_float_or(const Napi::Object& object, const char* key, float fallback) {
  return object.Get(key).IsUndefined() ? fallback : get_float(object, key);
}

}  // namespace sonospike
