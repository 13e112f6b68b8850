#include "core/stream/word_divider.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/network/loss.h"

namespace sonospike {
namespace {

// What a word is worth in a division, in seconds: its length times the model's confidence, and
constexpr double kRejected = 0.3;   // of that where it would be rejected,
constexpr double kWord = 0.02;      // so that words which are as sure apart are divided,
constexpr double kGapWorth = 1;     // the seconds of the gap after it beyond
constexpr double kClosure = 0.08;   // those of a plosive,
constexpr double kUnusual = 0.3;    // less so much of the seconds that are missing to kUsual or beyond kSlow
constexpr double kUsual = 0.35;     // seconds, with margins
constexpr double kSlow = 2.0 / 3;   // of the longest word
constexpr double kShortest = 0.12;  // seconds

constexpr double kSure = 0.98;       // a confidence that needs no other hearing
constexpr double kSyllables = 0.15;  // seconds of a gap that may lie within a word

struct Margins {
  double before, after;  // seconds
};
// Of each hearing.
constexpr std::array<Margins, 6> kMargins = {
    {{0.08, 0.08}, {0.02, 0.08}, {0.05, 0.02}, {0.03, 0.05}, {0.06, 0.11}, {0.10, 0.03}}};
constexpr int kHearings = kMargins.size();

/// The nodes of a segment are its start, its dips and its end; a word lies between any two.
bool is_end(const Segment& segment, int node) {
  return node == static_cast<int>(segment.dips.size()) + 1;
}

int64_t middle(const Segment& segment, int node) {
  if (node == 0) return segment.onset;
  return is_end(segment, node) ? segment.offset : segment.dips[node - 1].middle();
}

double quiet(const Segment& segment, int node) {
  if (node == 0 || is_end(segment, node)) return 0;
  const Dip& dip = segment.dips[node - 1];
  return static_cast<double>(dip.to - dip.from);
}

}  // namespace

/// What is heard of the word between two nodes: with margins, as far as the words beside it leave room.
struct WordDivider::Cut {
  int64_t start, end;
  std::span<const float> samples;

