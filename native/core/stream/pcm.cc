#include "core/stream/pcm.h"

#include <cmath>
#include <cstring>

namespace sonospike {
namespace {

constexpr float kOne = 1.0f / 32768.0f;
constexpr float kLoudest = 1e12f;

}  // namespace

void Pcm::read(size_t n, float* out) const {
  if (n == 0) return;
  if (kind == PcmKind::kFloat32) {
    std::memcpy(out, bytes, n * sizeof(float));
  } else if (kind == PcmKind::kInt16) {
    for (size_t i = 0; i < n; ++i) {
      int16_t value;
      std::memcpy(&value, bytes + i * sizeof value, sizeof value);
      out[i] = static_cast<float>(value) * kOne;
    }
  } else {
    for (size_t i = 0; i < n; ++i) {
      const auto value = static_cast<int16_t>(static_cast<uint16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8));
      out[i] = static_cast<float>(value) * kOne;
    }
  }
}

size_t Pcm::first_unusable() const {
  if (kind != PcmKind::kFloat32) return count;
  for (size_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
    if (!(std::abs(value) <= kLoudest)) return i;
  }
  return count;
}

}  // namespace sonospike
