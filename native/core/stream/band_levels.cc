#include "core/stream/band_levels.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace sonospike {
namespace {

constexpr double kHop = 0.01;                     // seconds
constexpr double kLowest = 120, kHighest = 7600;  // Hz
constexpr double kOfRate = 0.475;                 // the highest edge that a rate has room for
constexpr double kLeastPower = 1e-12;             // -120 dB

double decibels(double power) {
  return 10 * std::log10(std::max(power, kLeastPower));
}

}  // namespace

BandLevels::BandLevels(int rate) : hop_(std::max<size_t>(1, std::lround(rate * kHop))) {
  const double top = std::min(kHighest, kOfRate * rate), ratio = top / kLowest;
  double lower = kLowest;
  for (int band = 0; band < kStreamBands; ++band) {
    const double upper = kLowest * std::pow(ratio, (band + 1.0) / kStreamBands);
    const double from = std::tan(std::numbers::pi * lower / rate),
                 to = std::tan(std::numbers::pi * upper / rate);
    const double width = to - from, centre = from * to, scale = 1 / (1 + width + centre);
    filters_[band] = {width * scale, 2 * (centre - 1) * scale, (1 - width + centre) * scale};
    // The power of noise of bandwidth B over a time T has 2BT degrees of freedom.
    spread_[band] = 10 / std::numbers::ln10 / std::sqrt((upper - lower) * kSmoothed * kHop);
    lower = upper;
  }
  reset();
}

void BandLevels::reset() {
  first_ = second_ = sums_ = {};
  sum_ = squares_ = 0;
  filled_ = 0;
  hops_ = 0;
  powers_ = {};
  means_ = metered_ = {};
  levels_.fill(decibels(0));
}

size_t BandLevels::take(const float* samples, size_t n) {
  const size_t count = std::min(n, hop_ - filled_);
  BandArray first = first_, second = second_, sums = sums_;
  double sum = sum_, squares = squares_;
  for (size_t i = 0; i < count; ++i) {
    const double x = samples[i];
    sum += x;
    squares += x * x;
    for (int band = 0; band < kStreamBands; ++band) {
      const Filter& f = filters_[band];
      const double y = f.b0 * x + first[band];
      first[band] = second[band] - f.a1 * y;
      second[band] = -f.b0 * x - f.a2 * y;
      sums[band] += y * y;
    }
  }
  first_ = first;
  second_ = second;
  sums_ = sums;
  sum_ = sum;
  squares_ = squares;
  filled_ += count;
  return count;
}

const BandArray& BandLevels::finish() {
  const auto length = static_cast<double>(hop_);
  for (int band = 0; band < kStreamBands; ++band) powers_[hops_ % kSmoothed][band] = sums_[band] / length;
  means_[hops_ % kMetered] = sum_ / length;
  metered_[hops_ % kMetered] = squares_ / length;
  ++hops_;
  const int smoothed = std::min(hops_, kSmoothed);
  for (int band = 0; band < kStreamBands; ++band) {
    double power = 0;
    for (int i = 0; i < smoothed; ++i) power += powers_[i][band];
    levels_[band] = decibels(power / smoothed);
  }
  // The counter is kept small; which place is the next must not change.
  if (hops_ == kSmoothed * kMetered * 1000) hops_ = kSmoothed * kMetered;
  sums_ = {};
  sum_ = squares_ = 0;
  filled_ = 0;
  return levels_;
}

double BandLevels::overall() const {
  const int metered = std::min(hops_, kMetered);
  if (metered == 0) return decibels(0);
  const double mean = std::accumulate(means_.begin(), means_.begin() + metered, 0.0) / metered;
  const double power = std::accumulate(metered_.begin(), metered_.begin() + metered, 0.0) / metered;
  return decibels(power - mean * mean);
}

}  // namespace sonospike