  Cut(const Segment& segment, int from, int to, const Margins& margins, int rate) {
    const int64_t first = from == 0 ? segment.start : segment.dips[from - 1].middle();
    const int64_t onset = from == 0 ? segment.onset : segment.dips[from - 1].to;
    const bool last = is_end(segment, to);
    const int64_t offset = last ? segment.offset : segment.dips[to - 1].from;
    const int64_t limit =
        last ? segment.start + static_cast<int64_t>(segment.samples.size()) : segment.dips[to - 1].middle();
    start = std::max({segment.start, first, onset - static_cast<int64_t>(margins.before * rate)});
    end = std::min(limit, offset + static_cast<int64_t>(margins.after * rate));
    if (end > start) samples = segment.samples.subspan(start - segment.start, end - start);
  }
  int64_t length() const { return end - start; }
};

/// What the model says of a cut. The answer is valid until the model is asked again.
struct WordDivider::Opinion {
  Answer answer;
  int best;
  double sure;
};

/// What is said of the word between two nodes.
struct WordDivider::Verdict {
  int from, to;
  bool possible;  // otherwise it is too short or too long for a word
  int hearing;    // whose cut is reported
  double sure;
};

WordDivider::WordDivider(const NetworkOptions& network, const ConfidenceOptions& confidence, int rate,
                         int64_t longest, uint64_t seed)
    : readout_(network.readout.kind),
      confidence_(confidence),
      rate_(rate),
      longest_(longest),
      shortest_(static_cast<int64_t>(kShortest * rate)),
      seed_(seed),
      probabilities_(network.classes),
      hearings_(kHearings * network.classes) {}

bool WordDivider::possible(const Cut& cut) const {
  return cut.length() >= shortest_ && cut.length() <= longest_;
}

WordDivider::Opinion WordDivider::ask(Recognizer& recognizer, const Cut& cut) {
  const Answer answer = recognizer.predict(cut.samples.data(), cut.samples.size(), rate_, seed_);
  const int classes = static_cast<int>(probabilities_.size());
  class_probabilities(readout_, answer.scores, classes, probabilities_.data());
  const int best = best_class(answer.scores, classes);
  return {answer, best, confidence(confidence_, probabilities_.data(), classes, best)};
}

/// The cuts of the segment that could be a word and share time with the word between two nodes.
int WordDivider::alternatives(const Segment& segment, int from, int to) const {
  const int nodes = static_cast<int>(segment.dips.size()) + (segment.open ? 1 : 2);
  int count = 0;
  for (int i = 0; i < to; ++i) {
    for (int j = std::max(i, from) + 1; j < nodes; ++j)
      count += possible(Cut(segment, i, j, kMargins[0], rate_));
  }
  return std::max(count, 1);
}

/// Where the model is not sure of a word, it hears it again with other margins, and the mean of what it says
/// counts, without the hearing that speaks least for the label: what it takes for noise of the moment evens
/// out.
///
/// The division chose this cut as the best of several, so that its confidence is too high: the odds that it
/// is right are divided by their number (C. Bonferroni's correction).
WordDivider::Verdict WordDivider::judge(Recognizer& recognizer, const Segment& segment, int from, int to) {
  const Cut cut(segment, from, to, kMargins[0], rate_);
  if (!possible(cut)) return {from, to, false, 0, 0};
  const Opinion first = ask(recognizer, cut);
  if (!confidence_.calibrated) return {from, to, true, 0, first.sure};
  const double tried = alternatives(segment, from, to);
  const auto verdict = [&](int hearing, double sure) {
    return Verdict{from, to, true, hearing, sure / (sure + (1 - sure) * tried)};
  };
  if (first.sure >= kSure) return verdict(0, first.sure);

  std::array<int, kHearings> best;
  std::array<double, kHearings> sure;
  const int classes = static_cast<int>(probabilities_.size());
  std::array<const float*, kHearings> heard;
  int count = 0;
  for (int i = 0; i < kHearings; ++i) {
    const Cut other(segment, from, to, kMargins[i], rate_);
    best[i] = -1;
    if (other.length() < shortest_) continue;
    const Opinion opinion = ask(recognizer, other);
    best[i] = opinion.best;
    sure[i] = opinion.sure;
    float* kept = &hearings_[static_cast<size_t>(count) * classes];
    std::copy(probabilities_.begin(), probabilities_.end(), kept);
    heard[count++] = kept;
  }
  const auto mean_of = [&](int hearings) {
    for (int k = 0; k < classes; ++k) {
      double sum = 0;
      for (int i = 0; i < hearings; ++i) sum += heard[i][k];
      probabilities_[k] = static_cast<float>(sum / hearings);
    }
  };
  mean_of(count);
  const auto label = static_cast<int>(std::max_element(probabilities_.begin(), probabilities_.end()) -
                                      probabilities_.begin());
  std::sort(heard.begin(), heard.begin() + count, [label](const float* a, const float* b) {
    return a[label] != b[label] ? a[label] > b[label] : a < b;
  });
  mean_of(std::max(1, count - 1));
  const double mean = confidence(confidence_, probabilities_.data(), classes, label);
  // The clearest hearing with that label is reported; no hearing may have it.
  int clearest = -1;
  for (int i = 0; i < kHearings; ++i) {
    if (best[i] == label && (clearest < 0 || sure[i] > sure[clearest])) clearest = i;
  }
  return clearest < 0 ? verdict(0, 0) : verdict(clearest, mean);
}

/// A piece of an unknown word may pass for a word of the model. Beside a rejected sound, with only a short
/// gap between them, a word is as unsure as that sound.
void WordDivider::doubt_pieces(const Segment& segment, std::span<Verdict> verdicts) const {
  if (!confidence_.calibrated) return;
  std::array<Verdict, WordFinder::kMostDips + 2> alone;
  std::copy(verdicts.begin(), verdicts.end(), alone.begin());
  const auto doubt = [&](Verdict& word, const Verdict& beside) {
    if (!confidence_.rejects(beside.sure)) return;
    word.sure = std::min(word.sure, beside.sure);
  };
  for (size_t k = 0; k + 1 < verdicts.size(); ++k) {
    if (quiet(segment, verdicts[k].to) >= kSyllables * rate_) continue;
    doubt(verdicts[k], alone[k + 1]);
    doubt(verdicts[k + 1], alone[k]);
  }
}

/// What a division gains by a word between two nodes; nothing where there can be none.
double WordDivider::worth(Recognizer& recognizer, const Segment& segment, int from, int to) {
  const Cut cut(segment, from, to, kMargins[0], rate_);
  if (!possible(cut)) return 0;
  const double rate = rate_, length = static_cast<double>(cut.length());
  const double seconds = static_cast<double>(middle(segment, to) - middle(segment, from)) / rate;
  const double sure = ask(recognizer, cut).sure;
  const double gap = std::max(0.0, quiet(segment, to) / rate - kClosure);
  const double unusual = std::max(0.0, kUsual - length / rate) +
                         std::max(0.0, (length - kSlow * static_cast<double>(longest_)) / rate);
  return seconds * (sure >= confidence_.threshold ? sure : kRejected * sure) + kWord + kGapWorth * gap -
         kUnusual * unusual;
}

/// The most that can be gained up to each node, from what can be gained up to those before it.
int WordDivider::divide(Recognizer& recognizer, const Segment& segment, const Report& report) {
  constexpr int kMost = WordFinder::kMostDips + 2;
  const int nodes = static_cast<int>(segment.dips.size()) + (segment.open ? 1 : 2);
  double best[kMost] = {};
  int from[kMost] = {};
  for (int to = 1; to < nodes; ++to) {
    best[to] = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < to; ++i) {
      const double value = best[i] + (nodes > 2 ? worth(recognizer, segment, i, to) : 0);
      if (value <= best[to]) continue;
      best[to] = value;
      from[to] = i;
    }
  }
  int chain[kMost] = {}, count = 0;
  for (int node = nodes - 1; node > 0; node = from[node]) chain[count++] = node;
  // The last piece of an open segment may change yet, unless there is no other.
  const int keep = segment.open && count > 1 ? 1 : 0;
  std::array<Verdict, kMost> verdicts;
  for (int k = count - 1; k >= keep; --k)
    verdicts[count - 1 - k] = judge(recognizer, segment, from[chain[k]], chain[k]);
  const std::span<Verdict> told(verdicts.data(), count - keep);
  doubt_pieces(segment, told);
  for (const Verdict& verdict : told) {
    if (!verdict.possible) continue;
    const Cut cut(segment, verdict.from, verdict.to, kMargins[verdict.hearing], rate_);
    report({cut.start, cut.end, cut.samples, ask(recognizer, cut).answer, verdict.sure});
  }
  return chain[keep] - 1;
}

}  // namespace sonospike
