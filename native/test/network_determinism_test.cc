// The same bits, whatever the number of threads, the company of a clip in its batch, and what was computed
// before.
#include <doctest/doctest.h>

#include <cstring>
#include <memory>

#include "test/instruction_sets.h"
#include "test/network_cases.h"

namespace sonospike {
namespace {

using test::NetworkCase;

/// All that a backend can be asked for after some steps of training.
struct Everything {
  std::vector<float> scores, gradient, parameters, m, v;
  std::vector<double> clip_spikes, sums;

  bool operator==(const Everything& other) const {
    // Bit for bit: -0 and 0 differ, NaN equals itself.
    const auto same = [](const auto& a, const auto& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])) == 0;
    };
    return same(scores, other.scores) && same(gradient, other.gradient) &&
           same(parameters, other.parameters) && same(m, other.m) && same(v, other.v) &&
           same(clip_spikes, other.clip_spikes) && same(sums, other.sums);
  }
};

void add_sums(const BatchStatistics& statistics, std::vector<double>& sums) {
  sums.push_back(statistics.loss);
  sums.push_back(statistics.correct);
  sums.insert(sums.end(), statistics.spikes.begin(), statistics.spikes.end());
}

Everything train(Backend& backend, const NetworkCase& c) {
  Everything all;
  const size_t size = backend.table().size(), clips = c.clips.size();
  all.scores.resize(clips * c.options.classes);
  all.clip_spikes.resize(clips * c.options.layers.size());
  for (auto* values : {&all.gradient, &all.parameters, &all.m, &all.v}) values->resize(size);
  backend.load_parameters(c.parameters.data());
  backend.load_moments(all.m.data(), all.v.data(), 0);
  OptimizerOptions optimizer;
  optimizer.clip_norm = 0.5f;
  for (int step = 0; step < 3; ++step) {
    add_sums(backend.gradient(c.batch(), c.loss), all.sums);
    backend.step(optimizer, 0.01f);
  }
  backend.forward(c.batch(), all.scores.data(), all.clip_spikes.data());
  int64_t steps = 0;
  backend.read_gradient(all.gradient.data());
  backend.read_parameters(all.parameters.data());
  backend.read_moments(all.m.data(), all.v.data(), &steps);
  CHECK(steps == 3);
  return all;
}

NetworkCase some_case(uint32_t seed, test::CaseLimits limits = {}) {
  limits.connections = seed % 3 == 0;
  return test::CaseMaker(seed).make(seed % 2 ? test::Spikes::kHard : test::Spikes::kSoft, limits);
}

TEST_CASE("determinism: 1, 2 and 5 threads give the same bits") {
  test::at_every_instruction_set([&](const Kernels&) {
    for (uint32_t seed = 0; seed < 8; ++seed) {
      CAPTURE(seed);
      NetworkCase c = some_case(seed);
      if (seed >= 6) test::CaseMaker(seed).add_clips(c, 200);
      const Everything one = train(*make_cpu_backend(c.options, 1), c);
      CHECK(train(*make_cpu_backend(c.options, 2), c) == one);
      CHECK(train(*make_cpu_backend(c.options, 5), c) == one);
    }
  });
}

TEST_CASE("determinism: threads that share the products of a wide layer give the same bits") {
  test::at_every_instruction_set([&](const Kernels&) {
    for (uint32_t seed = 40; seed < 46; ++seed) {
      CAPTURE(seed);
      NetworkCase c = some_case(seed, {2, 400, 300, 100, 2});
      LayerOptions& last = c.options.layers.back();
      const bool counted = c.options.readout.kind == ReadoutKind::kSpikeCount;
      if (!counted && !last.connection.convolves()) last.neurons = 300;
      c.parameters.assign(ParameterTable(c.options).size(), 0.0f);
      ParameterTable(c.options).initialise(seed, c.parameters.data());
      const Everything one = train(*make_cpu_backend(c.options, 1), c);
      CHECK(train(*make_cpu_backend(c.options, 2), c) == one);
      CHECK(train(*make_cpu_backend(c.options, 5), c) == one);
    }
  });
}

