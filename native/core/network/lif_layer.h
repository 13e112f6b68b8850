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

/// What a layer does to a micro-batch. Arrays [rows, stride], states [clips, stride].
struct LayerTrace {
  Buffer<float> u;        ///< membrane potential before the reset
  Activity spikes;        ///< what the next layer reads
  Buffer<float> v;        ///< membrane potential after the last step
  Buffer<float> w;        ///< of adaptive neurons: adaptation after each step, [rows, stride]
  Buffer<float> count;    ///< sum of the spikes over the steps since it was last set aside
  Buffer<double> total;   ///< sum of the spikes before that
  NearThreshold near;     ///< backward: of the chunk in hand
  Dropout dropout;        ///< of the clips in hand
  Buffer<float> gv, gw;   ///< backward: dL/dv and dL/dw after the step before
  Buffer<float> g_after;  ///< backward, recurrent: dL/du of the step after
  /// Backward: what later chunks have given to dL/dx of the steps before them that the layer looks back to.
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
  /// Steps of the input before a chunk whose rows must stand in front of it.
  int history() const { return options_.connection.history(); }
  /// Whether this layer uses what `find_near` finds in the layer below.
  bool uses_near() const { return connection_->uses_near(); }

  /// Makes room in `trace` for `rows` rows of `clips` clips, whose state becomes that of their start: the
  /// first `front` rows are of the steps before.
  void begin(LayerTrace& trace, size_t rows, size_t front, int clips) const;
  /// Writes the input currents of a chunk to u, from the input's rows from `input_row` on. `scan` computes
  /// the spikes from them, or in a recurrent layer `step`.
  void input_currents(const Activity& input, size_t input_row, const TimeChunk& chunk, LayerTrace& trace,
                      EventScratch& scratch) const;
  /// Draws the neurons that dropout leaves out of `clips` clips; `layer` is the number of this layer, from 0.
  void draw_dropout(const ClipKey* keys, int clips, int layer, LayerTrace& trace) const;
  LifForwardArgs scan(const TimeChunk& chunk, LayerTrace& trace) const;
  void step(const TimeChunk& chunk, LayerTrace& trace, EventScratch& scratch) const;

  /// Makes `trace` ready for the last chunk to go back through.
  void begin_backward(LayerTrace& trace, int clips) const;
  /// Needed before `backward` of this layer and the one above.
  void find_near(const TimeChunk& chunk, LayerTrace& trace) const;
  /// One chunk after the other, from the last. g: in dL/ds, out dL/du [rows, stride]. Gradients of the
  /// parameters are added to `packed`.
  void backward(const Activity& input, const TimeChunk& chunk, LayerTrace& trace, float* g, float* packed,
                EventScratch& scratch) const;
  /// Computes dL/dx [rows, input_stride] from g = dL/du. Where the surrogate derivative of the layer below is
  /// zero, as `below` lists, dL/dx may be left zero; null: it is computed everywhere. gx has room for
  /// `history` more steps than the chunk; returns where in it the chunk's rows begin.
  float* input_gradient(const TimeChunk& chunk, LayerTrace& trace, const NearThreshold* below, const float* g,
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
  void backward_recurrent(LifBackwardArgs lif, const TimeChunk& chunk, LayerTrace& trace, float* grad,
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
