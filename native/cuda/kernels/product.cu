#include "cuda/kernels/product.h"

#include <algorithm>
#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

constexpr int kDepth = 16;  // of the tiles of both factors that are in shared memory at a time

/// C[m, n] = sum over k of A(m, k) B(k, n), k ascending, by tiles of (Rows * threads down) x (Columns *
/// threads across). `Problem` says what A and B are and takes C:
///
///   int m, n;
///   static constexpr bool kRowsLieSideBySide;     whether A(m, k) and A(m + 1, k) are neighbours in memory,
///                                                 rather than A(m, k) and A(m, k + 1)
///   int first(part), end(part);                   the k of a part, each of which makes a C of its own
///   float a(m, k), b(k, n); void put(part, m, n, sum);
template <typename Problem, int Rows, int Columns, int Down, int Across>
struct TiledProduct {
  static constexpr bool kSyncs = true;
  static constexpr int kThreads = Down * Across, kTileM = Rows * Down, kTileN = Columns * Across;
  static constexpr int kPaddedM = kTileM + 4;  // columns of A's tile start in different banks
  static constexpr size_t kShared = kDepth * (kPaddedM + kTileN) * sizeof(float);
  static constexpr int kLoadsA = kTileM * kDepth / kThreads, kLoadsB = kTileN * kDepth / kThreads;
  static_assert(kLoadsA * kThreads == kTileM * kDepth && kLoadsB * kThreads == kTileN * kDepth);

  Problem problem;

  struct Place {
    int m, k;
  };
  /// The element of A's tile that a thread brings as its i-th.
  static SONOSPIKE_DEVICE Place place_of(int thread, int i) {
    const int at = thread + i * kThreads;
    if (Problem::kRowsLieSideBySide) return {at % kTileM, at / kTileM};
    return {at / kDepth, at % kDepth};
  }

