#include "core/network/band_connection.h"

#include <algorithm>

namespace sonospike {

BandConnection::BandConnection(const ConnectionOptions& options, const ConnectionSize& size)
    : in_(options.convolves() ? size.bands : Bands{1, size.inputs}),
      channels_(options.convolves() ? options.channels : size.neurons),
      width_(pad_lanes(channels_)),
      kernel_(options.convolves() ? options.kernel : 1),
      taps_(options.taps),
      dilation_(options.dilation),
      inputs_(size.inputs),
      input_stride_(size.input_stride),
      stride_(size.stride),
      columns_(pad_lanes(depth())),
      weight_t_(static_cast<size_t>(taps_) * depth() * width_),
      weight_(static_cast<size_t>(taps_) * channels_ * columns_) {
  const int step = options.convolves() ? options.stride : 1;
  const int bands = output_bands(options, in_.count), left = padding_before(options, in_.count);
  for (int band = 0; band < bands; ++band) {
    const int first = band * step - left;
    windows_.push_back({std::max(0, first), std::min(in_.count, first + kernel_), std::max(0, -first)});
  }
}

/// Calls visit(file, forward, backward) with the place of every weight in the layouts.
template <typename Visit>
void BandConnection::each_weight(Visit visit) const {
  size_t file = 0;  // [channels, input channels, kernel, taps]
  for (int c = 0; c < channels_; ++c) {
    for (int i = 0; i < in_.channels; ++i) {
      for (int k = 0; k < kernel_; ++k) {
        for (int tap = 0; tap < taps_; ++tap, ++file) {
          const size_t p = static_cast<size_t>(k) * in_.channels + i;
          visit(file, (static_cast<size_t>(tap) * depth() + p) * width_ + c,
                (static_cast<size_t>(tap) * channels_ + c) * columns_ + p);
        }
      }
    }
  }
}

void BandConnection::load(const float* weight) {
  each_weight([&](size_t file, size_t forward, size_t backward) {
    weight_t_[forward] = weight[file];
    weight_[backward] = weight[file];
  });
}

void BandConnection::unpack_gradient(float* packed, float* weight) const {
  each_weight([&](size_t file, size_t forward, size_t) { weight[file] = packed[forward]; });
}

void BandConnection::forward(const Activity& input, size_t row, const TimeChunk& chunk, const float* bias,
                             float* u, EventScratch& scratch) const {
  const int front = history() * chunk.clips;
  if (input.list(row - front, front + chunk.rows(), scratch)) {
    return forward_listed(chunk, bias, u, scratch);
  }
  const float* x = input.dense(row - front, front + chunk.rows(), scratch);
  for (size_t band = 0; band < windows_.size(); ++band) {
    const auto [first, end, skipped] = windows_[band];
    for (int tap = 0; tap < taps_; ++tap) {
      const size_t at = static_cast<size_t>(history() - delay(tap)) * chunk.clips * input_stride_;
      multiply(GemmArgs{chunk.rows(), width_, (end - first) * in_.channels, x + at + first * in_.channels,
                        input_stride_, 1, weights(tap) + static_cast<size_t>(skipped) * in_.channels * width_,
                        width_, u + band * width_, stride_, bias + band * width_, tap > 0},
               scratch.pool);
    }
  }
}

/// Where the spikes of each band begin in the list: edges[band, row], and where the last one's end.
void BandConnection::find_bands(int rows, EventScratch& scratch) const {
  scratch.edges.reserve(static_cast<size_t>(in_.count + 1) * rows);
  for (int row = 0; row < rows; ++row) {
    uint32_t at = scratch.start[row];
    const uint32_t end = scratch.start[row + 1];
    uint32_t* edge = scratch.edges.data() + row;
    uint32_t limit = 0;
    for (int band = 0; band < in_.count; ++band, edge += rows, limit += in_.channels) {
      while (at < end && scratch.index[at] < limit) ++at;
      *edge = at;
    }
    *edge = end;
  }
}

void BandConnection::forward_listed(const TimeChunk& chunk, const float* bias, float* u,
                                    EventScratch& scratch) const {
  const int rows = history() * chunk.clips + chunk.rows();
  find_bands(rows, scratch);
  for (size_t band = 0; band < windows_.size(); ++band) {
    const auto [first, end, skipped] = windows_[band];
    for (int tap = 0; tap < taps_; ++tap) {
      const uint32_t* edges = scratch.edges.data() + (history() - delay(tap)) * chunk.clips;
      // The lists count inputs from the row's first, the weights from the first under the kernel.
      const ptrdiff_t base = static_cast<ptrdiff_t>(skipped - first) * in_.channels * width_;
      multiply(GatherArgs{chunk.rows(), width_, edges + static_cast<size_t>(first) * rows,
                          edges + static_cast<size_t>(end) * rows, scratch.index.data(), weights(tap) + base,
                          width_, u + band * width_, stride_, bias + band * width_, tap > 0},
               scratch.pool);
    }
  }
}

void BandConnection::weight_gradient(const Activity& input, const TimeChunk& chunk, const float* g,
                                     float* packed, EventScratch& scratch) const {
  const int front = history() * chunk.clips, rows = front + chunk.rows();
  if (input.list(chunk.row - front, rows, scratch)) {
    input.transpose(rows, scratch);
    return weight_gradient_listed(chunk, g, packed, scratch);
  }
  const float* x = input.dense(chunk.row - front, rows, scratch);
  for (size_t band = 0; band < windows_.size(); ++band) {
    const auto [first, end, skipped] = windows_[band];
    for (int tap = 0; tap < taps_; ++tap) {
      const size_t at = static_cast<size_t>(history() - delay(tap)) * chunk.clips * input_stride_;
      float* to = packed + (static_cast<size_t>(tap) * depth() + skipped * in_.channels) * width_;
      multiply(GemmArgs{(end - first) * in_.channels, width_, chunk.rows(), x + at + first * in_.channels, 1,
                        input_stride_, g + band * width_, stride_, to, width_, nullptr, true},
               scratch.pool);
    }
  }
}

/// Where the rows from `first` to before `end` stand in the list of each column: edges[2, inputs].
void BandConnection::find_rows(size_t first, size_t end, EventScratch& scratch) const {
  scratch.edges.reserve(2 * static_cast<size_t>(inputs_));
  const uint32_t* rows = scratch.rows.data();
  for (int column = 0; column < inputs_; ++column) {
    const uint32_t *from = rows + scratch.start_by_column[column],
                   *to = rows + scratch.start_by_column[column + 1];
    while (from < to && *from < first) ++from;
    while (from < to && to[-1] >= end) --to;
    scratch.edges[column] = static_cast<uint32_t>(from - rows);
    scratch.edges[inputs_ + column] = static_cast<uint32_t>(to - rows);
  }
}

void BandConnection::weight_gradient_listed(const TimeChunk& chunk, const float* g, float* packed,
                                            EventScratch& scratch) const {
  for (int tap = 0; tap < taps_; ++tap) {
    const ptrdiff_t front = static_cast<ptrdiff_t>(history() - delay(tap)) * chunk.clips;
    find_rows(front, front + chunk.rows(), scratch);
    for (size_t band = 0; band < windows_.size(); ++band) {
      const auto [first, end, skipped] = windows_[band];
      const uint32_t* edges = scratch.edges.data() + first * in_.channels;
      float* to = packed + (static_cast<size_t>(tap) * depth() + skipped * in_.channels) * width_;
      // The lists count rows from those in front of the chunk.
      multiply(GatherArgs{(end - first) * in_.channels, width_, edges, edges + inputs_, scratch.rows.data(),
                          g + band * width_ - front * stride_, stride_, to, width_, nullptr, true},
               scratch.pool);
    }
  }
}

void BandConnection::input_gradient(const TimeChunk& chunk, const NearThreshold*, const float* g, float* gx,
                                    EventScratch& scratch) const {
  for (int tap = 0; tap < taps_; ++tap) {
    float* to = gx + static_cast<size_t>(history() - delay(tap)) * chunk.clips * input_stride_;
    for (size_t band = 0; band < windows_.size(); ++band) {
      band_input_gradient(windows_[band], tap, chunk.rows(), g + band * width_, to, scratch);
    }
  }
}

void BandConnection::band_input_gradient(const Window& window, int tap, int rows, const float* g, float* gx,
                                         EventScratch& scratch) const {
  const int skipped = window.skipped * in_.channels, count = (window.end - window.first) * in_.channels;
  const float* weight = weight_.data() + static_cast<size_t>(tap) * channels_ * columns_;
  gx += window.first * in_.channels;
  if ((kernel_ == 1 && in_.count == 1) || in_.channels % kLanePad == 0) {
    return multiply(GemmArgs{rows, pad_lanes(count), channels_, g, stride_, 1, weight + skipped, columns_, gx,
                             input_stride_, nullptr, true},
                    scratch.pool);
  }
  // Bands of the network's input end within a vector.
  scratch.part.reserve(static_cast<size_t>(rows) * columns_);
  multiply(GemmArgs{rows, columns_, channels_, g, stride_, 1, weight, columns_, scratch.part.data(), columns_,
                    nullptr, false},
           scratch.pool);
  for (int row = 0; row < rows; ++row, gx += input_stride_) {
    const float* from = scratch.part.data() + static_cast<size_t>(row) * columns_ + skipped;
    for (int i = 0; i < count; ++i) gx[i] += from[i];
  }
}

}  // namespace sonospike
