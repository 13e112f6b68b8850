#pragma once

#include <cstddef>
#include <vector>

#include "core/frontend/options.h"
#include "core/kernels/kernels.h"

namespace sonospike {

/// Copies the samples begin ... begin + count - 1 of a signal that is continued by reflection about its first
/// and last sample, without repeating them: x[2] x[1] | x[0] x[1] x[2] ... Continued as often as it takes, as
/// numpy.pad(mode='reflect') does; a single sample is repeated.
void copy_reflected(const float* samples, size_t n, ptrdiff_t begin, size_t count, float* out);

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

  /// Values that `extract` needs room for.
  size_t workspace_length() const;

  /// Puts the frames `first` to `first + lanes - 1` of samples[n] on the lanes of out[fft_length, lanes].
  /// Frames past the end are replaced by the last one.
  void extract(const Kernels& kernels, const float* samples, size_t n, size_t first, int lanes, float* out,
               float* workspace) const;

 private:
  int hop_length_;
  int fft_length_;
  // Where the window starts in the frame.
  int window_begin_;
  std::vector<float> window_;
};

}  // namespace sonospike
