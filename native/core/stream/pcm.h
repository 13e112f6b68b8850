#pragma once

#include <cstddef>
#include <cstdint>

namespace sonospike {

enum class PcmKind {
  kFloat32,
  kInt16,              ///< in the machine's order
  kInt16LittleEndian,  ///< in any place of memory
};

/// Samples as they come in: floats nominally in [-1, 1], or 16-bit integers, which become floats exactly.
struct Pcm {
  PcmKind kind = PcmKind::kFloat32;
  const uint8_t* bytes = nullptr;
  size_t count = 0;  ///< of samples

  size_t sample_bytes() const { return kind == PcmKind::kFloat32 ? sizeof(float) : sizeof(int16_t); }
  /// Those from number `first` on.
  Pcm from(size_t first) const { return {kind, bytes + first * sample_bytes(), count - first}; }
  /// The first `n` as floats.
  void read(size_t n, float* out) const;
  /// The number of the first that is not finite or too far beyond full scale for its power to be a float;
  /// `count` where there is none.
  size_t first_unusable() const;
};

}  // namespace sonospike
