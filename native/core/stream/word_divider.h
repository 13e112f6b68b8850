#pragma once

#include <functional>
#include <vector>

#include "core/network/confidence.h"
#include "core/network/recognizer.h"
#include "core/stream/word_finder.h"

namespace sonospike {

/// A stretch of a stream that may be one word, and what the model says of it. Valid within the call that gets
/// it.
struct Sound {
  int64_t start, end;  ///< samples of the stream
  std::span<const float> samples;
  Answer answer;
  double sure;  ///< the confidence, which allows for the choice of this cut among several
};

/// Divides segments into words by the model's own confidence, and judges them by the threshold of
/// `predict`. Its confidence is lowered for the choice among several cuts, so that of other words it accepts
/// about as few as `predict` does of the same sounds, cut out by hand.
class WordDivider {
 public:
  using Report = std::function<void(const Sound&)>;

  WordDivider(const NetworkOptions& network, const ConfidenceOptions& confidence, int rate, int64_t longest,
              uint64_t seed);

  /// Reports what is in the segment, in order. Of an open one, returns from which dip it goes on.
  int divide(Recognizer& recognizer, const Segment& segment, const Report& report);

 private:
  struct Cut;
  struct Opinion;
  struct Verdict;

  bool possible(const Cut& cut) const;
  Opinion ask(Recognizer& recognizer, const Cut& cut);
  int alternatives(const Segment& segment, int from, int to) const;
  Verdict judge(Recognizer& recognizer, const Segment& segment, int from, int to);
  void doubt_pieces(const Segment& segment, std::span<Verdict> verdicts) const;
  double worth(Recognizer& recognizer, const Segment& segment, int from, int to);

  ReadoutKind readout_;
  ConfidenceOptions confidence_;
  int rate_;
  int64_t longest_, shortest_;
  uint64_t seed_;
  std::vector<float> probabilities_;
  std::vector<float> hearings_;  // probabilities of each hearing
};

}  // namespace sonospike
