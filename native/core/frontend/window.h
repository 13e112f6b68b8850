#pragma once

#include <cstddef>
#include <vector>

#include "core/frontend/lanes.h"
#include "core/frontend/options.h"

namespace sonospike {

/// Index within 0..n-1 of the sample at `index` of a signal that is continued by reflection about its first
/// and last sample, without repeating them: x[2] x[1] | x[0] x[1] x[2] ... Continued as often as it takes, as
/// numpy.pad(mode='reflect') does; a single sample is repeated.
size_t reflected_index(ptrdiff_t index, size_t n);

/// Cuts a clip into frames and multiplies them by a periodic Hann window, w[k] = (1 - cos(2 pi k / length))
/// / 2. As torch.stft(center=True) does, frame f is centred at sample f * hop_length, a window shorter than
/// the frame lies in its middle, and the clip is continued at both ends by reflection. (torch refuses clips
/// of fft_length / 2 samples or fewer; here reflection is repeated.)
class FrameWindow {
 public:
  explicit FrameWindow(const FrontEndOptions& options);

  /// Frames of a clip of `samples` samples: 1 + samples / hop_length for even FFT lengths, one sample fewer
  /// being counted for odd ones; 0 for an empty clip.
  size_t frame_count(size_t samples) const;

  /// Puts the frames `first` to `first + kLaneCount - 1` of samples[n] on the lanes of out[fft_length].
  /// Frames past the end are replaced by the last one.
  void extract(const float* samples, size_t n, size_t first, Lanes* out) const;

 private:
  void extract_lane(const float* samples, size_t n, size_t frame, int lane, Lanes* out) const;

  int hop_length_;
  int fft_length_;
  // Where the window starts in the frame.
  int window_begin_;
  std::vector<float> window_;
};

}  // namespace sonospike