  SONOSPIKE_DEVICE void fetch(const Block& block, int m0, int n0, int k0, int end, float* a, float* b) const {
#pragma unroll
    for (int i = 0; i < kLoadsA; ++i) {
      const Place place = place_of(block.thread(), i);
      const int m = m0 + place.m, k = k0 + place.k;
      a[i] = m < problem.m && k < end ? problem.a(m, k) : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < kLoadsB; ++i) {
      const int at = block.thread() + i * kThreads, n = n0 + at % kTileN, k = k0 + at / kTileN;
      b[i] = n < problem.n && k < end ? problem.b(k, n) : 0.0f;
    }
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    float* const tile_a = block.shared<float>();       // [kDepth, kPaddedM]
    float* const tile_b = tile_a + kDepth * kPaddedM;  // [kDepth, kTileN]
    const int m0 = block.x() * kTileM, n0 = block.y() * kTileN, part = block.z();
    const int down = block.thread() / Across, across = block.thread() % Across;
    const int end = problem.end(part);
    float sum[Rows][Columns] = {};
    float a[kLoadsA], b[kLoadsB];
    int k0 = problem.first(part);
    fetch(block, m0, n0, k0, end, a, b);
    for (; k0 < end; k0 += kDepth) {
#pragma unroll
      for (int i = 0; i < kLoadsA; ++i) {
        const Place place = place_of(block.thread(), i);
        tile_a[place.k * kPaddedM + place.m] = a[i];
      }
#pragma unroll
      for (int i = 0; i < kLoadsB; ++i) tile_b[block.thread() + i * kThreads] = b[i];
      block.sync();
      // The next tiles are on their way while these are worked on.
      if (k0 + kDepth < end) fetch(block, m0, n0, k0 + kDepth, end, a, b);
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
#pragma unroll
      for (int j = 0; j < Columns; ++j) {
        const int n = n0 + column_of(across, j);
        if (n < problem.n) problem.put(part, m, n, sum[i][j]);
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

/// By tiles as wide as the result is, which the number of its rows does not change.
template <typename Problem>
void multiply(const Device& device, const Problem& problem, int parts) {
  const auto start = [&](auto kernel) {
    using Kernel = decltype(kernel);
    launch(device,
           {blocks_of(problem.m, Kernel::kTileM), blocks_of(problem.n, Kernel::kTileN),
            static_cast<unsigned>(parts)},
           Kernel::kThreads, Kernel::kShared, kernel);
  };
  if (problem.n <= 32) return start(TiledProduct<Problem, 4, 4, 16, 8>{problem});
  if (problem.n <= 64) return start(TiledProduct<Problem, 4, 4, 16, 16>{problem});
  start(TiledProduct<Problem, 8, 8, 16, 16>{problem});
}

/// A row for every band of every row, a column for every input under its kernel in every step that is looked
/// at. It is nowhere in memory: `at` finds what it consists of.
struct Unfolded {
  ConnectionShape shape;
  Clips clips;
  Sent input;

  SONOSPIKE_DEVICE float at(int m, int k) const {
    int row = m, band = 0, tap = 0, place = k;
    if (shape.bands > 1) {
      row = m / shape.bands;
      band = m - row * shape.bands;
    }
    if (shape.taps > 1) {
      tap = k / shape.depth();
      place = k - tap * shape.depth();
    }
    const int i = (band * shape.stride - shape.left) * shape.in_channels + place;
    const int delay = shape.delay_of(tap);
    if (i < 0 || i >= shape.inputs) return 0.0f;
    if (delay > 0 && clips.step_of[row] < delay) return 0.0f;
    return input.at(static_cast<size_t>(row - delay), i);
  }
};

struct Drive {
  static constexpr bool kRowsLieSideBySide = false;
  int m, n, k;
  Unfolded x;
  const float *weight, *bias;
  float* out;

  SONOSPIKE_DEVICE int first(int) const { return 0; }
  SONOSPIKE_DEVICE int end(int) const { return k; }
  SONOSPIKE_DEVICE float a(int row, int place) const { return x.at(row, place); }
  SONOSPIKE_DEVICE float b(int place, int channel) const {
    return weight[static_cast<size_t>(place) * n + channel];
  }
  SONOSPIKE_DEVICE void put(int, int row, int channel, float sum) const {
    out[static_cast<size_t>(row) * n + channel] = bias ? bias[channel] + sum : sum;
  }
};

/// A row for every band of the input in every row, a column for every channel that may read it by some place
/// under the kernel, in every step that looks back to it.
struct PassDown {
  static constexpr bool kRowsLieSideBySide = false;
  int m, n, k;
  ConnectionShape shape;
  Clips clips;
  const float *g, *weight;
  float* gx;

  SONOSPIKE_DEVICE int first(int) const { return 0; }
  SONOSPIKE_DEVICE int end(int) const { return k; }
  SONOSPIKE_DEVICE float a(int line, int column) const {
    const int in_bands = m / clips.rows;
    int row = line, from = 0, tap = 0, place = 0, channel = column;
    if (in_bands > 1) {
      row = line / in_bands;
      from = line - row * in_bands;
    }
    if (shape.taps * shape.kernel > 1) {
      const int group = column / shape.channels;
      channel = column - group * shape.channels;
      tap = group / shape.kernel;
      place = group - tap * shape.kernel;
    }
    const int start = from + shape.left - place;
    const int band = start / shape.stride, delay = shape.delay_of(tap);
    if (start < 0 || band * shape.stride != start || band >= shape.bands) return 0.0f;
    if (delay > 0 && row + delay >= clips.first_row[clips.clip_of[row] + 1]) return 0.0f;
    return g[static_cast<size_t>(row + delay) * shape.neurons() + band * shape.channels + channel];
  }
  SONOSPIKE_DEVICE float b(int column, int channel) const {
    return weight[static_cast<size_t>(column) * n + channel];
  }
  SONOSPIKE_DEVICE void put(int, int line, int channel, float sum) const {
    gx[static_cast<size_t>(line) * n + channel] = sum;
  }
};

struct WeightGradient {
  static constexpr bool kRowsLieSideBySide = true;
  int m, n;
  int lines, lines_of_part;  // rows x bands
  Unfolded x;
  const float* g;
  float* out;

  SONOSPIKE_DEVICE int first(int part) const { return part * lines_of_part; }
  SONOSPIKE_DEVICE int end(int part) const {
    const int end = first(part) + lines_of_part;
    return end < lines ? end : lines;
  }
  SONOSPIKE_DEVICE float a(int place, int line) const { return x.at(line, place); }
  SONOSPIKE_DEVICE float b(int line, int channel) const { return g[static_cast<size_t>(line) * n + channel]; }
  SONOSPIKE_DEVICE void put(int part, int place, int channel, float sum) const {
    out[(static_cast<size_t>(part) * m + place) * n + channel] = sum;
  }
};

}  // namespace

void drive(const Device& device, const ConnectionShape& shape, const Clips& clips, const Sent& input,
           const float* weight, const float* bias, float* out) {
  const int lines = clips.rows * shape.bands;
  multiply(device,
           Drive{lines, shape.channels, shape.taps * shape.depth(), {shape, clips, input}, weight, bias, out},
           1);
}

void pass_down(const Device& device, const ConnectionShape& shape, const Clips& clips, const float* g,
               const float* weight, float* gx) {
  const int lines = clips.rows * (shape.inputs / shape.in_channels);
  multiply(device,
           PassDown{lines, shape.in_channels, shape.taps * shape.kernel * shape.channels, shape, clips, g,
                    weight, gx},
           1);
}

int gradient_parts(const ConnectionShape& shape, int rows) {
  constexpr size_t kMostFloats = size_t{1} << 25;  // of all parts
  constexpr int kBlocks = 512, kFewestLines = 128, kTile = 64;
  const size_t lines = static_cast<size_t>(rows) * shape.bands;
  const int tiles =
      static_cast<int>(blocks_of(shape.taps * shape.depth(), kTile) * blocks_of(shape.channels, kTile));
  const size_t useful = std::min<size_t>(std::max(1, kBlocks / tiles), blocks_of(lines, kFewestLines));
  const size_t affordable = std::max<size_t>(1, kMostFloats / shape.weights());
  return static_cast<int>(std::max<size_t>(1, std::min(useful, affordable)));
}

void weight_gradient(const Device& device, const ConnectionShape& shape, const Clips& clips,
                     const Sent& input, const float* g, int parts, float* out) {
  const int lines = clips.rows * shape.bands;
  multiply(device,
           WeightGradient{shape.taps * shape.depth(),
                          shape.channels,
                          lines,
                          (lines + parts - 1) / parts,
                          {shape, clips, input},
                          g,
                          out},
           parts);
}

}  // namespace sonospike::cuda