TEST_CASE("determinism: a batch that fails leaves the threads free for the next") {
  NetworkCase c = some_case(41, {2, 400, 300, 100, 2});
  test::CaseMaker(41).add_clips(c, 20);
  const auto backend = make_cpu_backend(c.options, 5);
  const Everything before = train(*backend, c);
  for (int clips : {1, 22}) {
    Batch failing = c.batch(0, clips);
    failing.input = [](int, int, int, float*, size_t, int) { throw std::bad_alloc(); };
    CHECK_THROWS_AS(backend->gradient(failing, c.loss), std::bad_alloc);
    CHECK(train(*backend, c) == before);
  }
}

TEST_CASE("determinism: a backend that has been used gives the bits of a new one") {
  test::at_every_instruction_set([&](const Kernels&) {
    for (uint32_t seed = 10; seed < 16; ++seed) {
      CAPTURE(seed);
      const NetworkCase c = some_case(seed);
      NetworkCase other = c;
      other.steps = c.steps + 5;
      other.clips.clear();
      other.labels.clear();
      test::CaseMaker(seed).add_clips(other, 45);
      const auto backend = make_cpu_backend(c.options, 2);
      const Everything first = train(*backend, c);
      train(*backend, other);
      CHECK(train(*backend, c) == first);
    }
  });
}

TEST_CASE("determinism: a clip's scores are the same alone, in a batch, and under observation") {
  test::at_every_instruction_set([&](const Kernels&) {
    for (uint32_t seed = 20; seed < 30; ++seed) {
      CAPTURE(seed);
      NetworkCase c = some_case(seed);
      if (seed >= 28) test::CaseMaker(seed).add_clips(c, 150);
      const auto backend = make_cpu_backend(c.options, 1);
      backend->load_parameters(c.parameters.data());
      const int classes = c.options.classes, clips = static_cast<int>(c.clips.size());
      std::vector<float> together(clips * classes), alone(clips * classes), observed(clips * classes);
      std::vector<double> spikes(clips * c.options.layers.size());
      backend->forward(c.batch(), together.data(), spikes.data());
      for (int i = 0; i < clips; ++i) {
        backend->forward(c.batch(i, 1), &alone[i * classes], spikes.data());
        backend->observe(c.batch(i, 1), &observed[i * classes]);
      }
      const size_t bytes = together.size() * sizeof(float);
      CHECK(std::memcmp(together.data(), alone.data(), bytes) == 0);
      CHECK(std::memcmp(together.data(), observed.data(), bytes) == 0);
    }
  });
}

TEST_CASE("determinism: a run taken over by another backend goes on to the same bits") {
  for (uint32_t seed = 30; seed < 36; ++seed) {
    CAPTURE(seed);
    const NetworkCase c = some_case(seed, {2, 20, 20, 20, 20});
    const size_t size = c.parameters.size();
    const auto first = make_cpu_backend(c.options, 1), second = make_cpu_backend(c.options, 2);
    first->load_parameters(c.parameters.data());
    std::vector<float> w(size), m(size), v(size), w_there(size);
    int64_t steps = 0;
    for (int step = 0; step < 4; ++step) {
      if (step == 2) {
        first->read_parameters(w.data());
        first->read_moments(m.data(), v.data(), &steps);
        second->load_parameters(w.data());
        second->load_moments(m.data(), v.data(), steps);
      }
      for (auto* backend : {first.get(), second.get()}) {
        if (step < 2 && backend == second.get()) continue;
        backend->gradient(c.batch(), c.loss);
        backend->step({}, 0.01f);
      }
    }
    first->read_parameters(w.data());
    second->read_parameters(w_there.data());
    CHECK(std::memcmp(w.data(), w_there.data(), size * sizeof(float)) == 0);
  }
}

}  // namespace
}  // namespace sonospike
