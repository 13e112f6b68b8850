#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/network/backend.h"
#include "core/support/thread_pool.h"
#include "cuda/feature_cache.h"
#include "cuda/kernels/shapes.h"

namespace sonospike::cuda {

/// Brings the inputs of some clips of a batch to the device: encodes them there where it is known what from.
class ClipInputs {
 public:
  /// `host_threads`: as many make inputs that are not encoded on the device.
  ClipInputs(Device& device, int inputs, int host_threads);

  /// Bytes of the device that a row takes.
  size_t row_bytes() const;
  /// Clips [first, first + count). What it gave before is gone, but for inputs that it has already.
  void load(const Batch& batch, int first, int count);

  const Clips& clips() const { return clips_; }
  const Sent& input() const { return input_; }
  /// [clips]: by which the layers drop; null: nothing is dropped.
  const EncodingKey* dropout_keys() const { return drops_ ? dropout_keys_.data() : nullptr; }
  void free();

 private:
  void index(const Batch& batch, int first, int count);
  void encode_on_device(const Batch& batch, int first);
  void make_on_host(const Batch& batch, int first);

  Device& device_;
  int inputs_;
  ThreadPool pool_;
  FeatureCache cache_;
  std::vector<int> first_row_;
  Clips clips_{};
  Sent input_{};
  bool drops_ = false;
  std::pair<int, int> loaded_;  // first and count of the clips whose inputs are there
  DeviceArray<int> first_rows_, step_of_, clip_of_;
  DeviceArray<EncodingKey> encoding_keys_, dropout_keys_;
  DeviceArray<const float*> features_;
  DeviceArray<float> values_;
  DeviceArray<uint32_t> bits_;
  std::vector<float> host_values_;
  std::vector<uint32_t> host_bits_;
};

}  // namespace sonospike::cuda
