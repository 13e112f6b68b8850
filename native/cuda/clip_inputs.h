#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/network/backend.h"
#include "core/support/thread_pool.h"
#include "cuda/feature_cache.h"
#include "cuda/kernels/encode.h"
#include "cuda/staged_upload.h"

namespace sonospike::cuda {

/// Brings the inputs of some clips of a batch to the device: encodes them there where it is known what from.
class ClipInputs {
 public:
  /// `host_threads`: as many make inputs that are not encoded on the device.
  ClipInputs(Device& device, int inputs, int host_threads);

  /// Bytes of the device that a row takes.
  size_t row_bytes() const;
  /// Copies what the inputs of clips [first, first + count) are made from, or they themselves. What it gave
  /// before is gone, but for inputs that it has already.
  void load(const Batch& batch, int first, int count);
  /// Makes the inputs where the device does so.
  void encode();
  /// How; empty where it does not.
  const std::optional<EncodeArgs>& encoding() const { return encoding_; }

  const Clips& clips() const { return clips_; }
  const Sent& input() const { return input_; }
  /// [clips]: by which the layers drop; null: nothing is dropped.
  const ClipKey* dropout_keys() const { return dropout_keys_; }
  /// [clips]; null where the batch has none.
  const int* labels() const { return labels_; }
  void free();

 private:
  void send_tables(const Batch& batch, int first, const EncodedClips* encoded);
  void index();
  void prepare_encoding(const EncodedClips& encoded);
  void make_on_host(const Batch& batch, int first);

  Device& device_;
  int inputs_;
  ThreadPool pool_;
  FeatureCache cache_;
  StagedUpload tables_;  // of the batch: what is small, and features that will not come again
  std::vector<int> first_row_;
  std::vector<int> indexed_;  // the first rows that step_of_ and clip_of_ are of
  Clips clips_{};
  Sent input_{};
  std::optional<EncodeArgs> encoding_;
  std::pair<int, int> loaded_;  // first and count of the clips whose inputs are there
  const ClipKey *encoding_keys_ = nullptr, *dropout_keys_ = nullptr;
  const int* labels_ = nullptr;
  const float* const* features_ = nullptr;
  DeviceArray<int> step_of_, clip_of_;
  DeviceArray<float> values_;
  DeviceArray<uint32_t> bits_;
  std::vector<float> host_values_;
  std::vector<uint32_t> host_bits_;
};

}  // namespace sonospike::cuda
