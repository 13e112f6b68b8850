#pragma once

#include <climits>
#include <cstdint>
#include <type_traits>

#include "cuda/kernels/divisor.h"
#include "cuda/kernels/shapes.h"

/// The three products of a connection as C[m, n] = sum over k of A(m, k) B(k, n), for kernels that work on
/// tiles of it. A problem says:
///
///   int m, n;
///   static constexpr bool kBits;        whether A is all 0 or 1
///   static constexpr bool kWords;       whether 32 neighbours in memory, from a multiple of 32 on,
///                                       are bits of one word, which any of them loads
///   static constexpr bool kRowsLieSideBySide;
///                                       whether A(m, k) and A(m + 1, k) are neighbours in memory, and not
///                                       A(m, k) and A(m, k + 1)
///   int first(part), end(part);         the k of a part, each of which makes a C of its own
///   Row row(m);                         what the elements of a row share; of any m
///   Column column(k, end);              the same of a column
///   Raw a(row, column);                 what value_of makes an element of, which may still be on its way; 0
///                                       beyond the last row or column
///   const float* b;                     [k, n]
///   float* out(part, m);                a row of C
///   const float* bias;                  [n], which is added to the sums, or null
///
/// The unfolded input of a convolution is nowhere in memory: `a` finds what it consists of.

namespace sonospike::cuda {

/// Where a bit is. Nothing waits for the word before it is asked for the bit.
struct RawBit {
  uint32_t word;
  int place;  ///< bit place % 32

  SONOSPIKE_DEVICE uint32_t bit() const { return (word >> (place & 31)) & 1u; }
};
SONOSPIKE_DEVICE float value_of(const RawBit& raw) {
  return raw.bit() ? 1.0f : 0.0f;
}
SONOSPIKE_DEVICE float value_of(float raw) {
  return raw;
}

/// Implicit im2col: a row of the unfolded matrix for every band of every row of the input, and a column for
/// every input under the kernel in every time step that the connection looks at.
template <bool Bits>
struct Unfolded {
  using Raw = std::conditional_t<Bits, RawBit, float>;
  using Element = std::conditional_t<Bits, uint32_t, float>;

  struct Line {
    const Element* row;
    int start;  ///< the first input under the kernel, which may lie before the first there is
    int step;   ///< within the clip
  };
  struct KernelInput {
    int offset;       ///< of the input from the first under the kernel
    int delay, back;  ///< of the step from the present one, and of its elements
  };

  ConnectionShape shape;
  Clips clips;
  const Element* input;
  int width;  ///< elements of a row
  Divisor bands, depth;

  Unfolded(const ConnectionShape& shape, const Clips& clips, const Sent& from)
      : shape(shape), clips(clips), bands(shape.bands), depth(shape.depth()) {
    if constexpr (Bits) {
      input = from.bits;
      width = from.words;
    } else {
      input = from.values;
      width = from.width;
    }
  }

  SONOSPIKE_DEVICE Line line(int m, int end) const {
    if (m >= end) return {input, 0, -1};
    const int row = shape.bands > 1 ? bands.of(m) : m, band = m - row * shape.bands;
    return {input + static_cast<size_t>(row) * width, (band * shape.stride - shape.left) * shape.in_channels,
            shape.looks_back() ? clips.step_of[row] : 0};
  }
  SONOSPIKE_DEVICE KernelInput place(int k, int end) const {
    if (k >= end) return {0, INT_MAX, 0};
    const int tap = shape.taps > 1 ? depth.of(k) : 0, delay = shape.delay_of(tap);
    return {k - tap * shape.depth(), delay, delay * width};
  }
  SONOSPIKE_DEVICE Raw at(const Line& line, const KernelInput& place) const {
    const int i = line.start + place.offset;
    const bool there =
        static_cast<unsigned>(i) < static_cast<unsigned>(shape.inputs) && line.step >= place.delay;
    if constexpr (Bits) {
      return {there ? line.row[(i >> 5) - place.back] : 0u, i};
    } else {
      return there ? line.row[i - place.back] : 0.0f;
    }
  }
};

/// To the currents. A: unfolded inputs, B: weights.
template <bool Bits, bool Words = false>
struct Drive {
  static constexpr bool kBits = Bits, kWords = Words, kRowsLieSideBySide = false;
  using Raw = typename Unfolded<Bits>::Raw;
  using Row = typename Unfolded<Bits>::Line;
  using Column = typename Unfolded<Bits>::KernelInput;
  int m, n, k;
  Unfolded<Bits> x;
  const float *b, *bias;
  float* to;

