#include "cuda/kernels/parameters.h"

#include <algorithm>

#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

struct PackWeights {
  static constexpr bool kSyncs = false;
  ConnectionShape shape;
  const float* weights;
  float scale;
  float *forward, *backward;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number >= shape.weights()) return;
    size_t rest = number;
    const size_t tap = rest % shape.taps;
    rest /= shape.taps;
    const size_t place = rest % shape.kernel;
    rest /= shape.kernel;
    const size_t i = rest % shape.in_channels, c = rest / shape.in_channels;
    const float weight = weights[number] * scale;
    const size_t group = tap * shape.kernel + place;
    forward[(group * shape.in_channels + i) * shape.channels + c] = weight;
    const size_t of_phase = shape.group_of(static_cast<int>(tap), static_cast<int>(place));
    backward[(of_phase * shape.channels + c) * shape.in_channels + i] = weight;
  }
};

/// A thread for every weight in the order of the parts, so that it is these that lie side by side.
struct UnpackGradient {
  static constexpr bool kSyncs = false;
  ConnectionShape shape;
  const float* parts;
  int count;
  float scale;
  bool add;
  float* weights;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block), size = shape.weights();
    if (number >= size) return;
    float sum = 0.0f;
    for (int part = 0; part < count; ++part) sum += parts[part * size + number];
    const size_t c = number % shape.channels, line = number / shape.channels;
    const size_t i = line % shape.in_channels, group = line / shape.in_channels;
    const size_t place = group % shape.kernel, tap = group / shape.kernel;
    float& weight = weights[((c * shape.in_channels + i) * shape.kernel + place) * shape.taps + tap];
    weight = add ? weight + sum * scale : sum * scale;
  }
};

/// Blocks for each sum, one sum after the other.
struct SumRows {
  static constexpr bool kSyncs = true;
  static constexpr int kColumns = 32, kLines = 8;
  static constexpr int kMost = 64;  // arguments have 4 KB
  int sums;
  RowSum sum[kMost];
  unsigned end[kMost];  // of the blocks of each
  bool add;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    float* const lines = block.shared<float>();
    int number = 0;
    while (block.x() >= end[number]) ++number;
    const RowSum& of = sum[number];
    const int first = static_cast<int>(block.x() - (number > 0 ? end[number - 1] : 0u)) * kColumns;
    const int column = block.thread() % kColumns, line = block.thread() / kColumns, i = first + column;
    float total = 0.0f;
    if (i < of.size) {
#pragma unroll 8
      for (int row = line; row < of.count; row += kLines)
        total += of.in[static_cast<size_t>(row) * of.size + i];
    }
    lines[block.thread()] = total;
    block.sync();
    if (line > 0 || i >= of.size) return;
    for (int k = 1; k < kLines; ++k) total += lines[k * kColumns + column];
    of.out[i] = add ? of.out[i] + total * of.scale : total * of.scale;
  }
};

struct SquaredNorm {
  static constexpr bool kSyncs = true;
  static constexpr int kThreads = 128;
  const uint8_t* flags;
  const float* gradient;
  size_t size;
  double* partial;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    double* const sums = block.shared<double>();
    double sum = 0.0;
    for (size_t i = number_of(block); i < size; i += static_cast<size_t>(kNormParts) * kThreads) {
      const double g = flags[i] & kTrained ? gradient[i] : 0.0f;
      sum += g * g;
    }
    sums[block.thread()] = sum;
    block.sync();
    if (block.thread() > 0) return;
    for (int i = 1; i < kThreads; ++i) sum += sums[i];
    partial[block.x()] = sum;
  }
};

/// As the CPU's kernel (core/kernels/optimizer.inc).
struct Adam {
  static constexpr bool kSyncs = true;
  AdamStep q;

  /// The same for every block, from the same numbers.
  SONOSPIKE_DEVICE float scale(const Block& block) const {
    float* const scale = block.shared<float>();
    if (block.thread() == 0) {
      double sum = 0.0;
      for (int i = 0; i < kNormParts; ++i) sum += q.squared_norm[i];
      const double norm = sqrt(sum);
      *scale = norm > q.clip_norm ? static_cast<float>(q.clip_norm / (norm + 1e-6)) : 1.0f;
    }
    block.sync();
    return *scale;
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const float gradient_scale = q.squared_norm ? scale(block) : 1.0f;
    const size_t i = number_of(block);
    if (i >= q.size || !(q.flags[i] & kTrained)) return;
    const uint8_t flags = q.flags[i];
    float w = q.parameters[i];
    const bool decays = flags & kDecays;
    const float g = q.gradient[i] * gradient_scale + (decays ? q.l2_decay * w : 0.0f);
    if (decays) w -= q.rate * q.decoupled_decay * w;
    const float m = q.beta1 * q.m[i] + (1.0f - q.beta1) * g;
    const float v = q.beta2 * q.v[i] + (1.0f - q.beta2) * g * g;
    q.m[i] = m;
    q.v[i] = v;
    w -= q.rate / q.correction1 * m / (sqrtf(v) * (1.0f / sqrtf(q.correction2)) + q.epsilon);
    const KeptRange kept = q.ranges[flags >> kRangeShift];
    q.parameters[i] = w < kept.least ? kept.least : w > kept.most ? kept.most : w;
  }
};

}  // namespace

void pack_weights(const Device& device, const ConnectionShape& shape, const float* weights, float scale,
                  float* forward, float* backward) {
  launch_each(device, shape.weights(), PackWeights{shape, weights, scale, forward, backward});
}

void unpack_gradient(const Device& device, const ConnectionShape& shape, const float* parts, int count,
                     float scale, bool add, float* weights) {
  launch_each(device, shape.weights(), UnpackGradient{shape, parts, count, scale, add, weights});
}

void sum_rows(const Device& device, const std::vector<RowSum>& sums, bool add) {
  constexpr int kThreads = SumRows::kColumns * SumRows::kLines;
  for (size_t first = 0; first < sums.size(); first += SumRows::kMost) {
    SumRows kernel{};
    kernel.add = add;
    unsigned blocks = 0;
    for (size_t i = first; i < std::min(first + SumRows::kMost, sums.size()); ++i, ++kernel.sums) {
      blocks += blocks_of(sums[i].size, SumRows::kColumns);
      kernel.sum[kernel.sums] = sums[i];
      kernel.end[kernel.sums] = blocks;
    }
    launch(device, {blocks}, kThreads, kThreads * sizeof(float), kernel);
  }
}

void squared_norm(const Device& device, const uint8_t* flags, const float* gradient, size_t size,
                  double* partial) {
  launch(device, {kNormParts}, SquaredNorm::kThreads, SquaredNorm::kThreads * sizeof(double),
         SquaredNorm{flags, gradient, size, partial});
}

void adam_step(const Device& device, const AdamStep& step) {
  constexpr int kThreads = 256;
  launch(device, {blocks_of(step.size, kThreads)}, kThreads, sizeof(float), Adam{step});
}

}  // namespace sonospike::cuda
