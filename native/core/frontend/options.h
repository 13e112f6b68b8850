#pragma once

namespace sonospike {

enum class FeatureKind {
  kMfcc,    ///< Mel-frequency cepstral coefficients of the mel bands in dB.
  kLogMel,  ///< The mel bands in dB.
};

/// How features are computed from samples. Names and defaults follow torchaudio.transforms.MFCC and
/// MelSpectrogram + AmplitudeToDB, except for `mel_bands`. The caller validates; the core only asserts.
struct FrontEndOptions {
  /// Rate of the samples, Hz.
  int sample_rate = 16000;
  FeatureKind kind = FeatureKind::kMfcc;
  /// Length of the periodic Hann window, samples, at most fft_length (torchaudio `win_length`).
  int window_length = 400;
  /// Samples from the centre of one frame to the centre of the next (`hop_length`).
  int hop_length = 200;
  /// Length of the Fourier transform, samples (`n_fft`). Products of 2, 3 and 5 are fast.
  int fft_length = 400;
  /// Mel bands (`n_mels`; torchaudio's default is 128).
  int mel_bands = 64;
  /// Lower edge of the first mel band, Hz (`f_min`).
  double min_frequency = 0;
  /// Upper edge of the last mel band, Hz, above min_frequency and at most half of sample_rate (`f_max`).
  double max_frequency = 8000;
  /// Cepstral coefficients kept, from the zeroth on, at most mel_bands (`n_mfcc`); unused for kLogMel.
  int coefficients = 20;
  /// Mel bands are raised to at least the clip's maximum less this many dB (`top_db`); below 0: not at all.
  double top_db = 80;
  /// Mel bands are raised to at least this power before the logarithm (torchaudio `amin`). Above zero.
  double least_power = 1e-10;
  /// Whether the mean of the clip's samples (an offset of the microphone) is taken from them first.
  bool remove_mean = false;

  /// Features of a frame.
  int feature_count() const { return kind == FeatureKind::kMfcc ? coefficients : mel_bands; }

  bool operator==(const FrontEndOptions&) const = default;
};

enum class ScalingKind {
  kNone,      ///< x
  kMinMax,    ///< (x - min) / (max - min + 1e-8)
  kStandard,  ///< (x - mean) / (sd + 1e-5), sd of the population
  kPeak,      ///< max(0, 1 + (x - max) / range): of dB over the clip, pooled, where range is the front end's
              ///< top_db
};

/// Least mel power with ScalingKind::kPeak, whose floor is top_db below the clip's maximum: far below any
/// recording, so that a quiet clip has the features of a loud one. Only digital silence reaches it.
inline constexpr double kLeastPowerBelowPeak = 1e-30;

/// How features are scaled before they are encoded as spikes.
struct ScalingOptions {
  ScalingKind kind = ScalingKind::kMinMax;
  /// Statistics of the training set (stored in the model) instead of those of the clip itself.
  bool over_training_set = false;
  /// One statistic for all features together instead of one for each.
  bool pooled = false;
};

}  // namespace sonospike
