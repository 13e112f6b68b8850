#include "core/stream/word_finder.h"

#include <algorithm>
#include <cmath>

namespace sonospike {
namespace {

// Activity is the greatest level of a band above its noise, dB.
constexpr double kOn = 7;          // of a hop that is loud
constexpr double kOff = 4;         // less is silence
constexpr double kBelowPeak = 35;  // as is what lies so far below the loudest hop of the segment
constexpr int kOnsetHops = 3;      // loud ones that begin a segment
constexpr int kGap = 3;            // quiet hops that they may have between them
constexpr int kLeastLoud = 6;      // loud hops of a word; less is a click
constexpr double kDip = 6;         // by which the activity falls and rises again
constexpr double kFlat = 3;        // above its bottom, still of the dip
constexpr double kMargin = 0.08;   // seconds before and after a word
constexpr double kLookBack = 0.1;  // seconds from the first sign of a word until it is one
constexpr int kLag = 2;            // hops over which levels are smoothed, without the last

}  // namespace

WordFinder::WordFinder(const FinderOptions& options, std::shared_ptr<SamplePool> pool)
    : options_(options), pool_(std::move(pool)), bands_(options.rate) {
  margin_ = std::llround(kMargin * options.rate);
  longest_ = std::llround(options.longest * options.rate);
  limit_ = 2 * longest_;
  const auto hop = static_cast<double>(bands_.hop());
  quiet_hops_ = std::max<int64_t>(kLag + 1, std::llround(options.end_silence * options.rate / hop));
  before_.resize(static_cast<size_t>(margin_ + std::llround(kLookBack * options.rate)));
  reset();
}

WordFinder::~WordFinder() {
  if (speaking_) pool_->give_back(std::move(buffer_));
}

void WordFinder::reset() {
  give_up();
  bands_.reset();
  floor_.reset();
  position_ = hop_ = last_end_ = 0;
}

size_t WordFinder::take(const Pcm& pcm) {
  constexpr size_t kBlock = 256;
  float block[kBlock];
  size_t taken = 0;
  while (taken < pcm.count && !ready_) {
    const size_t most = std::min(kBlock, pcm.count - taken);
    pcm.from(taken).read(most, block);
    const size_t n = bands_.take(block, most);
    for (size_t i = 0; i < n; ++i) before_[static_cast<size_t>(position_ + i) % before_.size()] = block[i];
    if (speaking_) buffer_.insert(buffer_.end(), block, block + n);
    taken += n;
    position_ += static_cast<int64_t>(n);
    if (bands_.complete()) on_hop(bands_.finish());
  }
  return taken;
}

void WordFinder::on_hop(const BandArray& levels) {
  double activity = levels[0] - floor_.levels()[0];
  for (int band = 1; band < kStreamBands; ++band)
    activity = std::max(activity, levels[band] - floor_.levels()[band]);
  floor_.add(levels, speaking_ || activity >= kOff);
  if (speaking_) {
    listen(activity);
  } else {
    wait(activity);
  }
  ++hop_;
}

void WordFinder::wait(double activity) {
  if (activity >= kOff) {
    if (onset_ < 0) {
      onset_ = hop_;
      loud_ = 0;
    }
    heard_ = hop_;
    if (activity >= kOn && ++loud_ >= kOnsetHops) begin();
  } else if (onset_ >= 0 && hop_ - heard_ > kGap) {
    onset_ = -1;
  }
  // The beginning of a long rise is out of reach.
  if (!speaking_ && onset_ >= 0 &&
      sample_of(hop_ - onset_) > static_cast<int64_t>(before_.size()) - margin_ - sample_of(2))
    ++onset_;
}

void WordFinder::begin() {
  const int64_t reach = position_ - static_cast<int64_t>(before_.size());
  start_ = std::max({sample_of(onset_) - margin_, last_end_, reach, int64_t{0}});
  buffer_ = pool_->borrow(static_cast<size_t>(limit_ + margin_) + before_.size());
  for (int64_t at = start_; at < position_; ++at)
    buffer_.push_back(before_[static_cast<size_t>(at) % before_.size()]);
  speaking_ = true;
  peak_ = 0;
  dip_count_ = 0;
  falling_ = false;
  turn_ = 0;
}

void WordFinder::listen(double activity) {
  peak_ = std::max(peak_, activity);
  if (activity >= kOn) ++loud_;
  if (activity >= std::max(kOff, peak_ - kBelowPeak)) heard_ = hop_;
  look_for_dips(activity);
  if (hop_ - heard_ + kLag >= quiet_hops_) {
    close();
  } else if (position_ - start_ >= limit_ || dip_count_ == kMostDips) {
    if (dip_count_ > 0) {
      open_ = ready_ = true;
    } else {
      give_up();  // no word is as long
    }
  }
}

/// Follows the activity from each turn to the next: a dip is where it falls by kDip and rises by as much.
void WordFinder::look_for_dips(double activity) {
  activity = std::max(activity, 0.0);
  if (!falling_) {
    turn_ = std::max(turn_, activity);
    if (activity > turn_ - kDip) return;
    falling_ = true;
    turn_ = low_from_value_ = activity;
    low_from_ = low_to_ = hop_;
  } else if (activity < turn_) {
    turn_ = activity;
    if (low_from_value_ > turn_ + kFlat) {
      low_from_ = hop_;
      low_from_value_ = activity;
    }
    low_to_ = hop_;
  } else if (activity <= turn_ + kFlat) {
    low_to_ = hop_;
  } else if (activity >= turn_ + kDip) {
    dips_[dip_count_++] = {sample_of(std::max<int64_t>(low_from_ - kLag, 0)), sample_of(low_to_ + 1)};
    falling_ = false;
    turn_ = activity;
  }
}

/// The segment is over.
void WordFinder::close() {
  if (loud_ < kLeastLoud) return give_up();
  end_ = std::min(position_, sample_of(heard_ + 1) + margin_);
  // Beyond what was heard last there is nothing to divide.
  while (dip_count_ > 0 && dips_[dip_count_ - 1].to > sample_of(heard_)) --dip_count_;
  open_ = false;
  ready_ = true;
}

void WordFinder::finish() {
  if (speaking_ && !ready_) close();
}

Segment WordFinder::segment() const {
  return {
      start_, end_, open_, {buffer_.data(), buffer_.size()}, {dips_.data(), static_cast<size_t>(dip_count_)}};
}

void WordFinder::release(int64_t from) {
  ready_ = false;
  if (!open_) {
    last_end_ = end_;
    return give_up();
  }
  open_ = false;
  const auto gone = static_cast<size_t>(from - start_);
  std::copy(buffer_.begin() + gone, buffer_.end(), buffer_.begin());
  buffer_.resize(buffer_.size() - gone);
  start_ = last_end_ = from;
  const auto kept = std::find_if(dips_.begin(), dips_.begin() + dip_count_,
                                 [from](const Dip& dip) { return dip.from > from; });
  dip_count_ = static_cast<int>(std::move(kept, dips_.begin() + dip_count_, dips_.begin()) - dips_.begin());
}

/// Goes back to rest.
void WordFinder::give_up() {
  if (speaking_) pool_->give_back(std::move(buffer_));
  buffer_ = {};
  speaking_ = ready_ = open_ = false;
  onset_ = -1;
}

}  // namespace sonospike
