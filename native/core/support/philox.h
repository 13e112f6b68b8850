#pragma once

#include <cstdint>

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11): a counter
/// and a key give four 32-bit words. Nothing is carried from draw to draw, so any thread or device gets the
/// same ones. All functions have internal linkage: kernel files compile their own copies for their
/// instruction set. They are constexpr so that nvcc compiles them for the GPU too.

namespace sonospike {

/// What a draw is for; keeps the numbers of different uses apart.
enum class RandomStream : uint32_t {
  kEncoding = 1,
  kShuffle = 2,
  kInitialisation = 3,
  kAugmentation = 4,
  kNegatives = 5,
  kDropout = 6
};

struct PhiloxBlock {
  uint32_t word[4];
};

static constexpr PhiloxBlock philox(uint64_t seed, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3) {
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// A word as a float in [0, 1) with 24 random bits.
static constexpr float philox_uniform(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24f;
}

}  // namespace sonospike
