#pragma once

#include "cuda/device/launch.h"
#include "cuda/kernels/problem.h"

namespace sonospike::cuda {

/// A problem by multiply-adds, k ascending, in tiles of (Rows * threads down) x (Columns * threads across).
template <typename Problem, int Rows, int Columns, int Down, int Across>
struct TiledProduct {
  static constexpr bool kSyncs = true;
  static constexpr int kDepth = 16;  // of the tiles of both factors that are in shared memory at a time
  static constexpr int kThreads = Down * Across, kTileM = Rows * Down, kTileN = Columns * Across;
  static constexpr int kLeastBlocks = Rows * Columns > 16 ? 1 : 512 / kThreads;
  static constexpr int kPaddedM = kTileM + 4;  // columns of A's tile start in different banks
  static constexpr size_t kShared = kDepth * (kPaddedM + kTileN) * sizeof(float);
  static constexpr int kLoadsA = kTileM * kDepth / kThreads, kLoadsB = kTileN * kDepth / kThreads;
  static_assert(kLoadsA * kThreads == kTileM * kDepth && kLoadsB * kThreads == kTileN * kDepth);
  // The elements of A that a thread brings are of one row in several columns, or of several rows in one
  // column.
  static constexpr bool kOneRow = Problem::kRowsLieSideBySide;
  static constexpr int kRows = kOneRow ? 1 : kLoadsA, kColumns = kOneRow ? kLoadsA : 1;
  static_assert(kOneRow ? kThreads % kTileM == 0 : kThreads % kDepth == 0);
  using Raw = typename Problem::Raw;
  using Row = typename Problem::Row;
  using Column = typename Problem::Column;

  Problem problem;

  struct TilePosition {
    int m, k;
  };
  /// The element of A's tile that a thread brings as its i-th.
  static SONOSPIKE_DEVICE TilePosition place_of(int thread, int i) {
    const int at = thread + i * kThreads;
    if (kOneRow) return {at % kTileM, at / kTileM};
    return {at / kDepth, at % kDepth};
  }

  SONOSPIKE_DEVICE void fetch(const Block& block, const Row* rows, int n0, int k0, int end, Raw* a,
                              float* b) const {
    Column columns[kColumns];
#pragma unroll
    for (int i = 0; i < kColumns; ++i) columns[i] = problem.column(k0 + place_of(block.thread(), i).k, end);
#pragma unroll
    for (int i = 0; i < kLoadsA; ++i) a[i] = problem.a(rows[kOneRow ? 0 : i], columns[kOneRow ? i : 0]);
#pragma unroll
    for (int i = 0; i < kLoadsB; ++i) {
      const int at = block.thread() + i * kThreads, n = n0 + at % kTileN, k = k0 + at / kTileN;
      b[i] = n < problem.n && k < end ? problem.b[static_cast<size_t>(k) * problem.n + n] : 0.0f;
    }
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    float* const tile_a = block.shared<float>();       // [kDepth, kPaddedM]
    float* const tile_b = tile_a + kDepth * kPaddedM;  // [kDepth, kTileN]
    const int m0 = block.x() * kTileM, n0 = block.y() * kTileN, part = block.z();
    const int down = block.thread() / Across, across = block.thread() % Across;
    const int end = problem.end(part);
    Row rows[kRows];
#pragma unroll
    for (int i = 0; i < kRows; ++i) rows[i] = problem.row(m0 + place_of(block.thread(), i).m);
    float sum[Rows][Columns] = {};
    Raw a[kLoadsA];
    float b[kLoadsB];
    int k0 = problem.first(part);
    fetch(block, rows, n0, k0, end, a, b);
    for (; k0 < end; k0 += kDepth) {
#pragma unroll
      for (int i = 0; i < kLoadsA; ++i) {
        const TilePosition place = place_of(block.thread(), i);
        tile_a[place.k * kPaddedM + place.m] = value_of(a[i]);
      }
#pragma unroll
      for (int i = 0; i < kLoadsB; ++i) tile_b[block.thread() + i * kThreads] = b[i];
      block.sync();
      // The next tiles are on their way while these are worked on.
      if (k0 + kDepth < end) fetch(block, rows, n0, k0 + kDepth, end, a, b);
#pragma unroll
      for (int k = 0; k < kDepth; ++k) {
        float column[Rows], row[Columns];
#pragma unroll
        for (int i = 0; i < Rows; ++i) column[i] = tile_a[k * kPaddedM + row_of(down, i)];
#pragma unroll
        for (int j = 0; j < Columns; ++j) row[j] = tile_b[k * kTileN + column_of(across, j)];
#pragma unroll
        for (int i = 0; i < Rows; ++i) {
#pragma unroll
          for (int j = 0; j < Columns; ++j) sum[i][j] = fmaf(column[i], row[j], sum[i][j]);
        }
      }
      block.sync();
    }
#pragma unroll
    for (int i = 0; i < Rows; ++i) {
      const int m = m0 + row_of(down, i);
      if (m >= problem.m) continue;
      float* const row = problem.out(part, m);
#pragma unroll
      for (int j = 0; j < Columns; ++j) {
        const int n = n0 + column_of(across, j);
        if (n >= problem.n) continue;
        row[n] = problem.bias ? problem.bias[n] + sum[i][j] : sum[i][j];
      }
    }
  }

  // Four at a time side by side, so that threads beside each other read from different banks.
  static SONOSPIKE_DEVICE int row_of(int down, int i) {
    return i / 4 * 4 * Down + down * 4 + i % 4;
  }
  static SONOSPIKE_DEVICE int column_of(int across, int j) {
    return j / 4 * 4 * Across + across * 4 + j % 4;
  }
};

}  // namespace sonospike::cuda
