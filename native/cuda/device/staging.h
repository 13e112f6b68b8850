#pragma once

#include <cstddef>

namespace sonospike::cuda {

/// Memory of the host that a device reads in its own time. device.cu makes it of CUDA, the tests of the heap,
/// where they watch that it is not written too early.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  ~PinnedBuffer();
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;

  /// In place of what there was, which nothing may read any longer. Throws DeviceError.
  void make(size_t bytes);
  char* data() const { return data_; }
  size_t size() const { return size_; }
  /// Takes note of the copies from it that a stream has been given.
  void mark(void* stream);
  /// Waits for those that were taken note of.
  void wait();

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  void* event_ = nullptr;
  bool marked_ = false;
};

/// Where uploads wait for the device: two buffers that take turns, so that one can be written while the
/// device still reads the other. They grow to the largest upload.
class Staging {
 public:
  /// Room for `bytes`, for copies on `stream`. All from what was given before must have been started.
  char* take(size_t bytes, void* stream);
  /// The device has been waited for: both are free.
  void release();

 private:
  PinnedBuffer buffers_[2];
  int current_ = 0;
  size_t used_ = 0;  // of the current one
};

}  // namespace sonospike::cuda
