#pragma once

#include <mutex>
#include <utility>
#include <vector>

namespace sonospike {

/// Buffers that streams borrow while a word is spoken, so that a stream at rest holds none.
class SamplePool {
 public:
  /// An empty buffer with room for `capacity` samples.
  std::vector<float> borrow(size_t capacity) {
    std::vector<float> buffer;
    {
      std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        buffer = std::move(free_.back());
        free_.pop_back();
        kept_ -= buffer.capacity();
      }
    }
    buffer.reserve(capacity);
    return buffer;
  }

  void give_back(std::vector<float>&& buffer) {
    buffer.clear();
    std::lock_guard lock(mutex_);
    if (kept_ + buffer.capacity() > kMostKept) return;
    kept_ += buffer.capacity();
    free_.push_back(std::move(buffer));
  }

 private:
  static constexpr size_t kMostKept = size_t{1} << 20;  // samples

  std::mutex mutex_;
  std::vector<std::vector<float>> free_;
  size_t kept_ = 0;
};

}  // namespace sonospike
