#pragma once

#include <array>
#include <cstdint>

#include "core/stream/band_levels.h"

namespace sonospike {

/// What a stream sounds like when nobody speaks: the level of the noise in each band.
///
/// The mean level while there is no sound to be heard above it, and never less than the least level of the
/// last two seconds: even a sentence has gaps, so that what has none is noise (minimum statistics, R. Martin,
/// 2001).
class NoiseFloor {
 public:
  NoiseFloor() { reset(); }

  /// Takes in the levels of a hop; `active`: something is to be heard.
  void add(const BandArray& levels, bool active);
  const BandArray& levels() const { return floor_; }
  /// The least that it can be.
  static BandArray quietest();
  void reset();

 private:
  static constexpr int kBlocks = 10, kBlock = 20;  // hops

  BandArray least() const;

  BandArray floor_;
  std::array<BandArray, kBlocks> lowest_;  // of each block, the one in hand at its place
  int64_t hops_;
};

}  // namespace sonospike
