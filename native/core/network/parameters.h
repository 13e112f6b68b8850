#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/network/options.h"

namespace sonospike {

enum class ParameterRole {
  kWeight,
  kBias,
  kDecay,
  kThreshold,
  kAdaptationDecay,
  kAdaptationCoupling,
  kAdaptationJump
};

/// One named array among the parameters of a network; row-major at [offset, offset + size) of one flat array.
struct ParameterInfo {
  std::string name;  ///< layers.K.weight, .recurrent, .bias, .decay, .threshold, .adaptation_decay (rho),
                     ///< .adaptation_coupling, .adaptation_jump; readout.weight, .bias, .decay
  int layer;         ///< from 0; -1: the readout
  std::vector<int>
      shape;  ///< weights are [outputs, inputs (, kernel) (, taps)], the last tap the present step
  ParameterRole role;
  size_t offset, size;
  bool trained;
  bool constrained;         ///< kept in [least, most] after each optimizer step, where it is trained
  float init, init_spread;  ///< starts from init + init_spread u, with u uniform in [-1, 1)
  float least, most;  ///< decay: [0, 1], threshold: [0.01, inf), rho: [0, 0.999], others and all that are
                      ///< not constrained: everything
};

/// Where every parameter of a network lies.
class ParameterTable {
 public:
  explicit ParameterTable(const NetworkOptions& options);

  const std::vector<ParameterInfo>& all() const { return all_; }
  const ParameterInfo& at(const std::string& name) const;
  size_t size() const { return size_; }

  /// Initial values: weights and biases uniform in ±1/sqrt(inputs) as torch.nn.Linear and Conv2d, the
  /// weights from the layer below times the layer's gain; decays and thresholds as the options say. The same
  /// for a seed everywhere.
  void initialise(uint64_t seed, float* values) const;

 private:
  /// What a parameter starts from: init + init_spread u, with u uniform in [-1, 1).
  struct Start {
    float init = 0.0f, spread = 0.0f;
  };

  void add(std::string name, int layer, std::vector<int> shape, ParameterRole role, bool trained,
           bool constrained, Start start);
  /// Weights that are read by as many neurons as shape[0], and the bias: uniform in ±1/sqrt(inputs).
  Start add_weight(std::string name, int layer, std::vector<int> shape, float gain);

  std::vector<ParameterInfo> all_;
  size_t size_ = 0;
};

}  // namespace sonospike
