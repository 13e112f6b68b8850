#include "addon/devices.h"

#include "addon/jobs.h"
#include "addon/settings.h"
#include "cuda/cuda_backend.h"
#include "cuda/kernels/peak.h"

namespace sonospike {

#ifdef SONOSPIKE_CUDA

namespace {

constexpr int kMostDevices = 1024;

Napi::Object to_object(Napi::Env env, const CudaDeviceInfo& device) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("name", device.name);
  object.Set("memory", static_cast<double>(device.memory_bytes));
  object.Set("freeMemory", static_cast<double>(device.free_bytes));
  object.Set("major", device.major);
  object.Set("minor", device.minor);
  object.Set("multiprocessors", device.multiprocessors);
  object.Set("supported", device.supported);
  object.Set("whyNot", device.why_not);
  return object;
}

/// cudaInfo() → { driverVersion, runtimeVersion, devices, whyNone }; versions are 1000 major + 10 minor.
Napi::Value cuda_info_of(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const CudaInfo found = cuda_info();
  const Napi::Array devices = Napi::Array::New(env, found.devices.size());
  for (uint32_t i = 0; i < found.devices.size(); ++i) devices.Set(i, to_object(env, found.devices[i]));
  const Napi::Object object = Napi::Object::New(env);
  object.Set("driverVersion", found.driver_version);
  object.Set("runtimeVersion", found.runtime_version);
  object.Set("devices", devices);
  object.Set("whyNone", found.why_none);
  return object;
}

/// cudaPeak(device, brief) → { operations, tensor, bytes }: the most per second that it is seen to do.
/// `brief`: in so little work that it tells nothing, to see that it can be measured.
Napi::Value cuda_peak_of(const Napi::CallbackInfo& info) {
  try {
    const PeakWork work = info[1].ToBoolean() ? PeakWork{2, 10, 4096, 1} : PeakWork{};
    const CudaPeak peak =
        measure_cuda_peak(static_cast<int>(to_int(info[0], "the device", 0, kMostDevices)), work);
    const Napi::Object object = Napi::Object::New(info.Env());
    object.Set("operations", peak.operations);
    object.Set("tensor", peak.tensor);
    object.Set("bytes", peak.bytes);
    return object;
  } catch (...) {
    throw to_js_error(info.Env(), std::current_exception());
  }
}

}  // namespace

std::unique_ptr<Backend> make_backend(const NetworkOptions& network, int threads, const Napi::Value& device) {
  if (device.IsUndefined()) return make_cpu_backend(network, threads);
  return make_cuda_backend(network, static_cast<int>(to_int(device, "the device", 0, kMostDevices)), threads);
}

void define_devices(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaInfo", Napi::Function::New<cuda_info_of>(env, "cudaInfo"));
  exports.Set("cudaPeak", Napi::Function::New<cuda_peak_of>(env, "cudaPeak"));
}

#else

std::unique_ptr<Backend> make_backend(const NetworkOptions& network, int threads, const Napi::Value& device) {
  if (device.IsUndefined()) return make_cpu_backend(network, threads);
  throw Napi::TypeError::New(device.Env(), "this addon is built without CUDA: a model has no other device");
}

void define_devices(Napi::Env, Napi::Object) {}

#endif

}  // namespace sonospike
