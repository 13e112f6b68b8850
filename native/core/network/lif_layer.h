#pragma once

#include "core/encoding/encoder.h"
#include "core/network/connection.h"

namespace sonospike {

/// What a layer leaves out of the clips in hand.
struct Dropout {
  bool any = false;
  Buffer<float> kept;     ///< [clips, stride]: 1 or 0
  Buffer<uint16_t> bits;  ///< the same

  size_t bytes() const { return bytes_of(kept, bits); }
};

/// What a layer does to a group of clips. Arrays [rows, stride], states [clips, stride].
struct LayerTrace {
  Buffer<float> u;        ///< membrane potential before the reset
  Activity spikes;        ///< what the next layer reads
  Buffer<float> v;        ///< membrane potential after the last step
  Buffer<float> w;        ///< of adaptive neurons: adaptation after each step, [rows, stride]
  Buffer<float> count;    ///< sum of the spikes over the steps since it was last set aside
  Buffer<double> total;   ///< sum of the spikes before that
  NearThreshold near;     ///< backward: of the piece in hand
  Dropout dropout;        ///< of the clips in hand
  Buffer<float> gv, gw;   ///< backward: dL/dv and dL/dw after the step before
  Buffer<float> g_after;  ///< backward, recurrent: dL/du of the step after
  /// Backward: what later pieces have given to dL/dx of the steps before them that the layer looks back to.
  Buffer<float> pending;

  size_t bytes() const {
    return bytes_of(u, spikes, v, w, count, total, near, dropout, gv, gw, g_after, pending);
  }
};

/// One layer with its weights in the kernels' layout. Neurons lie side by side and are padded to `stride`
/// with neurons that never spike; a step of a clip is a row.
class LifLayer {
 public:
  /// `spiking_input`: whether spikes may come as bits.
  LifLayer(const LayerOptions& options, const ConnectionSize& size, bool spiking_input);

  int neurons() const { return options_.neurons; }
  int stride() const { return stride_; }
  /// Memory of the parameters in the kernels' layout.
  size_t bytes() const {
    return connection_->bytes() +
           bytes_of(recurrent_t_, recurrent_, bias_, decay_, threshold_, rho_, coupling_, jump_);
  }

  /// Takes the parameters named prefix… out of the flat array `values`. `input_scale`: what the input is
  /// taken times, to make up for dropout below.
  void load(const ParameterTable& table, const std::string& prefix, const float* values, float input_scale);

  /// Floats of one set of gradients in the kernels' layout.
  size_t gradient_size() const;
  /// Copies such a set, which is used up, to the flat array of gradients.
  void unpack_gradient(float* packed, const ParameterTable& table, const std::string& prefix,
                       float* gradient) const;

  const NeuronModel& neuron() const { return options_.neuron; }
  bool recurrent() const { return options_.recurrent; }
  bool adaptive() const { return options_.neuron.adaptive; }
  /// Steps of the input before a piece whose rows must stand in front of it.
  int history() const { return options_.connection.history(); }
  /// Whether a use is made of what `find_near` finds in the layer below.
  bool uses_near() const { return connection_->uses_near(); }

  /// Makes room in `trace` for `rows` rows of `clips` clips, whose state becomes that of their start: the
  /// first `front` rows are of the steps before.
  void begin(LayerTrace& trace, size_t rows, size_t front, int clips) const;
  /// The input currents of a piece, to u, from the input's rows from `input_row` on. Spikes follow from them
  /// by `scan` or, in a recurrent layer, `step`.
  void drive(const Activity& input, size_t input_row, const Piece& piece, LayerTrace& trace,
             EventScratch& scratch) const;
  /// Draws the neurons that are left out of `clips` clips; `layer`: its number, from 0.
  void draw_dropout(const ClipKey* keys, int clips, int layer, LayerTrace& trace) const;
  LifForwardArgs scan(const Piece& piece, LayerTrace& trace) const;
  void step(const Piece& piece, LayerTrace& trace, EventScratch& scratch) const;

  /// Makes `trace` ready for the last piece to go back through.
  void begin_backward(LayerTrace& trace, int clips) const;
  /// Needed before `backward` of this layer and the one above.
  void find_near(const Piece& piece, LayerTrace& trace) const;
  /// One piece after the other, from the last. g: in dL/ds, out dL/du [rows, stride]. Gradients of the
  /// parameters are added to `packed`.
  void backward(const Activity& input, const Piece& piece, LayerTrace& trace, float* g, float* packed,
                EventScratch& scratch) const;
  /// From g = dL/du to dL/dx, [rows, input_stride], which may be zero where it is of no use to the layer
  /// below. `below`: null where all is of use. Works in gx, of `history` steps more than the piece has, and
  /// returns where in it the piece's rows are.
  float* pass_down(const Piece& piece, LayerTrace& trace, const NearThreshold* below, const float* g,
                   float* gx, EventScratch& scratch) const;

 private:
  struct PackedGradient {
    float *weight, *recurrent, *bias, *decay, *threshold, *rho, *coupling, *jump;
  };
  PackedGradient slices(float* packed) const;
  bool sends_values() const { return sonospike::sends_values(options_.neuron.spike); }
  /// Neurons that share bias, decay and threshold lie so far apart.
  int shared() const {
    return options_.connection.convolves() ? options_.connection.channels : options_.neurons;
  }
  void copy_parameter(const float* values, float padding, Buffer<float>& out) const;
  void put(const float* packed, const ParameterInfo& info, float* gradient) const;
  void backward_recurrent(LifBackwardArgs lif, const Piece& piece, LayerTrace& trace, float* grad,
                          EventScratch& scratch) const;

  Adaptation adaptation() const { return {rho_.data(), coupling_.data(), jump_.data()}; }

  LayerOptions options_;
  int input_stride_, stride_;
  float input_scale_ = 1.0f;
  std::unique_ptr<Connection> connection_;
  Buffer<float> recurrent_t_;  // [neurons, stride]
  Buffer<float> recurrent_;    // [neurons, stride]
  Buffer<float> bias_, decay_, threshold_;
  Buffer<float> rho_, coupling_, jump_;  // of adaptive neurons
};

/// All layers of a network, without their weights.
std::vector<LifLayer> make_layers(const NetworkOptions& options);

}  // namespace sonospike
