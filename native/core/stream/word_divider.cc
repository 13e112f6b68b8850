#include "core/stream/word_divider.h"

#include <algorithm>
#include <limits>

#include "core/network/loss.h"

namespace sonospike {
namespace {

// A division is worth the sum over its pieces of their length times the model's confidence, in seconds.
constexpr double kPenalty = 0.03;   // of every piece, so that words are not divided for nothing
constexpr double kRejected = 0.3;   // of what a piece is worth that would be rejected
constexpr double kShortest = 0.12;  // of a word

/// The pieces that a segment can be divided into: nodes are its start, its dips and its end.
struct Pieces {
  const Segment& segment;
  int64_t margin;

  int nodes() const { return static_cast<int>(segment.dips.size()) + (segment.open ? 1 : 2); }
  int64_t start(int node) const {
    if (node == 0) return segment.start;
    const Dip& dip = segment.dips[node - 1];
    return std::max((dip.from + dip.to) / 2, dip.to - margin);
  }
  int64_t end(int node) const {
    if (node == static_cast<int>(segment.dips.size()) + 1) return segment.end;
    const Dip& dip = segment.dips[node - 1];
    return std::min((dip.from + dip.to) / 2, dip.from + margin);
  }
  std::span<const float> samples(int from, int to) const {
    return segment.samples.subspan(start(from) - segment.start, end(to) - start(from));
  }
};

}  // namespace

WordDivider::WordDivider(const NetworkOptions& network, const ConfidenceOptions& confidence, int rate,
                         uint64_t seed)
    : readout_(network.readout.kind),
      confidence_(confidence),
      rate_(rate),
      seed_(seed),
      probabilities_(network.classes) {}

double WordDivider::ask(Recognizer& recognizer, std::span<const float> samples, Answer& answer) {
  answer = recognizer.predict(samples.data(), samples.size(), rate_, seed_);
  const int classes = static_cast<int>(probabilities_.size());
  class_probabilities(readout_, answer.scores, classes, probabilities_.data());
  return confidence(confidence_, probabilities_.data(), classes, best_class(answer.scores, classes));
}

int64_t WordDivider::divide(Recognizer& recognizer, const Segment& segment, int64_t margin, int64_t longest,
                            const Report& report) {
  constexpr int kMost = 32;
  const Pieces pieces{segment, margin};
  const int nodes = pieces.nodes();
  const auto shortest = static_cast<int64_t>(kShortest * rate_);
  double best[kMost];
  int from[kMost];
  bool worth[kMost];
  Answer answer;
  best[0] = 0;
  for (int to = 1; to < nodes; ++to) {
    best[to] = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < to; ++i) {
      const std::span<const float> samples = pieces.samples(i, to);
      const auto length = static_cast<int64_t>(samples.size());
      double value = 0;
      const bool possible = length >= shortest && length <= longest;
      if (possible) {
        const double seconds = static_cast<double>(length) / rate_;
        const double sure = nodes == 2 ? 1 : ask(recognizer, samples, answer);
        value = seconds * (sure >= confidence_.threshold ? sure : kRejected * sure) - kPenalty;
      }
      if (best[i] + value > best[to]) {
        best[to] = best[i] + value;
        from[to] = i;
        worth[to] = possible;
      }
    }
  }
  int chain[kMost] = {}, count = 0;
  for (int node = nodes - 1; node > 0; node = from[node]) chain[count++] = node;
  // The last piece of an open segment may change yet, unless there is no other.
  const int keep = segment.open && count > 1 ? 1 : 0;
  for (int k = count - 1; k >= keep; --k) {
    const int to = chain[k];
    if (!worth[to]) continue;
    const std::span<const float> samples = pieces.samples(from[to], to);
    ask(recognizer, samples, answer);
    report({pieces.start(from[to]), pieces.end(to), samples, answer});
  }
  return segment.open ? pieces.start(keep ? from[chain[0]] : chain[0]) : segment.end;
}

}  // namespace sonospike
