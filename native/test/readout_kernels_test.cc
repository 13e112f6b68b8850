// The leaky integrator's kernels against plain loops in double precision, at every instruction set; the loss.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/network/loss.h"
#include "test/buffers.h"
#include "test/instruction_sets.h"

namespace sonospike {
namespace {

using test::doubles;
using test::error;
using test::random_values;
using Doubles = std::vector<double>;

/// Some steps of the readout of a few clips. Rows are padded; the padding of the gradient of the score is
/// zero, as the loss leaves it.
struct Readings {
  Readings(int step_count, int clip_count, int class_count, std::mt19937& random)
      : steps(step_count),
        clips(clip_count),
        classes(class_count),
        stride(pad_lanes(class_count)),
        row(static_cast<size_t>(clips) * stride),
        decay(random_values(stride, 0.1f, 0.99f, random)),
        current(random_values(row * steps, -3.0f, 3.0f, random)),
        grad_score(random_values(row, -1.0f, 1.0f, random)) {
    for (size_t i = 0; i < row; ++i) {
      if (static_cast<int>(i % stride) >= classes) grad_score[i] = 0.0f;
    }
  }

  LeakyReadoutArgs arguments() {
    LeakyReadoutArgs q{};
    q.steps = steps;
    q.clips = clips;
    q.stride = stride;
    q.classes = classes;
    q.share = 1.0f / static_cast<float>(steps);
    q.decay = decay.data();
    q.current = current.data();
    return q;
  }

