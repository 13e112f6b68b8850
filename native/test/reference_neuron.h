#pragma once
// One neuron of the reference in one step.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/kernels/kernels.h"

namespace sonospike::test {

inline double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

inline double spike(const NeuronModel& neuron, double distance) {
  if (neuron.spike == SpikeKind::kRelu) return std::max(0.0, distance);
  if (neuron.spike == SpikeKind::kSoft) return sigmoid(neuron.slope * distance);
  return distance > 0.0 ? 1.0 : 0.0;
}

/// The derivative of `spike`, or what stands in for it where the spike is hard.
inline double spike_slope(const NeuronModel& neuron, double distance) {
  const double a = neuron.slope;
  switch (neuron.spike) {
    case SpikeKind::kSoft:
    case SpikeKind::kSigmoid:
      return a * sigmoid(a * distance) * sigmoid(-a * distance);
    case SpikeKind::kFastSigmoid:
      return std::pow(1.0 + a * std::abs(distance), -2.0);
    case SpikeKind::kAtan:
      return a / 2.0 / (1.0 + std::pow(std::numbers::pi / 2.0 * a * distance, 2.0));
    case SpikeKind::kTriangle:
      return std::max(0.0, 1.0 - a * std::abs(distance));
    case SpikeKind::kBoxcar:
      return std::abs(distance) < 0.5 / a ? a : 0.0;
    case SpikeKind::kRelu:
      return distance > 0.0 ? 1.0 : 0.0;
  }
  return 0.0;
}

/// From dL/ds and dL/dv of one neuron in one step to its dL/du; adds to the gradient of the threshold.
inline double neuron_backward(const NeuronModel& neuron, double threshold, double u, double s, double gs,
                              double gv, double& grad_threshold) {
  double gu = 0.0;
  if (neuron.reset == ResetKind::kZero) {
    gu += gv * (1.0 - s);
    if (!neuron.detach_reset) gs -= gv * u;
  } else {
    gu += gv;
    grad_threshold -= gv * s;
    if (!neuron.detach_reset) gs -= gv * threshold;
  }
  const double gd = gs * spike_slope(neuron, u - threshold);
  grad_threshold -= gd;
  return gu + gd;
}

}  // namespace sonospike::test
