#include "cuda/clip_inputs.h"

#include <algorithm>

#include "core/support/denormals.h"
#include "cuda/kernels/encode.h"
#include "cuda/kernels/index.h"

namespace sonospike::cuda {
namespace {

constexpr size_t kCacheShare = 8;  // of the device's memory, a part of so many

/// What clips [first, first + count) are encoded from.
std::vector<ClipFeatures> features_of(const Batch& batch, int first, size_t count) {
  const EncodedClips& encoded = *batch.encoded;
  std::vector<ClipFeatures> features(count);
  for (size_t i = 0; i < count; ++i) {
    const int clip = first + static_cast<int>(i);
    const size_t frames = batch.steps_of_clip(clip) / encoded.encoding.steps_per_frame;
    features[i] = {encoded.identity(clip), encoded.values(clip), frames * encoded.features};
  }
  return features;
}

}  // namespace

ClipInputs::ClipInputs(Device& device, int inputs, int host_threads)
    : device_(device),
      inputs_(inputs),
      pool_(host_threads),
      cache_(device, device.memory() / kCacheShare),
      tables_(device),
      step_of_(device),
      clip_of_(device),
      values_(device),
      bits_(device) {}

size_t ClipInputs::row_bytes() const {
  return inputs_ * sizeof(float) + 2 * sizeof(int);
}

void ClipInputs::load(const Batch& batch, int first, int count) {
  first_row_.resize(count + 1);
  for (int i = 0; i < count; ++i) first_row_[i + 1] = first_row_[i] + batch.steps_of_clip(first + i);
  const std::pair clips{first, count};
  const bool there = batch.same_inputs && clips == loaded_;
  loaded_ = {};  // until it is done
  send_tables(batch, first, there ? nullptr : batch.encoded);
  index();
  encoding_.reset();
  if (!there && batch.encoded) {
    prepare_encoding(*batch.encoded);
  } else if (!there) {
    make_on_host(batch, first);
  }
  loaded_ = clips;
}

/// What is known of each clip, and where its features are; those that do not stay go along. encoded: null
/// where the inputs are not made from them.
void ClipInputs::send_tables(const Batch& batch, int first, const EncodedClips* encoded) {
  const size_t count = first_row_.size() - 1;
  const std::vector<ClipFeatures> features =
      encoded ? features_of(batch, first, count) : std::vector<ClipFeatures>();
  const std::vector<const float*> kept = cache_.place(features);
  size_t passing = 0;
  for (const ClipFeatures& clip : features) passing += clip.identity == 0 ? clip.count : 0;

  tables_.begin();
  const auto first_row = tables_.add<int>(count + 1);
  const auto dropout_keys = tables_.add<ClipKey>(batch.keys ? count : 0);
  const auto labels = tables_.add<int>(batch.labels ? count : 0);
  const auto encoding_keys = tables_.add<ClipKey>(features.size());
  const auto places = tables_.add<const float*>(features.size());
  const auto values = tables_.add<float>(passing);
  tables_.open();
  std::copy_n(first_row_.data(), count + 1, tables_.here(first_row));
  if (batch.keys) std::copy_n(batch.keys + first, count, tables_.here(dropout_keys));
  if (batch.labels) std::copy_n(batch.labels + first, count, tables_.here(labels));
  if (encoded) std::copy_n(encoded->keys + first, count, tables_.here(encoding_keys));
  size_t at = 0;
  for (size_t i = 0; i < features.size(); ++i) {
    const bool passes = features[i].identity == 0;
    tables_.here(places)[i] = passes ? tables_.there(values) + at : kept[i];
    if (!passes) continue;
    std::copy_n(features[i].values, features[i].count, tables_.here(values) + at);
    at += features[i].count;
  }
  tables_.send();

  clips_.count = static_cast<int>(count);
  clips_.rows = first_row_.back();
  clips_.first_row = tables_.there(first_row);
  dropout_keys_ = batch.keys ? tables_.there(dropout_keys) : nullptr;
  labels_ = batch.labels ? tables_.there(labels) : nullptr;
  encoding_keys_ = tables_.there(encoding_keys);
  features_ = tables_.there(places);
}

void ClipInputs::index() {
  if (first_row_ == indexed_) return;  // as in the batch before
  indexed_.clear();                    // until it is done
  step_of_.reserve(clips_.rows);
  clip_of_.reserve(clips_.rows);
  index_rows(device_, clips_.first_row, clips_.count, step_of_.data(), clip_of_.data());
  clips_.step_of = step_of_.data();
  clips_.clip_of = clip_of_.data();
  indexed_ = first_row_;
}

void ClipInputs::prepare_encoding(const EncodedClips& encoded) {
  const bool values = encoded.encoding.kind == EncodingKind::kDirect;
  const size_t rows = clips_.rows;
  if (values) {
    values_.reserve(rows * inputs_);
  } else {
    bits_.reserve(rows * words_of(inputs_));
  }
  encoding_ = {encoded.encoding, encoded.features, features_, encoding_keys_};
  input_ = {inputs_, words_of(inputs_), values ? values_.data() : nullptr, values ? nullptr : bits_.data()};
}

void ClipInputs::encode() {
  if (!encoding_) return;
  sonospike::cuda::encode(device_, *encoding_, clips_, bits_.data(), values_.data());
}

void ClipInputs::make_on_host(const Batch& batch, int first) {
  const size_t rows = clips_.rows;
  const int words = words_of(inputs_);
  if (batch.spikes) {
    host_bits_.assign(rows * words, 0);
  } else {
    host_values_.resize(rows * inputs_);
  }
  pool_.run(clips_.count, [&](int i, int worker) {
    const FlushDenormals flush;
    const size_t row = first_row_[i];
    const int steps = batch.steps_of_clip(first + i);
    if (batch.spikes) {
      // Bits of 16-bit words in this order are those of 32-bit words: all that CUDA runs on is little-endian.
      auto* const bits = reinterpret_cast<uint16_t*>(host_bits_.data() + row * words);
      batch.spikes(first + i, 0, steps, bits, 2 * words, worker);
    } else {
      batch.input(first + i, 0, steps, host_values_.data() + row * inputs_, inputs_, worker);
    }
  });
  if (batch.spikes) {
    bits_.upload(host_bits_.data(), host_bits_.size());
  } else {
    values_.upload(host_values_.data(), host_values_.size());
  }
  input_ = {inputs_, words, batch.spikes ? nullptr : values_.data(), batch.spikes ? bits_.data() : nullptr};
}

void ClipInputs::free() {
  indexed_.clear();
  loaded_ = {};
  cache_.clear();
  tables_.free();
  step_of_.free();
  clip_of_.free();
  values_.free();
  bits_.free();
}

}  // namespace sonospike::cuda
