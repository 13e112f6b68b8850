#include "cuda/device/device.h"

#include <cuda_runtime.h>

#include <string>

#include "cuda/cuda_backend.h"
#include "cuda/device/launch.h"

namespace sonospike {
namespace cuda {
namespace {

struct Probe {
  SONOSPIKE_DEVICE void operator()(const Block&) const {}
};

DeviceError::Kind kind_of(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return DeviceError::Kind::kOutOfMemory;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorInvalidDevice:
    case cudaErrorDevicesUnavailable:
    case cudaErrorInitializationError:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorSystemNotReady:
    case cudaErrorStubLibrary:
      return DeviceError::Kind::kNoDevice;
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorInvalidPtx:
    case cudaErrorInvalidKernelImage:
    // It goes on to work, but not on what was asked for.
    case cudaErrorInvalidValue:
    case cudaErrorInvalidConfiguration:
    case cudaErrorLaunchOutOfResources:
      return DeviceError::Kind::kUnsupported;
    default:
      return DeviceError::Kind::kLost;
  }
}

/// Whether the device in use can run the kernels of this binary. `architecture`: the one that they were
/// compiled for, as __CUDA_ARCH__ has it.
cudaError_t probe(int* architecture = nullptr) {
  cudaFuncAttributes attributes;
  const cudaError_t error = cudaFuncGetAttributes(&attributes, run_kernel<Probe>);
  if (architecture && error == cudaSuccess) *architecture = 10 * attributes.ptxVersion;
  return error;
}

std::string megabytes(size_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // an error that does not stay is taken note of once
  throw DeviceError(kind_of(error), std::string("CUDA failed at ") + what + ": " + cudaGetErrorString(error) +
                                        " (" + cudaGetErrorName(error) + ")");
}

// CUDA does not promise when a copy from any other memory of the host has read it.
void PinnedBuffer::make(size_t bytes) {
  if (data_) check(cudaFreeHost(data_), "giving back memory to copy from");
  data_ = nullptr;
  size_ = 0;
  void* memory = nullptr;
  check(cudaMallocHost(&memory, bytes), "allocating memory to copy from");
  data_ = static_cast<char*>(memory);
  size_ = bytes;
}

PinnedBuffer::~PinnedBuffer() {
  if (event_) cudaEventDestroy(static_cast<cudaEvent_t>(event_));
  if (data_) cudaFreeHost(data_);
  cudaGetLastError();
}

void PinnedBuffer::mark(void* stream) {
  cudaEvent_t event = static_cast<cudaEvent_t>(event_);
  if (!event) {
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
    event_ = event;
  }
  check(cudaEventRecord(event, static_cast<cudaStream_t>(stream)), "recording an event");
  marked_ = true;
}

void PinnedBuffer::wait() {
  if (!marked_) return;
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(event_)), "the work that it was given");
  marked_ = false;
}

Device::Device(int number) : number_(number) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "looking for devices");
  if (number < 0 || number >= count) {
    throw DeviceError(DeviceError::Kind::kNoDevice, "There is no CUDA device " + std::to_string(number) +
                                                        ": there are " + std::to_string(count) +
                                                        ", counted from 0.");
  }
  use();
  int architecture = 0;
  check(probe(&architecture), "looking for kernels for this device");
  tensor_cores_ = worth_tensor_cores(architecture) && tensor_cores_allowed();
  size_t available = 0;
  check(cudaMemGetInfo(&available, &memory_), "asking for the memory");
  cudaStream_t stream;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  stream_ = stream;
}

Device::~Device() {
  if (cudaSetDevice(number_) == cudaSuccess) {
    cudaStreamDestroy(static_cast<cudaStream_t>(stream_));
  }
  cudaGetLastError();
}

void Device::use() const {
  check(cudaSetDevice(number_), "choosing the device");
}

size_t Device::free_memory() const {
  size_t available = 0, all = 0;
  check(cudaMemGetInfo(&available, &all), "asking for the memory");
  return available;
}

void* Device::allocate(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw DeviceError(DeviceError::Kind::kOutOfMemory, "The device has no " + megabytes(bytes) +
                                                           " left: " + megabytes(free_memory()) + " of its " +
                                                           megabytes(memory_) + " are free.");
  }
  check(error, "allocating memory");
  return memory;
}

void Device::release(void* memory) noexcept {
  ++releases_;
  cudaSetDevice(number_);  // what owns the memory may end on any thread
  cudaFree(memory);
  cudaGetLastError();
}

void Device::send(void* to, const void* staged, size_t bytes) {
  check(cudaMemcpyAsync(to, staged, bytes, cudaMemcpyHostToDevice, static_cast<cudaStream_t>(stream_)),
        "copying to the device");
}

void Device::fetch(PinnedBuffer& to, const void* from, size_t bytes) {
  check(cudaMemcpyAsync(to.data(), from, bytes, cudaMemcpyDeviceToHost, static_cast<cudaStream_t>(stream_)),
        "copying from the device");
  to.mark(stream_);
}

void Device::download(void* to, const void* from, size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, static_cast<cudaStream_t>(stream_)),
        "copying from the device");
  synchronize();
}

void Device::zero(void* memory, size_t bytes) {
  check(cudaMemsetAsync(memory, 0, bytes, static_cast<cudaStream_t>(stream_)), "setting memory to zero");
}

void Device::synchronize() {
  check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream_)), "the work that it was given");
  staging_.release();
}

}  // namespace cuda

CudaInfo cuda_info() {
  CudaInfo info;
  cudaRuntimeGetVersion(&info.runtime_version);
  cudaDriverGetVersion(&info.driver_version);  // 0 where there is none
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (error != cudaSuccess || count == 0) {
    if (info.driver_version == 0) {
      info.why_none = "no CUDA driver";
    } else if (error == cudaErrorInsufficientDriver) {
      info.why_none = "the CUDA driver is too old";
    } else if (error == cudaSuccess || error == cudaErrorNoDevice) {
      info.why_none = "no CUDA device";
    } else {
      info.why_none = std::string("no CUDA device: ") + cudaGetErrorString(error);
    }
    return info;
  }
  int before = 0;
  cudaGetDevice(&before);
  for (int i = 0; i < count; ++i) {
    CudaDeviceInfo device;
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, i) == cudaSuccess) {
      device.name = properties.name;
      device.memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
      device.major = properties.major;
      device.minor = properties.minor;
      device.multiprocessors = properties.multiProcessorCount;
    }
    cudaError_t usable = cudaSetDevice(i);
    if (usable == cudaSuccess) usable = cuda::probe();
    size_t available = 0, all = 0;
    if (usable == cudaSuccess) usable = cudaMemGetInfo(&available, &all);
    device.free_bytes = static_cast<int64_t>(available);
    device.supported = usable == cudaSuccess;
    if (!device.supported) device.why_not = cudaGetErrorString(usable);
    cudaGetLastError();
    info.devices.push_back(std::move(device));
  }
  cudaSetDevice(before);
  cudaGetLastError();
  return info;
}

}  // namespace sonospike
