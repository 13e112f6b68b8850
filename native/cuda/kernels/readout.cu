#include "cuda/kernels/readout.h"

#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

constexpr int kSettledSteps = 8192;
constexpr int kAhead = 8;
constexpr double kLeastProbability = 1e-30;  // as in core/network/loss.cc

/// A thread for every class of every clip.
struct Integrate {
  static constexpr bool kSyncs = false;
  IntegratorArgs args;
  Clips clips;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number >= static_cast<size_t>(clips.count) * args.classes) return;
    const int clip = static_cast<int>(number / args.classes), i = static_cast<int>(number % args.classes);
    const int first = clips.first_row[clip], end = clips.first_row[clip + 1];
    const float decay = args.decay[i];
    float o = 0.0f;
    for (int row0 = first; row0 < end; row0 += kAhead) {
      float current[kAhead];
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        current[j] = row0 + j < end ? args.current[static_cast<size_t>(row0 + j) * args.classes + i] : 0.0f;
      }
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        if (row0 + j >= end) break;
        o = decay * o + (1.0f - decay) * current[j];
        args.o[static_cast<size_t>(row0 + j) * args.classes + i] = o;
      }
    }
  }
};

struct Softmax {
  static constexpr bool kSyncs = false;
  IntegratorArgs args;
  int rows;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t row = number_of(block);
    if (row >= static_cast<size_t>(rows)) return;
    const float* o = args.o + row * args.classes;
    float* p = args.p + row * args.classes;
    float top = o[0], sum = 0.0f;
    for (int i = 1; i < args.classes; ++i) top = o[i] > top ? o[i] : top;
    for (int i = 0; i < args.classes; ++i) sum += p[i] = expf(o[i] - top);
    for (int i = 0; i < args.classes; ++i) p[i] /= sum;
  }
};

struct MeanScore {
  static constexpr bool kSyncs = false;
  int classes;
  Clips clips;
  const float* values;
  float* scores;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number >= static_cast<size_t>(clips.count) * classes) return;
    const int clip = static_cast<int>(number / classes), i = static_cast<int>(number % classes);
    const int first = clips.first_row[clip], end = clips.first_row[clip + 1];
    const float share = 1.0f / static_cast<float>(end - first);
    double total = 0.0;
    float sum = 0.0f;
    for (int row = first; row < end; ++row) {
      sum += share * values[static_cast<size_t>(row) * classes + i];
      if ((row - first) % kSettledSteps == kSettledSteps - 1) {
        total += sum;
        sum = 0.0f;
      }
    }
    scores[number] = static_cast<float>(total + sum);
  }
};

/// dL/do of every step by itself.
struct ScoreBackward {
  static constexpr bool kSyncs = false;
  IntegratorArgs args;
  Clips clips;
  const float* grad_score;
  float* out;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t row = number_of(block);
    if (row >= static_cast<size_t>(clips.rows)) return;
    const int clip = clips.clip_of[row];
    const float share = 1.0f / static_cast<float>(clips.first_row[clip + 1] - clips.first_row[clip]);
    const float* grad = grad_score + static_cast<size_t>(clip) * args.classes;
    float* to = out + row * args.classes;
    if (!args.softmax) {
      for (int i = 0; i < args.classes; ++i) to[i] = share * grad[i];
      return;
    }
    const float* p = args.p + row * args.classes;
    float dot = 0.0f;
    for (int i = 0; i < args.classes; ++i) dot += grad[i] * p[i];
    for (int i = 0; i < args.classes; ++i) to[i] = share * p[i] * (grad[i] - dot);
  }
};

struct IntegrateBackward {
  static constexpr bool kSyncs = false;
  IntegratorArgs args;
  Clips clips;
  const float* each;
  float* gradients;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block), all = static_cast<size_t>(clips.count) * args.classes;
    if (number >= all) return;
    const int clip = static_cast<int>(number / args.classes), i = static_cast<int>(number % args.classes);
    const int first = clips.first_row[clip], end = clips.first_row[clip + 1];
    const float decay = args.decay[i];
    float go = 0.0f, bias = 0.0f, grad_decay = 0.0f;
    for (int row = end - 1; row >= first; --row) {
      const size_t at = static_cast<size_t>(row) * args.classes + i;
      go = each[at] + decay * go;
      const float gi = go * (1.0f - decay), before = row > first ? args.o[at - args.classes] : 0.0f;
      grad_decay += go * (before - args.current[at]);
      bias += gi;
      args.current[at] = gi;
    }
    gradients[number] = bias;
    gradients[all + number] = grad_decay;
  }
};

