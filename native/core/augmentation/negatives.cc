#include "core/augmentation/negatives.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace sonospike {
namespace {

enum Part : uint32_t { kKind, kShape, kSamples, kWords };

constexpr double kShortest = 0.1, kFade = 0.01;  // seconds
constexpr double kPiecePart = 0.4;
constexpr double kTau = 2 * std::numbers::pi;

double from_decibels(double decibels) {
  return std::pow(10.0, decibels / 20);
}

/// Brings the greatest sample to `peak`.
void set_peak(double peak, std::vector<float>& samples) {
  float most = 0.0f;
  for (float x : samples) most = std::max(most, std::abs(x));
  if (most == 0.0f) return;
  for (float& x : samples) x *= static_cast<float>(peak) / most;
}

/// A sine whose frequency goes from `start` to `end` Hz along an exponential.
void add_glide(double start, double end, double amplitude, double phase, double rate,
               std::vector<float>& samples) {
  const double growth = std::pow(end / start, 1.0 / static_cast<double>(samples.size()));
  double step = kTau * start / rate;
  for (float& x : samples) {
    x += static_cast<float>(amplitude * std::sin(phase));
    phase += step;
    step *= growth;
  }
}

/// Half of them are multiplied by 1 - depth to 1, between 1 and 20 times a second.
void tremble(Draws& draws, double rate, std::vector<float>& samples) {
  const bool steady = draws.uniform() < 0.5;
  const double depth = draws.uniform(), step = kTau * draws.log_uniform({1, 20}) / rate;
  const double phase = kTau * draws.uniform();
  if (steady) return;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double part = 0.5 + 0.5 * std::sin(phase + step * static_cast<double>(i));
    samples[i] *= static_cast<float>(1.0 - depth * part);
  }
}

}  // namespace

NegativeMaker::NegativeMaker(double rate, double seconds, std::vector<LabelledClip> words)
    : rate_(rate), seconds_(std::max(seconds, kShortest)), words_(std::move(words)) {
  assert(!words_.empty());
}

NegativeKind NegativeMaker::make(const ClipKey& key, std::vector<float>& out, NoiseWorkspace& w) const {
  auto kind = static_cast<NegativeKind>(Draws(key, RandomStream::kNegatives, kKind).below(kNegativeKinds));
  if (kind == NegativeKind::kJoined) {
    Draws draws(key, RandomStream::kNegatives, kWords);
    const int first = word(draws).label, second = word(draws).label;
    if (first == second) kind = NegativeKind::kReversed;
  }
  make(kind, key, out, w);
  return kind;
}

void NegativeMaker::make(NegativeKind kind, const ClipKey& key, std::vector<float>& out,
                         NoiseWorkspace& workspace) const {
  Draws words(key, RandomStream::kNegatives, kWords), draws(key, RandomStream::kNegatives, kShape);
  const LabelledClip& clip = word(words);
  const size_t all = clip.samples.size();
  switch (kind) {
    case NegativeKind::kReversed:
      out.assign(clip.samples.rbegin(), clip.samples.rend());
      return;
    case NegativeKind::kJoined:
      return join(clip, word(words), out);
    case NegativeKind::kPiece: {
      const size_t piece = std::max<size_t>(1, std::llround(kPiecePart * static_cast<double>(all)));
      const size_t first = draws.uniform() < 0.5 ? 0 : all - piece;
      out.assign(clip.samples.begin() + first, clip.samples.begin() + first + piece);
      return;
    }
    default:
      break;
  }
  out.assign(static_cast<size_t>(draws.uniform({kShortest, seconds_}) * rate_) + 1, 0.0f);
  coloured_noise(Draws(key, RandomStream::kNegatives, kSamples), draws.uniform({-2, 0}), rate_, out.size(),
                 workspace);
  const std::vector<float>& noise = workspace.noise;
  if (kind == NegativeKind::kSilence) {
    if (draws.uniform() < 0.25) return;
    out.assign(noise.begin(), noise.end());
    return set_peak(from_decibels(draws.uniform({-90, -60})), out);
  }
  if (kind == NegativeKind::kNoise) {
    out.assign(noise.begin(), noise.end());
    tremble(draws, rate_, out);
    return set_peak(from_decibels(draws.uniform({-50, -3})), out);
  }
  if (kind == NegativeKind::kTones) {
    tones(draws, out);
  } else {
    clicks(draws, out);
  }
  set_peak(1.0, out);
  // No recording is free of noise.
  const double faint =
      from_decibels(draws.uniform({-80, -30})) / std::max(rms(noise.data(), noise.size()), 1e-9);
  for (size_t i = 0; i < out.size(); ++i) out[i] += static_cast<float>(faint) * noise[i];
  set_peak(from_decibels(draws.uniform({-40, -3})), out);
}

