#include "core/network/parameters.h"

#include <cassert>
#include <cmath>
#include <cstdlib>

#include "core/support/philox.h"

namespace sonospike {
namespace {

constexpr int kReadout = -1;

}  // namespace

int output_bands(const ConnectionOptions& connection, int input_bands) {
  return (input_bands + connection.stride - 1) / connection.stride;
}

std::vector<Bands> bands_below(const NetworkOptions& options) {
  std::vector<Bands> all;
  Bands bands{options.inputs / options.input_channels, options.input_channels};
  for (const auto& layer : options.layers) {
    all.push_back(bands);
    const ConnectionOptions& connection = layer.connection;
    bands =
        connection.convolves() ? Bands{output_bands(connection, bands.count), connection.channels} : Bands{};
  }
  return all;
}

namespace {

/// [outputs, inputs (, kernel) (, taps)]: as in PyTorch's Linear, Conv1d and Conv2d.
std::vector<int> weight_shape(const LayerOptions& layer, int inputs, const Bands& below) {
  const ConnectionOptions& connection = layer.connection;
  if (connection.convolves()) {
    return {connection.channels, below.channels, connection.kernel, connection.taps};
  }
  if (connection.taps > 1) return {layer.neurons, inputs, connection.taps};
  return {layer.neurons, inputs};
}

}  // namespace

ParameterTable::ParameterTable(const NetworkOptions& options) : options_(options) {
  int inputs = options.inputs;
  const std::vector<Bands> below = bands_below(options);
  for (size_t k = 0; k < options.layers.size(); ++k) {
    const LayerOptions& layer = options.layers[k];
    const std::string prefix = "layers." + std::to_string(k) + ".";
    // A convolution's are shared by its bands.
    const int n = layer.connection.convolves() ? layer.connection.channels : layer.neurons;
    const int index = static_cast<int>(k);
    const bool state = layer.neuron.spike != SpikeKind::kRelu;
    add(prefix + "weight", index, weight_shape(layer, inputs, below[k]), ParameterRole::kWeight, true, false);
    if (layer.recurrent) add(prefix + "recurrent", index, {n, n}, ParameterRole::kWeight, true, false);
    add(prefix + "bias", index, {n}, ParameterRole::kBias, true, false);
    add(prefix + "decay", index, {n}, ParameterRole::kDecay, state && layer.learn_decay, layer.constrain);
    add(prefix + "threshold", index, {n}, ParameterRole::kThreshold, state && layer.learn_threshold,
        layer.constrain);
    if (layer.neuron.adaptive) {
      add(prefix + "adaptation_decay", index, {n}, ParameterRole::kAdaptationDecay, true, layer.constrain);
      add(prefix + "adaptation_coupling", index, {n}, ParameterRole::kAdaptationCoupling, true, false);
      add(prefix + "adaptation_jump", index, {n}, ParameterRole::kAdaptationJump, true, false);
    }
    inputs = layer.neurons;
  }
  if (options.readout.kind != ReadoutKind::kSpikeCount) {
    add("readout.weight", kReadout, {options.classes, inputs}, ParameterRole::kWeight, true, false);
    add("readout.bias", kReadout, {options.classes}, ParameterRole::kBias, true, false);
    add("readout.decay", kReadout, {options.classes}, ParameterRole::kDecay, options.readout.learn_decay,
        true);
  }
}

void ParameterTable::add(std::string name, int layer, std::vector<int> shape, ParameterRole role,
                         bool trained, bool constrained) {
  size_t size = 1;
  for (int n : shape) size *= static_cast<size_t>(n);
  all_.push_back({std::move(name), layer, std::move(shape), role, size_, size, trained, constrained});
  size_ += size;
}

const ParameterInfo& ParameterTable::at(const std::string& name) const {
  for (const auto& info : all_) {
    if (info.name == name) return info;
  }
  assert(!"no such parameter");
  std::abort();
}

namespace {

/// Centre and half width of the uniform distribution that a parameter starts from.
struct Start {
  float centre, spread;
};

}  // namespace

void ParameterTable::initialise(uint64_t seed, float* values) const {
  float bound = 0.0f;
  for (size_t k = 0; k < all_.size(); ++k) {
    const ParameterInfo& info = all_[k];
    if (info.role == ParameterRole::kWeight) {
      const size_t inputs = info.size / info.shape[0];
      bound = 1.0f / std::sqrt(static_cast<float>(inputs));
    }
    Start start{0.0f, bound};
    if (info.layer < 0) {
      if (info.role == ParameterRole::kDecay) start = {options_.readout.decay, 0.0f};
    } else {
      const LayerOptions& layer = options_.layers[info.layer];
      if (info.name.ends_with(".weight")) start.spread *= layer.weight_gain;
      if (info.role == ParameterRole::kDecay) start = {layer.decay, layer.decay_spread};
      if (info.role == ParameterRole::kThreshold) start = {layer.threshold, layer.threshold_spread};
      const float half = 0.5f * layer.adaptation_coupling;
      if (info.role == ParameterRole::kAdaptationCoupling) start = {half, half};
      if (info.role == ParameterRole::kAdaptationDecay) start = {layer.adaptation_decay, 0.0f};
      if (info.role == ParameterRole::kAdaptationJump) start = {layer.adaptation_jump, 0.0f};
    }
    for (size_t i = 0; i < info.size; ++i) {
      const auto block =
          philox(seed, static_cast<uint32_t>(i / 4), static_cast<uint32_t>(RandomStream::kInitialisation),
                 static_cast<uint32_t>(k), 0);
      values[info.offset + i] =
          start.centre + start.spread * (2.0f * philox_uniform(block.word[i % 4]) - 1.0f);
    }
  }
}

}  // namespace sonospike
