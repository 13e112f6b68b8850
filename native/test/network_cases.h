#pragma once
// Random networks and batches for the tests.

#include <algorithm>
#include <random>
#include <vector>

#include "core/network/backend.h"
#include "core/support/buffer.h"

namespace sonospike::test {

/// Bounds of the sizes that `random_case` draws.
struct CaseLimits {
  int layers = 3, neurons = 40, inputs = 40, steps = 60, clips = 40;
  bool connections =
      false;  ///< convolutions, several taps, adaptive neurons and mean potentials too, and spikes that cost
};

enum class Spikes { kSoft, kHard };
/// Spikes alone, or clips of spikes and clips of currents.
enum class Inputs { kBinary, kMixed };

struct NetworkCase {
  NetworkOptions options;
  std::vector<float> parameters;
  int steps = 0;
  std::vector<std::vector<float>> clips;  // [steps, inputs] each
  std::vector<int> lengths;               // steps of each clip, of which the rest is not seen; empty: all
  std::vector<int> labels;
  std::vector<ClipKey> keys;  // of the dropout, [clips]; empty: nothing is dropped
  LossOptions loss;

  /// Clips [first, first + count).
  Batch batch(int first, int count) const {
    Batch batch;
    batch.clips = count;
    batch.steps = steps;
    batch.labels = labels.data() + first;
    if (!lengths.empty()) batch.steps_of = lengths.data() + first;
    if (!keys.empty()) batch.keys = keys.data() + first;
    batch.input = [this, first](int clip, int start, int count, float* x, size_t stride, int) {
      const int inputs = options.inputs;
      const float* from = clips[first + clip].data() + start * inputs;
      for (int t = 0; t < count; ++t) std::copy_n(from + t * inputs, inputs, x + t * stride);
    };
    return batch;
  }
  /// One clip that is all there is, as long as it is.
  NetworkCase alone(size_t clip) const {
    NetworkCase one = *this;
    one.steps = lengths.empty() ? steps : lengths[clip];
    one.lengths.clear();
    one.clips = {clips[clip]};
    one.labels = {labels[clip]};
    if (!keys.empty()) one.keys = {keys[clip]};
    return one;
  }
  /// Summed over the clips, from the scores [clips, classes].
  double total_loss(const std::vector<float>& scores) const {
    double sum = 0.0;
    std::vector<float> unused(options.classes);
    for (size_t i = 0; i < clips.size(); ++i) {
      sum += clip_loss(options.readout.kind, loss, &scores[i * options.classes], options.classes, labels[i],
                       1.0f, unused.data());
    }
    return sum;
  }
  Batch batch() const { return batch(0, static_cast<int>(clips.size())); }
};

class CaseMaker {
 public:
  explicit CaseMaker(uint32_t seed) : random_(seed) {}

  NetworkCase make(Spikes spikes, const CaseLimits& limits) {
    NetworkCase made;
    NetworkOptions& o = made.options;
    o.inputs = between(1, limits.inputs);
    o.classes = between(2, std::min(12, limits.neurons));
    o.readout.kind = flip() ? ReadoutKind::kSpikeCount : ReadoutKind::kLeakyIntegrator;
    o.layers.resize(between(1, limits.layers));
    for (LayerOptions& layer : o.layers) layer = random_layer(spikes, limits);
    if (limits.connections) random_connections(o);
    if (limits.connections && o.readout.kind == ReadoutKind::kLeakyIntegrator && flip()) {
      o.readout.kind = ReadoutKind::kMeanPotential;
    }
    if (limits.connections && flip()) made.loss.spike_cost = 2.0f;
    if (o.readout.kind == ReadoutKind::kSpikeCount) {
      o.layers.back().connection.kind = ConnectionKind::kDense;
      o.layers.back().neurons = o.classes;
    }
    made.loss.label_smoothing = flip() ? 0.0f : 0.1f;
    made.parameters = random_parameters(o);
    made.steps = between(1, limits.steps);
    add_clips(made, between(1, limits.clips));
    return made;
  }

  void add_clips(NetworkCase& c, int count, Inputs inputs = Inputs::kMixed) {
    for (int i = 0; i < count; ++i) {
      c.clips.push_back(random_input(c.steps * c.options.inputs, inputs));
      c.labels.push_back(between(0, c.options.classes - 1));
    }
    const bool drops = std::any_of(c.options.layers.begin(), c.options.layers.end(),
                                   [](const LayerOptions& layer) { return layer.dropout > 0.0f; });
    c.keys.clear();
    for (uint32_t i = 0; drops && i < c.clips.size(); ++i) c.keys.push_back({7, 3 * i, 2});
  }

