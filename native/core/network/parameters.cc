#include "core/network/parameters.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "core/support/philox.h"

namespace sonospike {
namespace {

constexpr int kReadout = -1;

}  // namespace

int output_bands(const ConnectionOptions& connection, int input_bands) {
  if (!connection.convolves()) return input_bands;
  return (input_bands + connection.stride - 1) / connection.stride;
}

int padding_before(const ConnectionOptions& connection, int input_bands) {
  if (!connection.convolves()) return 0;
  const int covered = (output_bands(connection, input_bands) - 1) * connection.stride + connection.kernel;
  return std::max(0, covered - input_bands) / 2;
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

ParameterTable::ParameterTable(const NetworkOptions& options) {
  using Role = ParameterRole;
  int inputs = options.inputs;
  const std::vector<Bands> below = bands_below(options);
  for (size_t k = 0; k < options.layers.size(); ++k) {
    const LayerOptions& layer = options.layers[k];
    const std::string prefix = "layers." + std::to_string(k) + ".";
    // A convolution's are shared by its bands.
    const int n = layer.connection.convolves() ? layer.connection.channels : layer.neurons;
    const int index = static_cast<int>(k);
    const bool state = layer.neuron.spike != SpikeKind::kRelu;
    Start bias =
        add_weight(prefix + "weight", index, weight_shape(layer, inputs, below[k]), layer.weight_gain);
    if (layer.recurrent) bias = add_weight(prefix + "recurrent", index, {n, n}, 1.0f);
    add(prefix + "bias", index, {n}, Role::kBias, true, false, bias);
    add(prefix + "decay", index, {n}, Role::kDecay, state && layer.learn_decay, layer.constrain,
        {layer.decay, layer.decay_spread});
    add(prefix + "threshold", index, {n}, Role::kThreshold, state && layer.learn_threshold, layer.constrain,
        {layer.threshold, layer.threshold_spread});
    if (layer.neuron.adaptive) {
      const float half = 0.5f * layer.adaptation_coupling;
      add(prefix + "adaptation_decay", index, {n}, Role::kAdaptationDecay, true, layer.constrain,
          {layer.adaptation_decay});
      add(prefix + "adaptation_coupling", index, {n}, Role::kAdaptationCoupling, true, false, {half, half});
      add(prefix + "adaptation_jump", index, {n}, Role::kAdaptationJump, true, false,
          {layer.adaptation_jump});
    }
    inputs = layer.neurons;
  }
  if (options.readout.kind != ReadoutKind::kSpikeCount) {
    const Start bias = add_weight("readout.weight", kReadout, {options.classes, inputs}, 1.0f);
    add("readout.bias", kReadout, {options.classes}, Role::kBias, true, false, bias);
    add("readout.decay", kReadout, {options.classes}, Role::kDecay, options.readout.learn_decay, true,
        {options.readout.decay});
  }
}

ParameterTable::Start ParameterTable::add_weight(std::string name, int layer, std::vector<int> shape,
                                                 float gain) {
  size_t inputs = 1;
  for (size_t i = 1; i < shape.size(); ++i) inputs *= static_cast<size_t>(shape[i]);
  const float bound = 1.0f / std::sqrt(static_cast<float>(inputs));
  add(std::move(name), layer, std::move(shape), ParameterRole::kWeight, true, false, {0.0f, bound * gain});
  return {0.0f, bound};
}

void ParameterTable::add(std::string name, int layer, std::vector<int> shape, ParameterRole role,
                         bool trained, bool constrained, Start start) {
  constexpr float kEverything = std::numeric_limits<float>::infinity();
  constexpr float kLeastThreshold = 0.01f, kMostAdaptationDecay = 0.999f;
  float least = -kEverything, most = kEverything;
  if (constrained && role == ParameterRole::kThreshold) {
    least = kLeastThreshold;
  } else if (constrained) {
    least = 0.0f;
    most = role == ParameterRole::kAdaptationDecay ? kMostAdaptationDecay : 1.0f;
  }
  size_t size = 1;
  for (int n : shape) size *= static_cast<size_t>(n);
  all_.push_back({std::move(name), layer, std::move(shape), role, size_, size, trained, constrained,
                  start.init, start.spread, least, most});
  size_ += size;
}

const ParameterInfo& ParameterTable::at(const std::string& name) const {
  for (const auto& info : all_) {
    if (info.name == name) return info;
  }
  assert(!"no such parameter");
  std::abort();
}

void ParameterTable::initialise(uint64_t seed, float* values) const {
  for (size_t k = 0; k < all_.size(); ++k) {
    const ParameterInfo& info = all_[k];
    for (size_t i = 0; i < info.size; ++i) {
      const auto block =
          philox(seed, static_cast<uint32_t>(i / 4), static_cast<uint32_t>(RandomStream::kInitialisation),
                 static_cast<uint32_t>(k), 0);
      values[info.offset + i] =
          info.init + info.init_spread * (2.0f * philox_uniform(block.word[i % 4]) - 1.0f);
    }
  }
}

}  // namespace sonospike
