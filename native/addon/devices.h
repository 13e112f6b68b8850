#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "core/network/backend.h"

namespace sonospike {

/// Part of the marks of this addon's objects. The addon with CUDA can be loaded beside the one without, and
/// neither may take the other's objects for its own.
#ifdef SONOSPIKE_CUDA
inline constexpr uint64_t kAddonMark = 1;
#else
inline constexpr uint64_t kAddonMark = 0;
#endif

/// The network on the CPU where `device` is undefined, else on the CUDA device of that number. Throws a
/// TypeError, or DeviceError.
std::unique_ptr<Backend> make_backend(const NetworkOptions& network, int threads, const Napi::Value& device);

/// Adds `cudaInfo` and `cudaPeak` to an addon that is built with CUDA.
void define_devices(Napi::Env env, Napi::Object exports);

}  // namespace sonospike
