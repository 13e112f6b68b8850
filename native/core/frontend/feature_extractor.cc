#include "core/frontend/feature_extractor.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sonospike {
namespace {

// Data sets have one rate or a few; the resamplers of further rates are not kept.
constexpr size_t kMostResamplers = 8;

// Where the word lies in a clip; chosen on training clips of FSDD with silence and noise around them.
constexpr double kQuietShare = 0.1;     // of the frames are below the level of the background
constexpr double kLoud = 0.08;          // seconds that are as loud as the word: more than a click
constexpr float kThreshold = 0.4f;      // of the way from the background to the level of the word
constexpr float kLeastContrast = 5.0f;  // dB; with less a short clip is taken as it is
constexpr double kMostBefore = 0.16, kMostAfter = 0.3;   // seconds of quiet that a short clip may have
constexpr double kKeptBefore = 0.08, kKeptAfter = 0.22;  // seconds that are kept around the word

FrontEndOptions with_floor_of(const ScalingOptions& scaling, FrontEndOptions front_end) {
  if (scaling.kind == ScalingKind::kPeak) front_end.least_power = kLeastPowerBelowPeak;
  return front_end;
}

/// The first of the `most` frames in a row whose sum of levels is the greatest.
size_t loudest(const float* levels, size_t frames, size_t most) {
  double sum = 0.0;
  for (size_t frame = 0; frame < most; ++frame) sum += levels[frame];
  double greatest = sum;
  size_t found = 0;
  for (size_t frame = most; frame < frames; ++frame) {
    sum += static_cast<double>(levels[frame]) - levels[frame - most];
    if (sum > greatest) {
      greatest = sum;
      found = frame + 1 - most;
    }
  }
  return found;
}

}  // namespace

FeatureExtractor::FeatureExtractor(const FrontEndOptions& front_end, const ScalingOptions& scaling,
                                   ClipFrames frames)
    : sample_rate_(front_end.sample_rate),
      front_end_(with_floor_of(scaling, front_end)),
      scaling_(scaling),
      frames_(frames) {}

std::shared_ptr<const Resampler> FeatureExtractor::resampler(int rate) const {
  std::lock_guard lock(mutex_);
  const auto found = resamplers_.find(rate);
  if (found != resamplers_.end()) return found->second;
  auto made = std::make_shared<const Resampler>(rate, sample_rate_);
  if (resamplers_.size() < kMostResamplers) resamplers_.emplace(rate, made);
  return made;
}

std::span<const float> FeatureExtractor::at_own_rate(const float* samples, size_t n, int rate,
                                                     ExtractorWorkspace& workspace) const {
  if (rate == sample_rate_) return {samples, n};
  if (front_end().remove_mean) {
    // The resampler takes what is outside of the clip for zero: an offset would become a click at its ends.
    if (workspace.centred.size() < n) workspace.centred.resize(n);
    subtract_mean(samples, n, workspace.centred.data());
    samples = workspace.centred.data();
  }
  const auto convert = resampler(rate);
  const size_t length = convert->output_length(n);
  if (workspace.resampled.size() < length) workspace.resampled.resize(length);
  convert->process(samples, n, workspace.resampled.data(), workspace.resampler);
  return {workspace.resampled.data(), length};
}

size_t FeatureExtractor::raw(const float* samples, size_t n, int rate, ExtractorWorkspace& workspace) const {
  assert(n > 0);
  const std::span<const float> own = at_own_rate(samples, n, rate, workspace);
  const size_t count = front_end_.frame_count(own.size());
  if (workspace.raw.size() < count * feature_count()) workspace.raw.resize(count * feature_count());
  front_end_.compute(own.data(), own.size(), workspace.raw.data(), workspace.front_end);
  return count;
}

