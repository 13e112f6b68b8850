#pragma once

#include <vector>

#include "core/network/connection.h"

namespace sonospike {

/// A convolution over the bands of the input, or a dense connection, that looks at several time steps.
///
/// As the channels of a band lie side by side, so do those of the bands under a kernel: for each output band
/// and each tap there is one product of matrices with the input as it lies. A dense connection is a single
/// band.
class BandConnection final : public Connection {
 public:
  BandConnection(const ConnectionOptions& options, const ConnectionSize& size);

  void load(const float* weight) override;
  size_t bytes() const override { return bytes_of(weight_t_, weight_); }
  size_t gradient_size() const override { return weight_t_.size(); }
  void unpack_gradient(float* packed, float* weight) const override;
  void forward(const Activity& input, size_t row, const TimeChunk& chunk, const float* bias, float* u,
               EventScratch& scratch) const override;
  void weight_gradient(const Activity& input, const TimeChunk& chunk, const float* g, float* packed,
                       EventScratch& scratch) const override;
  void input_gradient(const TimeChunk& chunk, const NearThreshold* below, const float* g, float* gx,
                      EventScratch& scratch) const override;
  bool adds_to_input() const override { return true; }

 private:
  /// The input bands under the kernel of an output band that there are.
  struct Window {
    int first, end;  ///< input bands
    int skipped;     ///< places of the kernel before the first input band
  };

  int depth() const { return kernel_ * in_.channels; }
  /// Steps from the row of a tap to the present one; taps count from the oldest.
  int delay(int tap) const { return (taps_ - 1 - tap) * dilation_; }
  int history() const { return delay(0); }
  const float* weights(int tap) const {
    return weight_t_.data() + static_cast<size_t>(tap) * depth() * width_;
  }
  template <typename Visit>
  void each_weight(Visit visit) const;
  void forward_listed(const TimeChunk& chunk, const float* bias, float* u, EventScratch& scratch) const;
  void find_bands(int rows, EventScratch& scratch) const;
  void weight_gradient_listed(const TimeChunk& chunk, const float* g, float* packed,
                              EventScratch& scratch) const;
  void find_rows(size_t first, size_t end, EventScratch& scratch) const;
  void band_input_gradient(const Window& window, int tap, int rows, const float* g, float* gx,
                           EventScratch& scratch) const;

  Bands in_;
  int channels_, width_;  // of an output band; padded
  int kernel_, taps_, dilation_;
  int inputs_, input_stride_, stride_;
  int columns_;                  // depth padded
  std::vector<Window> windows_;  // [output bands]
  Buffer<float> weight_t_;       // [taps, depth, width]: forward
  Buffer<float> weight_;         // [taps, channels, columns]: backward to the input
};

}  // namespace sonospike
