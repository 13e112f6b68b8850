#include "core/stream/word_finder.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sonospike {
namespace {

// Activity is the greatest level of a band above its noise and the noise's usual spread, dB.
constexpr double kLoud = 5.5;      // of a hop that tells of a word
constexpr double kHeard = 2.5;     // of one that goes on with it
constexpr double kSpread = 1.5;    // standard deviations
constexpr double kBelowPeak = 35;  // below the loudest hop of a segment nothing is heard
constexpr int kOnsetHops = 3;      // loud ones that begin a segment
constexpr int kGap = 3;            // quiet hops that they may have between them
constexpr int kLeastLoud = 6;      // loud hops of a word; less is a click
constexpr double kDip = 8;         // by which the activity falls and rises again
constexpr double kFlat = 3;        // above its bottom, still of the dip
constexpr double kLookBack = 0.1;  // seconds from the first sign of a word until it is one
constexpr int kLag = 2;            // hops over which levels are smoothed, without the last
constexpr double kFallen = 8;      // dB by which the noise is less than it seemed when the stream began

}  // namespace

WordFinder::WordFinder(const FinderOptions& options, std::shared_ptr<SamplePool> pool)
    : options_(options), pool_(std::move(pool)), bands_(options.rate) {
  margin_ = std::llround(kMostMargin * options.rate);
  longest_ = std::llround(options.longest * options.rate);
  const auto hop = static_cast<double>(bands_.hop());
  // A sound is still in the level of the last hops when it is over, and ends somewhere within a hop.
  const auto silence = static_cast<int64_t>(options.end_silence * options.rate / hop);
  quiet_hops_ = std::max<int64_t>(1, silence - kLag - 1);
  // The longest word and the silence that ends it have room.
  limit_ = longest_ + std::max<int64_t>(longest_, std::llround(options.end_silence * options.rate) + margin_);
  look_back_ = std::llround(kLookBack * options.rate);
  before_.resize(static_cast<size_t>(margin_ + look_back_ + sample_of(kLag)));
  reset();
}

WordFinder::~WordFinder() {
  give_up();
  end_opening();
}

void WordFinder::reset() {
  give_up();
  bands_.reset();
  floor_.reset();
  position_ = hop_ = last_end_ = 0;
  end_opening();
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
    if (position_ == 0 || opening()) keep_opening(block, n);
    taken += n;
    position_ += static_cast<int64_t>(n);
    if (bands_.complete()) on_hop(bands_.finish());
  }
  return taken;
}

/// The greatest level of a band above its noise.
double WordFinder::activity(const BandArray& levels, const BandArray& noise) const {
  double greatest = -std::numeric_limits<double>::infinity();
  for (int band = 0; band < kStreamBands; ++band)
    greatest = std::max(greatest, levels[band] - noise[band] - kSpread * bands_.spread()[band]);
  return greatest;
}

void WordFinder::on_hop(const BandArray& levels) {
  const double now = activity(levels, floor_.levels());
  floor_.add(levels, speaking_ || now >= kHeard);
  if (opening()) {
    opening_levels_.push_back(levels);
    if (hop_ == 0) opening_noise_ = floor_.levels();
  }
  bool fallen = false;
  for (int band = 0; opening() && band < kStreamBands; ++band)
    fallen |= opening_noise_[band] - floor_.levels()[band] >= kFallen;
  if (fallen) {
    look_again(floor_.levels());
  } else {
    advance(now);
  }
  ++hop_;
  if (hop_ == kOpening) end_opening();
}

void WordFinder::advance(double activity) {
  if (speaking_) {
    listen(activity);
  } else {
    wait(activity);
  }
}

void WordFinder::keep_opening(const float* samples, size_t n) {
  if (opening_.empty()) {
    opening_ = pool_->borrow(kOpening * bands_.hop());
    opening_levels_.reserve(kOpening);
  }
  opening_.insert(opening_.end(), samples, samples + n);
}

/// Goes through the hops from the beginning of the stream to the last one again.
void WordFinder::look_again(const BandArray& noise) {
  give_up();
  opening_noise_ = noise;
  const int64_t last = hop_;
  for (hop_ = 0; hop_ <= last && !ready_; ++hop_)
    advance(activity(opening_levels_[static_cast<size_t>(hop_)], noise));
  hop_ = last;
}

void WordFinder::end_opening() {
  if (opening()) pool_->give_back(std::move(opening_));
  opening_ = {};
  opening_levels_ = {};
}

void WordFinder::wait(double activity) {
  if (activity >= kHeard) {
    if (onset_ < 0) {
      onset_ = hop_;
      loud_ = 0;
    }
    heard_ = hop_;
    if (activity >= kLoud && ++loud_ >= kOnsetHops) begin();
  } else if (onset_ >= 0 && hop_ - heard_ > kGap) {
    onset_ = -1;
  }
  // What has been faint for long is not the beginning.
  if (!speaking_ && onset_ >= 0 && sample_of(hop_ - onset_) > look_back_) ++onset_;
}

void WordFinder::begin() {
  const int64_t reach = opening() ? 0 : position_ - static_cast<int64_t>(before_.size());
  begins_ = sample_of(onset_);
  start_ = std::max({begins_ - margin_, last_end_, reach, int64_t{0}});
  buffer_ = pool_->borrow(static_cast<size_t>(limit_ + margin_) + std::max(before_.size(), opening_.size()));
  for (int64_t at = start_; at < position_; ++at) {
    const auto i = static_cast<size_t>(at);
    buffer_.push_back(opening() ? opening_[i] : before_[i % before_.size()]);
  }
  speaking_ = true;
  peak_ = 0;
  dip_count_ = 0;
  falling_ = false;
  turn_ = 0;
}

void WordFinder::listen(double activity) {
  peak_ = std::max(peak_, activity);
  if (activity >= kLoud) ++loud_;
  if (activity >= std::max(kHeard, peak_ - kBelowPeak)) heard_ = hop_;
  look_for_dips(activity);
  if (hop_ - heard_ >= quiet_hops_) {
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
  ends_ = sample_of(heard_ + 1);
  // Beyond what was heard last there is nothing to divide.
  while (dip_count_ > 0 && dips_[dip_count_ - 1].to > sample_of(heard_)) --dip_count_;
  open_ = false;
  ready_ = true;
}

void WordFinder::finish() {
  if (ready_) return;
  // All that there is may be a word.
  if (opening() && !speaking_ && hop_ > 0) {
    --hop_;
    look_again(NoiseFloor::quietest());
    ++hop_;
  }
  if (speaking_ && !ready_) close();
}

Segment WordFinder::segment() const {
  return {start_,
          begins_,
          ends_,
          open_,
          {buffer_.data(), buffer_.size()},
          {dips_.data(), static_cast<size_t>(dip_count_)}};
}

void WordFinder::release(int dip) {
  ready_ = false;
  end_opening();
  if (!open_) {
    last_end_ = std::min(position_, ends_ + margin_);
    return give_up();
  }
  open_ = false;
  const int64_t from = std::clamp(dips_[dip].middle(), start_, position_);
  buffer_.erase(buffer_.begin(), buffer_.begin() + (from - start_));
  start_ = last_end_ = from;
  begins_ = dips_[dip].to;
  std::move(dips_.begin() + dip + 1, dips_.begin() + dip_count_, dips_.begin());
  dip_count_ -= dip + 1;
}

/// Goes back to rest.
void WordFinder::give_up() {
  if (speaking_) pool_->give_back(std::move(buffer_));
  buffer_ = {};
  speaking_ = ready_ = open_ = false;
  onset_ = -1;
}

}  // namespace sonospike
