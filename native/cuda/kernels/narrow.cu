#include "cuda/kernels/narrow.h"

#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

constexpr int kAhead = 4;  // stages between when a value is asked for and when it is used
constexpr int kSettledSteps = 8192;

/// sum of weight[j] line[j], in four sums that do not wait for each other.
SONOSPIKE_DEVICE float dot(const float* weight, const float* line) {
  float sum[4] = {};
#pragma unroll
  for (int j = 0; j < kNarrow; j += 4) {
#pragma unroll
    for (int k = 0; k < 4; ++k) sum[k] = fmaf(weight[j + k], line[j + k], sum[k]);
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

struct NarrowForward {
  static constexpr bool kSyncs = true;
  NarrowArgs args;

  /// What layer `of` sends in step t, where each step's takes turns with the next's; -1: the input.
  static SONOSPIKE_DEVICE float* line(float* lines, int of, int t) {
    return lines + ((of + 1) * 2 + t % 2) * kNarrow;
  }

  /// The input that is asked for ahead of its use, by the warp that brings it.
  struct Feed {
    float ahead[kAhead];
  };

  SONOSPIKE_DEVICE float input_at(int first, int steps, int t, int i) const {
    return i < args.input.width && t < steps ? args.input.at(static_cast<size_t>(first + t), i) : 0.0f;
  }

  SONOSPIKE_DEVICE float next_input(Feed& feed, int first, int steps, int t, int i) const {
    const float now = feed.ahead[0];
#pragma unroll
    for (int j = 1; j < kAhead; ++j) feed.ahead[j - 1] = feed.ahead[j];
    feed.ahead[kAhead - 1] = input_at(first, steps, t + kAhead, i);
    return now;
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    float* const lines = block.shared<float>();
    const int clip = static_cast<int>(block.x()), first = args.clips.first_row[clip];
    const int steps = args.clips.first_row[clip + 1] - first;
    const int k = block.thread() / kWarp - 1, i = block.thread() % kWarp;
    const bool feeds = k < 0;
    const NarrowLayer& of = args.layer[feeds ? 0 : k];
    const int n = of.layer.neurons;
    const bool any = !feeds && i < n, bits = of.trace.bits;
    Feed feed{};
#pragma unroll
    for (int j = 0; j < kAhead; ++j) feed.ahead[j] = feeds ? input_at(first, steps, j, i) : 0.0f;
    float weight[kNarrow];
#pragma unroll
    for (int j = 0; j < kNarrow; ++j) weight[j] = any && j < of.inputs ? of.weight[i * of.inputs + j] : 0.0f;
    const float bias = any ? of.bias[i] : 0.0f;
    const NeuronParameters parameters = any ? of.layer.parameters(i) : NeuronParameters{};
    const bool kept = any && of.layer.dropout.keeps(clip, i);
    const bool relu = of.layer.model.spike == SpikeKind::kRelu;
    NeuronState state;
    double total = 0.0;
    float count = 0.0f;
    for (int stage = 0; stage < steps + args.layers; ++stage) {
      const int t = stage - k - 1;
      if (feeds && t < steps) {
        line(lines, k, t)[i] = next_input(feed, first, steps, t, i);
      } else if (t >= 0 && t < steps) {
        float u;
        const float current = bias + dot(weight, line(lines, k - 1, t));
        const float s = neuron_step(of.layer.model, parameters, current, state, u);
        const float sent = kept ? s : 0.0f;
        line(lines, k, t)[i] = sent;
        const size_t row = static_cast<size_t>(first + t), at = row * n + i;
        if (any) {
          of.trace.u[at] = u;
          if (of.layer.model.adaptive) of.trace.w[at] = state.w;
          if (!bits) of.trace.s[at] = sent;
        }
        if (bits) {
          const uint32_t word = block.ballot(sent > 0.0f);
          if (i == 0) of.trace.bits[row] = word;
        }
        count += relu ? (s > 0.0f ? 1.0f : 0.0f) : s;
        if (t % kSettledSteps == kSettledSteps - 1) {
          total += count;
          count = 0.0f;
        }
      }
      block.sync();
    }
    if (any) of.trace.count[static_cast<size_t>(clip) * n + i] = total + count;
  }
};

struct NarrowBackward {
  static constexpr bool kSyncs = true;
  NarrowArgs args;

  /// A neuron in a step: what it did, what the input of the same number was, and dL/ds of the last layer.
  struct Seen {
    float u, s, w_before, in, g;
  };

  SONOSPIKE_DEVICE Seen look(int k, int i, int first, int t) const {
    Seen seen{0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    if (t < 0) return seen;
    const NarrowLayer& of = args.layer[k];
    const int n = of.layer.neurons;
    const size_t row = static_cast<size_t>(first + t), at = row * n + i;
    if (i < of.inputs) seen.in = input_of(k).at(row, i);
    if (i >= n) return seen;
    seen.u = of.trace.u[at];
    if (of.layer.model.spike == SpikeKind::kSoft) seen.s = of.trace.s[at];
    if (of.layer.model.adaptive && t > 0) seen.w_before = of.trace.w[at - n];
    if (k == args.layers - 1 && args.g) seen.g = args.g[at];
    return seen;
  }

  SONOSPIKE_DEVICE Sent input_of(int k) const {
    if (k == 0) return args.input;
    const NarrowLayer& below = args.layer[k - 1];
    return {below.layer.neurons, 1, below.trace.s, below.trace.bits};
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    // Of each layer, of two stages that take turns: dL/du, and its input.
    float* const lines = block.shared<float>();
    const auto line = [&](int k, int stage, int what) {
      return lines + ((k * 2 + stage % 2) * 2 + what) * kNarrow;
    };
    const int clip = static_cast<int>(block.x()), first = args.clips.first_row[clip];
    const int steps = args.clips.first_row[clip + 1] - first;
    const int k = block.thread() / kWarp, i = block.thread() % kWarp;
    const NarrowLayer& of = args.layer[k];
    const int n = of.layer.neurons;
    const bool any = i < n, top = k == args.layers - 1;
    const bool soft = of.layer.model.spike == SpikeKind::kSoft,
               relu = of.layer.model.spike == SpikeKind::kRelu;
    float above[kNarrow], weight_gradient[kNarrow] = {};
#pragma unroll
    for (int j = 0; j < kNarrow; ++j) {
      const NarrowLayer& next = args.layer[top ? k : k + 1];
      above[j] = !top && any && j < next.layer.neurons ? next.weight[j * n + i] : 0.0f;
    }
    const NeuronParameters parameters = any ? of.layer.parameters(i) : NeuronParameters{};
    const float kept = any && of.layer.dropout.keeps(clip, i) ? 1.0f : 0.0f;
    const float cost = relu ? 0.0f : of.spike_cost / (static_cast<float>(n) * static_cast<float>(steps));
    const float every = top && args.every && any ? args.every[static_cast<size_t>(clip) * n + i] : 0.0f;
    NeuronBack carried;
    NeuronGradient gradient;
    const int behind = args.layers - 1 - k;
    Seen ahead[kAhead];
#pragma unroll
    for (int j = 0; j < kAhead; ++j) ahead[j] = look(k, i, first, steps - 1 - j);
    if (behind == 0) line(k, 0, 1)[i] = ahead[0].in;
    block.sync();
    for (int stage = 0; stage < steps + args.layers; ++stage) {
      const int t = steps - 1 - (stage - behind);
      if (stage + 1 == behind) line(k, stage + 1, 1)[i] = ahead[0].in;
      if (t >= 0 && t < steps) {
        const Seen now = ahead[0], before = ahead[1];
        line(k, stage + 1, 1)[i] = before.in;
        const float gs = top ? now.g + every : dot(above, line(k + 1, stage - 1, 0));
        NeuronStep step{now.u, now.s, now.w_before, t == 0, before.u, before.s};
        if (!soft) {
          step.s = now.u > parameters.threshold ? 1.0f : 0.0f;
          step.s_before = before.u > parameters.threshold ? 1.0f : 0.0f;
        }
        float gu = 0.0f;
        if (any) gu = neuron_back(of.layer.model, parameters, step, gs * kept + cost, carried, gradient);
        line(k, stage, 0)[i] = gu;
        const float* in = line(k, stage, 1);
#pragma unroll
        for (int j = 0; j < kNarrow; ++j) weight_gradient[j] = fmaf(gu, in[j], weight_gradient[j]);
#pragma unroll
        for (int j = 1; j < kAhead; ++j) ahead[j - 1] = ahead[j];
        ahead[kAhead - 1] = look(k, i, first, t - kAhead);
      }
      block.sync();
    }
    if (!any) return;
    const size_t next = static_cast<size_t>(args.clips.count) * n;
    const size_t own = static_cast<size_t>(clip) * n + i;
#pragma unroll
    for (int j = 0; j < kNarrow; ++j) {
      if (j < of.inputs) of.weight_gradient[own * of.inputs + j] = weight_gradient[j];
    }
    float* to = of.gradients + own;
    to[0] = gradient.bias;
    to[next] = gradient.decay;
    to[2 * next] = gradient.threshold;
    if (!of.layer.model.adaptive) return;
    to[3 * next] = gradient.rho;
    to[4 * next] = gradient.coupling;
    to[5 * next] = gradient.jump;
  }
};

}  // namespace

void narrow_forward(const Device& device, const NarrowArgs& args) {
  const int warps = args.layers + 1;
  launch(device, {static_cast<unsigned>(args.clips.count)}, warps * kWarp,
         warps * 2 * kNarrow * sizeof(float), NarrowForward{args});
}

void narrow_backward(const Device& device, const NarrowArgs& args) {
  launch(device, {static_cast<unsigned>(args.clips.count)}, args.layers * kWarp,
         args.layers * 4 * kNarrow * sizeof(float), NarrowBackward{args});
}

}  // namespace sonospike::cuda
