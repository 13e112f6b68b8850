#pragma once

#include <functional>
#include <vector>

#include "core/network/recognizer.h"
#include "core/stream/confidence.h"
#include "core/stream/word_finder.h"

namespace sonospike {

/// A stretch of a stream that is to be one word, and what the model says of it. Valid within the call that
/// gets it.
struct Sound {
  int64_t start, end;  ///< samples of the stream
  std::span<const float> samples;
  Answer answer;
};

/// Divides segments into words by the model's own confidence.
class WordDivider {
 public:
  using Report = std::function<void(const Sound&)>;

  WordDivider(const NetworkOptions& network, const ConfidenceOptions& confidence, int rate, uint64_t seed);

  /// Reports what is in the segment, in order; returns the sample from which an open one goes on.
  int64_t divide(Recognizer& recognizer, const Segment& segment, int64_t margin, int64_t longest,
                 const Report& report);

 private:
  double ask(Recognizer& recognizer, std::span<const float> samples, Answer& answer);

  ReadoutKind readout_;
  ConfidenceOptions confidence_;
  int rate_;
  uint64_t seed_;
  std::vector<float> probabilities_;
};

}  // namespace sonospike
