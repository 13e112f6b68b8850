#pragma once

#include <array>
#include <cstddef>

namespace sonospike {

/// Bands in which a stream is listened to: wide enough to be steady in noise, narrow enough that a fricative
/// is not hidden by hum, nor a vowel by hiss.
inline constexpr int kStreamBands = 4;
/// Of each band, dB below full scale (the power of a square wave from -1 to 1).
using BandArray = std::array<double, kStreamBands>;

/// The level of a stream in each band every 10 ms, and of the whole, over the last few hops.
///
/// The bands are spaced evenly in the logarithm of the frequency from 120 Hz to 7.6 kHz, or to just below the
/// Nyquist frequency, each a band-pass of second order (bilinear transform with edges in their right places).
/// None lets an offset through.
class BandLevels {
 public:
  explicit BandLevels(int rate);

  /// Samples of a hop.
  size_t hop() const { return hop_; }
  /// Takes samples up to the end of the hop at most and returns how many; `complete` then says whether the
  /// hop is.
  size_t take(const float* samples, size_t n);
  bool complete() const { return filled_ == hop_; }
  /// To be called when a hop is complete: levels over the last three hops.
  const BandArray& finish();
  /// Standard deviation of each level in steady noise, dB.
  const BandArray& spread() const { return spread_; }
  /// Level of all frequencies over the last five whole hops, without an offset.
  double overall() const;
  void reset();

 private:
  static constexpr int kSmoothed = 3, kMetered = 5;

  struct Filter {
    double b0, a1, a2;  // b1 = 0, b2 = -b0
  };

  size_t hop_;
  std::array<Filter, kStreamBands> filters_;
  BandArray first_, second_;  // the filters' states
  size_t filled_;
  BandArray sums_;
  double sum_, squares_;
  std::array<BandArray, kSmoothed> powers_;
  std::array<double, kMetered> means_, metered_;  // of the samples and of their squares
  int hops_;
  BandArray levels_, spread_;
};

}  // namespace sonospike
