#pragma once

#include "core/network/options.h"
#include "core/network/parameters.h"
#include "core/network/spike_train.h"
#include "core/support/buffer.h"

namespace sonospike {

/// What the forward pass of a group of clips leaves behind for the backward pass.
struct LayerTrace {
  Buffer<float> u;    ///< membrane potential before the reset, [steps, clips, stride]
  Buffer<float> s;    ///< spikes, [steps, clips, stride]
  SpikeTrain events;  ///< the same as lists, where the spikes are hard
};

/// One layer with its weights in the kernels' layout. Neurons lie side by side and are padded to `stride`
/// with neurons that never spike; a step of a clip is a row.
class LifLayer {
 public:
  /// `input_stride`: floats from one row of the input to the next.
  LifLayer(const LayerOptions& options, int inputs, int input_stride);

  int neurons() const { return options_.neurons; }
  int stride() const { return stride_; }

  /// Takes the parameters named prefix… out of the flat array `values`.
  void load(const ParameterTable& table, const std::string& prefix, const float* values);

  /// Floats of one set of gradients in the kernels' layout.
  size_t gradient_size() const;
  /// Adds such a set to the flat array of gradients.
  void unpack_gradient(const float* packed, const ParameterTable& table, const std::string& prefix,
                       float* gradient) const;

  /// input [steps, clips, input_stride] → trace. `state` [clips, stride] is scratch.
  void forward(LayerInput input, int steps, int clips, LayerTrace& trace, Buffer<float>& state) const;

  /// g: in dL/ds, out dL/du [steps, clips, stride]; gx: out dL/dx, or null where nobody asks. Gradients of
  /// the parameters are added to `packed`.
  void backward(LayerInput input, int steps, int clips, LayerTrace& trace, float* g, float* gx,
                Buffer<float>& state, float* packed) const;

 private:
  /// `T`: float, or const float for those who only read.
  template <typename T>
  struct PackedGradient {
    T *weight, *recurrent, *bias, *decay, *threshold;
  };
  template <typename T>
  PackedGradient<T> slices(T* packed) const;
  void feed_back(const LayerTrace& trace, int t, int clips, float* u) const;
  void backward_recurrent(LifBackwardArgs lif, LayerTrace& trace, float* grad) const;

  LayerOptions options_;
  int inputs_, input_stride_, stride_;
  Buffer<float> weight_t_;     // [inputs, stride]: forward
  Buffer<float> weight_;       // [neurons, input_stride]: backward to the input
  Buffer<float> recurrent_t_;  // [neurons, stride]
  Buffer<float> recurrent_;    // [neurons, stride]
  Buffer<float> bias_, decay_, threshold_;
};

}  // namespace sonospike
