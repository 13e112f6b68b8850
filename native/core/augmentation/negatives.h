#pragma once

#include <span>
#include <vector>

#include "core/augmentation/noise.h"
#include "core/support/draws.h"

namespace sonospike {

/// A word that others are made from.
struct LabelledClip {
  std::span<const float> samples;
  int label;
};

enum class NegativeKind {
  kSilence,   ///< zeros, or noise at -90 to -60 dB
  kNoise,     ///< of any colour, steady or swelling
  kTones,     ///< a chord of 1 to 4 notes of 1 to 4 partials, steady or gliding, even or trembling
  kClicks,    ///< 1 to 10 short bursts
  kReversed,  ///< a word, backwards
  kJoined,    ///< the first half of a word and the second half of another
  kPiece,     ///< the first or last 40% of a word
};
inline constexpr int kNegativeKinds = 7;

/// Makes clips that are no word, so that a network can learn to be sure of none. What is made depends on the
/// key and the words alone.
class NegativeMaker {
 public:
  /// `rate` in Hz; `seconds`: the longest that is made from nothing (at least 0.1). There is at least one
  /// word.
  NegativeMaker(double rate, double seconds, std::vector<LabelledClip> words);

  /// All kinds are equally likely, but two words of the same label are not joined: one is reversed instead.
  NegativeKind make(const ClipKey& key, std::vector<float>& out, NoiseWorkspace& workspace) const;
  void make(NegativeKind kind, const ClipKey& key, std::vector<float>& out, NoiseWorkspace& workspace) const;

 private:
  void tones(Draws& draws, std::vector<float>& out) const;
  void clicks(Draws& draws, std::vector<float>& out) const;
  void join(const LabelledClip& a, const LabelledClip& b, std::vector<float>& out) const;
  const LabelledClip& word(Draws& draws) const;

  double rate_, seconds_;
  std::vector<LabelledClip> words_;
};

}  // namespace sonospike
