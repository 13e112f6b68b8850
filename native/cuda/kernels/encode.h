#pragma once

#include "core/encoding/encoder.h"
#include "cuda/kernels/shapes.h"

namespace sonospike::cuda {

/// What the inputs of some clips are encoded from, in the device's memory.
struct EncodeArgs {
  EncodingOptions encoding;
  int features;
  const float* const* values;  ///< [clips][frames, features]
  const ClipKey* keys;         ///< [clips]

  bool operator==(const EncodeArgs&) const = default;
};

/// As Encoder, with the same numbers: to `bits` [rows, words of the channels], or to `values` [rows,
/// features] where the encoding is direct.
void encode(const Device& device, const EncodeArgs& args, const Clips& clips, uint32_t* bits, float* values);

}  // namespace sonospike::cuda
