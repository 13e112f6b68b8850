#include "cuda/kernels/encode.h"

#include "core/support/philox.h"
#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

constexpr int kWordBits = 32;

/// What of a row the words of bits are of.
struct Word {
  int row, word, clip, step;
};

SONOSPIKE_DEVICE Word word_of(size_t number, int words, const Clips& clips) {
  const int row = static_cast<int>(number / words);
  return {row, static_cast<int>(number % words), clips.clip_of[row], clips.step_of[row]};
}

SONOSPIKE_DEVICE int smaller(int a, int b) {
  return a < b ? a : b;
}

struct Rate {
  static constexpr bool kSyncs = false;
  EncodeArgs args;
  Clips clips;
  int words;
  uint32_t* bits;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number >= static_cast<size_t>(clips.rows) * words) return;
    const Word at = word_of(number, words, clips);
    const ClipKey key = args.keys[at.clip];
    // Every step takes whole blocks of four numbers.
    const uint32_t blocks = (args.features + 3) / 4, first = static_cast<uint32_t>(at.step) * blocks;
    const float* frame =
        args.values[at.clip] + static_cast<size_t>(at.step / args.encoding.steps_per_frame) * args.features;
    const int begin = at.word * kWordBits, end = smaller(begin + kWordBits, args.features);
    uint32_t set = 0;
    for (int i = begin; i < end; i += 4) {
      const PhiloxBlock random = philox(key.seed, first + i / 4,
                                        static_cast<uint32_t>(RandomStream::kEncoding), key.clip, key.epoch);
      for (int j = 0; j < 4; ++j) {
        if (i + j < end && philox_uniform(random.word[j]) < frame[i + j]) set |= 1u << (i + j - begin);
      }
    }
    bits[number] = set;
  }
};

struct Latency {
  static constexpr bool kSyncs = false;
  EncodeArgs args;
  Clips clips;
  int words;
  uint32_t* bits;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number >= static_cast<size_t>(clips.rows) * words) return;
    const Word at = word_of(number, words, clips);
    const int repeats = args.encoding.steps_per_frame;
    const float* frame = args.values[at.clip] + static_cast<size_t>(at.step / repeats) * args.features;
    const int begin = at.word * kWordBits, end = smaller(begin + kWordBits, args.features);
    uint32_t set = 0;
    for (int i = begin; i < end; ++i) {
      const float given = frame[i], x = given < 0.0f ? 0.0f : given > 1.0f ? 1.0f : given;
      if (!(x > args.encoding.threshold)) continue;  // nor does NaN spike
      if (lroundf((1.0f - x) * static_cast<float>(repeats - 1)) == at.step % repeats)
        set |= 1u << (i - begin);
    }
    bits[number] = set;
  }
};

/// A thread goes through a clip with the references of the features of a word, two channels each.
struct Delta {
  static constexpr bool kSyncs = false;
  static constexpr int kFeatures = kWordBits / 2;
  EncodeArgs args;
  Clips clips;
  int words;
  uint32_t* bits;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number >= static_cast<size_t>(clips.count) * words) return;
    const int clip = static_cast<int>(number / words), word = static_cast<int>(number % words);
    const float threshold = args.encoding.threshold;
    const int begin = word * kFeatures, count = smaller(kFeatures, args.features - begin);
    float reference[kFeatures] = {};
    for (int row = clips.first_row[clip], end = clips.first_row[clip + 1], step = 0; row < end;
         ++row, ++step) {
      const float* frame = args.values[clip] +
                           static_cast<size_t>(step / args.encoding.steps_per_frame) * args.features + begin;
      uint32_t set = 0;
      for (int i = 0; i < kFeatures; ++i) {
        if (i >= count) break;
        const bool rises = frame[i] - reference[i] >= threshold, falls = reference[i] - frame[i] >= threshold;
        reference[i] += rises ? threshold : falls ? -threshold : 0.0f;
        set |= ((rises ? 1u : 0u) | (falls ? 2u : 0u)) << (2 * i);
      }
      bits[static_cast<size_t>(row) * words + word] = set;
    }
  }
};

struct Direct {
  static constexpr bool kSyncs = false;
  EncodeArgs args;
  Clips clips;
  float* values;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number >= static_cast<size_t>(clips.rows) * args.features) return;
    const int row = static_cast<int>(number / args.features), i = static_cast<int>(number % args.features);
    const int frame = clips.step_of[row] / args.encoding.steps_per_frame;
    values[number] = args.values[clips.clip_of[row]][static_cast<size_t>(frame) * args.features + i];
  }
};

}  // namespace

void encode(const Device& device, const EncodeArgs& args, const Clips& clips, uint32_t* bits, float* values) {
  const size_t rows = clips.rows;
  const int words = words_of(args.features);
  switch (args.encoding.kind) {
    case EncodingKind::kRate:
      return launch_each(device, rows * words, Rate{args, clips, words, bits});
    case EncodingKind::kLatency:
      return launch_each(device, rows * words, Latency{args, clips, words, bits});
    case EncodingKind::kDelta: {
      const int channels = words_of(2 * args.features);
      return launch_each(device, static_cast<size_t>(clips.count) * channels,
                         Delta{args, clips, channels, bits});
    }
    case EncodingKind::kDirect:
      return launch_each(device, rows * args.features, Direct{args, clips, values});
  }
}

}  // namespace sonospike::cuda
