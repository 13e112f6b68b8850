#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/frontend/front_end.h"
#include "core/frontend/resampler.h"
#include "core/frontend/scaling.h"

namespace sonospike {

/// Memory of one thread; it grows to what the longest clip needs.
struct ExtractorWorkspace {
  std::vector<float> centred, resampled, raw;
  std::vector<float> levels, sorted;  // [frames]
  ResamplerWorkspace resampler;
  FrontEndWorkspace front_end;
  ScalingStatistics statistics;
  FeatureScaling scaling;

  size_t bytes() const {
    const size_t values =
        centred.capacity() + resampled.capacity() + raw.capacity() + levels.capacity() + sorted.capacity();
    return values * sizeof(float) + bytes_of(resampler, front_end);
  }
};

/// How many frames a clip has for the network.
struct ClipFrames {
  int most = 100;
  /// Frames of zeros that follow the clip's own, `most` at most together. A longer clip, or one with much
  /// quiet around its word, is cut to the word (FeatureExtractor::heard). Below 0: every clip is cut or
  /// padded with zeros to `most`.
  int tail = -1;

  bool fixed() const { return tail < 0; }
};

/// Which of a clip's own frames the network gets: `count` frames from frame `first` on.
struct HeardFrames {
  size_t first = 0;
  size_t count = 0;
  size_t own = 0;     ///< number of frames that the clip has itself, before it is cut or padded
  bool more = false;  ///< whether frames that are not heard hold sound as well: another word, or noise
};

/// Makes the scaled frames that the encoder takes from samples at any rate: resampling, front end, choice of
/// frames, scaling, padding with zeros.
class FeatureExtractor {
 public:
  FeatureExtractor(const FrontEndOptions& front_end, const ScalingOptions& scaling, ClipFrames frames);

  /// The most that a clip has.
  int frames() const { return frames_.most; }
  const ClipFrames& clip_frames() const { return frames_; }
  int feature_count() const { return front_end_.feature_count(); }
  size_t size() const { return static_cast<size_t>(frames_.most) * feature_count(); }
  const ScalingOptions& scaling() const { return scaling_; }
  const FrontEndOptions& front_end() const { return front_end_.options(); }

  /// The scaling of the training set; needed before `scale` where the options ask for it.
  void set_training_scaling(FeatureScaling scaling) { training_scaling_ = std::move(scaling); }
  const FeatureScaling& training_scaling() const { return training_scaling_; }

  /// Samples at the rate of the front end, in workspace.resampled or where they are already. May be called by
  /// several threads.
  std::span<const float> at_own_rate(const float* samples, size_t n, int rate,
                                     ExtractorWorkspace& workspace) const;
  /// Unscaled frames, all of them, in workspace.raw. Returns how many. May be called by several threads.
  size_t raw(const float* samples, size_t n, int rate, ExtractorWorkspace& workspace) const;
  /// Which of a clip's raw frames the network gets. Without a tail: the first frames() of them. With a tail:
  /// all, unless the clip is longer than frames(), or has more than 0.16 s of quiet before the word or 0.3 s
  /// after it. Then the word is kept, with up to 0.08 s before it and 0.22 s after it; of several words, the
  /// loudest frames() in a row. A frame is quiet if its level (the mean of its bands in dB) lies in the lower
  /// 40% between the background (the level that a tenth of the frames stay below) and the word (the level
  /// that frames of 0.08 s reach). May be called by several threads.
  HeardFrames heard(const float* raw, size_t raw_frames, ExtractorWorkspace& workspace) const;
  /// Scales the `heard` of all the raw frames of a clip to out, which has room for [frames(), features].
  /// Statistics of the clip are those of all its frames. Returns how many frames it has then.
  int scale(const float* raw, const HeardFrames& heard, float* out, ExtractorWorkspace& workspace) const;
  /// raw, heard, then scale. Sets `heard` where it is given.
  int extract(const float* samples, size_t n, int rate, float* out, ExtractorWorkspace& workspace,
              HeardFrames* heard = nullptr) const;

 private:
  std::shared_ptr<const Resampler> resampler(int rate) const;
  void frame_levels(const float* raw, size_t raw_frames, std::vector<float>& levels) const;
  size_t frames_in(double seconds) const;

  int sample_rate_;
  FrontEnd front_end_;
  ScalingOptions scaling_;
  ClipFrames frames_;
  FeatureScaling training_scaling_;
  mutable std::mutex mutex_;
  mutable std::map<int, std::shared_ptr<const Resampler>> resamplers_;  // by the rate that they start from
};

}  // namespace sonospike
