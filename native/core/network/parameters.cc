#include "core/network/parameters.h"

#include <cassert>
#include <cmath>
#include <cstdlib>

#include "core/support/philox.h"

namespace sonospike {

ParameterTable::ParameterTable(const NetworkOptions& options) : options_(options) {
  int inputs = options.inputs;
  for (size_t k = 0; k < options.layers.size(); ++k) {
    const LayerOptions& layer = options.layers[k];
    const std::string prefix = "layers." + std::to_string(k) + ".";
    const int n = layer.neurons;
    add(prefix + "weight", {n, inputs}, ParameterRole::kWeight, true, false);
    if (layer.recurrent) add(prefix + "recurrent", {n, n}, ParameterRole::kWeight, true, false);
    add(prefix + "bias", {n}, ParameterRole::kBias, true, false);
    add(prefix + "decay", {n}, ParameterRole::kDecay, layer.learn_decay, layer.constrain);
    add(prefix + "threshold", {n}, ParameterRole::kThreshold, layer.learn_threshold, layer.constrain);
    inputs = n;
  }
  if (options.readout.kind == ReadoutKind::kLeakyIntegrator) {
    add("readout.weight", {options.classes, inputs}, ParameterRole::kWeight, true, false);
    add("readout.bias", {options.classes}, ParameterRole::kBias, true, false);
    add("readout.decay", {options.classes}, ParameterRole::kDecay, options.readout.learn_decay, true);
  }
}

void ParameterTable::add(std::string name, std::vector<int> shape, ParameterRole role, bool trained,
                         bool constrained) {
  size_t size = 1;
  for (int n : shape) size *= static_cast<size_t>(n);
  all_.push_back({std::move(name), std::move(shape), role, size_, size, trained, constrained});
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
  float bound = 0.0f, decay = 0.0f, threshold = 0.0f;
  size_t layer = 0;
  for (size_t k = 0; k < all_.size(); ++k) {
    const ParameterInfo& info = all_[k];
    if (info.role == ParameterRole::kWeight) bound = 1.0f / std::sqrt(static_cast<float>(info.shape[1]));
    const bool readout = info.name.starts_with("readout.");
    if (!readout) {
      decay = options_.layers[layer].decay;
      threshold = options_.layers[layer].threshold;
      if (info.role == ParameterRole::kThreshold) ++layer;
    } else {
      decay = options_.readout.decay;
    }
    for (size_t i = 0; i < info.size; ++i) {
      float& x = values[info.offset + i];
      if (info.role == ParameterRole::kDecay) {
        x = decay;
      } else if (info.role == ParameterRole::kThreshold) {
        x = threshold;
      } else {
        const auto block = philox(seed, static_cast<uint32_t>(i / 4),
                                  static_cast<uint32_t>(RandomStream::kInitialisation), static_cast<uint32_t>(k), 0);
        x = bound * (2.0f * philox_uniform(block.word[i % 4]) - 1.0f);
      }
    }
  }
}

}  // namespace sonospike
