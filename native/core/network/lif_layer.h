#pragma once

#include "core/network/activity.h"
#include "core/network/options.h"
#include "core/network/parameters.h"
#include "core/support/buffer.h"

namespace sonospike {

/// A few time steps of a group of clips, which are worked on together: rows of the arrays that hold them, a
/// row being a step of a clip. The rows of the step before lie in front of them.
struct Piece {
  size_t row;
  int steps, clips;
  bool starts;  ///< there is no step before

  int rows() const { return steps * clips; }
  size_t before() const { return row - clips; }
};

/// The neurons whose surrogate derivative is not zero, row by row. Only they have use for dL/ds.
struct NearThreshold {
  bool few = false;  ///< so few that it pays to leave out the others; otherwise there are no lists
  Buffer<uint16_t> bits;
  Buffer<uint32_t> start, index;
};

/// What a layer does to a group of clips. Arrays [rows, stride], states [clips, stride].
struct LayerTrace {
  Buffer<float> u;        ///< membrane potential before the reset
  Activity spikes;        ///< what the next layer reads
  Buffer<float> v;        ///< membrane potential after the last step
  Buffer<float> count;    ///< sum of the spikes over the steps since it was last set aside
  Buffer<double> total;   ///< sum of the spikes before that
  NearThreshold near;     ///< backward: of the piece in hand
  Buffer<float> gv;       ///< backward: dL/dv after the step before
  Buffer<float> g_after;  ///< backward, recurrent: dL/du of the step after
};

/// One layer with its weights in the kernels' layout. Neurons lie side by side and are padded to `stride`
/// with neurons that never spike; a step of a clip is a row.
class LifLayer {
 public:
  /// `input_stride`: floats from one row of the input to the next. `spiking_input`: whether spikes may come
  /// as bits.
  LifLayer(const LayerOptions& options, int inputs, int input_stride, bool spiking_input);

  int neurons() const { return options_.neurons; }
  int stride() const { return stride_; }

  /// Takes the parameters named prefix… out of the flat array `values`.
  void load(const ParameterTable& table, const std::string& prefix, const float* values);

  /// Floats of one set of gradients in the kernels' layout.
  size_t gradient_size() const;
  /// Copies such a set, which is used up, to the flat array of gradients.
  void unpack_gradient(float* packed, const ParameterTable& table, const std::string& prefix,
                       float* gradient) const;

  const NeuronModel& neuron() const { return options_.neuron; }
  bool recurrent() const { return options_.recurrent; }

  /// Makes room in `trace` for `rows` rows of `clips` clips, whose state becomes that of their start.
  void begin(LayerTrace& trace, size_t rows, int clips) const;
  /// The input currents of a piece, to u, from the input's rows from `input_row` on. Spikes follow from them
  /// by `scan` or, in a recurrent layer, `step`.
  void drive(const Activity& input, size_t input_row, const Piece& piece, LayerTrace& trace,
             EventScratch& scratch) const;
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
  /// From g = dL/du to gx = dL/dx, [rows, input_stride]; zero where it is of no use to the layer below. Null:
  /// all is of use.
  void pass_down(const Piece& piece, const NearThreshold* below, const float* g, float* gx,
                 EventScratch& scratch) const;

 private:
  struct PackedGradient {
    float *weight, *table, *recurrent, *bias, *decay, *threshold;
  };
  PackedGradient slices(float* packed) const;
  /// Whether products with spikes go by table, whatever their number.
  bool by_table(const Activity& input) const { return table_.size() > 0 && input.spikes_only(); }
  int groups() const { return (inputs_ + 3) / 4; }
  bool soft() const { return options_.neuron.spike == SpikeKind::kSoft; }
  template <typename Visit>
  void each_in_table(Visit visit) const;
  void fill_table();
  void add_table(const float* table, float* weight) const;
  void backward_recurrent(LifBackwardArgs lif, const Piece& piece, LayerTrace& trace, float* grad,
                          EventScratch& scratch) const;

  LayerOptions options_;
  int inputs_, input_stride_, stride_;
  Buffer<float> weight_t_;  // [inputs, stride]: forward
  Buffer<float> weight_;    // [neurons, input_stride]: backward to the input
  // [groups of four inputs, 16, stride]: the sums that each four inputs can give; empty where that is large
  Buffer<float> table_;
  Buffer<float> recurrent_t_;  // [neurons, stride]
  Buffer<float> recurrent_;    // [neurons, stride]
  Buffer<float> bias_, decay_, threshold_;
};

/// All layers of a network, without their weights.
std::vector<LifLayer> make_layers(const NetworkOptions& options);

}  // namespace sonospike