  /// Gives every clip a length of its own.
  void vary_lengths(NetworkCase& c) {
    c.lengths.clear();
    for (size_t i = 0; i < c.clips.size(); ++i) c.lengths.push_back(between(1, c.steps));
  }

  int between(int low, int high) { return low + static_cast<int>(random_() % (high - low + 1)); }
  bool flip() { return random_() % 2; }
  float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(random_); }

 private:
  LayerOptions random_layer(Spikes spikes, const CaseLimits& limits) {
    LayerOptions layer;
    layer.neurons = between(1, limits.neurons);
    layer.recurrent = flip();
    layer.neuron.spike = spikes == Spikes::kSoft ? SpikeKind::kSoft : static_cast<SpikeKind>(between(1, 5));
    layer.neuron.slope = spikes == Spikes::kSoft ? 5.0f : uniform(0.5f, 5.0f);
    layer.neuron.reset = flip() ? ResetKind::kZero : ResetKind::kSubtract;
    layer.neuron.detach_reset = flip();
    return layer;
  }

  /// Convolutions as long as there are bands, and dense layers of several taps.
  void random_connections(NetworkOptions& o) {
    o.input_channels = between(1, 3);
    o.inputs = std::max(1, o.inputs / o.input_channels) * o.input_channels;
    for (size_t k = 0; k < o.layers.size(); ++k) {
      LayerOptions& layer = o.layers[k];
      const Bands below = bands_below(o)[k];
      ConnectionOptions& c = layer.connection;
      if (below.count > 0 && between(0, 2) > 0) {
        c.kind = ConnectionKind::kConvolution;
        c.channels = kLanePad * between(1, 2);
        c.kernel = between(1, 6);
        c.stride = between(1, 4);
        layer.neurons = output_bands(c, below.count) * c.channels;
      }
      if (flip()) c = {c.kind, c.channels, c.kernel, c.stride, between(2, 4), between(1, 3)};
      if (c.convolves() || c.taps > 1) layer.recurrent = false;
      const bool counted = k + 1 == o.layers.size() && o.readout.kind == ReadoutKind::kSpikeCount;
      if (!layer.recurrent && !counted && between(0, 4) == 0) layer.neuron.spike = SpikeKind::kRelu;
      layer.neuron.adaptive = layer.neuron.spike != SpikeKind::kRelu && flip();
      const bool drops = !layer.recurrent && !counted && layer.neuron.spike != SpikeKind::kSoft;
      if (drops && flip()) layer.dropout = uniform(0.1f, 0.6f);
    }
  }

  /// Such that the neurons of every layer spike now and then.
  std::vector<float> random_parameters(const NetworkOptions& options) {
    const ParameterTable table(options);
    std::vector<float> values(table.size());
    for (const ParameterInfo& info : table.all()) {
      const bool recurrent = info.name.ends_with("recurrent");
      for (size_t i = 0; i < info.size; ++i) {
        float& x = values[info.offset + i];
        switch (info.role) {
          case ParameterRole::kWeight:
            x = normal((recurrent ? 0.5f : 1.5f) / std::sqrt(static_cast<float>(info.size / info.shape[0])));
            break;
          case ParameterRole::kBias:
            x = normal(0.2f);
            break;
          case ParameterRole::kDecay:
            x = uniform(0.2f, 0.98f);
            break;
          case ParameterRole::kThreshold:
            x = uniform(0.3f, 1.2f);
            break;
          case ParameterRole::kAdaptationDecay:
            x = uniform(0.2f, 0.98f);
            break;
          case ParameterRole::kAdaptationCoupling:
            x = uniform(-0.1f, 0.5f);
            break;
          case ParameterRole::kAdaptationJump:
            x = uniform(-0.2f, 1.0f);
            break;
        }
      }
    }
    return values;
  }

  /// Spikes or currents.
  std::vector<float> random_input(size_t count, Inputs inputs) {
    std::vector<float> x(count);
    const bool binary = inputs == Inputs::kBinary || flip();
    for (float& value : x) value = binary ? static_cast<float>(random_() % 4 == 0) : uniform(0.0f, 1.0f);
    return x;
  }

  float normal(float deviation) { return std::normal_distribution<float>(0.0f, deviation)(random_); }

  std::mt19937 random_;
};

}  // namespace sonospike::test
