#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "cuda/device/device.h"

namespace sonospike::cuda {

/// Features of clips that stay on the device from batch to batch.
class FeatureCache {
 public:
  /// `most`: bytes, beyond which it starts anew.
  FeatureCache(Device& device, size_t most) : device_(device), most_(most) {}

  /// To be called before a batch: what was given out before may be gone after it.
  void begin();
  /// Where the `count` values of an identity are, which are copied if they are not there yet. Identity 0:
  /// until the next `begin`.
  const float* place(uint64_t identity, const float* values, size_t count);
  void clear();

 private:
  struct Blocks {
    std::vector<DeviceArray<float>> all;
    size_t block = 0, used = 0;  // where there is room: in which, from where
  };
  float* room(Blocks& blocks, size_t count);

  Device& device_;
  size_t most_, kept_bytes_ = 0;
  Blocks kept_, passing_;
  std::unordered_map<uint64_t, const float*> places_;
};

}  // namespace sonospike::cuda
