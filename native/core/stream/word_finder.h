#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/stream/band_levels.h"
#include "core/stream/noise_floor.h"
#include "core/stream/pcm.h"
#include "core/stream/sample_pool.h"

namespace sonospike {

struct FinderOptions {
  int rate = 8000;            ///< of the stream, Hz
  double end_silence = 0.25;  ///< seconds of silence that end a word
  double longest = 1.25;      ///< seconds of a word
};

/// Where a segment is quieter than on both sides: a place between words, or within one. Samples of the
/// stream.
struct Dip {
  int64_t from, to;

  int64_t middle() const { return (from + to) / 2; }
};

/// A stretch of a stream with something to be heard: a word, or several with gaps too short to end one.
/// Samples of the stream.
struct Segment {
  int64_t start = 0;               ///< of `samples`: some time before the sound
  int64_t onset = 0, offset = 0;   ///< of the sound
  bool open = false;               ///< it goes on: what follows the last dip is not whole
  std::span<const float> samples;  ///< those from `start` on
  std::span<const Dip> dips;
};

/// The longest that words are kept from their surroundings, seconds.
inline constexpr double kMostMargin = 0.11;

/// Finds what could be words in a stream of any length, hop by hop: the same segments however the stream is
/// cut into writes.
///
/// A segment begins where some band is well above the noise for a few hops, and ends where none has been for
/// `end_silence`. At rest only the margin before a word is kept; while there is a segment its samples lie in
/// a buffer of the pool. Nothing is allocated once the pool has a buffer.
///
/// A stream may begin with a word: until there is a gap in it, it cannot be told from noise. Its first 1.3 s
/// are kept, and looked through again from the beginning when they turn out to be louder than the noise.
class WordFinder {
 public:
  static constexpr int kMostDips = 24;  ///< of a segment

  WordFinder(const FinderOptions& options, std::shared_ptr<SamplePool> pool);
  ~WordFinder();
  WordFinder(const WordFinder&) = delete;
  WordFinder& operator=(const WordFinder&) = delete;

  /// Takes samples, up to the end of a segment at most, and returns how many. They are finite.
  size_t take(const Pcm& pcm);
  /// The stream is over: what is left becomes a segment.
  void finish();
  /// Whether there is a segment, which is to be dealt with and given up by `release` before anything else is
  /// taken.
  bool ready() const { return ready_; }
  Segment segment() const;
  /// An open segment goes on from its dip number `dip`.
  void release(int dip);
  /// Begins a new stream.
  void reset();

  /// Samples taken.
  int64_t position() const { return position_; }
  /// dB below full scale, of the last 50 ms.
  double level() const { return bands_.overall(); }
  bool speaking() const { return speaking_; }
  int64_t longest() const { return longest_; }
  /// Memory of a stream at rest.
  size_t bytes() const { return sizeof *this + before_.capacity() * sizeof(float); }

 private:
  static constexpr int kOpening = 130;  // hops

  void on_hop(const BandArray& levels);
  double activity(const BandArray& levels, const BandArray& noise) const;
  void advance(double activity);
  bool opening() const { return !opening_.empty(); }
  void keep_opening(const float* samples, size_t n);
  void look_again(const BandArray& noise);
  void end_opening();
  void wait(double activity);
  void listen(double activity);
  void begin();
  void look_for_dips(double activity);
  void close();
  void give_up();
  int64_t sample_of(int64_t hop) const { return hop * static_cast<int64_t>(bands_.hop()); }

  FinderOptions options_;
  std::shared_ptr<SamplePool> pool_;
  BandLevels bands_;
  NoiseFloor floor_;
  std::vector<float> before_;  // the last samples, as a ring
  std::vector<float> buffer_;  // the segment's samples, borrowed
  // The beginning of the stream, until its first segment or for kOpening hops: samples (borrowed), levels,
  // and the noise that they were compared with.
  std::vector<float> opening_;
  std::vector<BandArray> opening_levels_;
  BandArray opening_noise_;
  int64_t margin_, look_back_, longest_, limit_, quiet_hops_;

  int64_t position_ = 0, hop_ = 0;
  int64_t last_end_ = 0;  // of the segment before, with its margin
  bool speaking_ = false, ready_ = false, open_ = false;
  // Of the sound in hand, in hops: where it begins, where it was heard last, how many are loud.
  int64_t onset_ = -1, heard_ = 0, loud_ = 0;
  int64_t start_ = 0, begins_ = 0, ends_ = 0;  // samples
  double peak_ = 0;
  // The turn that the level has taken last: the greatest or least activity since, and where the least lies.
  bool falling_ = false;
  double turn_ = 0;
  int64_t low_from_ = 0, low_to_ = 0;
  double low_from_value_ = 0;
  std::array<Dip, kMostDips> dips_;
  int dip_count_ = 0;
};

}  // namespace sonospike
