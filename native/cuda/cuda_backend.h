#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/network/backend.h"

namespace sonospike {

struct CudaDeviceInfo {
  std::string name;
  int64_t memory_bytes = 0, free_bytes = 0;
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 0;
  bool supported = false;  ///< kernels for it, or PTX that its driver can compile, are in this binary
  std::string why_not;     ///< empty where it is supported
};

struct CudaInfo {
  int driver_version = 0, runtime_version = 0;  ///< 1000 major + 10 minor; 0: there is no driver
  std::vector<CudaDeviceInfo> devices;
  std::string why_none;  ///< such as "no CUDA driver"; empty where there are devices
};

/// What this machine has. Never throws: without a driver or a device there are none.
CudaInfo cuda_info();

/// The device cannot do what it is asked to, or no longer. What it was doing is lost; the process goes on.
class DeviceError : public std::runtime_error {
 public:
  enum class Kind {
    kNoDevice,     ///< no driver, or no device of that number
    kUnsupported,  ///< not one of the architectures that this binary is built for; or too much for it
    kOutOfMemory,  ///< not even one clip fits; the message tells the sizes
    kLost          ///< it failed at work: nothing on it can be used any longer
  };
  DeviceError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// A network on an NVIDIA GPU. `device`: its number, from 0. `host_threads`: as many make inputs that the
/// device does not encode itself, and answer for single clips.
///
/// Batches are trained and evaluated on the device; `observe`, and `forward` of a single clip that is not
/// encoded on the device (a prediction), run on a CPU backend inside, with the parameters of the device.
/// Throws DeviceError, as do all calls.
std::unique_ptr<Backend> make_cuda_backend(const NetworkOptions& options, int device, int host_threads);

}  // namespace sonospike
