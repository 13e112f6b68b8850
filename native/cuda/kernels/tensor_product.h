#pragma once

#include "cuda/device/bfloat16.h"
#include "cuda/device/launch.h"
#include "cuda/kernels/problem.h"

namespace sonospike::cuda {

/// What a thread reads or writes at once.
struct alignas(16) Words {
  uint32_t of[4];
};
struct alignas(16) Four {
  float of[4];
};
struct alignas(8) Two {
  float of[2];
};

/// A problem on tensor cores, with the precision of float32: factors are sums of three bfloat16, exactly, of
/// whose products the six greatest are taken; zeros and ones are bfloat16 as they are, which leaves three.
/// What is left out is 2^-24 of a product and less. Tensor cores cut off what they add beyond the last bit,
/// so they add up no more than 32 products, and the sum of those is added in float32.
///
/// Tensor cores multiply 16 x 16 by 16 x 8; a warp makes 2 x 4 of those, in registers, and a block a column
/// of four warps for each 32 columns. In shared memory the four words of A that a thread needs for one of
/// them lie side by side, as do those of B for two: rows 2i and 2i + 1, or columns, and the pairs t and t + 4
/// of k. The permutation of the rows is free, as the sums do not depend on it.
template <typename Problem, int Across>
struct TensorProduct {
  static constexpr bool kSyncs = true;
  static constexpr int kWarps = 4 * Across, kThreads = kWarps * kWarp;
  static constexpr int kLeastBlocks = kWarps > 4 ? 16 / kWarps : 3;  // some values go through memory then
  static constexpr int kTileM = 128, kTileN = 32 * Across, kDepth = 32;
  static constexpr int kTermsA = Problem::kBits ? 1 : 3, kTermsB = 3;
  // [half of the depth, t] [pair of rows or columns] [4 words]; such rows start eight banks apart.
  static constexpr int kLines = 8, kPitchA = 2 * kTileM + 8, kPitchB = 2 * kTileN + 8;
  static constexpr int kPlaneA = kLines * kPitchA, kPlaneB = kLines * kPitchB;
  static constexpr int kTiles = kTermsA * kPlaneA + kTermsB * kPlaneB;
  static constexpr size_t kShared = 2 * kTiles * sizeof(uint32_t);  // one is filled, one worked on
  static constexpr int kLoads = kTileM / 2 * kLines / kThreads;     // of A's words, by four; of B's it is one
  static_assert(kTileN / 2 * kLines == kThreads);
  // A thread's rows are the same pair in all its loads, or its columns are.
  static constexpr bool kOneRow = Problem::kRowsLieSideBySide;
  static constexpr int kRows = kOneRow ? 1 : kLoads, kColumns = kOneRow ? kLoads : 1;
  using Raw = typename Problem::Raw;
  using Row = typename Problem::Row;
  using Column = typename Problem::Column;

  Problem problem;

  /// Four words of a tile: a line, and a pair of rows or columns.
  struct TilePosition {
    int line, pair;

    SONOSPIKE_DEVICE int k(int i) const { return line / 4 * 16 + line % 4 * 2 + i / 2 * 8 + i % 2; }
  };
  /// The part of A that a thread loads as its i-th, so that a warp loads whole sectors of memory.
  static SONOSPIKE_DEVICE TilePosition place_of(int thread, int i) {
    if (kOneRow) return {(thread + i * kThreads) / (kTileM / 2), thread % (kTileM / 2)};
    const int unit = thread / kWarp + i * kWarps, lane = thread % kWarp;
    return {unit % 2 * 4 + lane % 4, unit / 2 * 8 + lane / 4};
  }
  static SONOSPIKE_DEVICE TilePosition place_of_b(int thread) {
    return {thread / (kTileN / 2), thread % (kTileN / 2)};
  }

  /// What a thread brings of A: four k of two rows; where words are, all k of two rows, or two rows of four
  /// k.
  struct Elements {
    Raw of[kLoads][2][4];
  };
  struct WordsOfBits {
    uint32_t of[kLoads][kOneRow ? 4 : 2];
  };
  /// Loads the words of both tiles; those of B hold four k of two columns.
  struct Fetched {
    std::conditional_t<Problem::kWords, WordsOfBits, Elements> a;
    Two b[4];
  };

