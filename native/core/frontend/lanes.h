#pragma once

namespace sonospike {

// The front end works on kLaneCount frames at a time, one on each lane of a vector: every step of the chain
// is then the plain scalar algorithm on a wider type, without shuffles. Code templated on the value type `V`
// takes `Lanes` as well as `float`.

#if defined(__GNUC__)
/// Four floats: the vector that every x86-64 and Arm64 processor has.
inline constexpr int kLaneCount = 4;
typedef float Lanes __attribute__((vector_size(kLaneCount * sizeof(float))));

inline void set_lane(Lanes& value, int lane, float x) {
  value[lane] = x;
}
inline float get_lane(const Lanes& value, int lane) {
  return value[lane];
}
#else
/// Without the vector extension of GCC and Clang, one frame at a time.
inline constexpr int kLaneCount = 1;
using Lanes = float;

inline void set_lane(Lanes& value, int, float x) {
  value = x;
}
inline float get_lane(const Lanes& value, int) {
  return value;
}
#endif

}  // namespace sonospike