const LabelledClip& NegativeMaker::word(Draws& draws) const {
  return words_[draws.below(static_cast<int>(words_.size()))];
}

void NegativeMaker::tones(Draws& draws, std::vector<float>& out) const {
  const double end = draws.uniform() < 0.5 ? 1.0 : draws.log_uniform({0.5, 2});
  const int partials = 1 + draws.below(4);
  for (int note = draws.below(4); note >= 0; --note) {
    const double base = draws.log_uniform({80, std::max(160.0, rate_ / 8)});
    for (int k = 1; k <= partials; ++k) {
      const double amplitude = draws.uniform({0.2, 1}) / k, phase = kTau * draws.uniform();
      const bool audible = base * k * std::max(end, 1.0) < rate_ / 2;
      if (audible) add_glide(base * k, base * k * end, amplitude, phase, rate_, out);
    }
  }
  tremble(draws, rate_, out);
  const size_t fade = std::min(out.size() / 2, static_cast<size_t>(kFade * rate_));
  for (size_t i = 0; i < fade; ++i) {
    const auto part = static_cast<float>(static_cast<double>(i) / static_cast<double>(fade));
    out[i] *= part;
    out[out.size() - 1 - i] *= part;
  }
}

/// Each dies away within 0.5 to 10 ms, as a tone or as a single sample that the front end hears as all bands.
void NegativeMaker::clicks(Draws& draws, std::vector<float>& out) const {
  for (int click = draws.below(10); click >= 0; --click) {
    const auto first = static_cast<size_t>(draws.below(static_cast<int>(out.size())));
    const double decay = std::exp(-1.0 / (draws.log_uniform({0.0005, 0.01}) * rate_));
    const double step = draws.uniform() < 0.5 ? 0.0 : kTau * draws.log_uniform({200, rate_ / 2}) / rate_;
    double level = draws.uniform({0.2, 1});
    for (size_t i = first; i < out.size() && level > 1e-4; ++i, level *= step > 0 ? decay : 0.0) {
      out[i] += static_cast<float>(level * std::cos(step * static_cast<double>(i - first)));
    }
  }
}

/// With a cross-fade, so that there is no click where they meet.
void NegativeMaker::join(const LabelledClip& a, const LabelledClip& b, std::vector<float>& out) const {
  const size_t kept = a.samples.size() / 2, skipped = b.samples.size() / 2, rest = b.samples.size() - skipped;
  const size_t fade = std::min({kept, rest, static_cast<size_t>(kFade * rate_)});
  out.assign(a.samples.begin(), a.samples.begin() + kept);
  for (size_t i = 0; i < rest; ++i) {
    const float x = b.samples[skipped + i];
    if (i >= fade) {
      out.push_back(x);
      continue;
    }
    const auto part = static_cast<float>((static_cast<double>(i) + 0.5) / static_cast<double>(fade));
    float& y = out[kept - fade + i];
    y += part * (x - y);
  }
}

}  // namespace sonospike
