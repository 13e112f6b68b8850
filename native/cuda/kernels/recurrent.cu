#include "cuda/kernels/layer.h"

#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kManyClips = 512;  // from here on there are blocks for the whole GPU with four clips in each

/// A few clips that a block takes through all steps.
template <int Most>
struct Group {
  int first, count, longest;
  int row[Most], steps[Most];
};

template <int Most>
SONOSPIKE_DEVICE Group<Most> group_of(const Block& block, const Clips& clips) {
  Group<Most> group;
  group.first = static_cast<int>(block.x()) * Most;
  group.count = clips.count - group.first < Most ? clips.count - group.first : Most;
  group.longest = 0;
#pragma unroll
  for (int c = 0; c < Most; ++c) {
    group.row[c] = group.steps[c] = 0;
    if (c >= group.count) continue;
    group.row[c] = clips.first_row[group.first + c];
    group.steps[c] = clips.first_row[group.first + c + 1] - group.row[c];
    group.longest = group.steps[c] > group.longest ? group.steps[c] : group.longest;
  }
  return group;
}

template <int Most>
struct RecurrentForward {
  static constexpr bool kSyncs = true;
  LayerArgs layer;
  Clips clips;
  TraceArgs trace;
  const float* recurrent_t;
  float* state;

  /// sum[c] += what neuron i has from the spikes of the step before t.
  SONOSPIKE_DEVICE void add_own(const Group<Most>& group, int t, int i, float* sum) const {
    const int n = layer.neurons, words = (n + kWarp - 1) / kWarp;
    if (!trace.bits) {
      for (int j = 0; j < n; ++j) {
        const float weight = recurrent_t[static_cast<size_t>(j) * n + i];
#pragma unroll
        for (int c = 0; c < Most; ++c) {
          if (t < group.steps[c])
            sum[c] = fmaf(trace.s[static_cast<size_t>(group.row[c] + t - 1) * n + j], weight, sum[c]);
        }
      }
      return;
    }
    for (int word = 0; word < words; ++word) {
      uint32_t bits[Most], any = 0;
#pragma unroll
      for (int c = 0; c < Most; ++c) {
        bits[c] =
            t < group.steps[c] ? trace.bits[static_cast<size_t>(group.row[c] + t - 1) * words + word] : 0u;
        any |= bits[c];
      }
      for (int j = word * kWarp; any; ++j, any >>= 1) {
        if (any & 1u) {
          const float weight = recurrent_t[static_cast<size_t>(j) * n + i];
#pragma unroll
          for (int c = 0; c < Most; ++c) {
            if (bits[c] & 1u) sum[c] += weight;
          }
        }
#pragma unroll
        for (int c = 0; c < Most; ++c) bits[c] >>= 1;
      }
    }
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const Group<Most> group = group_of<Most>(block, clips);
    const int n = layer.neurons, words = (n + kWarp - 1) / kWarp;
    float* const v = state;
    float* const w = state + static_cast<size_t>(clips.count) * n;
    for (int t = 0; t < group.longest; ++t) {
      // Neuron i is of one thread in all steps.
      for (int i = block.thread(); i < words * kWarp; i += block.threads()) {
        float own[Most] = {};
        if (t > 0 && i < n) add_own(group, t, i, own);
#pragma unroll
        for (int c = 0; c < Most; ++c) {
          if (t >= group.steps[c]) continue;
          const size_t row = static_cast<size_t>(group.row[c] + t), at = row * n + i;
          float s = 0.0f;
          if (i < n) {
            const size_t kept = static_cast<size_t>(group.first + c) * n + i;
            NeuronState now;
            if (t > 0) now.v = v[kept];
            if (t > 0 && layer.model.adaptive) now.w = w[kept];
            float u;
            s = neuron_step(layer.model, layer.parameters(i), trace.u[at] + own[c], now, u);
            trace.u[at] = u;
            v[kept] = now.v;
            if (layer.model.adaptive) trace.w[at] = w[kept] = now.w;
            if (!trace.bits) trace.s[at] = s;
            trace.count[kept] = (t > 0 ? trace.count[kept] : 0.0) + s;
          }
          if (trace.bits) {
            const uint32_t word = block.ballot(s > 0.0f);
            if (i % kWarp == 0) trace.bits[row * words + i / kWarp] = word;
          }
        }
      }
      block.sync();
    }
  }
};

template <int Most>
struct RecurrentBackward {
  static constexpr bool kSyncs = true;
  LayerArgs layer;
  Clips clips;
  TraceArgs trace;
  BackwardArgs back;
  const float* recurrent;
  float* state;

