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

/// Of one thread; grows to what the longest clip needs.
struct ExtractorWorkspace {
  std::vector<float> centred, resampled, raw;
  ResamplerWorkspace resampler;
  FrontEndWorkspace front_end;
  ScalingStatistics statistics;
  FeatureScaling scaling;

  size_t bytes() const {
    const size_t values = centred.capacity() + resampled.capacity() + raw.capacity();
    return values * sizeof(float) + bytes_of(resampler, front_end);
  }
};

/// How many frames a clip has for the network.
struct ClipFrames {
  int most = 100;
  /// Frames of zeros after the clip, which is then as long as it is, `most` at most; of a longer one the
  /// loudest `most` frames are taken. Below 0: every clip is cut or padded with zeros to `most`.
  int tail = -1;

  bool fixed() const { return tail < 0; }
};

/// Which of a clip's own frames the network gets.
struct HeardFrames {
  size_t first = 0;
  size_t own = 0;  ///< number of frames that the clip has itself, before it is cut or padded
};

/// From samples at any rate to the scaled frames that the encoder takes: resampling, front end, scaling, then
/// cut and padded with zeros.
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
  /// Those of a clip's raw frames that the network gets: the first, or with a tail the loudest. May be called
  /// by several threads.
  std::span<const float> heard(const float* raw, size_t raw_frames) const;
  HeardFrames heard_frames(const float* raw, size_t raw_frames) const;
  /// Scales raw frames to out, which has room for [frames(), features]. Statistics of the clip are those of
  /// all its frames. Returns how many frames it has then.
  int scale(const float* raw, size_t raw_frames, float* out, ExtractorWorkspace& workspace) const;
  /// raw, then scale. Sets `heard` where it is given.
  int extract(const float* samples, size_t n, int rate, float* out, ExtractorWorkspace& workspace,
              HeardFrames* heard = nullptr) const;

 private:
  std::shared_ptr<const Resampler> resampler(int rate) const;
  size_t loudest(const float* raw, size_t raw_frames) const;

  int sample_rate_;
  FrontEnd front_end_;
  ScalingOptions scaling_;
  ClipFrames frames_;
  FeatureScaling training_scaling_;
  mutable std::mutex mutex_;
  mutable std::map<int, std::shared_ptr<const Resampler>> resamplers_;  // by the rate that they start from
};

}  // namespace sonospike
