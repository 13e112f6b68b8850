#include "core/network/lif_layer.h"

#include <algorithm>

#include "core/network/packing.h"

namespace sonospike {
namespace {

// Beyond any potential, so that a padding neuron never spikes; its products with zero stay finite.
constexpr float kNeverReached = 1e30f;

// A scalar product of its own takes up to twice the time of its share in the product of matrices.
constexpr double kMostNear = 0.3;

constexpr size_t kMostTableBytes = size_t{64} << 10;

/// Of [groups of four inputs, 16, stride], or 0 where that is too much for the first-level cache to be of
/// use.
size_t table_size(int inputs, int stride) {
  const size_t size = static_cast<size_t>(inputs + 3) / 4 * 16 * stride;
  return size * sizeof(float) <= kMostTableBytes ? size : 0;
}

void copy_padded(const float* values, int count, float fill, Buffer<float>& out) {
  std::fill_n(out.data(), out.size(), fill);
  std::copy_n(values, count, out.data());
}

void put(const float* packed, const ParameterInfo& info, float* gradient) {
  std::copy_n(packed, info.size, gradient + info.offset);
}

}  // namespace

LifLayer::LifLayer(const LayerOptions& options, int inputs, int input_stride, bool spiking_input)
    : options_(options),
      inputs_(inputs),
      input_stride_(input_stride),
      stride_(pad_lanes(options.neurons)),
      weight_t_(static_cast<size_t>(inputs) * stride_),
      weight_(static_cast<size_t>(options.neurons) * input_stride),
      table_(spiking_input ? table_size(inputs, stride_) : 0),
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
  fill_table();
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

/// Calls visit(row, input) for every row of the table and the inputs whose weights its sum has, in ascending
/// order.
template <typename Visit>
void LifLayer::each_in_table(Visit visit) const {
  for (size_t row = 0; row * stride_ < table_.size(); ++row) {
    for (int bit = 0; bit < 4; ++bit) {
      const size_t input = row / 16 * 4 + bit;
      if ((row >> bit & 1) && input < static_cast<size_t>(inputs_)) visit(row, input);
    }
  }
}

void LifLayer::fill_table() {
  table_.zero();
  each_in_table([this](size_t row, size_t input) {
    kernels().add(table_.data() + row * stride_, weight_t_.data() + input * stride_, stride_);
  });
}

size_t LifLayer::gradient_size() const {
  return (static_cast<size_t>(inputs_) + (options_.recurrent ? options_.neurons : 0) + 3) * stride_ +
         table_.size();
}

LifLayer::PackedGradient LifLayer::slices(float* packed) const {
  float* table = packed + static_cast<size_t>(inputs_) * stride_;
  float* recurrent = table + table_.size();
  float* bias = recurrent + (options_.recurrent ? static_cast<size_t>(options_.neurons) * stride_ : 0);
  return {packed, table, recurrent, bias, bias + stride_, bias + 2 * stride_};
}

/// Every input gets what the rows of the table whose sum has its weights have got.
void LifLayer::add_table(const float* table, float* weight) const {
  each_in_table([&](size_t row, size_t input) {
    kernels().add(weight + input * stride_, table + row * stride_, stride_);
  });
}

void LifLayer::unpack_gradient(float* packed, const ParameterTable& table, const std::string& prefix,
                               float* gradient) const {
  const PackedGradient from = slices(packed);
  const int n = options_.neurons;
  add_table(from.table, from.weight);
  MatrixPacking{n, inputs_, stride_, input_stride_}.put_transposed(
      from.weight, gradient + table.at(prefix + "weight").offset);
  if (options_.recurrent) {
    MatrixPacking{n, n, stride_, stride_}.put_transposed(from.recurrent,
                                                         gradient + table.at(prefix + "recurrent").offset);
  }
  put(from.bias, table.at(prefix + "bias"), gradient);
  put(from.decay, table.at(prefix + "decay"), gradient);
  put(from.threshold, table.at(prefix + "threshold"), gradient);
}

void LifLayer::begin(LayerTrace& trace, size_t rows, int clips) const {
  const size_t state = static_cast<size_t>(clips) * stride_;
  trace.u.reserve(rows * stride_);
  trace.spikes.reserve(soft() ? Activity::Kind::kValues : Activity::Kind::kSpikes, options_.neurons, stride_,
                       rows);
  trace.v.resize(state);
  trace.count.resize(state);
  trace.total.resize(state);
}

void LifLayer::drive(const Activity& input, size_t input_row, const Piece& piece, LayerTrace& trace,
                     EventScratch& scratch) const {
  if (by_table(input)) {
    return kernels().nibble_product({piece.rows(), input.words(), groups(), stride_, input.bits(input_row)},
                                    table_.data(), bias_.data(), trace.u.data() + piece.row * stride_);
  }
  input.multiply(input_row, piece.rows(), weight_t_.data(), stride_, bias_.data(),
                 trace.u.data() + piece.row * stride_, scratch);
}

LifForwardArgs LifLayer::scan(const Piece& piece, LayerTrace& trace) const {
  return {piece.clips,
          stride_,
          decay_.data(),
          threshold_.data(),
          trace.u.data() + piece.row * stride_,
          soft() ? trace.spikes.values(piece.row) : nullptr,
          soft() ? nullptr : trace.spikes.bits(piece.row),
          trace.v.data(),
          trace.count.data()};
}

void LifLayer::step(const Piece& piece, LayerTrace& trace, EventScratch& scratch) const {
  Piece now = piece;
  now.steps = 1;
  for (int t = 0; t < piece.steps; ++t, now.row += piece.clips) {
    if (t > 0 || !piece.starts) {
      trace.spikes.multiply(now.before(), piece.clips, recurrent_t_.data(), stride_, nullptr,
                            trace.u.data() + now.row * stride_, scratch);
    }
    const LifForwardArgs lif = scan(now, trace);
    kernels().lif_forward(options_.neuron, 1, &lif, 1);
  }
}

void LifLayer::begin_backward(LayerTrace& trace, int clips) const {
  trace.gv.resize(static_cast<size_t>(clips) * stride_);
  if (options_.recurrent) trace.g_after.resize(trace.gv.size());
}

void LifLayer::backward(const Activity& input, const Piece& piece, LayerTrace& trace, float* g, float* packed,
                        EventScratch& scratch) const {
  const PackedGradient grad = slices(packed);
  const LifBackwardArgs lif{options_.neuron,
                            piece.steps,
                            piece.clips,
                            stride_,
                            piece.starts,
                            decay_.data(),
                            threshold_.data(),
                            trace.u.data() + piece.row * stride_,
                            soft() ? trace.spikes.values(piece.row) : nullptr,
                            g,
                            trace.gv.data(),
                            grad.bias,
                            grad.decay,
                            grad.threshold};
  if (options_.recurrent) {
    backward_recurrent(lif, piece, trace, grad.recurrent, scratch);
  } else {
    kernels().lif_backward(lif);
  }
  if (by_table(input)) {
    kernels().nibble_gradient({piece.rows(), input.words(), groups(), stride_, input.bits(piece.row)}, g,
                              grad.table);
  } else {
    input.multiply_transposed(piece.row, piece.rows(), g, stride_, grad.weight, scratch);
  }
}

void LifLayer::find_near(const Piece& piece, LayerTrace& trace) const {
  const SpikeKind spike = options_.neuron.spike;
  NearThreshold& near = trace.near;
  near.few = false;
  if (spike != SpikeKind::kTriangle && spike != SpikeKind::kBoxcar) return;
  const size_t rows = piece.rows(), words = rows * stride_ / kLanePad;
  near.bits.reserve(words);
  kernels().near_threshold({spike, options_.neuron.slope, rows, stride_, trace.u.data() + piece.row * stride_,
                            threshold_.data(), near.bits.data()});
  const size_t count = kernels().count_spikes(near.bits.data(), words);
  near.few = count <= kMostNear * rows * options_.neurons;
  if (!near.few) return;
  near.start.reserve(rows + 1);
  near.index.reserve(count + kLanePad);
  kernels().list_spikes(near.bits.data(), piece.rows(), stride_ / kLanePad, near.start.data(),
                        near.index.data());
}

void LifLayer::pass_down(const Piece& piece, const NearThreshold* below, const float* g, float* gx,
                         EventScratch& scratch) const {
  const int rows = piece.rows();
  if (below && below->few) {
    std::fill_n(gx, static_cast<size_t>(rows) * input_stride_, 0.0f);
    const uint32_t* start = below->start.data();
    multiply(SampledProductArgs{rows, stride_, start, start + 1, below->index.data(), g, stride_,
                                weight_t_.data(), stride_, gx, input_stride_},
             scratch.pool);
    return;
  }
  multiply(GemmArgs{rows, input_stride_, options_.neurons, g, stride_, 1, weight_.data(), input_stride_, gx,
                    input_stride_, nullptr, false},
           scratch.pool);
}

/// The scan back in time with the gradient through R, then the gradient of R itself.
void LifLayer::backward_recurrent(LifBackwardArgs lif, const Piece& piece, LayerTrace& trace, float* grad,
                                  EventScratch& scratch) const {
  const size_t row = static_cast<size_t>(piece.clips) * stride_;
  float* const g = lif.g;
  const float* const u = lif.u;
  const float* const s = lif.s;
  const float* after = trace.g_after.data();
  lif.steps = 1;
  for (int t = piece.steps - 1; t >= 0; --t) {
    lif.g = g + row * t;
    lif.u = u + row * t;
    lif.s = s ? s + row * t : nullptr;
    lif.starts = piece.starts && t == 0;
    if (trace.near.few) {
      const uint32_t* start = trace.near.start.data() + static_cast<size_t>(t) * piece.clips;
      multiply(SampledProductArgs{piece.clips, stride_, start, start + 1, trace.near.index.data(), after,
                                  stride_, recurrent_t_.data(), stride_, lif.g, stride_},
               scratch.pool);
    } else {
      multiply(GemmArgs{piece.clips, stride_, options_.neurons, after, stride_, 1, recurrent_.data(), stride_,
                        lif.g, stride_, nullptr, true},
               scratch.pool);
    }
    kernels().lif_backward(lif);
    after = lif.g;
  }
  trace.g_after.copy_from(g, row);
  // R takes the spikes of the step before: those of the piece's first step lie in front of it.
  const int skipped = piece.starts ? piece.clips : 0;
  trace.spikes.multiply_transposed(piece.before() + skipped, piece.rows() - skipped,
                                   g + static_cast<size_t>(skipped) * stride_, stride_, grad, scratch);
}

std::vector<LifLayer> make_layers(const NetworkOptions& options) {
  std::vector<LifLayer> layers;
  int inputs = options.inputs, input_stride = pad_lanes(inputs);
  bool spiking_input = true;  // for all that is known before the first batch
  for (const auto& layer : options.layers) {
    layers.emplace_back(layer, inputs, input_stride, spiking_input);
    inputs = layer.neurons;
    input_stride = layers.back().stride();
    spiking_input = layer.neuron.spike != SpikeKind::kSoft;
  }
  return layers;
}

}  // namespace sonospike