  SONOSPIKE_DEVICE int first(int) const { return 0; }
  SONOSPIKE_DEVICE int end(int) const { return k; }
  SONOSPIKE_DEVICE Row row(int line) const { return x.line(line, m); }
  SONOSPIKE_DEVICE Column column(int place, int end) const { return x.place(place, end); }
  SONOSPIKE_DEVICE Raw a(const Row& row, const Column& column) const { return x.at(row, column); }
  SONOSPIKE_DEVICE float* out(int, int line) const { return to + static_cast<size_t>(line) * n; }
};

/// To the gradient of the weights, summed over the lines in parts. A: unfolded inputs, turned; B: dL/du.
template <bool Bits, bool Words = false>
struct WeightGradient {
  static constexpr bool kBits = Bits, kWords = Words, kRowsLieSideBySide = true;
  static constexpr const float* bias = nullptr;
  using Raw = typename Unfolded<Bits>::Raw;
  using Row = typename Unfolded<Bits>::KernelInput;
  using Column = typename Unfolded<Bits>::Line;
  int m, n;
  int lines, lines_of_part;  // rows x bands
  Unfolded<Bits> x;
  const float* b;
  float* to;

  SONOSPIKE_DEVICE int first(int part) const { return part * lines_of_part; }
  SONOSPIKE_DEVICE int end(int part) const {
    const int end = first(part) + lines_of_part;
    return end < lines ? end : lines;
  }
  SONOSPIKE_DEVICE Row row(int place) const { return x.place(place, m); }
  SONOSPIKE_DEVICE Column column(int line, int end) const { return x.line(line, end); }
  SONOSPIKE_DEVICE Raw a(const Row& row, const Column& column) const { return x.at(column, row); }
  SONOSPIKE_DEVICE float* out(int part, int place) const {
    return to + (static_cast<size_t>(part) * m + place) * n;
  }
};

/// To dL/dx, of the bands of the input of one phase: a row for each of them in every row, a column for every
/// channel that may read it by some place under the kernel, in every step that looks back to it. A: dL/du,
/// B: weights.
struct PassDown {
  static constexpr bool kBits = false, kWords = false, kRowsLieSideBySide = false;
  static constexpr const float* bias = nullptr;
  using Raw = float;
  struct Row {
    const float* g;
    int band;  ///< of the output that reads it by the first place
    int left;  ///< steps from this one to the end of the clip
  };
  struct Column {
    int delay, place;
    int ahead;  ///< elements from the first of a band to the one that is read
  };
  int m, n, k;
  ConnectionShape shape;
  Clips clips;
  const float *g, *b;
  float* to;
  int in_bands, first_band, bands, first_reader;  // bands: of the phase; first_reader: of the first of them
  int places;
  Divisor by_bands, by_channels, by_places;

  PassDown(const ConnectionShape& shape, int phase, const Clips& clips, const float* g, const float* weight,
           float* to)
      : shape(shape), clips(clips), g(g), to(to) {
    in_bands = shape.inputs / shape.in_channels;
    first_band = ((phase - shape.left) % shape.stride + shape.stride) % shape.stride;
    bands = first_band < in_bands ? (in_bands - first_band + shape.stride - 1) / shape.stride : 0;
    first_reader = (first_band + shape.left - phase) / shape.stride;
    places = shape.places_of(phase);
    m = clips.rows * bands;
    n = shape.in_channels;
    k = shape.taps * places * shape.channels;
    b = weight + static_cast<size_t>(shape.groups_before(phase)) * shape.channels * shape.in_channels;
    by_bands = Divisor(bands > 0 ? bands : 1);
    by_channels = Divisor(shape.channels);
    by_places = Divisor(places > 0 ? places : 1);
  }

  SONOSPIKE_DEVICE int first(int) const { return 0; }
  SONOSPIKE_DEVICE int end(int) const { return k; }
  SONOSPIKE_DEVICE Row row(int line) const {
    if (line >= m) return {g, 0, 0};
    const int row = bands > 1 ? by_bands.of(line) : line;
    const int left = shape.looks_back() ? clips.first_row[clips.clip_of[row] + 1] - row : 1;
    return {g + static_cast<size_t>(row) * shape.neurons(), first_reader + line - row * bands, left};
  }
  SONOSPIKE_DEVICE Column column(int at, int end) const {
    if (at >= end) return {INT_MAX, 0, 0};
    int group = 0, tap = 0;
    if (shape.taps * places > 1) {
      group = by_channels.of(at);
      tap = by_places.of(group);
    }
    const int delay = shape.delay_of(tap);
    return {delay, group - tap * places, delay * shape.neurons() + at - group * shape.channels};
  }
  SONOSPIKE_DEVICE Raw a(const Row& row, const Column& column) const {
    const int band = row.band - column.place;
    const bool there =
        static_cast<unsigned>(band) < static_cast<unsigned>(shape.bands) && column.delay < row.left;
    return there ? row.g[band * shape.channels + column.ahead] : 0.0f;
  }
  SONOSPIKE_DEVICE float* out(int, int line) const {
    const int row = bands > 1 ? by_bands.of(line) : line,
              band = first_band + (line - row * bands) * shape.stride;
    return to + (static_cast<size_t>(row) * in_bands + band) * n;
  }
};

}  // namespace sonospike::cuda
