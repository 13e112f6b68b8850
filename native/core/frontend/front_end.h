#pragma once

#include <cstddef>

#include "core/frontend/dct.h"
#include "core/frontend/fft.h"
#include "core/frontend/mel.h"
#include "core/frontend/options.h"
#include "core/frontend/window.h"
#include "core/support/buffer.h"

namespace sonospike {

/// Memory that FrontEnd::compute works in. Kept between calls, by one thread each, it grows to what the
/// longest clip needs and is not allocated again.
struct FrontEndWorkspace {
  Buffer<float> centred;        // the clip without its mean
  Buffer<float> edges;          // FrameWindow::workspace_length()
  Buffer<float> values, spare;  // RealFft::workspace_length() on kLanePad lanes
  Buffer<float> decibels;       // [blocks of kLanePad frames, mel_bands, kLanePad]
  Buffer<float> coefficients;   // [coefficients, kLanePad]

  size_t bytes() const { return bytes_of(centred, edges, values, spare, decibels, coefficients); }
};

/// The samples less their mean, to out[n]; `out` may be `samples`.
void subtract_mean(const float* samples, size_t n, float* out);

/// Computes MFCC or log-mel frames of a clip, as torchaudio.transforms.MFCC and MelSpectrogram +
/// AmplitudeToDB do: Hann window -> FFT -> power -> mel bands -> dB -> (MFCC) cosine transform.
///
/// dB = 10 log10(max(power, 1e-10)), then raised to at least the maximum over the whole clip less top_db.
class FrontEnd {
 public:
  explicit FrontEnd(const FrontEndOptions& options);

  /// Frames of a clip of `samples` samples; see FrameWindow.
  size_t frame_count(size_t samples) const { return window_.frame_count(samples); }
  int feature_count() const { return options_.feature_count(); }
  const FrontEndOptions& options() const { return options_; }

  /// Computes out[frame_count(n), feature_count()] from samples[n]. May be called by several threads.
  void compute(const float* samples, size_t n, float* out) const;
  void compute(const float* samples, size_t n, float* out, FrontEndWorkspace& workspace) const;

 private:
  void reserve(size_t blocks, FrontEndWorkspace& workspace) const;
  float mel_bands(const Kernels& kernels, const float* samples, size_t n, FrontEndWorkspace& workspace) const;

  FrontEndOptions options_;
  FrameWindow window_;
  RealFft fft_;
  MelFilterBank mel_;
  Dct dct_;
};

}  // namespace sonospike
