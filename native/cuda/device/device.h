#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "cuda/device/staging.h"

/// The little of a GPU that the backend is written against. device.cu makes it of CUDA; cuda/emulation, which
/// needs neither CUDA nor a GPU, of threads on the CPU.

namespace sonospike::cuda {

/// A GPU and the stream on which the backend's work is done, in order. All calls throw DeviceError.
class Device {
 public:
  explicit Device(int number);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Needed on every thread before it calls anything else.
  void use() const;
  /// All of its memory, bytes.
  size_t memory() const { return memory_; }
  size_t free_memory() const;
  /// Bytes that this object's arrays hold of it.
  size_t allocated() const { return allocated_; }
  void count_allocated(size_t bytes) { allocated_ += bytes; }
  void count_released(size_t bytes) { allocated_ -= bytes; }
  void* stream() const { return stream_; }
  /// Whether products are to be made on tensor cores; not where SONOSPIKE_TENSOR_CORES is 0.
  bool has_tensor_cores() const { return tensor_cores_; }

  void* allocate(size_t bytes);
  void release(void* memory) noexcept;
  /// How often memory was released: as long as it is the same, all that was allocated is where it was.
  size_t releases() const { return releases_; }
  /// The host's memory can be used again at once.
  void upload(void* to, const void* from, size_t bytes);
  /// Memory of the host for what `send` is to copy, in as many parts as one likes, until this is called again
  /// or something is uploaded.
  void* stage(size_t bytes);
  /// Copies what is staged, which must not be written any more.
  void send(void* to, const void* staged, size_t bytes);
  /// Copies to `to`, which has it when it has been waited for.
  void fetch(PinnedBuffer& to, const void* from, size_t bytes);
  /// Waits for all that is being done.
  void download(void* to, const void* from, size_t bytes);
  void zero(void* memory, size_t bytes);
  void synchronize();

 private:
  int number_;
  void* stream_ = nullptr;
  size_t memory_ = 0, releases_ = 0, allocated_ = 0;
  bool tensor_cores_ = false;
  Staging staging_;
};

/// Whether the environment lets tensor cores be used: SONOSPIKE_TENSOR_CORES is not 0.
inline bool tensor_cores_allowed() {
  const char* const set = std::getenv("SONOSPIKE_TENSOR_CORES");
  return !set || std::string_view(set) != "0";
}

/// An array in a device's memory. What it holds is not set to anything.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(Device& device) : device_(&device) {}
  DeviceArray(DeviceArray&& other) noexcept
      : device_(other.device_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  DeviceArray& operator=(DeviceArray&&) = delete;
  ~DeviceArray() { free(); }

  /// Makes room. What was there is lost where there was less.
  void reserve(size_t size) {
    if (size > capacity_) {
      free();
      data_ = static_cast<T*>(device_->allocate(size * sizeof(T)));
      capacity_ = size;
      device_->count_allocated(capacity_ * sizeof(T));
    }
    size_ = size;
  }
  void free() noexcept {
    if (data_) {
      device_->release(data_);
      device_->count_released(capacity_ * sizeof(T));
    }
    data_ = nullptr;
    size_ = capacity_ = 0;
  }
  T* data() const { return data_; }
  size_t size() const { return size_; }
  void zero() {
    if (size_) device_->zero(data_, size_ * sizeof(T));
  }
  void upload(const T* from, size_t count) {
    reserve(count);
    if (count) device_->upload(data_, from, count * sizeof(T));
  }
  void download(T* to) const {
    if (size_) device_->download(to, data_, size_ * sizeof(T));
  }

 private:
  Device* device_;
  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace sonospike::cuda
