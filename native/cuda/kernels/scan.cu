#include "cuda/kernels/layer.h"

#include "core/network/options.h"
#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

constexpr int kAhead = 16;  // steps whose values are on their way while as many before them are worked on
constexpr int kThreads = 64;

/// The neuron and the clip that a thread works on. All threads of a warp work on one clip.
struct NeuronOfClip {
  int clip, i;
  bool any;
};

SONOSPIKE_DEVICE NeuronOfClip place_of(const Block& block, int neurons, const Clips& clips) {
  const int words = (neurons + kWarp - 1) / kWarp;
  const size_t number = number_of(block), warp = number / kWarp;
  const int clip = static_cast<int>(warp / words);
  const int i = static_cast<int>(warp % words) * kWarp + static_cast<int>(number % kWarp);
  return {clip, i, clip < clips.count && i < neurons};
}

template <bool Bits>
struct ScanForward {
  static constexpr bool kSyncs = Bits;
  LayerArgs layer;
  Clips clips;
  TraceArgs trace;

  /// The currents of the rows from row0 on.
  SONOSPIKE_DEVICE void fetch(const NeuronOfClip& place, int row0, int end, float* currents) const {
#pragma unroll
    for (int j = 0; j < kAhead; ++j) {
      const bool any = place.any && row0 + j < end;
      currents[j] = any ? trace.u[static_cast<size_t>(row0 + j) * layer.neurons + place.i] : 0.0f;
    }
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const NeuronOfClip place = place_of(block, layer.neurons, clips);
    if (place.clip >= clips.count) return;  // as the whole warp
    const int n = layer.neurons, words = (n + kWarp - 1) / kWarp;
    const int first = clips.first_row[place.clip], end = clips.first_row[place.clip + 1];
    NeuronParameters parameters{};
    bool kept = false;
    if (place.any) {
      parameters = layer.parameters(place.i);
      kept = layer.dropout.keeps(place.clip, place.i % layer.own);
    }
    NeuronState state;
    double total = 0.0;
    float count = 0.0f;
    float currents[kAhead];
    fetch(place, first, end, currents);
    for (int row0 = first; row0 < end; row0 += kAhead) {
      float next[kAhead];
      fetch(place, row0 + kAhead, end, next);
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        const int row = row0 + j;
        if (row >= end) break;
        const size_t at = static_cast<size_t>(row) * n + place.i;
        float u;
        const float s = neuron_step(layer.model, parameters, currents[j], state, u);
        if (place.any) {
          trace.u[at] = u;
          if (layer.model.adaptive) trace.w[at] = state.w;
          if (!Bits) trace.s[at] = kept ? s : 0.0f;
        }
        if (Bits) {
          const uint32_t word = block.ballot(place.any && kept && s > 0.0f);
          if (place.i % kWarp == 0) trace.bits[static_cast<size_t>(row) * words + place.i / kWarp] = word;
        }
        count += layer.model.spike == SpikeKind::kRelu ? (s > 0.0f ? 1.0f : 0.0f) : s;
        if ((row - first) % kSettledSteps == kSettledSteps - 1) {
          total += count;
          count = 0.0f;
        }
      }
#pragma unroll
      for (int j = 0; j < kAhead; ++j) currents[j] = next[j];
    }
    if (place.any) trace.count[static_cast<size_t>(place.clip) * n + place.i] = total + count;
  }
};

struct ScanBackward {
  static constexpr bool kSyncs = false;
  LayerArgs layer;
  Clips clips;
  TraceArgs trace;
  BackwardArgs back;

  /// The step whose row is `row`, and the one before.
  struct Seen {
    float g, u, s, w_before;
  };

  SONOSPIKE_DEVICE Seen look(int row, int first, int i, float every) const {
    const int n = layer.neurons;
    const size_t at = static_cast<size_t>(row) * n + i;
    Seen seen{back.every ? every : back.g[at], trace.u[at], 0.0f, 0.0f};
    if (layer.model.spike == SpikeKind::kSoft) seen.s = trace.s[at];
    if (layer.model.adaptive && row > first) seen.w_before = trace.w[at - n];
    return seen;
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const NeuronOfClip place = place_of(block, layer.neurons, clips);
    if (!place.any) return;
    const int n = layer.neurons, first = clips.first_row[place.clip], end = clips.first_row[place.clip + 1];
    const size_t own = static_cast<size_t>(place.clip) * n + place.i;
    const NeuronParameters parameters = layer.parameters(place.i);
    const bool soft = layer.model.spike == SpikeKind::kSoft, relu = layer.model.spike == SpikeKind::kRelu;
    const float kept = layer.dropout.keeps(place.clip, place.i % layer.own) ? 1.0f : 0.0f;
    const float cost =
        relu ? 0.0f : back.spike_cost / (static_cast<float>(n) * static_cast<float>(end - first));
    const float every = back.every ? back.every[own] : 0.0f;
    NeuronBack carried;
    NeuronGradient gradient;
    const auto fetch = [&](int row0, Seen* seen) {
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        seen[j] = row0 - j >= first ? look(row0 - j, first, place.i, every) : Seen{};
      }
    };
    Seen seen[kAhead];
    fetch(end - 1, seen);
    for (int row0 = end - 1; row0 >= first; row0 -= kAhead) {
      Seen next[kAhead];
      fetch(row0 - kAhead, next);
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        const int row = row0 - j;
        if (row < first) break;
        const Seen now = seen[j], before = j + 1 < kAhead ? seen[j + 1] : next[0];
        NeuronStep step{now.u, now.s, now.w_before, row == first, before.u, before.s};
        if (!soft) {
          step.s = now.u > parameters.threshold ? 1.0f : 0.0f;
          step.s_before = before.u > parameters.threshold ? 1.0f : 0.0f;
        }
        back.g[static_cast<size_t>(row) * n + place.i] =
            neuron_back(layer.model, parameters, step, now.g * kept + cost, carried, gradient);
      }
#pragma unroll
      for (int j = 0; j < kAhead; ++j) seen[j] = next[j];
    }
    const size_t next = static_cast<size_t>(clips.count) * n;
    float* to = back.gradients + own;
    to[0] = gradient.bias;
    to[next] = gradient.decay;
    to[2 * next] = gradient.threshold;
    if (!layer.model.adaptive) return;
    to[3 * next] = gradient.rho;
    to[4 * next] = gradient.coupling;
    to[5 * next] = gradient.jump;
  }
};

unsigned blocks_for(const LayerArgs& layer, const Clips& clips) {
  return blocks_of(static_cast<size_t>(clips.count) * words_of(layer.neurons) * kWarp, kThreads);
}

}  // namespace

void scan_forward(const Device& device, const LayerArgs& layer, const Clips& clips, const TraceArgs& trace) {
  const Grid grid{blocks_for(layer, clips)};
  if (trace.bits) return launch(device, grid, kThreads, 0, ScanForward<true>{layer, clips, trace});
  launch(device, grid, kThreads, 0, ScanForward<false>{layer, clips, trace});
}

void scan_backward(const Device& device, const LayerArgs& layer, const Clips& clips, const TraceArgs& trace,
                   const BackwardArgs& backward) {
  launch(device, {blocks_for(layer, clips)}, kThreads, 0, ScanBackward{layer, clips, trace, backward});
}

}  // namespace sonospike::cuda
