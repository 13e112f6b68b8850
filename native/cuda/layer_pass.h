#pragma once

#include <string>
#include <vector>

#include "core/network/backend.h"
#include "cuda/kernels/narrow.h"
#include "cuda/kernels/readout.h"
#include "cuda/neuron_sums.h"

namespace sonospike::cuda {

/// What a layer reads, of `options`; `layer` as many as there are: the readout's, of a dense layer.
ConnectionShape connection_shape(const NetworkOptions& options, size_t layer);

/// What the layers work with one after the other.
struct Scratch {
  explicit Scratch(Device& device) : parts(device), state(device), sums(device) {}
  DeviceArray<float> parts;  // of the gradient of weights
  DeviceArray<float> state;  // of recurrent layers
  NeuronSums sums;           // of the gradients of the neurons of each clip
};

/// Weights of a connection in the products' layouts.
class PackedWeights {
 public:
  PackedWeights(Device& device, const ConnectionShape& shape);
  /// What the weights are to be taken times.
  void set_scale(float scale) { scale_ = scale; }
  /// weights: in the files' layout.
  void pack(const float* weights);
  /// To the files' layout, or added to what is there; g = dL/du.
  void gradient(const Clips& clips, const Sent& input, const float* g, bool add, Scratch& scratch,
                float* gradient) const;
  const ConnectionShape& shape() const { return shape_; }
  const float* forward() const { return forward_.data(); }
  const float* backward() const { return backward_.data(); }
  float scale() const { return scale_; }

 private:
  Device& device_;
  ConnectionShape shape_;
  float scale_ = 1.0f;
  DeviceArray<float> forward_, backward_;
};

/// One layer: its weights, and what it does to the clips in hand.
class LayerPass {
 public:
  LayerPass(Device& device, const NetworkOptions& options, const ParameterTable& table, size_t layer);

  int neurons() const { return options_.neurons; }
  /// Bytes of the device that a row and that a clip takes.
  size_t row_bytes() const;
  size_t clip_bytes() const;
  /// parameters: all of the network. `input_scale`: what the input is taken times, to make up for dropout
  /// below.
  void set_parameters(const float* parameters, float input_scale);
  /// Brings the weights into the layout that all need but narrow_layer.
  void pack();

  /// keys: by which it drops [clips]; null: it does not.
  void forward(const Clips& clips, const Sent& input, const ClipKey* keys, Scratch& scratch);
  /// Makes room for what `forward` leaves of some clips; it does so itself.
  void reserve(const Clips& clips, Scratch& scratch);
  /// Whether it is a layer that narrow_forward takes.
  bool narrow() const;
  /// Itself for narrow_forward.
  NarrowLayer narrow_layer(const ClipKey* keys) const;
  /// Itself for narrow_backward, after it.
  NarrowLayer narrow_layer(const ClipKey* keys, float spike_cost, int clips, NeuronSums& sums,
                           float* gradient) const;
  /// Values that `backward`, or narrow_backward, takes of `sums`.
  size_t sums_size(int clips, bool narrow) const;
  NeuronCounts count() const { return {count_.data(), neurons()}; }
  Sent sent() const;
  /// After `forward`, of the same clips. `every`: dL/ds of every step, [clips, neurons]; null: g has it,
  /// [rows, neurons]. g: out: dL/du. gradient: of all parameters of the network, but for what scratch.sums
  /// still has to add up; `add`: to what is there.
  void backward(const Clips& clips, const Sent& input, const ClipKey* keys, const float* every,
                float spike_cost, bool add, Scratch& scratch, float* g, float* gradient);
  /// To dL/dx [rows, inputs].
  void input_gradient(const Clips& clips, const float* g, float* gx) const;
  /// Potentials and what was sent, [rows, neurons], after `forward`.
  void download(int rows, std::vector<float>& u, std::vector<float>& s) const;
  void free();

 private:
  size_t offset(const char* name) const { return table_.at(prefix_ + name).offset; }
  LayerArgs arguments(const ClipKey* keys) const;
  float* take_neurons(int clips, NeuronSums& sums, float* gradient) const;
  TraceArgs trace() const;

  Device& device_;
  const ParameterTable& table_;
  LayerOptions options_;
  int number_;
  std::string prefix_;
  PackedWeights weights_, recurrent_;
  const float* parameters_ = nullptr;
  DeviceArray<float> u_, s_, w_;
  DeviceArray<uint32_t> bits_;
  DeviceArray<double> count_;
};

}  // namespace sonospike::cuda
