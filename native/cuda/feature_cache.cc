#include "cuda/feature_cache.h"

#include <algorithm>

namespace sonospike::cuda {
namespace {

constexpr size_t kBlockFloats = size_t{1} << 18;  // fewer allocations, which are slow

}  // namespace

void FeatureCache::clear() {
  places_.clear();
  blocks_.clear();
  used_ = kept_bytes_ = 0;
  whole_ = true;
}

std::vector<const float*> FeatureCache::place(const std::vector<ClipFeatures>& batch) {
  if (!whole_ || kept_bytes_ > most_) clear();
  whole_ = false;  // until all are copied
  std::vector<const float*> places(batch.size());
  std::vector<const ClipFeatures*> fresh;
  std::vector<Run> runs;
  for (size_t i = 0; i < batch.size(); ++i) {
    const ClipFeatures& clip = batch[i];
    if (clip.identity == 0) continue;
    const auto [found, is_new] = places_.try_emplace(clip.identity);
    if (is_new) {
      float* const to = room(clip.count);
      found->second = to;
      fresh.push_back(&clip);
      const bool first_of_block = used_ == clip.count;
      if (first_of_block || runs.empty()) runs.push_back({to, 0});
      runs.back().count += clip.count;
    }
    places[i] = found->second;
  }
  if (!fresh.empty()) copy(fresh, runs);
  whole_ = true;
  return places;
}

float* FeatureCache::room(size_t count) {
  if (blocks_.empty() || used_ + count > blocks_.back().size()) {
    DeviceArray<float> block(device_);
    block.reserve(std::max(count, kBlockFloats));
    kept_bytes_ += block.size() * sizeof(float);
    blocks_.push_back(std::move(block));
    used_ = 0;
  }
  float* const place = blocks_.back().data() + used_;
  used_ += count;
  return place;
}

void FeatureCache::copy(const std::vector<const ClipFeatures*>& clips, const std::vector<Run>& runs) {
  size_t total = 0;
  for (const Run& run : runs) total += run.count;
  float* const staged = static_cast<float*>(device_.stage(total * sizeof(float)));
  float* to = staged;
  for (const ClipFeatures* clip : clips) to = std::copy_n(clip->values, clip->count, to);
  const float* from = staged;
  for (const Run& run : runs) {
    device_.send(run.to, from, run.count * sizeof(float));
    from += run.count;
  }
}

}  // namespace sonospike::cuda
