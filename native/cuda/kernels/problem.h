#pragma once

#include <climits>

#include "cuda/kernels/divisor.h"
#include "cuda/kernels/shapes.h"

/// The three products of a connection as C[m, n] = sum over k of A(m, k) B(k, n), for kernels that work on
/// tiles of it. A problem says:
///
///   int m, n;
///   static constexpr bool kBits;               whether A is all 0 or 1
///   static constexpr bool kRowsLieSideBySide;  whether A(m, k) and A(m + 1, k) are neighbours in memory,
///   rather
///                                              than A(m, k) and A(m, k + 1)
///   int first(part), end(part);                the k of a part, each of which makes a C of its own
///   Row row(m); Column column(k, end);         what all elements of a row and of a column share; any m and k
///   float a(row, column), b(k, n);             a: 0 beyond the last row or column
///   void put(part, m, n, sum);
///
/// The unfolded input of a convolution is nowhere in memory: `a` finds what it consists of.

namespace sonospike::cuda {

/// A line for every band of every row, a place for every input under its kernel in every step that is looked
/// at.
template <bool Bits>
struct Unfolded {
  ConnectionShape shape;
  Clips clips;
  Sent input;
  Divisor bands, depth;

  struct Line {
    int row, start;  ///< start: the first input under the kernel, which may lie before the first there is
    int step;        ///< within the clip
  };
  struct Place {
    int offset, delay;  ///< of the input from the first under the kernel; of the step from the present one
  };

  Unfolded(const ConnectionShape& shape, const Clips& clips, const Sent& input)
      : shape(shape), clips(clips), input(input), bands(shape.bands), depth(shape.depth()) {}

  SONOSPIKE_DEVICE Line line(int m, int end) const {
    if (m >= end) return {0, 0, -1};
    const int row = bands.of(m), band = m - row * shape.bands;
    return {row, (band * shape.stride - shape.left) * shape.in_channels,
            shape.looks_back() ? clips.step_of[row] : 0};
  }
  SONOSPIKE_DEVICE Place place(int k, int end) const {
    if (k >= end) return {0, INT_MAX};
    const int tap = depth.of(k);
    return {k - tap * shape.depth(), shape.delay_of(tap)};
  }
  SONOSPIKE_DEVICE float at(const Line& line, const Place& place) const {
    const int i = line.start + place.offset;
    if (i < 0 || i >= shape.inputs || line.step < place.delay) return 0.0f;
    const auto row = static_cast<size_t>(line.row - place.delay);
    if (!Bits) return input.values[row * input.width + i];
    return (input.bits[row * input.words + i / 32] >> (i % 32)) & 1u ? 1.0f : 0.0f;
  }
};

/// To the currents. A: unfolded inputs, B: weights.
template <bool Bits>
struct Drive {
  static constexpr bool kBits = Bits, kRowsLieSideBySide = false;
  using Row = typename Unfolded<Bits>::Line;
  using Column = typename Unfolded<Bits>::Place;
  int m, n, k;
  Unfolded<Bits> x;
  const float *weight, *bias;
  float* out;

  SONOSPIKE_DEVICE int first(int) const { return 0; }
  SONOSPIKE_DEVICE int end(int) const { return k; }
  SONOSPIKE_DEVICE Row row(int line) const { return x.line(line, m); }
  SONOSPIKE_DEVICE Column column(int place, int end) const { return x.place(place, end); }
  SONOSPIKE_DEVICE float a(const Row& row, const Column& column) const { return x.at(row, column); }
  SONOSPIKE_DEVICE float b(int place, int channel) const {
    return weight[static_cast<size_t>(place) * n + channel];
  }
  SONOSPIKE_DEVICE void put(int, int row, int channel, float sum) const {
    out[static_cast<size_t>(row) * n + channel] = bias ? bias[channel] + sum : sum;
  }
};

/// To the gradient of the weights, summed over the lines in parts. A: unfolded inputs, turned; B: dL/du.
template <bool Bits>
struct WeightGradient {
  static constexpr bool kBits = Bits, kRowsLieSideBySide = true;
  using Row = typename Unfolded<Bits>::Place;
  using Column = typename Unfolded<Bits>::Line;
  int m, n;
  int lines, lines_of_part;  // rows x bands
  Unfolded<Bits> x;
  const float* g;
  float* out;

