#include "core/training/feature_store.h"

#include <algorithm>
#include <atomic>
#include <cassert>

namespace sonospike {
namespace {

uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

void cut(std::vector<float>& features, int frames, const FeatureExtractor& extractor) {
  features.resize(static_cast<size_t>(frames) * extractor.feature_count());
  features.shrink_to_fit();
}

}  // namespace

FeatureStore::FeatureStore(std::shared_ptr<FeatureExtractor> extractor, int threads)
    : extractor_(std::move(extractor)), number_(next_number()), pool_(threads), workspaces_(pool_.size()) {}

void FeatureStore::add(const std::vector<ClipAudio>& clips) {
  assert(open());
  const size_t first = labels_.size();
  for (const auto& clip : clips) labels_.push_back(clip.label);
  features_.resize(labels_.size());
  samples_.resize(labels_.size());
  heard_.resize(labels_.size());
  if (needs_fit()) raw_.resize(labels_.size());
  pool_.run(static_cast<int>(clips.size()), [&](int i, int worker) {
    ExtractorWorkspace& w = workspaces_[worker];
    std::span<const float> samples{clips[i].samples, clips[i].count};
    int rate = clips[i].rate;
    if (clips[i].augmented) {
      const std::span<const float> own = extractor_->at_own_rate(samples.data(), samples.size(), rate, w);
      std::vector<float>& kept = samples_[first + i];
      kept.assign(own.begin(), own.end());
      // Gain, noise and silence are set against the sound, not against an offset of the microphone. A clip
      // that was resampled has lost it already.
      if (extractor_->front_end().remove_mean && rate == extractor_->front_end().sample_rate) {
        subtract_mean(kept.data(), kept.size(), kept.data());
      }
      samples = kept;
      rate = extractor_->front_end().sample_rate;
    }
    if (!needs_fit()) {
      std::vector<float>& features = features_[first + i];
      features.resize(extractor_->size());
      const int frames =
          extractor_->extract(samples.data(), samples.size(), rate, features.data(), w, &heard_[first + i]);
      return cut(features, frames, *extractor_);
    }
    // Other frames are never used: they are not kept, nor do they count in the statistics.
    const size_t frames = extractor_->raw(samples.data(), samples.size(), rate, w);
    const HeardFrames heard = extractor_->heard(w.raw.data(), frames, w);
    const float* kept = w.raw.data() + heard.first * extractor_->feature_count();
    raw_[first + i].assign(kept, kept + heard.count * extractor_->feature_count());
    heard_[first + i] = heard;
  });
}

void FeatureStore::fit(const std::vector<int>& training, bool keep) {
  if (!needs_fit() || raw_.empty()) return;
  const int features = extractor_->feature_count();
  if (!keep) {
    ScalingStatistics total(features);
    for (int clip : training) {
      ScalingStatistics one(features);
      one.add(raw_[clip].data(), raw_[clip].size() / features);
      total.merge(one);
    }
    extractor_->set_training_scaling(total.scaling(extractor_->scaling().kind, extractor_->scaling().pooled));
  }
  pool_.run(size(), [&](int i, int worker) {
    features_[i].resize(extractor_->size());
    const size_t kept = raw_[i].size() / features;
    const int frames =
        extractor_->scale(raw_[i].data(), {0, kept, kept}, features_[i].data(), workspaces_[worker]);
    cut(features_[i], frames, *extractor_);
  });
  raw_.clear();
  fitted_ = true;
}

}  // namespace sonospike
