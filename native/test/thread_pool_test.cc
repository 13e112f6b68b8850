#include "core/support/thread_pool.h"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>

#include "core/support/buffer.h"

namespace sonospike {
namespace {

/// The value of a denormal halved: 0 where denormals are flushed.
float half_of_smallest_normal() {
  volatile float x = std::numeric_limits<float>::min();
  return x * 0.5f;
}

TEST_CASE("thread pool: each task runs once, by a worker in range, in every round") {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (int tasks : {0, 1, 2, 7, 1000, 1, 3}) {
      std::vector<std::atomic<int>> runs(tasks);
      std::atomic<bool> in_range = true;
      pool.run(tasks, [&](int index, int worker) {
        ++runs[index];
        if (worker < 0 || worker >= threads) in_range = false;
      });
      for (auto& count : runs) CHECK(count == 1);
      CHECK(in_range);
    }
  }
}

TEST_CASE("thread pool: what the tasks wrote is there when run returns") {
  ThreadPool pool(4);
  std::vector<int> values(64);
  for (int round = 1; round <= 2000; ++round) {
    pool.run(64, [&](int index, int) { values[index] += index; });
  }
  for (int i = 0; i < 64; ++i) CHECK(values[i] == 2000 * i);
}

TEST_CASE("thread pool: a worker runs one task at a time, so that its workspace is its own") {
  ThreadPool pool(5);
  std::vector<int> workspaces(5);
  for (int round = 0; round < 50; ++round) {
    pool.run(200, [&](int, int worker) { ++workspaces[worker]; });
  }
  CHECK(std::accumulate(workspaces.begin(), workspaces.end(), 0) == 50 * 200);
}

TEST_CASE("thread pool: sleeping tasks run side by side") {
  ThreadPool pool(4);
  std::mutex mutex;
  std::set<std::thread::id> ids;
  pool.run(4, [&](int, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  CHECK(ids.size() >= 2);
}

TEST_CASE("thread pool: an exception comes out of run, and the pool goes on") {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> runs = 0;
      const auto task = [&](int index, int) {
        ++runs;
        if (index == 3) throw std::runtime_error("task 3");
      };
      CHECK_THROWS_WITH_AS(pool.run(100000, task), "task 3", std::runtime_error);
      CHECK(runs < 100000);  // the rest is given up
      runs = 0;
      pool.run(100, [&](int, int) { ++runs; });
      CHECK(runs == 100);
    }
    // Every task throws: one of the exceptions arrives.
    CHECK_THROWS_AS(pool.run(50, [](int, int) { throw std::bad_alloc(); }), std::bad_alloc);
  }
}

TEST_CASE("thread pool: denormals are flushed in tasks, and as before afterwards") {
#if defined(__SSE2__) || defined(__aarch64__)
  CHECK(half_of_smallest_normal() > 0.0f);
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    std::vector<float> seen(30, 1.0f);
    pool.run(30, [&](int index, int) { seen[index] = half_of_smallest_normal(); });
    CHECK(seen == std::vector<float>(30, 0.0f));
    CHECK(half_of_smallest_normal() > 0.0f);
  }
#endif
}

TEST_CASE("thread pool: comes and goes without work") {
  for (int i = 0; i < 50; ++i) ThreadPool pool(3);
  CHECK(hardware_threads() >= 1);
}

TEST_CASE("buffer: aligned, zero at the start, keeps what it has when copied and moved") {
  for (size_t size : {1, 15, 16, 1000}) {
    Buffer<float> a(size);
    CHECK(reinterpret_cast<uintptr_t>(a.data()) % 64 == 0);
    for (size_t i = 0; i < size; ++i) CHECK(a[i] == 0.0f);
    a[size - 1] = 3.0f;
    const Buffer<float> copy = a;
    a[size - 1] = 4.0f;
    CHECK(copy[size - 1] == 3.0f);
    const Buffer<float> moved = std::move(a);
    CHECK(moved[size - 1] == 4.0f);
    CHECK(moved.size() == size);
  }
  Buffer<float> grows(4);
  grows[3] = 1.0f;
  grows.reserve(2);
  grows.reserve(4);
  CHECK(grows[3] == 1.0f);
  grows.resize(3);
  CHECK(grows[2] == 0.0f);
  CHECK(Buffer<float>(0).size() == 0);
  CHECK_THROWS_AS(Buffer<double>(SIZE_MAX / 8), std::bad_alloc);
}

}  // namespace
}  // namespace sonospike
