#include "core/stream/noise_floor.h"

#include <algorithm>

namespace sonospike {
namespace {

constexpr double kUp = 0.02, kDown = 0.05;  // of the way to the level of a hop
constexpr double kAboveLeast = 3;           // dB by which the mean of noise is above its least level
constexpr double kQuietest = -75;           // dB; below this nothing is a word
constexpr int64_t kBeginning = 50;          // hops in which there is no mean yet

}  // namespace

BandArray NoiseFloor::quietest() {
  BandArray levels;
  levels.fill(kQuietest);
  return levels;
}

void NoiseFloor::reset() {
  hops_ = 0;
  floor_.fill(kQuietest);
}

/// The least levels of the last blocks.
BandArray NoiseFloor::least() const {
  const auto blocks = std::min<int64_t>(kBlocks, (hops_ + kBlock - 1) / kBlock);
  BandArray least = lowest_[0];
  for (int64_t i = 1; i < blocks; ++i) {
    for (int band = 0; band < kStreamBands; ++band) least[band] = std::min(least[band], lowest_[i][band]);
  }
  return least;
}

void NoiseFloor::add(const BandArray& levels, bool active) {
  BandArray& block = lowest_[hops_ / kBlock % kBlocks];
  const bool begins = hops_ % kBlock == 0;
  for (int band = 0; band < kStreamBands; ++band)
    block[band] = begins ? levels[band] : std::min(block[band], levels[band]);
  ++hops_;
  const BandArray from = least();
  for (int band = 0; band < kStreamBands; ++band) {
    double& floor = floor_[band];
    if (hops_ <= kBeginning) {
      floor = from[band];
    } else if (!active) {
      floor += (levels[band] > floor ? kUp : kDown) * (levels[band] - floor);
    }
    floor = std::max({floor, from[band] + kAboveLeast, kQuietest});
  }
}

}  // namespace sonospike
