#include "core/network/readout.h"

#include <algorithm>

#include "core/network/packing.h"

namespace sonospike {

Readout::Readout(const ReadoutOptions& options, int inputs, int input_stride, int classes)
    : options_(options),
      inputs_(inputs),
      input_stride_(input_stride),
      classes_(classes),
      stride_(pad_lanes(classes)) {
  if (counts_spikes()) return;
  weight_t_.resize(static_cast<size_t>(inputs) * stride_);
  weight_.resize(static_cast<size_t>(classes) * input_stride);
  bias_.resize(stride_);
  decay_.resize(stride_);
}

void Readout::load(const ParameterTable& table, const float* values) {
  if (counts_spikes()) return;
  const MatrixPacking packing{classes_, inputs_, stride_, input_stride_};
  const float* weight = values + table.at("readout.weight").offset;
  packing.transposed(weight, weight_t_.data());
  packing.padded(weight, weight_.data());
  std::copy_n(values + table.at("readout.bias").offset, classes_, bias_.data());
  std::copy_n(values + table.at("readout.decay").offset, classes_, decay_.data());
}

size_t Readout::gradient_size() const {
  return counts_spikes() ? 0 : (static_cast<size_t>(inputs_) + 2) * stride_;
}

void Readout::unpack_gradient(const float* packed, const ParameterTable& table, float* gradient) const {
  if (counts_spikes()) return;
  MatrixPacking{classes_, inputs_, stride_, input_stride_}.add_transposed(
      packed, gradient + table.at("readout.weight").offset);
  const float* bias = packed + static_cast<size_t>(inputs_) * stride_;
  for (int i = 0; i < classes_; ++i) {
    gradient[table.at("readout.bias").offset + i] += bias[i];
    gradient[table.at("readout.decay").offset + i] += bias[stride_ + i];
  }
}

void Readout::forward(LayerInput input, int steps, int clips, ReadoutTrace& trace) const {
  const size_t row = static_cast<size_t>(clips) * stride_;
  trace.score.resize(row);
  if (counts_spikes()) {
    for (int t = 0; t < steps; ++t) kernels().add(trace.score.data(), input.x + row * t, row);
    return;
  }
  trace.current.reserve(row * steps);
  trace.o.reserve(row * steps);
  trace.p.reserve(row * steps);
  if (input.events) {
    input.events->multiply(0, steps * clips, weight_t_.data(), stride_, bias_.data(), trace.current.data());
  } else {
    kernels().gemm({steps * clips, stride_, inputs_, input.x, input_stride_, 1, weight_t_.data(), stride_,
                    trace.current.data(), stride_, bias_.data(), false});
  }
  kernels().leaky_readout_forward({steps, clips, stride_, classes_, decay_.data(), trace.current.data(),
                                   trace.o.data(), trace.p.data(), trace.score.data(), nullptr, nullptr,
                                   nullptr});
}

void Readout::backward(LayerInput input, int steps, int clips, ReadoutTrace& trace, const float* grad_score,
                       float* gs, float* packed) const {
  const size_t row = static_cast<size_t>(clips) * stride_;
  if (counts_spikes()) {
    for (int t = 0; t < steps; ++t) std::copy_n(grad_score, row, gs + row * t);
    return;
  }
  float* bias = packed + static_cast<size_t>(inputs_) * stride_;
  kernels().leaky_readout_backward({steps, clips, stride_, classes_, decay_.data(), trace.current.data(),
                                    trace.o.data(), trace.p.data(), trace.score.data(), grad_score, bias,
                                    bias + stride_});
  if (input.events) {
    input.events->multiply_transposed(steps * clips, trace.current.data(), stride_, packed);
  } else {
    kernels().gemm({inputs_, stride_, steps * clips, input.x, 1, input_stride_, trace.current.data(), stride_,
                    packed, stride_, nullptr, true});
  }
  kernels().gemm({steps * clips, input_stride_, classes_, trace.current.data(), stride_, 1, weight_.data(),
                  input_stride_, gs, input_stride_, nullptr, false});
}

}  // namespace sonospike
