#include "cuda/device/launch.h"
#include "cuda/kernels/narrow_parts.h"

namespace sonospike::cuda {
namespace {

/// Steps that a layer takes between two waits for its neighbours; of more it has not the registers.
constexpr int kChunk = 4;

template <typename Neurons>
struct NarrowBackward {
  static constexpr bool kSyncs = true;
  static constexpr int kThreads = kMostNarrowLayers * kWarp;
  NarrowArgs args;

  /// A neuron in a step: what it did, what the input of the same number was, and dL/ds of the last layer.
  struct Seen {
    float u, s, w_before, g;
    uint32_t in;
  };

  /// Where to look for them; there are none in steps beyond those of each.
  struct Source {
    const float *u, *s, *w, *g;
    int n, steps, s_steps, w_steps, g_steps;
    InputLane in;

    SONOSPIKE_DEVICE void ask(int chunk, Seen* ahead) const {
#pragma unroll
      for (int j = 0; j < kChunk; ++j) {
        const int t = chunk * kChunk + j, at = t * n;
        ahead[j].u = t < steps ? u[at] : 0.0f;
        ahead[j].s = t < s_steps ? s[at] : 0.0f;
        ahead[j].w_before = t < w_steps && t > 0 ? w[at - n] : 0.0f;
        ahead[j].g = t < g_steps ? g[at] : 0.0f;
        ahead[j].in = in.ask(t);
      }
    }
  };

  SONOSPIKE_DEVICE Source source_of(const NeuronModel& model, int k, int i, int first, int steps) const {
    const NarrowLayer& of = args.layer[k];
    const int n = of.layer.neurons;
    const size_t origin = static_cast<size_t>(first) * n + i;
    const int own = i < n ? steps : 0;
    Sent input = args.input;
    if (k > 0) {
      const NarrowLayer& below = args.layer[k - 1];
      input = {below.layer.neurons, 1, below.trace.s, below.trace.bits};
    }
    return {of.trace.u + origin,
            from(of.trace.s, origin),
            from(of.trace.w, origin),
            from(args.g, origin),
            n,
            own,
            model.spike == SpikeKind::kSoft ? own : 0,
            model.adaptive ? own : 0,
            k == args.layers - 1 && args.g ? own : 0,
            InputLane(input, first, steps, i)};
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    // [kChunk, kNarrow] of each layer, of two stages that take turns: dL/du, and its input.
    float* const lines = block.shared<float>();
    const auto lines_of = [&](int k, int stage, int what) {
      return lines + ((k * 2 + stage % 2) * 2 + what) * (kChunk * kNarrow);
    };
    const int clip = static_cast<int>(block.x()), first = args.clips.first_row[clip];
    const int steps = args.clips.first_row[clip + 1] - first, chunks = (steps + kChunk - 1) / kChunk;
    const int k = block.thread() / kWarp, i = block.thread() % kWarp;
    const NarrowLayer& of = args.layer[k];
    const NeuronModel model = Neurons::model(of.layer.model);
    const int n = of.layer.neurons;
    const bool any = i < n, top = k == args.layers - 1, soft = model.spike == SpikeKind::kSoft;
    float above[kNarrow], weight_gradient[kNarrow] = {};
#pragma unroll
    for (int j = 0; j < kNarrow; ++j) {
      const NarrowLayer& next = args.layer[top ? k : k + 1];
      above[j] = !top && any && j < next.layer.neurons ? next.weight[j * n + i] * next.scale : 0.0f;
    }
    const NeuronParameters parameters = any ? of.layer.parameters(i) : NeuronParameters{};
    const float kept = any && of.layer.dropout.keeps(clip, i) ? 1.0f : 0.0f;
    const float cost = model.spike == SpikeKind::kRelu || !any
                           ? 0.0f
                           : of.spike_cost / (static_cast<float>(n) * static_cast<float>(steps));
    const float every = top && args.every && any ? args.every[static_cast<size_t>(clip) * n + i] : 0.0f;
    const Source source = source_of(model, k, i, first, steps);
    NeuronBack carried;
    NeuronGradient gradient;
    const int behind = args.layers - 1 - k;
    Seen now[kChunk], ahead[kChunk] = {};
    if (chunks > 0) source.ask(chunks - 1, ahead);
#pragma unroll
    for (int j = 0; j < kChunk; ++j) lines_of(k, behind, 1)[j * kNarrow + i] = source.in.value(ahead[j].in);
    block.sync();
    for (int stage = 0; stage < chunks + args.layers - 1; ++stage) {
      const int chunk = chunks - 1 - (stage - behind), t0 = chunk * kChunk;
      if (chunk >= 0 && chunk < chunks) {
#pragma unroll
        for (int j = 0; j < kChunk; ++j) now[j] = ahead[j];
        if (chunk > 0) source.ask(chunk - 1, ahead);
        float gs[kChunk];
#pragma unroll
        for (int j = 0; j < kChunk; ++j)
          gs[j] = top ? now[j].g + every : dot(above, lines_of(k + 1, stage - 1, 0) + j * kNarrow);
        float* const out = lines_of(k, stage, 0) + i;
        const float* const in = lines_of(k, stage, 1);
#pragma unroll
        for (int j = kChunk - 1; j >= 0; --j) {
          const int t = t0 + j;
          const Seen& before = j > 0 ? now[j - 1] : ahead[kChunk - 1];
          NeuronStep step{now[j].u, now[j].s, now[j].w_before, t == 0 || t >= steps, before.u, before.s};
          if (!soft) {
            step.s = now[j].u > parameters.threshold ? 1.0f : 0.0f;
            step.s_before = before.u > parameters.threshold ? 1.0f : 0.0f;
          }
          // Steps after the last one and neurons beyond the last are padding, with a gradient of 0.
          const float total = t < source.steps ? gs[j] * kept + cost : 0.0f;
          const float gu = neuron_back(model, parameters, step, total, carried, gradient);
          out[j * kNarrow] = gu;
#pragma unroll
          for (int l = 0; l < kNarrow; ++l)
            weight_gradient[l] = fmaf(gu, in[j * kNarrow + l], weight_gradient[l]);
        }
#pragma unroll
        for (int j = 0; j < kChunk; ++j)
          lines_of(k, stage + 1, 1)[j * kNarrow + i] = source.in.value(ahead[j].in);
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
    if (!model.adaptive) return;
    to[3 * next] = gradient.rho;
    to[4 * next] = gradient.coupling;
    to[5 * next] = gradient.jump;
  }
};

}  // namespace

void narrow_backward(const Device& device, const NarrowArgs& args) {
  for_neurons(args, [&](auto neurons) {
    launch(device, {static_cast<unsigned>(args.clips.count)}, args.layers * kWarp,
           args.layers * 4 * kChunk * kNarrow * sizeof(float), NarrowBackward<decltype(neurons)>{args});
  });
}

}  // namespace sonospike::cuda
