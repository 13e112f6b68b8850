#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/network/backend.h"
#include "core/support/thread_pool.h"
#include "cuda/feature_cache.h"
#include "cuda/kernels/encode.h"

namespace sonospike::cuda {

/// Brings the inputs of some clips of a batch to the device: encodes them there where it is known what from.
class ClipInputs {
 public:
  /// `host_threads`: as many make inputs that are not encoded on the device.
  ClipInputs(Device& device, int inputs, int host_threads);

  /// Bytes of the device that a row takes.
  size_t row_bytes() const;
  /// Copies what the inputs of clips [first, first + count) are made from, or they themselves. What it gave
  /// before is gone.
  void load(const Batch& batch, int first, int count);
  /// Makes the inputs where the device does so.
  void encode();
  /// How; empty where it does not.
  const std::optional<EncodeArgs>& encoding() const { return encoding_; }

  const Clips& clips() const { return clips_; }
  const Sent& input() const { return input_; }
  /// [clips]: by which the layers drop; null: nothing is dropped.
  const EncodingKey* dropout_keys() const { return drops_ ? dropout_keys_.data() : nullptr; }
  void free();

 private:
  void index(const Batch& batch, int first, int count);
  void prepare_encoding(const Batch& batch, int first);
  void make_on_host(const Batch& batch, int first);

  Device& device_;
  int inputs_;
  ThreadPool pool_;
  FeatureCache cache_;
  std::vector<int> first_row_;
  Clips clips_{};
  Sent input_{};
  std::optional<EncodeArgs> encoding_;
  bool drops_ = false;
  DeviceArray<int> first_rows_, step_of_, clip_of_;
  DeviceArray<EncodingKey> encoding_keys_, dropout_keys_;
  DeviceArray<const float*> features_;
  DeviceArray<float> values_;
  DeviceArray<uint32_t> bits_;
  std::vector<float> host_values_;
  std::vector<uint32_t> host_bits_;
};

}  // namespace sonospike::cuda