  SONOSPIKE_DEVICE float spike_at(size_t at, float u, float threshold) const {
    if (!trace.bits) return trace.s[at];
    return u > threshold ? 1.0f : 0.0f;
  }

  SONOSPIKE_DEVICE void step(const Group<Most>& group, int c, int t, int i, float own) const {
    const int n = layer.neurons;
    const size_t kept = static_cast<size_t>(group.first + c) * n + i,
                 next = static_cast<size_t>(clips.count) * n;
    const size_t at = static_cast<size_t>(group.row[c] + t) * n + i;
    const NeuronParameters parameters = layer.parameters(i);
    const bool last = t + 1 == group.steps[c];
    const float cost = back.spike_cost / (static_cast<float>(n) * static_cast<float>(group.steps[c]));
    NeuronBack carried;
    float* const to = back.gradients + kept;
    NeuronGradient gradient;
    if (!last) {
      carried.v = state[kept];
      gradient = {to[0], to[next], to[2 * next], 0.0f, 0.0f, 0.0f};
      if (layer.model.adaptive) {
        carried.w = state[next + kept];
        gradient.rho = to[3 * next];
        gradient.coupling = to[4 * next];
        gradient.jump = to[5 * next];
      }
    }
    NeuronStep now{trace.u[at], 0.0f, 0.0f, t == 0, 0.0f, 0.0f};
    now.s = spike_at(at, now.u, parameters.threshold);
    if (t > 0) {
      now.u_before = trace.u[at - n];
      now.s_before = spike_at(at - n, now.u_before, parameters.threshold);
      if (layer.model.adaptive) now.w_before = trace.w[at - n];
    }
    const float gs = (back.every ? back.every[kept] : back.g[at]) + cost + own;
    back.g[at] = neuron_back(layer.model, parameters, now, gs, carried, gradient);
    state[kept] = carried.v;
    to[0] = gradient.bias;
    to[next] = gradient.decay;
    to[2 * next] = gradient.threshold;
    if (!layer.model.adaptive) return;
    state[next + kept] = carried.w;
    to[3 * next] = gradient.rho;
    to[4 * next] = gradient.coupling;
    to[5 * next] = gradient.jump;
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const Group<Most> group = group_of<Most>(block, clips);
    const int n = layer.neurons;
    for (int t = group.longest - 1; t >= 0; --t) {
      for (int i = block.thread(); i < n; i += block.threads()) {
        float own[Most] = {};
        for (int j = 0; j < n; ++j) {
          const float weight = recurrent[static_cast<size_t>(j) * n + i];
#pragma unroll
          for (int c = 0; c < Most; ++c) {
            if (t + 1 < group.steps[c])
              own[c] = fmaf(back.g[static_cast<size_t>(group.row[c] + t + 1) * n + j], weight, own[c]);
          }
        }
#pragma unroll
        for (int c = 0; c < Most; ++c) {
          if (t < group.steps[c]) step(group, c, t, i, own[c]);
        }
      }
      block.sync();
    }
  }
};

/// Threads of a block: no more than there are neurons.
int threads_for(int neurons) {
  const int wanted = words_of(neurons) * kWarp;
  return wanted < kThreads ? wanted : kThreads;
}

}  // namespace

void recurrent_forward(const Device& device, const LayerArgs& layer, const Clips& clips,
                       const TraceArgs& trace, const float* recurrent_t, float* state) {
  const auto start = [&](auto kernel, int most) {
    launch(device, {blocks_of(clips.count, most)}, threads_for(layer.neurons), 0, kernel);
  };
  if (clips.count < kManyClips) {
    return start(RecurrentForward<1>{layer, clips, trace, recurrent_t, state}, 1);
  }
  start(RecurrentForward<4>{layer, clips, trace, recurrent_t, state}, 4);
}

void recurrent_backward(const Device& device, const LayerArgs& layer, const Clips& clips,
                        const TraceArgs& trace, const BackwardArgs& backward, const float* recurrent,
                        float* state) {
  const auto start = [&](auto kernel, int most) {
    launch(device, {blocks_of(clips.count, most)}, threads_for(layer.neurons), 0, kernel);
  };
  if (clips.count < kManyClips) {
    return start(RecurrentBackward<1>{layer, clips, trace, backward, recurrent, state}, 1);
  }
  start(RecurrentBackward<4>{layer, clips, trace, backward, recurrent, state}, 4);
}

}  // namespace sonospike::cuda
