#pragma once

#include "core/network/options.h"
#include "core/network/parameters.h"
#include "core/network/spike_train.h"
#include "core/support/buffer.h"

namespace sonospike {

struct ReadoutTrace {
  Buffer<float> current, o, p;  ///< [steps, clips, stride]; the leaky integrator's only
  Buffer<float> score;          ///< [clips, stride]
};

/// Scores from the spikes of the last layer: their count, or the mean over time of the softmax of a leaky
/// integrator that reads them.
class Readout {
 public:
  Readout(const ReadoutOptions& options, int inputs, int input_stride, int classes);

  int stride() const { return stride_; }
  bool counts_spikes() const { return options_.kind == ReadoutKind::kSpikeCount; }
  void load(const ParameterTable& table, const float* values);
  size_t gradient_size() const;
  void unpack_gradient(const float* packed, const ParameterTable& table, float* gradient) const;

  void forward(LayerInput input, int steps, int clips, ReadoutTrace& trace) const;
  /// grad_score [clips, stride] → gs = dL/ds [steps, clips, input_stride].
  void backward(LayerInput input, int steps, int clips, ReadoutTrace& trace, const float* grad_score,
                float* gs, float* packed) const;

 private:
  ReadoutOptions options_;
  int inputs_, input_stride_, classes_, stride_;
  Buffer<float> weight_t_, weight_, bias_, decay_;
};

}  // namespace sonospike