/// Mean level of the mel bands of each frame, dB. Of cepstral coefficients the zeroth is sqrt(bands) times
/// that mean.
void FeatureExtractor::frame_levels(const float* raw, size_t raw_frames, std::vector<float>& levels) const {
  const size_t features = feature_count();
  const bool mfcc = front_end().kind == FeatureKind::kMfcc;
  const size_t summed = mfcc ? 1 : features;
  const double scale = 1 / (mfcc ? std::sqrt(front_end().mel_bands) : static_cast<double>(features));
  if (levels.size() < raw_frames) levels.resize(raw_frames);
  for (size_t frame = 0; frame < raw_frames; ++frame) {
    double sum = 0.0;
    for (size_t f = 0; f < summed; ++f) sum += raw[frame * features + f];
    levels[frame] = static_cast<float>(scale * sum);
  }
}

size_t FeatureExtractor::frames_in(double seconds) const {
  return std::llround(seconds * sample_rate_ / front_end().hop_length);
}

HeardFrames FeatureExtractor::heard(const float* raw, size_t raw_frames, ExtractorWorkspace& w) const {
  const size_t most = frames_.most;
  if (frames_.fixed()) return {0, std::min(raw_frames, most), raw_frames, raw_frames > most};
  frame_levels(raw, raw_frames, w.levels);
  const float* levels = w.levels.data();
  const bool longer = raw_frames > most;
  size_t begin = longer ? loudest(levels, raw_frames, most) : 0, end = begin + std::min(raw_frames, most);

  w.sorted.assign(levels, levels + raw_frames);
  std::sort(w.sorted.begin(), w.sorted.end());
  const auto quiet = static_cast<size_t>(kQuietShare * static_cast<double>(raw_frames - 1));
  const size_t loud = std::min(raw_frames, std::max<size_t>(1, frames_in(kLoud)));
  const float background = w.sorted[quiet], word = w.sorted[raw_frames - loud];
  if (!longer && word - background < kLeastContrast) return {0, raw_frames, raw_frames};

  const float threshold = background + kThreshold * (word - background);
  while (begin + 1 < end && levels[begin] < threshold) ++begin;
  while (end > begin + 1 && levels[end - 1] < threshold) --end;
  if (!longer && begin <= frames_in(kMostBefore) && raw_frames - end <= frames_in(kMostAfter))
    return {0, raw_frames, raw_frames};
  // Where the word fills the window, what is left of the window lies on both sides of it.
  const size_t first = begin - std::min({frames_in(kKeptBefore), (most - (end - begin)) / 2, begin});
  const size_t last = std::min({raw_frames, end + frames_in(kKeptAfter), first + most});
  const auto sounds = [threshold](float level) { return level >= threshold; };
  const auto beyond = std::count_if(levels, levels + first, sounds) +
                      std::count_if(levels + last, levels + raw_frames, sounds);
  return {first, last - first, raw_frames, static_cast<size_t>(beyond) >= loud};
}

int FeatureExtractor::scale(const float* raw, const HeardFrames& heard, float* out,
                            ExtractorWorkspace& workspace) const {
  const FeatureScaling* scaling = &workspace.scaling;
  if (scaling_.over_training_set && scaling_.kind != ScalingKind::kNone) {
    assert(training_scaling_.feature_count() == feature_count());
    scaling = &training_scaling_;
  } else if (scaling_.kind == ScalingKind::kPeak) {
    const auto range = static_cast<float>(front_end().top_db);
    peak_scaling(raw, heard.own, feature_count(), range, workspace.scaling);
  } else {
    workspace.statistics.reset(feature_count());
    if (scaling_.kind != ScalingKind::kNone) workspace.statistics.add(raw, heard.own);
    workspace.statistics.scaling(scaling_.kind, scaling_.pooled, workspace.scaling);
  }
  const size_t most = frames_.most;
  const size_t count = frames_.fixed() ? most : std::min(heard.count + frames_.tail, most);
  apply_scaling(*scaling, raw + heard.first * feature_count(), heard.count, count, out);
  return static_cast<int>(count);
}

int FeatureExtractor::extract(const float* samples, size_t n, int rate, float* out,
                              ExtractorWorkspace& workspace, HeardFrames* heard) const {
  const size_t raw_frames = raw(samples, n, rate, workspace);
  const HeardFrames chosen = this->heard(workspace.raw.data(), raw_frames, workspace);
  if (heard) *heard = chosen;
  return scale(workspace.raw.data(), chosen, out, workspace);
}

}  // namespace sonospike
