#include "cuda/kernels/readout.h"

#include <algorithm>

#include "core/network/options.h"
#include "cuda/device/launch.h"

namespace sonospike::cuda {
namespace {

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
    for (int row0 = first; row0 < end; row0 += kAhead) {
      float value[kAhead];
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        value[j] = row0 + j < end ? values[static_cast<size_t>(row0 + j) * classes + i] : 0.0f;
      }
#pragma unroll
      for (int j = 0; j < kAhead; ++j) sum += share * value[j];
      if ((row0 + kAhead - first) % kSettledSteps == 0) {
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
    for (int row0 = end - 1; row0 >= first; row0 -= kAhead) {
      float from_score[kAhead], current[kAhead], before[kAhead];
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        const int row = row0 - j;
        const size_t at = static_cast<size_t>(row) * args.classes + i;
        from_score[j] = row >= first ? each[at] : 0.0f;
        current[j] = row >= first ? args.current[at] : 0.0f;
        before[j] = row > first ? args.o[at - args.classes] : 0.0f;
      }
#pragma unroll
      for (int j = 0; j < kAhead; ++j) {
        const int row = row0 - j;
        if (row < first) break;
        go = from_score[j] + decay * go;
        const float gi = go * (1.0f - decay);
        grad_decay += go * (before[j] - current[j]);
        bias += gi;
        args.current[static_cast<size_t>(row) * args.classes + i] = gi;
      }
    }
    gradients[number] = bias;
    gradients[all + number] = grad_decay;
  }
};

/// A row of blocks for every layer, and one for the loss; a block for every clip.
struct Report {
  static constexpr bool kSyncs = true;
  static constexpr int kThreads = 64;
  static constexpr int kMost = 32;  // layers
  ReportArgs args;
  int first_layer, layers;
  NeuronCounts layer[kMost];
  const double* last;  // counts of the last layer, that are the scores; null: those are there

  SONOSPIKE_DEVICE double target_of(int c, int label) const {
    if (label < 0) return 1.0 / args.classes;
    const float smoothing = args.loss.label_smoothing;
    return (c == label ? 1.0 - smoothing : 0.0) + smoothing / args.classes;
  }

  SONOSPIKE_DEVICE void operator()(const Block& block) const {
    double* const shared = block.shared<double>();
    const int row = static_cast<int>(block.y());
    if (row < layers) {
      count(block, shared, layer[row], first_layer + row);
    } else {
      answer(block, shared);
    }
  }

  SONOSPIKE_DEVICE void count(const Block& block, double* sums, const NeuronCounts& of, int number) const {
    double sum = 0.0;
    for (int i = block.thread(); i < of.neurons; i += kThreads) {
      sum += of.count[static_cast<size_t>(block.x()) * of.neurons + i];
    }
    sums[block.thread()] = sum;
    block.sync();
    if (block.thread() > 0) return;
    for (int i = 1; i < kThreads; ++i) sum += sums[i];
    args.figures[static_cast<size_t>(kFigures + number) * args.clips + block.x()] = sum;
  }

  /// Its threads share out the exponentials and logarithms; one adds them up, in the order of the classes.
  SONOSPIKE_DEVICE void answer(const Block& block, double* each) const {
    const int classes = args.classes, thread = block.thread();
    float* const score = args.scores + static_cast<size_t>(block.x()) * classes;
    if (last) {
      for (int c = thread; c < classes; c += kThreads)
        score[c] = static_cast<float>(last[static_cast<size_t>(block.x()) * classes + c]);
    }
    if (!args.labels) return;
    block.sync();
    const int label = args.labels[block.x()];
    int best = 0;
    float most = score[0];
    for (int c = 1; c < classes; ++c) {
      const float other = score[c];
      best = other > most ? c : best;
      most = other > most ? other : most;
    }
    const bool probabilities = args.readout == ReadoutKind::kLeakyIntegrator;
    const double top = most;
    for (int c = thread; c < classes; c += kThreads) {
      const double p = score[c] > kLeastProbability ? score[c] : kLeastProbability;
      each[c] = probabilities ? log(p) : exp(score[c] - top);
    }
    block.sync();
    double loss = 0.0, log_sum = 0.0;
    if (!probabilities) {
      double sum = 0.0;
      for (int c = 0; c < classes; ++c) sum += each[c];
      log_sum = top + log(sum);
    }
    for (int c = 0; c < classes; ++c) {
      const double target = target_of(c, label);
      if (!probabilities) {
        loss += target * (log_sum - score[c]);
      } else if (target > 0.0) {
        loss -= target * each[c];
      }
    }
    float* const grad = args.grad_score + static_cast<size_t>(block.x()) * classes;
    for (int c = thread; c < classes; c += kThreads) {
      const double target = target_of(c, label);
      const double p = score[c] > kLeastProbability ? score[c] : kLeastProbability;
      grad[c] =
          static_cast<float>((probabilities ? -target / p : exp(score[c] - log_sum) - target) * args.weight);
    }
    if (thread > 0) return;
    args.figures[static_cast<size_t>(kLossFigure) * args.clips + block.x()] = loss;
    args.figures[static_cast<size_t>(kCorrectFigure) * args.clips + block.x()] = best == label ? 1.0 : 0.0;
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

void report(const Device& device, const ReportArgs& args, const std::vector<NeuronCounts>& layers) {
  for (size_t first = 0; first < layers.size(); first += Report::kMost) {
    Report kernel{args, static_cast<int>(first), 0, {}, nullptr};
    while (kernel.layers < Report::kMost && first + kernel.layers < layers.size()) {
      kernel.layer[kernel.layers] = layers[first + kernel.layers];
      ++kernel.layers;
    }
    const bool ends = first + kernel.layers == layers.size();
    if (ends && args.readout == ReadoutKind::kSpikeCount) kernel.last = layers.back().count;
    const bool answers = ends && (kernel.last || args.labels);
    const size_t shared = std::max(args.classes, Report::kThreads) * sizeof(double);
    launch(device, {static_cast<unsigned>(args.clips), static_cast<unsigned>(kernel.layers + answers)},
           Report::kThreads, shared, kernel);
  }
}

}  // namespace sonospike::cuda
