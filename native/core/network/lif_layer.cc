#include "core/network/lif_layer.h"

#include <algorithm>

#include "core/network/packing.h"

namespace sonospike {
namespace {

// Beyond any potential, so that a padding neuron never spikes; its products with zero stay finite.
constexpr float kNeverReached = 1e30f;

void copy_padded(const float* values, int count, float fill, Buffer<float>& out) {
  std::fill_n(out.data(), out.size(), fill);
  std::copy_n(values, count, out.data());
}

void add_to(const float* packed, const ParameterInfo& info, float* gradient) {
  for (size_t i = 0; i < info.size; ++i) gradient[info.offset + i] += packed[i];
}

}  // namespace

LifLayer::LifLayer(const LayerOptions& options, int inputs, int input_stride)
    : options_(options),
      inputs_(inputs),
      input_stride_(input_stride),
      stride_(pad_lanes(options.neurons)),
      weight_t_(static_cast<size_t>(inputs) * stride_),
      weight_(static_cast<size_t>(options.neurons) * input_stride),
      recurrent_t_(options.recurrent ? static_cast<size_t>(options.neurons) * stride_ : 0),
      recurrent_(recurrent_t_.size()),
      bias_(stride_),
      decay_(stride_),
      threshold_(stride_) {}

void LifLayer::load(const ParameterTable& table, const std::string& prefix, const float* values) {
  const int n = options_.neurons;
  const MatrixPacking packing{n, inputs_, stride_, input_stride_};
  const float* weight = values + table.at(prefix + "weight").offset;
  packing.transposed(weight, weight_t_.data());
  packing.padded(weight, weight_.data());
  if (options_.recurrent) {
    const MatrixPacking square{n, n, stride_, stride_};
    const float* recurrent = values + table.at(prefix + "recurrent").offset;
    square.transposed(recurrent, recurrent_t_.data());
    square.padded(recurrent, recurrent_.data());
  }
  copy_padded(values + table.at(prefix + "bias").offset, n, 0.0f, bias_);
  copy_padded(values + table.at(prefix + "decay").offset, n, 0.0f, decay_);
  copy_padded(values + table.at(prefix + "threshold").offset, n, kNeverReached, threshold_);
}

size_t LifLayer::gradient_size() const {
  return (static_cast<size_t>(inputs_) + (options_.recurrent ? options_.neurons : 0) + 3) * stride_;
}

LifLayer::PackedGradient LifLayer::slices(float* packed) const {
  float* recurrent = packed + static_cast<size_t>(inputs_) * stride_;
  float* bias = recurrent + (options_.recurrent ? static_cast<size_t>(options_.neurons) * stride_ : 0);
  return {packed, recurrent, bias, bias + stride_, bias + 2 * stride_};
}

void LifLayer::unpack_gradient(const float* packed, const ParameterTable& table, const std::string& prefix,
                               float* gradient) const {
  const PackedGradient from = slices(const_cast<float*>(packed));
  const int n = options_.neurons;
  MatrixPacking{n, inputs_, stride_, input_stride_}.add_transposed(
      from.weight, gradient + table.at(prefix + "weight").offset);
  if (options_.recurrent) {
    MatrixPacking{n, n, stride_, stride_}.add_transposed(from.recurrent,
                                                         gradient + table.at(prefix + "recurrent").offset);
  }
  add_to(from.bias, table.at(prefix + "bias"), gradient);
  add_to(from.decay, table.at(prefix + "decay"), gradient);
  add_to(from.threshold, table.at(prefix + "threshold"), gradient);
}

void LifLayer::forward(const float* x, int steps, int clips, LayerTrace& trace, Buffer<float>& state) const {
  const Kernels& k = kernels();
  const size_t row = static_cast<size_t>(clips) * stride_;
  trace.u.reserve(row * steps);
  trace.s.reserve(row * steps);
  state.resize(row);
  k.gemm({steps * clips, stride_, inputs_, x, input_stride_, 1, weight_t_.data(), stride_, trace.u.data(), stride_,
          bias_.data(), false});
  LifForwardArgs lif{options_.neuron, steps,          clips,          stride_,     decay_.data(),
                     threshold_.data(), trace.u.data(), trace.s.data(), state.data()};
  if (!options_.recurrent) return k.lif_forward(lif);
  lif.steps = 1;
  for (int t = 0; t < steps; ++t, lif.u += row, lif.s += row) {
    if (t > 0) {
      k.gemm({clips, stride_, options_.neurons, lif.s - row, stride_, 1, recurrent_t_.data(), stride_, lif.u,
              stride_, nullptr, true});
    }
    k.lif_forward(lif);
  }
}

void LifLayer::backward(const float* x, int steps, int clips, const LayerTrace& trace, float* g, float* gx,
                        Buffer<float>& state, float* packed) const {
  const Kernels& k = kernels();
  const int n = options_.neurons;
  const size_t row = static_cast<size_t>(clips) * stride_;
  const PackedGradient grad = slices(packed);
  state.resize(row);
  LifBackwardArgs lif{options_.neuron, 0,           steps - 1,        clips,          stride_,
                      decay_.data(),   threshold_.data(), trace.u.data(), trace.s.data(), g,
                      state.data(),    grad.bias,   grad.decay,       grad.threshold};
  if (!options_.recurrent) {
    k.lif_backward(lif);
  } else {
    for (int t = steps - 1; t >= 0; --t) {
      float* now = g + row * t;
      if (t + 1 < steps) {
        k.gemm({clips, stride_, n, now + row, stride_, 1, recurrent_.data(), stride_, now, stride_, nullptr, true});
      }
      lif.first = lif.last = t;
      k.lif_backward(lif);
    }
    k.gemm({n, stride_, (steps - 1) * clips, trace.s.data(), 1, stride_, g + row, stride_, grad.recurrent, stride_,
            nullptr, true});
  }
  k.gemm({inputs_, stride_, steps * clips, x, 1, input_stride_, g, stride_, grad.weight, stride_, nullptr, true});
  if (gx) {
    k.gemm({steps * clips, input_stride_, n, g, stride_, 1, weight_.data(), input_stride_, gx, input_stride_, nullptr,
            false});
  }
}

}  // namespace sonospike
