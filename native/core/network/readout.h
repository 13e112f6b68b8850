#pragma once

#include "core/network/lif_layer.h"

namespace sonospike {

/// Arrays [rows, stride], states [clips, stride].
struct ReadoutTrace {
  Buffer<float> current, o, p;  ///< the leaky integrator's; p where the score is of the softmax
  Buffer<float> score;          ///< a state
  Buffer<double> total;         ///< a state: the part of the score that has been set aside
  Buffer<float> grad_o;         ///< backward: dL/do of the step after, a state

  size_t bytes() const { return bytes_of(current, o, p, score, total, grad_o); }
};

/// Scores from the spikes of the last layer: their count, or the mean over time of a leaky integrator that
/// reads them or of its softmax.
class Readout {
 public:
  Readout(const ReadoutOptions& options, int inputs, int input_stride, int classes);

  int stride() const { return stride_; }
  size_t bytes() const { return bytes_of(weight_t_, weight_, bias_, decay_); }
  bool counts_spikes() const { return options_.kind == ReadoutKind::kSpikeCount; }
  /// Floats of the trace of one step of a clip.
  size_t step_floats() const {
    return counts_spikes() ? 0 : (takes_softmax() ? 3 : 2) * static_cast<size_t>(stride_);
  }
  /// `input_scale`: as in LifLayer::load.
  void load(const ParameterTable& table, const float* values, float input_scale);
  size_t gradient_size() const;
  void unpack_gradient(const float* packed, const ParameterTable& table, float* gradient) const;

  /// Makes room in `trace` for `rows` rows of `clips` clips, whose state becomes that of their start: the
  /// first `front` rows are of the steps before.
  void begin(ReadoutTrace& trace, size_t rows, size_t front, int clips) const;
  /// `steps`: of the whole clip. `trace` is that of the last layer.
  void forward(const LayerTrace& last, const TimeChunk& chunk, int steps, ReadoutTrace& trace,
               EventScratch& scratch) const;

  /// Sets aside what the score has come to, so that sums over very many steps lose nothing.
  void flush_sums(ReadoutTrace& trace) const;
  /// The score of the whole clip.
  void finish(const LayerTrace& last, ReadoutTrace& trace) const;

  void begin_backward(ReadoutTrace& trace, int clips) const;
  /// One chunk after the other, from the last. grad_score [clips, stride] → gs = dL/ds [rows, input_stride].
  void backward(const LayerTrace& last, const TimeChunk& chunk, int steps, ReadoutTrace& trace,
                const float* grad_score, float* gs, float* packed, EventScratch& scratch) const;

 private:
  bool takes_softmax() const { return options_.kind == ReadoutKind::kLeakyIntegrator; }
  LeakyReadoutArgs arguments(const TimeChunk& chunk, int steps, ReadoutTrace& trace) const;

  ReadoutOptions options_;
  int inputs_, input_stride_, classes_, stride_;
  float input_scale_ = 1.0f;
  Buffer<float> weight_t_, weight_, bias_, decay_;
};

}  // namespace sonospike
