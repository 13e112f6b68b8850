// The layers and the readout of ModelSettings (lib/settings/settings.ts).
#include "addon/choices.h"
#include "addon/fields.h"
#include "core/support/buffer.h"

namespace sonospike {
namespace {

// As in lib/settings/table.ts, or wider.
constexpr int64_t kMostLayers = 16, kMostKernel = 2 * kMostNeurons, kMostTaps = 64, kMostHistory = 1024;

NeuronModel read_neuron(const Napi::Object& layer) {
  const bool named = !layer.Get("neuron").IsUndefined();
  const NeuronKind kind = named ? get_choice(layer, "neuron", kNeurons) : NeuronKind::kLif;
  // What a unit without spikes does not use is the same for all of them.
  if (kind == NeuronKind::kRelu) return {SpikeKind::kRelu, 1.0f, ResetKind::kZero, false};
  const Napi::Object spike = get_object(layer, "spike");
  NeuronModel model;
  const bool hard = get_choice(spike, "type", kSpikes);
  model.spike = hard ? get_choice(spike, "surrogate", kSurrogates) : SpikeKind::kSoft;
  model.slope = get_float(spike, "slope");
  model.reset = get_choice(layer, "reset", kResets);
  model.detach_reset = get_bool(layer, "detachReset");
  model.adaptive = kind == NeuronKind::kAdaptive;
  return model;
}

ConnectionOptions read_connection(const Napi::Object& object) {
  ConnectionOptions options;
  options.kind = get_choice(object, "type", kConnections);
  if (options.convolves()) {
    options.channels = static_cast<int>(get_int(object, "channels", 1, kMostNeurons));
    options.kernel = static_cast<int>(get_int(object, "kernel", 1, kMostKernel));
    options.stride = static_cast<int>(get_int(object, "stride", 1, kMostNeurons));
    if (options.channels % kLanePad != 0) fail(object.Env(), "channels must be a multiple of 16");
  }
  options.taps = static_cast<int>(get_int(object, "taps", 1, kMostTaps));
  options.dilation = static_cast<int>(get_int(object, "dilation", 1, kMostHistory));
  if (options.history() > kMostHistory) fail(object.Env(), "a layer looks back too far");
  return options;
}

LayerOptions read_layer(const Napi::Object& layer) {
  LayerOptions options;
  if (!layer.Get("connection").IsUndefined()) {
    options.connection = read_connection(get_object(layer, "connection"));
  }
  options.neurons = static_cast<int>(get_int(layer, "neurons", 1, kMostNeurons));
  options.recurrent = get_bool(layer, "recurrent");
  options.neuron = read_neuron(layer);
  const bool relu = options.neuron.spike == SpikeKind::kRelu;
  if (options.recurrent && (options.connection.convolves() || options.connection.taps > 1 || relu)) {
    fail(layer.Env(), "only dense lif layers of one tap can be recurrent");
  }
  options.dropout = get_float_or(layer, "dropout", 0.0f);
  const bool impossible = options.recurrent || options.neuron.spike == SpikeKind::kSoft;
  if (!(options.dropout >= 0.0f && options.dropout < 1.0f) || (impossible && options.dropout > 0.0f)) {
    fail(layer.Env(),
         "dropout must be from 0 to below 1, and 0 where a layer is recurrent or its spikes are soft");
  }
  options.weight_gain = get_float_or(layer, "weightGain", 1.0f);
  options.learn_decay = options.learn_threshold = options.constrain = false;
  if (relu) return options;
  options.decay = get_float(layer, "decay");
  options.decay_spread = get_float(layer, "decaySpread");
  options.threshold = get_float(layer, "threshold");
  options.threshold_spread = get_float(layer, "thresholdSpread");
  if (options.neuron.adaptive) {
    const Napi::Object adaptation = get_object(layer, "adaptation");
    options.adaptation_decay = get_float(adaptation, "decay");
    options.adaptation_coupling = get_float(adaptation, "coupling");
    options.adaptation_jump = get_float(adaptation, "jump");
  }
  options.learn_decay = get_bool(layer, "learnDecay");
  options.learn_threshold = get_bool(layer, "learnThreshold");
  options.constrain = get_bool(layer, "constrain");
  return options;
}

/// Convolutions need bands below them, and have the neurons that follow from these.
void check_bands(const Napi::Env& env, const NetworkOptions& options) {
  const std::vector<Bands> below = bands_below(options);
  for (size_t k = 0; k < below.size(); ++k) {
    const LayerOptions& layer = options.layers[k];
    if (!layer.connection.convolves()) continue;
    if (below[k].count == 0) fail(env, "a convolution needs bands below it");
    if (layer.neurons != output_bands(layer.connection, below[k].count) * layer.connection.channels) {
      fail(env, "a convolution has output bands x channels neurons");
    }
  }
}

}  // namespace

NetworkOptions read_network(const Napi::Object& network, int features, int channels, int classes) {
  NetworkOptions options;
  options.inputs = features * channels;
  options.input_channels = channels;
  options.classes = classes;
  const Napi::Array layers = get_array(network, "layers", 1, kMostLayers);
  for (uint32_t i = 0; i < layers.Length() && i < kMostLayers; ++i) {
    const Napi::Value layer = layers.Get(i);
    if (!layer.IsObject()) fail(network.Env(), "a layer must be an object");
    options.layers.push_back(read_layer(layer.As<Napi::Object>()));
  }
  if (options.layers.empty()) fail(network.Env(), "layers must not be empty");
  check_bands(network.Env(), options);
  const Napi::Object readout = get_object(network, "readout");
  options.readout.kind = get_choice(readout, "type", kReadouts);
  if (options.readout.kind != ReadoutKind::kSpikeCount) {
    options.readout.decay = get_float(readout, "decay");
    options.readout.learn_decay = get_bool(readout, "learnDecay");
  }
  if (options.readout.kind == ReadoutKind::kSpikeCount && options.layers.back().neurons != classes) {
    fail(network.Env(), "the last layer needs a neuron for each label");
  }
  const LayerOptions& last = options.layers.back();
  if (options.readout.kind == ReadoutKind::kSpikeCount &&
      (last.dropout > 0.0f || last.neuron.spike == SpikeKind::kRelu)) {
    fail(network.Env(), "the spikes of the last layer are counted");
  }
  return options;
}

}  // namespace sonospike
