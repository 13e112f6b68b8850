#include "core/network/options.h"
#include "cuda/device/launch.h"
#include "cuda/kernels/narrow_parts.h"

namespace sonospike::cuda {
namespace {

/// Steps that a layer takes between two waits for its neighbours. While the state goes through a step, the
/// sum of the next is on its way.
constexpr int kChunk = 8;
static_assert(kSettledSteps % kChunk == 0);

template <typename Neurons>
struct NarrowForward {
  static constexpr bool kSyncs = true;
  static constexpr int kThreads = (kMostNarrowLayers + 1) * kWarp;
  NarrowArgs args;

  /// What layer `of` sends in a chunk, [kChunk, kNarrow], where each takes turns with the next; -1: the
  /// input.
  static SONOSPIKE_DEVICE float* lines_of(float* lines, int of, int chunk) {
    return lines + ((of + 1) * 2 + chunk % 2) * (kChunk * kNarrow);
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    float* const lines = block.shared<float>();
    const int clip = static_cast<int>(block.x()), first = args.clips.first_row[clip];
    const int steps = args.clips.first_row[clip + 1] - first, chunks = (steps + kChunk - 1) / kChunk;
    const int k = block.thread() / kWarp - 1, i = block.thread() % kWarp;
    const bool feeds = k < 0;
    const NarrowLayer& of = args.layer[feeds ? 0 : k];
    const NeuronModel model = Neurons::model(of.layer.model);
    const bool bits = !sends_values(model.spike), relu = model.spike == SpikeKind::kRelu;
    const int n = of.layer.neurons;
    const bool any = !feeds && i < n;
    const InputLane input(args.input, first, feeds ? steps : 0, i);
    uint32_t ahead[kChunk];
#pragma unroll
    for (int j = 0; j < kChunk; ++j) ahead[j] = input.ask(j);
    float weight[kNarrow];
#pragma unroll
    for (int j = 0; j < kNarrow; ++j)
      weight[j] = any && j < of.inputs ? of.weight[i * of.inputs + j] * of.scale : 0.0f;
    const float bias = any ? of.bias[i] : 0.0f;
    const NeuronParameters parameters = any ? of.layer.parameters(i) : NeuronParameters{};
    const bool kept = any && of.layer.dropout.keeps(clip, i);
    const size_t origin = static_cast<size_t>(first) * n + i;
    float *const to_u = of.trace.u + origin, *const to_s = from(of.trace.s, origin),
                 *const to_w = from(of.trace.w, origin);
    uint32_t* const to_bits = from(of.trace.bits, first);
    // Rows after the last step are padding.
    const int word_steps = i == 0 ? steps : 0;
    NeuronState state;
    double total = 0.0;
    float count = 0.0f;
    for (int stage = 0; stage < chunks + args.layers; ++stage) {
      const int chunk = stage - k - 1, t0 = chunk * kChunk;
      if (feeds && chunk < chunks) {
        float* const to = lines_of(lines, k, chunk) + i;
#pragma unroll
        for (int j = 0; j < kChunk; ++j) {
          to[j * kNarrow] = input.value(ahead[j]);
          ahead[j] = input.ask(t0 + kChunk + j);
        }
      } else if (chunk >= 0 && chunk < chunks) {
        const float* const in = lines_of(lines, k - 1, chunk);
        float* const out = lines_of(lines, k, chunk) + i;
        float current[kChunk], u[kChunk], w[kChunk], sent[kChunk];
#pragma unroll
        for (int j = 0; j < kChunk; ++j) current[j] = bias + dot(weight, in + j * kNarrow);
#pragma unroll
        for (int j = 0; j < kChunk; ++j) {
          const int t = t0 + j;
          const float s = neuron_step(model, parameters, current[j], state, u[j]);
          w[j] = state.w;
          sent[j] = kept ? s : 0.0f;
          out[j * kNarrow] = sent[j];
          if (bits) {
            const uint32_t word = block.ballot(sent[j] > 0.0f);
            if (t < word_steps) to_bits[t] = word;
          }
          const float counted = relu ? (s > 0.0f ? 1.0f : 0.0f) : s;
          count += t < steps ? counted : 0.0f;
        }
        // All at once, so that the steps are not cut into pieces by what is only done for some lanes.
        const size_t at = static_cast<size_t>(t0) * n;
        float *const u_to = to_u + at, *const s_to = from(to_s, at), *const w_to = from(to_w, at);
        if (any) {
#pragma unroll
          for (int j = 0; j < kChunk; ++j) {
            if (t0 + j >= steps) break;
            u_to[j * n] = u[j];
            if (model.adaptive) w_to[j * n] = w[j];
            if (!bits) s_to[j * n] = sent[j];
          }
        }
        if ((t0 + kChunk) % kSettledSteps == 0) {
          total += count;
          count = 0.0f;
        }
      }
      block.sync();
    }
    if (any) of.trace.count[static_cast<size_t>(clip) * n + i] = total + count;
  }
};

}  // namespace

void narrow_forward(const Device& device, const NarrowArgs& args) {
  const int warps = args.layers + 1;
  for_neurons(args, [&](auto neurons) {
    launch(device, {static_cast<unsigned>(args.clips.count)}, warps * kWarp,
           warps * 2 * kChunk * kNarrow * sizeof(float), NarrowForward<decltype(neurons)>{args});
  });
}

}  // namespace sonospike::cuda