  SONOSPIKE_DEVICE void fetch(const Block& block, const Row (*rows)[2], int k0, int end, Elements& to) const {
#pragma unroll
    for (int c = 0; c < kColumns; ++c) {
      const TilePosition place = place_of(block.thread(), c);
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const Column column = problem.column(k0 + place.k(k), end);
#pragma unroll
        for (int i = c; i < kLoads; i += kColumns) {
#pragma unroll
          for (int r = 0; r < 2; ++r) to.of[i][r][k] = problem.a(rows[kOneRow ? 0 : i][r], column);
        }
      }
    }
  }

  SONOSPIKE_DEVICE void fetch(const Block& block, const Row (*rows)[2], int k0, int end,
                              WordsOfBits& to) const {
    if constexpr (kOneRow) {
#pragma unroll
      for (int i = 0; i < kLoads; ++i) {
        const TilePosition place = place_of(block.thread(), i);
#pragma unroll
        for (int k = 0; k < 4; ++k) {
          to.of[i][k] = problem.a(rows[0][0], problem.column(k0 + place.k(k), end)).word;
        }
      }
    } else {
      const Column column = problem.column(k0, end);
#pragma unroll
      for (int i = 0; i < kLoads; ++i) {
#pragma unroll
        for (int r = 0; r < 2; ++r) to.of[i][r] = problem.a(rows[i][r], column).word;
      }
    }
  }