  SONOSPIKE_DEVICE int first(int part) const { return part * lines_of_part; }
  SONOSPIKE_DEVICE int end(int part) const {
    const int end = first(part) + lines_of_part;
    return end < lines ? end : lines;
  }
  SONOSPIKE_DEVICE Row row(int place) const { return x.place(place, m); }
  SONOSPIKE_DEVICE Column column(int line, int end) const { return x.line(line, end); }
  SONOSPIKE_DEVICE float a(const Row& row, const Column& column) const { return x.at(column, row); }
  SONOSPIKE_DEVICE float b(int line, int channel) const { return g[static_cast<size_t>(line) * n + channel]; }
  SONOSPIKE_DEVICE void put(int part, int place, int channel, float sum) const {
    out[(static_cast<size_t>(part) * m + place) * n + channel] = sum;
  }
};

/// To dL/dx: a row for every band of the input in every row, a column for every channel that may read it by
/// some place under the kernel, in every step that looks back to it. A: dL/du, B: weights.
struct PassDown {
  static constexpr bool kBits = false, kRowsLieSideBySide = false;
  struct Row {
    int row, from;  ///< from: the band, counted from the first zero before all bands
    int left;       ///< steps from this one to the end of the clip
  };
  struct Column {
    int delay, place, channel;
  };
  int m, n, k;
  ConnectionShape shape;
  Clips clips;
  const float *g, *weight;
  float* gx;
  Divisor in_bands, channels, kernel, stride;

  PassDown(const ConnectionShape& shape, const Clips& clips, const float* g, const float* weight, float* gx)
      : m(clips.rows * (shape.inputs / shape.in_channels)),
        n(shape.in_channels),
        k(shape.taps * shape.kernel * shape.channels),
        shape(shape),
        clips(clips),
        g(g),
        weight(weight),
        gx(gx),
        in_bands(shape.inputs / shape.in_channels),
        channels(shape.channels),
        kernel(shape.kernel),
        stride(shape.stride) {}

  SONOSPIKE_DEVICE int first(int) const { return 0; }
  SONOSPIKE_DEVICE int end(int) const { return k; }
  SONOSPIKE_DEVICE Row row(int line) const {
    if (line >= m) return {0, 0, 0};
    const int row = in_bands.of(line), band = line - row * (shape.inputs / shape.in_channels);
    const int left = shape.looks_back() ? clips.first_row[clips.clip_of[row] + 1] - row : 1;
    return {row, band + shape.left, left};
  }
  SONOSPIKE_DEVICE Column column(int at, int end) const {
    if (at >= end) return {INT_MAX, 0, 0};
    const int group = channels.of(at), tap = kernel.of(group);
    return {shape.delay_of(tap), group - tap * shape.kernel, at - group * shape.channels};
  }
  SONOSPIKE_DEVICE float a(const Row& row, const Column& column) const {
    const int start = row.from - column.place;
    if (start < 0 || column.delay >= row.left) return 0.0f;
    const int band = stride.of(start);
    if (band * shape.stride != start || band >= shape.bands) return 0.0f;
    return g[static_cast<size_t>(row.row + column.delay) * shape.neurons() + band * shape.channels +
             column.channel];
  }
  SONOSPIKE_DEVICE float b(int column, int channel) const {
    return weight[static_cast<size_t>(column) * n + channel];
  }
  SONOSPIKE_DEVICE void put(int, int line, int channel, float sum) const {
    gx[static_cast<size_t>(line) * n + channel] = sum;
  }
};

}  // namespace sonospike::cuda
