#include "core/frontend/front_end.h"

#include <algorithm>
#include <limits>

#include "core/kernels/kernels.h"

namespace sonospike {

void subtract_mean(const float* samples, size_t n, float* out) {
  double sum = 0.0;
  for (size_t i = 0; i < n; ++i) sum += samples[i];
  const auto mean = static_cast<float>(n ? sum / static_cast<double>(n) : 0.0);
  for (size_t i = 0; i < n; ++i) out[i] = samples[i] - mean;
}

FrontEnd::FrontEnd(const FrontEndOptions& options)
    : options_(options),
      window_(options),
      fft_(options.fft_length),
      mel_(options),
      dct_(options.mel_bands, options.kind == FeatureKind::kMfcc ? options.coefficients : 0) {}

void FrontEnd::compute(const float* samples, size_t n, float* out) const {
  FrontEndWorkspace workspace;
  compute(samples, n, out, workspace);
}

void FrontEnd::compute(const float* samples, size_t n, float* out, FrontEndWorkspace& workspace) const {
  const Kernels& k = kernels();
  const size_t frames = frame_count(n);
  const size_t block_length = static_cast<size_t>(mel_.bands()) * kLanePad;
  reserve((frames + kLanePad - 1) / kLanePad, workspace);
  if (options_.remove_mean) {
    workspace.centred.reserve(n);
    subtract_mean(samples, n, workspace.centred.data());
    samples = workspace.centred.data();
  }

  // All frames come before the first result: the floor depends on the loudest of them.
  const float peak = mel_bands(k, samples, n, workspace);
  if (options_.top_db >= 0) {
    k.raise_to(peak - static_cast<float>(options_.top_db), workspace.decibels.data(),
               workspace.decibels.size());
  }

  for (size_t first = 0; first < frames; first += kLanePad) {
    const float* features = workspace.decibels.data() + first / kLanePad * block_length;
    if (options_.kind == FeatureKind::kMfcc) {
      dct_.apply(k, features, workspace.coefficients.data());
      features = workspace.coefficients.data();
    }
    const size_t left = frames - first;
    const int lanes = k.lanes_for(left);
    for (int lane = 0; lane < kLanePad && lane < static_cast<int>(left); lane += lanes) {
      k.from_lanes({lanes, static_cast<int>(std::min<size_t>(lanes, left - lane)), feature_count(),
                    features + lane, kLanePad, out + (first + lane) * feature_count(), feature_count()});
    }
  }
}

void FrontEnd::reserve(size_t blocks, FrontEndWorkspace& workspace) const {
  workspace.edges.reserve(window_.workspace_length());
  workspace.values.reserve(fft_.workspace_length() * kLanePad);
  workspace.spare.reserve(fft_.workspace_length() * kLanePad);
  workspace.decibels.reserve(blocks * mel_.bands() * kLanePad);
  workspace.coefficients.reserve(static_cast<size_t>(dct_.coefficients()) * kLanePad);
}

/// Mel bands of all frames in dB, to workspace.decibels. Returns the greatest.
float FrontEnd::mel_bands(const Kernels& kernels, const float* samples, size_t n,
                          FrontEndWorkspace& workspace) const {
  const size_t frames = frame_count(n), block_length = static_cast<size_t>(mel_.bands()) * kLanePad;
  float peak = -std::numeric_limits<float>::infinity();
  for (size_t first = 0; first < frames;) {
    const int lanes = kernels.lanes_for(frames - first);
    float* values = workspace.values.data();
    window_.extract(kernels, samples, n, first, lanes, values, workspace.edges.data());
    const float* power = fft_.power(kernels, lanes, values, workspace.spare.data());
    float* out = workspace.decibels.data() + first / kLanePad * block_length + first % kLanePad;
    peak = std::max(peak, mel_.decibels(kernels, lanes, power, out, kLanePad));
    first += lanes;
  }
  return peak;
}

}  // namespace sonospike
