#pragma once

#include "core/support/draws.h"

namespace sonospike {

/// How clips are changed at random, anew in every epoch. Each range holds what is drawn; the defaults change
/// nothing.
struct AugmentationOptions {
  Range speed{1, 1};          ///< pitch, formants and tempo together, as of a tape; log-uniform, in [0.5, 2]
  Range gain{0, 0};           ///< dB
  Range shift{0, 0};          ///< seconds of silence before the clip; below 0: cut from its start
  Range silence_after{0, 0};  ///< seconds of silence after the clip
  double noise_probability = 0;
  Range snr{0, 0};               ///< of the noise, dB
  Range tempo{1, 1};             ///< of the frames; log-uniform, in [0.5, 2]
  Range frequency_warp{1, 1};    ///< of the band axis; log-uniform, in [0.5, 2]
  Range filter{0, 0};            ///< dB of a tilt over all bands and of a bump
  int time_masks = 0;            ///< most of them
  double time_mask_seconds = 0;  ///< greatest width
  int frequency_masks = 0;
  int frequency_mask_bands = 0;

  /// Whether anything is done to the bands, which takes a log-mel front end.
  bool changes_bands() const {
    return !frequency_warp.only(1) || !filter.only(0) || time_masks > 0 || frequency_masks > 0;
  }
};

}  // namespace sonospike
