#include "core/augmentation/augmenter.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/augmentation/bands.h"

namespace sonospike {
namespace {

// What is drawn for one purpose does not change when others are switched on or off.
enum Part : uint32_t {
  kSpeed,
  kGain,
  kShift,
  kNoise,
  kNoiseSamples,
  kTempo,
  kWarp,
  kFilter,
  kTimeMasks,
  kBandMasks,
  kSilenceAfter
};

constexpr double kLeastBump = 0.05, kGreatestBump = 0.25;  // widths, as parts of the bands

Draws draws_for(const ClipKey& key, Part part) {
  return Draws(key, RandomStream::kAugmentation, part);
}

}  // namespace

Augmenter::Augmenter(std::shared_ptr<const FeatureExtractor> extractor, const AugmentationOptions& options)
    : extractor_(std::move(extractor)), options_(options), speed_(options.speed) {
  assert(!options.changes_bands() || extractor_->front_end().kind == FeatureKind::kLogMel);
}

int Augmenter::features(const float* samples, size_t n, const ClipKey& key, float* out,
                        AugmenterWorkspace& w) const {
  change_samples(samples, n, key, w);
  const int rate = extractor_->front_end().sample_rate;
  size_t count = extractor_->raw(w.samples.data(), w.samples.size(), rate, w.extractor);
  count = change_frames(w.extractor.raw.data(), count, key, w);
  return extractor_->scale(w.frames.data(), extractor_->heard(w.frames.data(), count, w.extractor), out,
                           w.extractor);
}

void Augmenter::change_samples(const float* samples, size_t n, const ClipKey& key,
                               AugmenterWorkspace& w) const {
  const int speed = SpeedChange::units(draws_for(key, kSpeed).log_uniform(options_.speed));
  if (speed == SpeedChange::kUnit) {
    w.samples.assign(samples, samples + n);
  } else {
    w.samples.resize(SpeedChange::output_length(n, speed));
    speed_.process(samples, n, speed, w.samples.data(), w.padded);
  }
  if (!options_.gain.only(0)) {
    const double decibels = draws_for(key, kGain).uniform(options_.gain);
    const auto factor = static_cast<float>(std::pow(10.0, decibels / 20));
    for (float& x : w.samples) x = std::clamp(x * factor, -1.0f, 1.0f);
  }
  shift(key, w.samples);
  Draws draws = draws_for(key, kNoise);
  if (draws.uniform() >= options_.noise_probability) return;
  const double snr = draws.uniform(options_.snr), slope = draws.uniform({-2, 0});
  coloured_noise(draws_for(key, kNoiseSamples), slope, extractor_->front_end().sample_rate, w.samples.size(),
                 w.noise);
  add_noise(w.noise.noise.data(), snr, w.samples.data(), w.samples.size());
}

void Augmenter::shift(const ClipKey& key, std::vector<float>& samples) const {
  if (!options_.silence_after.only(0)) {
    const double seconds = draws_for(key, kSilenceAfter).uniform(options_.silence_after);
    samples.resize(samples.size() + std::llround(seconds * extractor_->front_end().sample_rate), 0.0f);
  }
  if (options_.shift.only(0)) return;
  const double seconds = draws_for(key, kShift).uniform(options_.shift);
  const int64_t by = std::llround(seconds * extractor_->front_end().sample_rate);
  if (by >= 0) {
    samples.insert(samples.begin(), static_cast<size_t>(by), 0.0f);
  } else {
    const int64_t most = static_cast<int64_t>(samples.size()) - 1;
    samples.erase(samples.begin(), samples.begin() + std::min(-by, most));
  }
}

size_t Augmenter::change_frames(const float* frames, size_t count, const ClipKey& key,
                                AugmenterWorkspace& w) const {
  const FrontEndOptions& front_end = extractor_->front_end();
  const int features = front_end.feature_count();
  if (options_.tempo.only(1)) {
    w.frames.assign(frames, frames + count * features);
  } else {
    count = stretch(frames, count, features, draws_for(key, kTempo).log_uniform(options_.tempo), w.frames);
  }
  if (!options_.frequency_warp.only(1)) {
    const double factor = draws_for(key, kWarp).log_uniform(options_.frequency_warp);
    warp(warped_places(front_end, factor), count, w.frames.data(), w.row);
  }
  if (!options_.filter.only(0)) {
    Draws draws = draws_for(key, kFilter);
    FilterShape shape{};
    shape.tilt = draws.uniform(options_.filter);
    shape.height = draws.uniform(options_.filter);
    shape.centre = draws.uniform({0, features - 1.0});
    shape.width = draws.uniform({kLeastBump * features, kGreatestBump * features});
    filter(shape, front_end.top_db, count, features, w.frames.data());
  }
  mask_some(key, count, w.frames.data());
  return count;
}

/// Up to so many masks, each of a width from 0 to the greatest.
void Augmenter::mask_some(const ClipKey& key, size_t count, float* frames) const {
  if (options_.time_masks == 0 && options_.frequency_masks == 0) return;
  const FrontEndOptions& front_end = extractor_->front_end();
  const int bands = front_end.feature_count();
  const auto [least, greatest] = std::minmax_element(frames, frames + count * bands);
  const bool peak = extractor_->scaling().kind == ScalingKind::kPeak;
  const float silence = peak ? *greatest - static_cast<float>(front_end.top_db) : *least;

  Draws in_time = draws_for(key, kTimeMasks);
  const double frames_a_second = static_cast<double>(front_end.sample_rate) / front_end.hop_length;
  const int widest = static_cast<int>(options_.time_mask_seconds * frames_a_second);
  const int length = static_cast<int>(std::min(count, static_cast<size_t>(extractor_->frames())));
  for (int i = in_time.below(options_.time_masks + 1); i > 0; --i) {
    const int width = in_time.below(std::min(widest, length) + 1);
    const int first = in_time.below(length - width + 1);
    mask({static_cast<size_t>(first), static_cast<size_t>(width), 0, bands}, silence, bands, frames);
  }
  Draws in_bands = draws_for(key, kBandMasks);
  for (int i = in_bands.below(options_.frequency_masks + 1); i > 0; --i) {
    const int width = in_bands.below(std::min(options_.frequency_mask_bands, bands) + 1);
    const int first = in_bands.below(bands - width + 1);
    mask({0, count, first, width}, silence, bands, frames);
  }
}

}  // namespace sonospike
