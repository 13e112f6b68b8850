#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "cuda/device/device.h"

namespace sonospike::cuda {

/// Features of a clip on the host.
struct ClipFeatures {
  uint64_t identity;  ///< as of EncodedClips
  const float* values;
  size_t count;
};

/// Features of clips that stay on the device from batch to batch.
class FeatureCache {
 public:
  /// `most`: bytes, beyond which it starts anew.
  FeatureCache(Device& device, size_t most) : device_(device), most_(most) {}

  /// Where the features of a batch are on the device, [clips], which are copied there if they are not yet;
  /// null where they have no identity. What was given out before may be gone.
  std::vector<const float*> place(const std::vector<ClipFeatures>& batch);
  void clear();

 private:
  /// Clips whose places follow one after the other.
  struct Run {
    float* to;
    size_t count;  // of floats
  };
  float* room(size_t count);
  void copy(const std::vector<const ClipFeatures*>& clips, const std::vector<Run>& runs);

  Device& device_;
  size_t most_, kept_bytes_ = 0;
  std::vector<DeviceArray<float>> blocks_;
  size_t used_ = 0;  // of the last one
  std::unordered_map<uint64_t, const float*> places_;
  bool whole_ = true;  // what has a place is there
};

}  // namespace sonospike::cuda
