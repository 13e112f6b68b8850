#pragma once

#include <cstdint>
#include <cstring>

#include "cuda/device/portable.h"

/// Bfloat16, the upper half of a float32, two to a word: what tensor cores multiply.

namespace sonospike::cuda {

/// 1 as bfloat16 in the lower and in the upper half of a word.
constexpr uint32_t kOneBelow = 0x3F80, kOneAbove = 0x3F800000;

SONOSPIKE_BOTH float float_of(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

SONOSPIKE_BOTH float lower_of(uint32_t pair) {
  return float_of(pair << 16);
}
SONOSPIKE_BOTH float upper_of(uint32_t pair) {
  return float_of(pair & 0xFFFF0000u);
}

#if !defined(__CUDA_ARCH__)
/// Rounded to the nearest, ties to even.
inline uint32_t rounded_bfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFF;  // NaN
  return (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
}
#endif

/// Both rounded to the nearest.
SONOSPIKE_BOTH uint32_t bfloat16_pair(float lower, float upper) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(upper), "f"(lower));
  return pair;
#elif defined(__CUDA_ARCH__)
  return 0;  // its tensor cores know no bfloat16
#else
  return rounded_bfloat16(lower) | rounded_bfloat16(upper) << 16;
#endif
}

/// Two floats as sums of three bfloat16 each, greatest first: nothing is lost, as 24 bits are 3 times 8.
struct SplitPair {
  uint32_t term[3];
};
SONOSPIKE_BOTH SplitPair split(float lower, float upper) {
  SplitPair pair;
  pair.term[0] = bfloat16_pair(lower, upper);
  lower -= lower_of(pair.term[0]);
  upper -= upper_of(pair.term[0]);
  pair.term[1] = bfloat16_pair(lower, upper);
  pair.term[2] = bfloat16_pair(lower - lower_of(pair.term[1]), upper - upper_of(pair.term[1]));
  return pair;
}

}  // namespace sonospike::cuda
