#pragma once

#include <vector>

#include "core/network/backend.h"
#include "cuda/kernels/shapes.h"

namespace sonospike::cuda {

/// From the layout of the files, [channels, in_channels, kernel, taps], times `scale`, to those of the
/// products: forward [taps, depth, channels], backward [phase, taps, places, channels, in_channels].
void pack_weights(const Device& device, const ConnectionShape& shape, const float* weights, float scale,
                  float* forward, float* backward);

/// weights = scale times the sum of parts [parts, taps, depth, channels], or that added to them.
void unpack_gradient(const Device& device, const ConnectionShape& shape, const float* parts, int count,
                     float scale, bool add, float* weights);

/// out[i] = scale times the sum over `count` of in[count, size], in an order that depends on `count` alone.
struct RowSum {
  const float* in;
  int count, size;
  float* out;
  float scale = 1.0f;
};
/// Many of them at once; `add`: to what is there.
void sum_rows(const Device& device, const std::vector<RowSum>& sums, bool add);

/// What the optimizer does with a parameter, one byte each.
enum ParameterFlags : uint8_t {
  kTrained = 1,
  kDecays = 2,  ///< the weight decay applies to it
};
/// The flags' other bits are the number of the range in which the parameter is kept.
constexpr int kRangeShift = 2, kMostRanges = 8;
struct KeptRange {
  float least, most;
};

/// Squares of the gradient of what is trained, summed up in parts [kNormParts].
constexpr int kNormParts = 256;
void squared_norm(const Device& device, const uint8_t* flags, const float* gradient, size_t size,
                  double* partial);

struct AdamStep {
  size_t size;
  const uint8_t* flags;
  float *parameters, *m, *v;
  const float* gradient;
  const double* squared_norm;  ///< [kNormParts]; null: the gradient is not clipped
  float clip_norm;
  float rate, beta1, beta2, epsilon, correction1, correction2;
  float decoupled_decay, l2_decay;
  KeptRange ranges[kMostRanges];
};
void adam_step(const Device& device, const AdamStep& step);

}  // namespace sonospike::cuda