struct CountScores {
  static constexpr bool kSyncs = false;
  const double* count;
  size_t size;
  float* scores;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t number = number_of(block);
    if (number < size) scores[number] = static_cast<float>(count[number]);
  }
};

/// A thread for every clip.
struct Losses {
  static constexpr bool kSyncs = false;
  ReadoutKind readout;
  LossOptions options;
  const float* scores;
  int classes;
  const int* labels;
  int clips;
  float weight;
  float* grad_score;
  double* figures;

  SONOSPIKE_DEVICE double target_of(int c, int label) const {
    if (label < 0) return 1.0 / classes;
    return (c == label ? 1.0 - options.label_smoothing : 0.0) + options.label_smoothing / classes;
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    const size_t clip = number_of(block);
    if (clip >= static_cast<size_t>(clips)) return;
    const float* score = scores + clip * classes;
    float* grad = grad_score + clip * classes;
    const int label = labels[clip];
    int best = 0;
    for (int c = 1; c < classes; ++c) best = score[c] > score[best] ? c : best;
    double loss = 0.0;
    if (readout == ReadoutKind::kLeakyIntegrator) {
      for (int c = 0; c < classes; ++c) {
        const double target = target_of(c, label);
        const double p = score[c] > kLeastProbability ? score[c] : kLeastProbability;
        if (target > 0.0) loss -= target * log(p);
        grad[c] = static_cast<float>(-target / p * weight);
      }
    } else {
      const double top = score[best];
      double sum = 0.0;
      for (int c = 0; c < classes; ++c) sum += exp(score[c] - top);
      const double log_sum = top + log(sum);
      for (int c = 0; c < classes; ++c) {
        const double target = target_of(c, label);
        loss += target * (log_sum - score[c]);
        grad[c] = static_cast<float>((exp(score[c] - log_sum) - target) * weight);
      }
    }
    figures[static_cast<size_t>(kLossFigure) * clips + clip] = loss;
    figures[static_cast<size_t>(kCorrectFigure) * clips + clip] = best == label ? 1.0 : 0.0;
  }
};

/// A block for every clip.
struct CountSpikes {
  static constexpr bool kSyncs = true;
  static constexpr int kThreads = 64;
  const double* count;
  int neurons;
  double* out;

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    double* const sums = block.shared<double>();
    double sum = 0.0;
    for (int i = block.thread(); i < neurons; i += block.threads()) {
      sum += count[static_cast<size_t>(block.x()) * neurons + i];
    }
    sums[block.thread()] = sum;
    block.sync();
    if (block.thread() > 0) return;
    for (int i = 1; i < block.threads(); ++i) sum += sums[i];
    out[block.x()] = sum;
  }
};

}  // namespace

void integrate(const Device& device, const IntegratorArgs& args, const Clips& clips, float* scores) {
  const size_t all = static_cast<size_t>(clips.count) * args.classes;
  launch_each(device, all, Integrate{args, clips});
  if (args.softmax) launch_each(device, clips.rows, Softmax{args, clips.rows});
  launch_each(device, all, MeanScore{args.classes, clips, args.softmax ? args.p : args.o, scores});
}

void integrate_backward(const Device& device, const IntegratorArgs& args, const Clips& clips,
                        const float* grad_score, float* work, float* gradients) {
  launch_each(device, clips.rows, ScoreBackward{args, clips, grad_score, work});
  launch_each(device, static_cast<size_t>(clips.count) * args.classes,
              IntegrateBackward{args, clips, work, gradients});
}

void count_scores(const Device& device, const double* count, int clips, int classes, float* scores) {
  const size_t size = static_cast<size_t>(clips) * classes;
  launch_each(device, size, CountScores{count, size, scores});
}

void losses(const Device& device, ReadoutKind readout, const LossOptions& options, const float* scores,
            int classes, const int* labels, int clips, float weight, float* grad_score, double* figures) {
  launch_each(device, clips,
              Losses{readout, options, scores, classes, labels, clips, weight, grad_score, figures});
}

void count_spikes(const Device& device, const double* count, int clips, int neurons, double* out) {
  launch(device, {static_cast<unsigned>(clips)}, CountSpikes::kThreads,
         CountSpikes::kThreads * sizeof(double), CountSpikes{count, neurons, out});
}

}  // namespace sonospike::cuda
