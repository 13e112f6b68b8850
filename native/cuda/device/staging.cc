#include "cuda/device/staging.h"

#include <algorithm>
#include <cstring>

#include "cuda/device/device.h"

namespace sonospike::cuda {
namespace {

constexpr size_t kLeast = size_t{4} << 20;  // bytes of a buffer
constexpr size_t kLine = 256;

}  // namespace

char* Staging::take(size_t bytes, void* stream) {
  bytes = (bytes + kLine - 1) / kLine * kLine;
  if (buffers_[current_].size() - used_ < bytes) {
    if (used_ > 0) {
      buffers_[current_].mark(stream);
      current_ = 1 - current_;
      used_ = 0;
      buffers_[current_].wait();
    }
    PinnedBuffer& buffer = buffers_[current_];
    if (buffer.size() < bytes) buffer.make(std::max({bytes, 2 * buffer.size(), kLeast}));
  }
  char* const place = buffers_[current_].data() + used_;
  used_ += bytes;
  return place;
}

void Staging::release() {
  used_ = 0;
}

void* Device::stage(size_t bytes) {
  return staging_.take(bytes, stream_);
}

void Device::upload(void* to, const void* from, size_t bytes) {
  for (size_t done = 0, part; done < bytes; done += part) {
    part = std::min(bytes - done, kLeast);
    void* const staged = stage(part);
    std::memcpy(staged, static_cast<const char*>(from) + done, part);
    send(static_cast<char*>(to) + done, staged, part);
  }
}

}  // namespace sonospike::cuda
