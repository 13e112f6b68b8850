#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/device/device.h"
#include "cuda/device/portable.h"

/// How what the kernels work on lies in the device's memory. Clips lie one after the other, the steps of a
/// clip are rows, and the neurons of a row lie side by side without padding.

namespace sonospike::cuda {

constexpr int kWarp = 32;  // threads that run together

/// Clips that are worked on together.
struct Clips {
  int count;
  int rows;              ///< of all
  const int* first_row;  ///< [count + 1]
  const int* step_of;    ///< [rows]: step within the clip
  const int* clip_of;    ///< [rows]

  bool operator==(const Clips&) const = default;
};

/// What a layer sends, or the input: floats, or bits where all is 0 or 1 (bit i % 32 of word i / 32).
struct Sent {
  int width;
  int words;  ///< of a row of bits
  const float* values;
  const uint32_t* bits;  ///< null: values

  bool operator==(const Sent&) const = default;
  SONOSPIKE_BOTH float at(size_t row, int i) const {
    if (!bits) return values[row * width + i];
    return (bits[row * words + i / 32] >> (i % 32)) & 1u ? 1.0f : 0.0f;
  }
};

inline int words_of(int width) {
  return (width + 31) / 32;
}

/// A convolution over bands that looks at several steps. A dense connection has one band in and out, whose
/// channels are all there is.
struct ConnectionShape {
  int inputs, in_channels;   ///< in_channels: of a band of the input
  int bands, channels;       ///< of the output: neuron = band * channels + channel
  int kernel, stride, left;  ///< left: zeros before the first band of the input
  int taps, dilation;
  int delay = 0;  ///< steps that it looks back besides: 1 for what a layer sends to itself

  SONOSPIKE_BOTH int depth() const { return kernel * in_channels; }
  SONOSPIKE_BOTH int neurons() const { return bands * channels; }
  SONOSPIKE_BOTH size_t weights() const { return static_cast<size_t>(taps) * depth() * channels; }
  SONOSPIKE_BOTH bool looks_back() const { return taps > 1 || delay > 0; }
  /// A band of the input is read at every stride-th place under the kernel: at those of its phase, which is
  /// (band + left) % stride, phase + stride * q for q < places_of(phase).
  SONOSPIKE_BOTH int places_of(int phase) const {
    return phase < kernel ? (kernel - phase + stride - 1) / stride : 0;
  }
  /// How many taps and places of the phases before there are.
  SONOSPIKE_BOTH int groups_before(int phase) const {
    int places = 0;
    for (int before = 0; before < phase; ++before) places += places_of(before);
    return taps * places;
  }
  /// Where a tap's place is among those of all phases, [phase, tap, q].
  SONOSPIKE_BOTH int group_of(int tap, int place) const {
    const int phase = place % stride;
    return groups_before(phase) + tap * places_of(phase) + place / stride;
  }
  /// Steps from what a tap, counted from the oldest, looks at to the present one.
  SONOSPIKE_BOTH int delay_of(int tap) const { return delay + (taps - 1 - tap) * dilation; }
};

}  // namespace sonospike::cuda