  int steps, clips, classes, stride;
  size_t row;
  Buffer<float> decay, current, grad_score;
};

/// Steps from `first` on.
LeakyReadoutArgs part(LeakyReadoutArgs q, int first, int steps, size_t row) {
  q.steps = steps;
  q.current += first * row;
  q.o += first * row;
  if (q.p) q.p += first * row;
  return q;
}

struct Expected {
  Doubles o, p, score, gi, grad_bias, grad_decay;
};

/// `softmax`: whether the score is the mean of it, or of o.
void expect_forward(const Readings& r, bool softmax, Expected& e) {
  e.o.resize(r.row * r.steps);
  e.p.resize(e.o.size());
  e.score.resize(r.row);
  for (int t = 0; t < r.steps; ++t) {
    for (size_t start = 0; start < r.row; start += r.stride) {
      double sum = 0.0;
      for (int c = 0; c < r.stride; ++c) {
        const size_t i = t * r.row + start + c;
        e.o[i] = (t > 0 ? r.decay[c] * e.o[i - r.row] : 0.0) + (1.0 - r.decay[c]) * r.current[i];
        if (c < r.classes) sum += std::exp(e.o[i]);
      }
      for (int c = 0; c < r.classes; ++c) {
        const size_t i = t * r.row + start + c;
        e.p[i] = std::exp(e.o[i]) / sum;
        e.score[start + c] += (softmax ? e.p[i] : e.o[i]) / r.steps;
      }
    }
  }
}

void expect_backward(const Readings& r, bool softmax, Expected& e) {
  e.gi.resize(r.row * r.steps);
  Doubles go(r.row);
  for (int t = r.steps; t-- > 0;) {
    for (size_t start = 0; start < r.row; start += r.stride) {
      const size_t now = t * r.row + start;
      double mean = 0.0;
      for (int c = 0; c < r.classes; ++c) mean += e.p[now + c] * r.grad_score[start + c];
      for (int c = 0; c < r.classes; ++c) {
        const double grad = r.grad_score[start + c], slope = softmax ? e.p[now + c] * (grad - mean) : grad;
        const double decay = r.decay[c], before = t > 0 ? e.o[now - r.row + c] : 0.0;
        go[start + c] = slope / r.steps + decay * go[start + c];
        e.gi[now + c] = (1.0 - decay) * go[start + c];
        e.grad_bias[c] += e.gi[now + c];
        e.grad_decay[c] += go[start + c] * (before - r.current[now + c]);
      }
    }
  }
}

void check_readout(const Kernels& kernels, Readings r, bool softmax, std::mt19937& random) {
  const int steps = r.steps;
  Buffer<float> o(r.row * (steps + 1)), p(r.row * steps), score(r.row), after(r.row);
  Buffer<float> bias = random_values(r.stride, -0.1f, 0.1f, random), decay = bias;
  Expected e;
  e.grad_bias = doubles(bias);
  e.grad_decay = doubles(decay);
  expect_forward(r, softmax, e);
  expect_backward(r, softmax, e);

  LeakyReadoutArgs q = r.arguments();
  q.o = o.data() + r.row;
  q.p = softmax ? p.data() : nullptr;
  q.score = score.data();
  // In two parts where there is more than one step.
  const int half = steps / 2;
  if (half > 0) kernels.leaky_readout_forward(part(q, 0, half, r.row));
  kernels.leaky_readout_forward(part(q, half, steps - half, r.row));
  e.o.insert(e.o.begin(), r.row, 0.0);
  CHECK(error(o, e.o) <= 1e-6);
  if (softmax) CHECK(error(p, e.p) <= 1e-6);
  for (size_t i = 0; i < r.row; ++i) {
    if (static_cast<int>(i % r.stride) >= r.classes) score[i] = 0.0f;  // of use to nobody
  }
  CHECK(error(score, e.score) <= 1e-6);

  q.grad_score = r.grad_score.data();
  q.grad_bias = bias.data();
  q.grad_decay = decay.data();
  q.grad_o = after.data();
  kernels.leaky_readout_backward(part(q, half, steps - half, r.row));
  if (half > 0) kernels.leaky_readout_backward(part(q, 0, half, r.row));
  CHECK(error(r.current, e.gi) <= (r.classes > 1 ? 1e-5 : 1e-3));
  CHECK(error(bias, e.grad_bias) <= 1e-5);
  CHECK(error(decay, e.grad_decay) <= 1e-5);
}

TEST_CASE("kernels: leaky readout forward and backward, the mean of the softmax and that of the potentials") {
  test::at_every_instruction_set([](const Kernels& kernels) {
    std::mt19937 random(1);
    for (int classes : {1, 2, 10, 16, 17, 35}) {
      for (int steps : {1, 2, 25}) {
        for (bool softmax : {true, false}) {
          CAPTURE(classes);
          CAPTURE(steps);
          CAPTURE(softmax);
          check_readout(kernels, Readings(steps, 3, classes, random), softmax, random);
        }
      }
    }
  });
}

TEST_CASE("loss: stays finite where a probability has underflown") {
  const float score[3] = {0.0f, 1.0f, 0.0f};
  float grad[3];
  const double loss = clip_loss(ReadoutKind::kLeakyIntegrator, {}, score, 3, 0, 1.0f, grad);
  CHECK(std::isfinite(loss));
  for (float g : grad) CHECK(std::isfinite(g));
  const float counts[3] = {0.0f, 3e4f, -3e4f};
  CHECK(clip_loss(ReadoutKind::kSpikeCount, {0.1f}, counts, 3, 2, 1.0f, grad) == doctest::Approx(57000));
  for (float g : grad) CHECK(std::isfinite(g));
  CHECK(clip_loss(ReadoutKind::kMeanPotential, {}, counts, 3, 1, 1.0f, grad) == doctest::Approx(0.0));
  for (float g : grad) CHECK(std::isfinite(g));
}

TEST_CASE("loss: the best class is the first of equals, probabilities add up to one") {
  const float score[4] = {1.0f, 5.0f, 5.0f, 2.0f};
  CHECK(best_class(score, 4) == 1);
  float p[4];
  class_probabilities(ReadoutKind::kSpikeCount, score, 4, p);
  CHECK(p[0] + p[1] + p[2] + p[3] == doctest::Approx(1));
  CHECK(p[1] / p[3] == doctest::Approx(std::exp(3.0)));
  class_probabilities(ReadoutKind::kLeakyIntegrator, score, 4, p);
  CHECK(p[3] == 2.0f);
  class_probabilities(ReadoutKind::kMeanPotential, score, 4, p);
  CHECK(p[1] / p[3] == doctest::Approx(std::exp(3.0)));
}

}  // namespace
}  // namespace sonospike