  /// b: the first element that the thread brings of B; columns: how many of its two there are.
  SONOSPIKE_DEVICE void fetch(const Block& block, const Row (*rows)[2], const float* b, int columns, int k0,
                              int end, Fetched& to) const {
    fetch(block, rows, k0, end, to.a);
    const TilePosition place = place_of_b(block.thread());
    const int left = columns > 0 ? end - k0 : 0;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      to.b[k] = {};
      if (place.k(k) >= left) continue;
      const float* const at = b + (place.k(k) - place.k(0)) * problem.n;
      if (problem.n % 2 == 0) {
        to.b[k] = *reinterpret_cast<const Two*>(at);
      } else {
        to.b[k].of[0] = at[0];
        if (columns > 1) to.b[k].of[1] = at[1];
      }
    }
  }

  static SONOSPIKE_DEVICE Words& words_at(uint32_t* plane, int pitch, const TilePosition& place) {
    return *reinterpret_cast<Words*>(plane + place.line * pitch + place.pair * 4);
  }
  static SONOSPIKE_DEVICE const Words& words_at(const uint32_t* at) {
    return *reinterpret_cast<const Words*>(at);
  }

  /// The words of one row and two neighbouring k, of all terms.
  static SONOSPIKE_DEVICE void make(const Elements& from, const TilePosition&, int i, int r, int k,
                                    Words* words) {
    const Raw &lower = from.of[i][r][k], &upper = from.of[i][r][k + 1];
    if constexpr (Problem::kBits) {
      words[0].of[k + r] = lower.bit() * kOneBelow + upper.bit() * kOneAbove;
    } else {
      const SplitPair pair = split(lower, upper);
#pragma unroll
      for (int term = 0; term < kTermsA; ++term) words[term].of[k + r] = pair.term[term];
    }
  }
  static SONOSPIKE_DEVICE void make(const WordsOfBits& from, const TilePosition& place, int i, int r, int k,
                                    Words* words) {
    uint32_t lower, upper;
    if constexpr (kOneRow) {
      const int bit = (place.pair * 2 + r) % 32;
      lower = from.of[i][k] >> bit & 1u;
      upper = from.of[i][k + 1] >> bit & 1u;
    } else {
      lower = from.of[i][r] >> place.k(k) & 1u;
      upper = from.of[i][r] >> place.k(k + 1) & 1u;
    }
    words[0].of[k + r] = lower * kOneBelow + upper * kOneAbove;
  }

  static SONOSPIKE_DEVICE void store(const Block& block, const Fetched& from, uint32_t* tiles) {
#pragma unroll
    for (int i = 0; i < kLoads; ++i) {
      const TilePosition place = place_of(block.thread(), i);
      Words words[kTermsA];
#pragma unroll
      for (int r = 0; r < 2; ++r) {
#pragma unroll
        for (int k = 0; k < 4; k += 2) make(from.a, place, i, r, k, words);
      }
#pragma unroll
      for (int term = 0; term < kTermsA; ++term) {
        words_at(tiles + term * kPlaneA, kPitchA, place) = words[term];
      }
    }
    Words words[kTermsB];
#pragma unroll
    for (int c = 0; c < 2; ++c) {
#pragma unroll
      for (int k = 0; k < 4; k += 2) {
        const SplitPair pair = split(from.b[k].of[c], from.b[k + 1].of[c]);
#pragma unroll
        for (int term = 0; term < kTermsB; ++term) words[term].of[2 * c + k / 2] = pair.term[term];
      }
    }
    const TilePosition place = place_of_b(block.thread());
#pragma unroll
    for (int term = 0; term < kTermsB; ++term) {
      words_at(tiles + kTermsA * kPlaneA + term * kPlaneB, kPitchB, place) = words[term];
    }
  }

  struct Sums {
    float of[2][4][4];
  };

  /// sums += the products of one term of A and one of B, over half of the tiles' depth.
  static SONOSPIKE_DEVICE void multiply(const Block& block, const uint32_t* a, const uint32_t* b,
                                        Sums& sums) {
    const Words rows[2] = {words_at(a), words_at(a + 32)};
    const Words columns[2] = {words_at(b), words_at(b + 32)};
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const uint32_t column[2] = {columns[j / 2].of[j % 2 * 2], columns[j / 2].of[j % 2 * 2 + 1]};
        block.multiply_add(sums.of[i][j], rows[i].of, column);
      }
    }
  }

  /// The sum over the tiles' depth, small products first.
  static SONOSPIKE_DEVICE void multiply(const Block& block, const uint32_t* tiles, Sums& sums) {
    const int warp = block.thread() / kWarp, lane = block.thread() % kWarp;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int line = half * 4 + lane % 4;
      const uint32_t* const a = tiles + line * kPitchA + (warp / Across * 16 + lane / 4) * 4;
      const uint32_t* const b =
          tiles + kTermsA * kPlaneA + line * kPitchB + (warp % Across * 16 + lane / 4) * 4;
#pragma unroll
      for (int order = 2; order >= 0; --order) {
#pragma unroll
        for (int term = 0; term < kTermsA && term <= order; ++term) {
          multiply(block, a + term * kPlaneA, b + (order - term) * kPlaneB, sums);
        }
      }
    }
  }

  /// Four neighbouring columns of a row of the result, from n on.
  SONOSPIKE_DEVICE void put(float* row, int n, Four four) const {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (problem.bias && n + j < problem.n) four.of[j] += problem.bias[n + j];
    }
    if (problem.n % 4 == 0) {
      if (n < problem.n) *reinterpret_cast<Four*>(row + n) = four;
      return;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (n + j < problem.n) row[n + j] = four.of[j];
    }
  }

  SONOSPIKE_DEVICE void put(const Block& block, int part, int m0, int n0, const Sums& sums) const {
    const int lane = block.thread() % kWarp;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const int m = m0 + i * 16 + lane / 4 * 2 + r;
        if (m >= problem.m) continue;
        float* const row = problem.out(part, m);
#pragma unroll
        for (int j = 0; j < 4; j += 2) {
          put(row, n0 + j * 8 + lane % 4 * 4,
              {sums.of[i][j][2 * r], sums.of[i][j + 1][2 * r], sums.of[i][j][2 * r + 1],
               sums.of[i][j + 1][2 * r + 1]});
        }
      }
    }
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    uint32_t* const tiles = block.shared<uint32_t>();
    const int m0 = block.x() * kTileM, n0 = block.y() * kTileN, part = block.z();
    const int warp = block.thread() / kWarp;
    const int warp_m = m0 + warp / Across * 32, warp_n = n0 + warp % Across * 32;
    const bool any = warp_m < problem.m && warp_n < problem.n;
    const int end = problem.end(part);
    Row rows[kRows][2];
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
#pragma unroll
      for (int r = 0; r < 2; ++r) rows[i][r] = problem.row(m0 + place_of(block.thread(), i).pair * 2 + r);
    }
    const TilePosition place = place_of_b(block.thread());
    const int column = n0 + place.pair * 2, columns = problem.n - column;
    int k0 = problem.first(part), filled = 0;
    const float* b = problem.b + static_cast<size_t>(k0 + place.k(0)) * problem.n + column;
    Sums sums{};
    Fetched fetched;
    fetch(block, rows, b, columns, k0, end, fetched);
    for (; k0 < end; k0 += kDepth, filled ^= 1) {
      // All have left these tiles when they waited the last time.
      store(block, fetched, tiles + filled * kTiles);
      block.sync();
      // The next are on their way while these are worked on.
      b += static_cast<size_t>(kDepth) * problem.n;
      if (k0 + kDepth < end) fetch(block, rows, b, columns, k0 + kDepth, end, fetched);
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
    if (any) put(block, part, warp_m, warp_n, sums);
  }
};

}  // namespace sonospike::cuda
