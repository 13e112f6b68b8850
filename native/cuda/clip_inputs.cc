#include "cuda/clip_inputs.h"

#include "core/support/denormals.h"
#include "cuda/kernels/encode.h"
#include "cuda/kernels/index.h"

namespace sonospike::cuda {
namespace {

constexpr size_t kCacheShare = 8;  // of the device's memory, a part of so many

}  // namespace

ClipInputs::ClipInputs(Device& device, int inputs, int host_threads)
    : device_(device),
      inputs_(inputs),
      pool_(host_threads),
      cache_(device, device.memory() / kCacheShare),
      first_rows_(device),
      step_of_(device),
      clip_of_(device),
      encoding_keys_(device),
      dropout_keys_(device),
      features_(device),
      values_(device),
      bits_(device) {}

size_t ClipInputs::row_bytes() const {
  return inputs_ * sizeof(float) + 2 * sizeof(int);
}

void ClipInputs::load(const Batch& batch, int first, int count) {
  index(batch, first, count);
  drops_ = batch.keys;
  if (drops_) dropout_keys_.upload(batch.keys + first, count);
  encoding_.reset();
  if (batch.encoded) {
    prepare_encoding(batch, first);
  } else {
    make_on_host(batch, first);
  }
}

void ClipInputs::index(const Batch& batch, int first, int count) {
  std::vector<int> first_row(count + 1);
  for (int i = 0; i < count; ++i) first_row[i + 1] = first_row[i] + batch.steps_of_clip(first + i);
  if (first_row == first_row_) return;  // as in the batch before
  first_row_.clear();                   // until it is done
  const int rows = first_row.back();
  first_rows_.upload(first_row.data(), first_row.size());
  step_of_.reserve(rows);
  clip_of_.reserve(rows);
  index_rows(device_, first_rows_.data(), count, step_of_.data(), clip_of_.data());
  clips_ = {count, rows, first_rows_.data(), step_of_.data(), clip_of_.data()};
  first_row_ = std::move(first_row);
}

void ClipInputs::prepare_encoding(const Batch& batch, int first) {
  const EncodedClips& encoded = *batch.encoded;
  cache_.begin();
  std::vector<const float*> places(clips_.count);
  for (int i = 0; i < clips_.count; ++i) {
    const int clip = first + i;
    const size_t frames = batch.steps_of_clip(clip) / encoded.encoding.steps_per_frame;
    places[i] = cache_.place(encoded.identity(clip), encoded.values(clip), frames * encoded.features);
  }
  features_.upload(places.data(), places.size());
  encoding_keys_.upload(encoded.keys + first, clips_.count);
  const bool values = encoded.encoding.kind == EncodingKind::kDirect;
  const size_t rows = clips_.rows;
  if (values) {
    values_.reserve(rows * inputs_);
  } else {
    bits_.reserve(rows * words_of(inputs_));
  }
  encoding_ = {encoded.encoding, encoded.features, features_.data(), encoding_keys_.data()};
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
  first_row_.clear();
  cache_.clear();
  step_of_.free();
  clip_of_.free();
  values_.free();
  bits_.free();
}

}  // namespace sonospike::cuda
