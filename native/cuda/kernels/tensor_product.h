#pragma once

#include "cuda/device/bfloat16.h"
#include "cuda/device/launch.h"
#include "cuda/kernels/problem.h"

namespace sonospike::cuda {

/// A problem on tensor cores, with the precision of float32: factors are sums of three bfloat16, exactly, of
/// whose products the six greatest are taken; zeros and ones are bfloat16 as they are, which leaves three.
/// What is left out is 2^-24 of a product and less. Tensor cores cut off what they add beyond the last bit,
/// so they add up no more than 32 products, and the sum of those is added in float32.
///
/// A block makes a tile of 32 x 32 with each of its warps.
template <typename Problem, int Down, int Across>
struct TensorProduct {
  static constexpr bool kSyncs = true;
  static constexpr int kWarps = Down * Across, kThreads = kWarps * kWarp;
  static constexpr int kLeastBlocks = kWarps > 4 ? 16 / kWarps : 3;  // four would leave too few registers
  static constexpr int kTileM = 32 * Down, kTileN = 32 * Across;
  static constexpr int kDepth = 32, kPairs = kDepth / 2;  // elements of two k are a word
  static constexpr int kTermsA = Problem::kBits ? 1 : 3, kTermsB = 3;
  // Rows of the tiles in shared memory start eight banks apart: a warp reads four rows of eight words at
  // once.
  static constexpr int kPitchA = kTileM + 8, kPitchB = kTileN + 8;
  static constexpr int kPlaneA = kPairs * kPitchA, kPlaneB = kPairs * kPitchB;
  static constexpr int kTiles = kTermsA * kPlaneA + kTermsB * kPlaneB;
  static constexpr size_t kShared = 2 * kTiles * sizeof(uint32_t);  // one is filled, one worked on
  static constexpr int kLoadsA = kPairs * kTileM / kThreads, kLoadsB = kPairs * kTileN / kThreads;
  static constexpr bool kOneRow = Problem::kRowsLieSideBySide;
  static constexpr int kQuarters = 4;  // four pairs each
  static constexpr int kRows = kOneRow ? 1 : kLoadsA / kQuarters;
  static_assert(kLoadsA % kQuarters == 0);
  using Row = typename Problem::Row;
  using Column = typename Problem::Column;

  Problem problem;

  struct Place {
    int m, pair;
  };
  /// The pair of A's tile that a thread brings as its i-th. A warp brings one pair of 32 rows that lie side
  /// by side, or four pairs of eight rows: whole lines of memory, to different banks.
  static SONOSPIKE_DEVICE Place place_of(int thread, int i) {
    const int warp = thread / kWarp, lane = thread % kWarp;
    if (kOneRow) return {warp % Down * 32 + lane, warp / Down + i * Across};
    return {(warp + i / kQuarters * kWarps) * 8 + lane / 4, i % kQuarters * 4 + lane % 4};
  }
  static SONOSPIKE_DEVICE Place place_of_b(int thread, int i) {
    const int warp = thread / kWarp;
    return {warp % Across * 32 + thread % kWarp, warp / Across + i * Down};
  }

  /// Of two neighbouring k.
  struct Pair {
    float lower, upper;
  };
  struct Fetched {
    Pair a[kLoadsA], b[kLoadsB];
  };

  SONOSPIKE_DEVICE void fetch(const Block& block, const Row* rows, int n0, int k0, int end,
                              Fetched& to) const {
    constexpr int kColumns = kOneRow ? kLoadsA : kQuarters;
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      const int k = k0 + 2 * place_of(block.thread(), c).pair;
      const Column lower = problem.column(k, end), upper = problem.column(k + 1, end);
#pragma unroll
      for (int i = c; i < kLoadsA; i += kColumns) {
        const Row& row = rows[kOneRow ? 0 : i / kQuarters];
        to.a[i] = {problem.a(row, lower), problem.a(row, upper)};
      }
    }
#pragma unroll
    for (int i = 0; i < kLoadsB; ++i) {
      const Place place = place_of_b(block.thread(), i);
      const int n = n0 + place.m, k = k0 + 2 * place.pair;
      to.b[i] = {n < problem.n && k < end ? problem.b(k, n) : 0.0f,
                 n < problem.n && k + 1 < end ? problem.b(k + 1, n) : 0.0f};
    }
  }

