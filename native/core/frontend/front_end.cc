#include "core/frontend/front_end.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sonospike {
namespace {

constexpr float kMinPower = 1e-10f;

/// 10 log10(max(power, 1e-10)).
float decibels(float power) {
  // 10 log10(2): log2 is several times faster than log10 in the usual C libraries, and as exact.
  constexpr float kDecibelsPerOctave = 3.01029995663981195f;
  return kDecibelsPerOctave * std::log2(std::max(power, kMinPower));
}

/// Turns values[count] into dB and returns the largest of them and `peak`.
float convert_to_decibels(Lanes* values, int count, float peak) {
  for (int i = 0; i < count; ++i) {
    for (int lane = 0; lane < kLaneCount; ++lane) {
      const float value = decibels(get_lane(values[i], lane));
      peak = std::max(peak, value);
      set_lane(values[i], lane, value);
    }
  }
  return peak;
}

void raise_to_floor(Lanes* values, int count, float floor) {
  for (int i = 0; i < count; ++i) {
    for (int lane = 0; lane < kLaneCount; ++lane)
      set_lane(values[i], lane, std::max(get_lane(values[i], lane), floor));
  }
}

/// Copies the first `frames` lanes of features[count] to out[frames, count].
void store(const Lanes* features, int count, size_t frames, float* out) {
  for (size_t frame = 0; frame < frames; ++frame) {
    for (int i = 0; i < count; ++i) *out++ = get_lane(features[i], static_cast<int>(frame));
  }
}

}  // namespace

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
  const size_t frames = frame_count(n);
  const size_t groups = (frames + kLaneCount - 1) / kLaneCount;
  reserve(groups, workspace);

  // All frames come before the first result: the floor depends on the loudest of them.
  float peak = -std::numeric_limits<float>::infinity();
  for (size_t group = 0; group < groups; ++group) {
    Lanes* bands = &workspace.decibels[group * mel_.bands()];
    mel_power(samples, n, group * kLaneCount, bands, workspace);
    peak = convert_to_decibels(bands, mel_.bands(), peak);
  }

  const float floor = options_.top_db < 0 ? -std::numeric_limits<float>::infinity()
                                          : peak - static_cast<float>(options_.top_db);
  for (size_t group = 0; group < groups; ++group) {
    const size_t first = group * kLaneCount;
    store(group_features(group, floor, workspace), feature_count(),
          std::min<size_t>(kLaneCount, frames - first), out + first * feature_count());
  }
}

void FrontEnd::reserve(size_t groups, FrontEndWorkspace& workspace) const {
  workspace.frame.resize(fft_.length());
  workspace.fft.resize(fft_.workspace_length());
  workspace.spectrum.resize(fft_.bins());
  workspace.power.resize(fft_.bins());
  workspace.decibels.resize(groups * mel_.bands());
  workspace.coefficients.resize(dct_.coefficients());
}

/// Mel bands of kLaneCount frames, out[mel_bands].
void FrontEnd::mel_power(const float* samples, size_t n, size_t first_frame, Lanes* out,
                         FrontEndWorkspace& workspace) const {
  window_.extract(samples, n, first_frame, workspace.frame.data());
  fft_.forward(workspace.frame.data(), workspace.spectrum.data(), workspace.fft.data());
  for (int bin = 0; bin < fft_.bins(); ++bin) {
    const Complex<Lanes>& value = workspace.spectrum[bin];
    workspace.power[bin] = value.re * value.re + value.im * value.im;
  }
  mel_.apply(workspace.power.data(), out);
}

/// Features of a group of frames whose mel bands are in the workspace, [feature_count].
const Lanes* FrontEnd::group_features(size_t group, float floor, FrontEndWorkspace& workspace) const {
  Lanes* bands = &workspace.decibels[group * mel_.bands()];
  raise_to_floor(bands, mel_.bands(), floor);
  if (options_.kind == FeatureKind::kLogMel) return bands;
  dct_.apply(bands, workspace.coefficients.data());
  return workspace.coefficients.data();
}

}  // namespace sonospike
