#pragma once

#include <cstddef>

#include "cuda/device/device.h"

namespace sonospike::cuda {

/// Arrays that go to a device together, in one copy: added one by one, then written, then sent.
class StagedUpload {
 public:
  explicit StagedUpload(Device& device) : device_(device), memory_(device) {}

  template <typename T>
  struct Slice {
    size_t offset = 0;
  };

  /// Empties it. What it brought before is gone after `open`.
  void begin() { size_ = 0; }
  template <typename T>
  Slice<T> add(size_t count) {
    const size_t offset = size_;
    size_ += (count * sizeof(T) + kLine - 1) / kLine * kLine;
    return {offset};
  }
  /// Makes room for all that was added, on both sides.
  void open() {
    memory_.reserve(size_);
    staged_ = static_cast<char*>(device_.stage(size_));
  }
  void free() { memory_.free(); }
  /// To be written before it is sent.
  template <typename T>
  T* here(Slice<T> slice) const {
    return reinterpret_cast<T*>(staged_ + slice.offset);
  }
  template <typename T>
  T* there(Slice<T> slice) const {
    return reinterpret_cast<T*>(memory_.data() + slice.offset);
  }
  void send() { device_.send(memory_.data(), staged_, size_); }

 private:
  static constexpr size_t kLine = 256;  // as arrays of their own begin

  Device& device_;
  DeviceArray<char> memory_;
  size_t size_ = 0;
  char* staged_ = nullptr;
};

}  // namespace sonospike::cuda