  static SONOSPIKE_DEVICE void store(const Block& block, const Fetched& from, uint32_t* tiles) {
#pragma unroll
    for (int i = 0; i < kLoadsA; ++i) {
      const Place place = place_of(block.thread(), i);
      uint32_t* const to = tiles + place.pair * kPitchA + place.m;
      if (Problem::kBits) {
        *to = bfloat16_pair(from.a[i].lower, from.a[i].upper);
        continue;
      }
      const SplitPair pair = split(from.a[i].lower, from.a[i].upper);
#pragma unroll
      for (int term = 0; term < kTermsA; ++term) to[term * kPlaneA] = pair.term[term];
    }
#pragma unroll
    for (int i = 0; i < kLoadsB; ++i) {
      const Place place = place_of_b(block.thread(), i);
      uint32_t* const to = tiles + kTermsA * kPlaneA + place.pair * kPitchB + place.m;
      const SplitPair pair = split(from.b[i].lower, from.b[i].upper);
#pragma unroll
      for (int term = 0; term < kTermsB; ++term) to[term * kPlaneB] = pair.term[term];
    }
  }

  /// A warp's tile, as 2 x 4 of the tiles that tensor cores make.
  struct Sums {
    float of[2][4][4];
  };

  /// sums += the products of one term of A and one of B, over half of the tiles' depth.
  static SONOSPIKE_DEVICE void multiply(const Block& block, const uint32_t* a, const uint32_t* b,
                                        Sums& sums) {
    uint32_t factor[2][4], other[4][2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int r = 0; r < 4; ++r) factor[i][r] = a[r / 2 * 4 * kPitchA + i * 16 + r % 2 * 8];
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int r = 0; r < 2; ++r) other[j][r] = b[r * 4 * kPitchB + j * 8];
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) block.multiply_add(sums.of[i][j], factor[i], other[j]);
    }
  }

  /// The sum over the tiles' depth, small products first.
  static SONOSPIKE_DEVICE void multiply(const Block& block, const uint32_t* tiles, Sums& sums) {
    const int warp = block.thread() / kWarp, lane = block.thread() % kWarp;
    const int pair = lane % 4, place = lane / 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const uint32_t* const a = tiles + (half * 8 + pair) * kPitchA + warp / Across * 32 + place;
      const uint32_t* const b =
          tiles + kTermsA * kPlaneA + (half * 8 + pair) * kPitchB + warp % Across * 32 + place;
#pragma unroll
      for (int order = 2; order >= 0; --order) {
#pragma unroll
        for (int term = 0; term < kTermsA && term <= order; ++term) {
          multiply(block, a + term * kPlaneA, b + (order - term) * kPlaneB, sums);
        }
      }
    }
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    uint32_t* const tiles = block.shared<uint32_t>();
    const int m0 = block.x() * kTileM, n0 = block.y() * kTileN, part = block.z();
    const int warp = block.thread() / kWarp, lane = block.thread() % kWarp;
    const int warp_m = m0 + warp / Across * 32, warp_n = n0 + warp % Across * 32;
    const bool any = warp_m < problem.m && warp_n < problem.n;
    const int end = problem.end(part);
    Row rows[kRows];
#pragma unroll
    for (int i = 0; i < kRows; ++i) rows[i] = problem.row(m0 + place_of(block.thread(), i * kQuarters).m);
    Sums sums{};
    Fetched fetched;
    int k0 = problem.first(part), filled = 0;
    fetch(block, rows, n0, k0, end, fetched);
    for (; k0 < end; k0 += kDepth, filled ^= 1) {
      // All have left these tiles when they waited the last time.
      store(block, fetched, tiles + filled * kTiles);
      block.sync();
      // The next are on their way while these are worked on.
      if (k0 + kDepth < end) fetch(block, rows, n0, k0 + kDepth, end, fetched);
      if (!any) continue;
      Sums of_tiles{};
      multiply(block, tiles + filled * kTiles, of_tiles);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
#pragma unroll
          for (int r = 0; r < 4; ++r) sums.of[i][j][r] += of_tiles.of[i][j][r];
        }
      }
    }
    // Where the elements of a tile are that a thread has.
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        const int m = warp_m + i * 16 + r / 2 * 8 + lane / 4;
        if (m >= problem.m) continue;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const int n = warp_n + j * 8 + lane % 4 * 2 + r % 2;
          if (n < problem.n) problem.put(part, m, n, sums.of[i][j][r]);
        }
      }
    }
  }
};

}  // namespace sonospike::cuda
