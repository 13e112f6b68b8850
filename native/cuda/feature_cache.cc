#include "cuda/feature_cache.h"

#include <algorithm>

namespace sonospike::cuda {
namespace {

constexpr size_t kBlockFloats = size_t{1} << 18;  // fewer allocations, which are slow

}  // namespace

void FeatureCache::begin() {
  passing_.block = passing_.used = 0;
  if (kept_bytes_ > most_) clear();
}

void FeatureCache::clear() {
  places_.clear();
  kept_ = {};
  passing_ = {};
  kept_bytes_ = 0;
}

float* FeatureCache::room(Blocks& blocks, size_t count) {
  while (blocks.block < blocks.all.size() && blocks.used + count > blocks.all[blocks.block].size()) {
    ++blocks.block;
    blocks.used = 0;
  }
  if (blocks.block == blocks.all.size()) {
    DeviceArray<float> block(device_);
    block.reserve(std::max(count, kBlockFloats));
    if (&blocks == &kept_) kept_bytes_ += block.size() * sizeof(float);
    blocks.all.push_back(std::move(block));
  }
  float* const place = blocks.all[blocks.block].data() + blocks.used;
  blocks.used += count;
  return place;
}

const float* FeatureCache::place(uint64_t identity, const float* values, size_t count) {
  if (const auto found = places_.find(identity); identity && found != places_.end()) return found->second;
  float* const place = room(identity ? kept_ : passing_, count);
  device_.upload(place, values, count * sizeof(float));
  if (identity) places_[identity] = place;
  return place;
}

}  // namespace sonospike::cuda
