#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace sonospike {

enum class ScheduleKind { kConstant, kCosine, kOneCycle };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kConstant;
  float rate = 1e-3f;           ///< greatest learning rate
  float warmup_share = 0.3f;    ///< one-cycle: share of the steps in which the rate rises
  float start_divisor = 25.0f;  ///< one-cycle: the first rate is rate / start_divisor
  float end_divisor = 1e4f;     ///< cosine and one-cycle: the last rate is rate / end_divisor
};

/// Learning rate of step `step` of `total`, counted from 0. One-cycle as in Smith and Topin 2018, with
/// cosines for both slopes.
inline float learning_rate(const ScheduleOptions& o, int64_t step, int64_t total) {
  const auto between = [](double from, double to, double part) {
    return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * std::clamp(part, 0.0, 1.0)));
  };
  const double last = o.rate / o.end_divisor;
  const double part = total > 1 ? static_cast<double>(step) / static_cast<double>(total - 1) : 0.0;
  switch (o.kind) {
    case ScheduleKind::kConstant:
      return o.rate;
    case ScheduleKind::kCosine:
      return static_cast<float>(between(o.rate, last, part));
    case ScheduleKind::kOneCycle:
      break;
  }
  if (part < o.warmup_share || o.warmup_share >= 1.0f) {
    return static_cast<float>(between(o.rate / o.start_divisor, o.rate, part / o.warmup_share));
  }
  return static_cast<float>(between(o.rate, last, (part - o.warmup_share) / (1.0 - o.warmup_share)));
}

}  // namespace sonospike
