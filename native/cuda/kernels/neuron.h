#pragma once

#include <cmath>

#include "core/network/options.h"
#include "cuda/device/portable.h"

/// One neuron in one step, forward and backward, in the order of the CPU's kernels (core/kernels/neuron.inc).

namespace sonospike::cuda {

/// Parameters of one neuron.
struct NeuronParameters {
  float decay, threshold;
  float rho, coupling, jump;  ///< of adaptive neurons
};

struct NeuronState {
  float v = 0.0f;  ///< membrane potential after the step
  float w = 0.0f;  ///< adaptation after the step
};

/// 1 / x for x >= 1. On the GPU within 1 unit in the last place, without the branch of an exact division,
/// which would keep the compiler from working on other things meanwhile.
SONOSPIKE_BOTH float reciprocal(float x) {
#if defined(__CUDA_ARCH__)
  asm("rcp.approx.ftz.f32 %0, %0;" : "+f"(x));
  return x;
#else
  return 1.0f / x;
#endif
}

/// 1 / (1 + exp(-slope d)). On the GPU within 3e-7, for the same reason.
SONOSPIKE_BOTH float sigmoid(float slope, float d) {
#if defined(__CUDA_ARCH__)
  float power = d * (slope * -1.44269504f);
  asm("ex2.approx.ftz.f32 %0, %0;" : "+f"(power));
  return reciprocal(1.0f + power);
#else
  return reciprocal(1.0f + expf(-slope * d));
#endif
}

SONOSPIKE_BOTH float spike_of(const NeuronModel& model, float u, float threshold) {
  if (model.spike == SpikeKind::kRelu) return u > 0.0f ? u : 0.0f;
  if (model.spike == SpikeKind::kSoft) return sigmoid(model.slope, u - threshold);
  return u > threshold ? 1.0f : 0.0f;
}

/// ds/du at d = u - threshold; for soft spikes from s itself.
SONOSPIKE_BOTH float spike_derivative(const NeuronModel& model, float d, float s) {
  const float a = model.slope;
  switch (model.spike) {
    case SpikeKind::kSoft:
      return a * s * (1.0f - s);
    case SpikeKind::kFastSigmoid: {
      const float q = 1.0f + a * fabsf(d);
      return reciprocal(q * q);
    }
    case SpikeKind::kAtan: {
      const float q = 1.57079632679489662f * a * d;
      return 0.5f * a * reciprocal(1.0f + q * q);
    }
    case SpikeKind::kTriangle: {
      const float q = 1.0f - a * fabsf(d);
      return q > 0.0f ? q : 0.0f;
    }
    case SpikeKind::kBoxcar:
      return fabsf(d) < 0.5f / a ? a : 0.0f;
    case SpikeKind::kSigmoid: {
      const float q = sigmoid(a, d);
      return a * q * (1.0f - q);
    }
    case SpikeKind::kRelu:
      return 1.0f;
  }
  return 0.0f;
}

SONOSPIKE_BOTH float reset_potential(const NeuronModel& model, float u, float s, float threshold) {
  return model.reset == ResetKind::kZero ? u * (1.0f - s) : u - s * threshold;
}

/// From the input current of a step to s; `u`: out, the potential before the reset.
SONOSPIKE_BOTH float neuron_step(const NeuronModel& model, const NeuronParameters& p, float current,
                                 NeuronState& state, float& u) {
  u = current;
  if (model.spike == SpikeKind::kRelu) return spike_of(model, u, 0.0f);
  u = p.decay * state.v + current;
  if (model.adaptive) u -= state.w;
  const float s = spike_of(model, u, p.threshold);
  state.v = reset_potential(model, u, s, p.threshold);
  if (model.adaptive) state.w = p.rho * state.w + (1.0f - p.rho) * (p.coupling * u + p.jump * s);
  return s;
}

/// Gradients that a neuron gathers over the steps of a clip; as many as there are parameters of its own.
struct NeuronGradient {
  float bias = 0.0f, decay = 0.0f, threshold = 0.0f, rho = 0.0f, coupling = 0.0f, jump = 0.0f;
};
constexpr int kNeuronGradients = 6, kPlainNeuronGradients = 3;

/// What one step back in time carries to the step before.
struct NeuronBack {
  float v = 0.0f, w = 0.0f;  ///< dL/dv and dL/dw after the step before
};

/// What a neuron did in a step and in the one before it.
struct NeuronStep {
  float u, s, w_before;
  bool first;  ///< there is no step before; then the rest says nothing
  float u_before, s_before;
};

/// From gs = dL/ds to dL/du.
SONOSPIKE_BOTH float neuron_back(const NeuronModel& model, const NeuronParameters& p, const NeuronStep& at,
                                 float gs, NeuronBack& back, NeuronGradient& g) {
  if (model.spike == SpikeKind::kRelu) {
    const float gu = at.u > 0.0f ? gs : 0.0f;
    g.bias += gu;
    return gu;
  }
  const float through_reset = model.detach_reset ? 0.0f : 1.0f;
  float through_w = 0.0f;
  if (model.adaptive) {
    through_w = back.w * (1.0f - p.rho);
    gs += through_w * p.jump;
  }
  float gu = back.v, gt = 0.0f;
  if (model.reset == ResetKind::kZero) {
    gu = back.v * (1.0f - at.s);
    gs -= through_reset * back.v * at.u;
  } else {
    gs -= through_reset * back.v * p.threshold;
    gt = -back.v * at.s;
  }
  const float through_spike = gs * spike_derivative(model, at.u - p.threshold, at.s);
  gu += through_spike;
  g.threshold += gt - through_spike;
  if (model.adaptive) {
    gu += through_w * p.coupling;
    g.rho += back.w * (at.w_before - (p.coupling * at.u + p.jump * at.s));
    g.coupling += through_w * at.u;
    g.jump += through_w * at.s;
    back.w = back.w * p.rho - gu;
  }
  g.bias += gu;
  if (!at.first) g.decay += gu * reset_potential(model, at.u_before, at.s_before, p.threshold);
  back.v = gu * p.decay;
  return gu;
}

}  // namespace sonospike::cuda
