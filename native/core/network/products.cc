#include "core/network/products.h"

#include <algorithm>

namespace sonospike {
namespace {

constexpr double kLeastWork = 1e6;  // multiplications; waking a thread costs some microseconds
constexpr int kTogether = 96;  // rows or columns: a whole number of tiles and panels at every instruction set

/// Calls run(first, count) for all rows, or columns, in parts.
template <typename Run>
void share_out(int rows, double work, ThreadPool* pool, Run run) {
  const int blocks = (rows + kTogether - 1) / kTogether;
  const int parts = pool && work >= kLeastWork ? std::min(pool->size(), blocks) : 1;
  if (parts == 1) return run(0, rows);
  pool->run(parts, [&](int part, int) {
    const int first = blocks * part / parts * kTogether;
    const int end = std::min(rows, blocks * (part + 1) / parts * kTogether);
    run(first, end - first);
  });
}

}  // namespace

/// By rows, or by columns where these are more: every thread packs the rows and columns that it needs.
void multiply(const GemmArgs& q, ThreadPool* pool) {
  const double work = double(q.m) * q.n * q.k;
  if (q.n > q.m) {
    return share_out(q.n, work, pool, [&](int first, int count) {
      GemmArgs part = q;
      part.n = count;
      part.b += first;
      part.c += first;
      if (q.bias) part.bias += first;
      kernels().gemm(part);
    });
  }
  share_out(q.m, work, pool, [&](int first, int count) {
    GemmArgs part = q;
    part.m = count;
    part.a += first * q.a_row;
    part.c += first * q.ldc;
    kernels().gemm(part);
  });
}

void multiply(const GatherArgs& q, ThreadPool* pool) {
  share_out(q.m, double(q.end[q.m - 1] - q.begin[0]) * q.n, pool, [&](int first, int count) {
    GatherArgs part = q;
    part.m = count;
    part.begin += first;
    part.end += first;
    part.c += first * q.ldc;
    kernels().gather(part);
  });
}

void multiply(const SampledProductArgs& q, ThreadPool* pool) {
  share_out(q.m, double(q.end[q.m - 1] - q.begin[0]) * q.k, pool, [&](int first, int count) {
    SampledProductArgs part = q;
    part.m = count;
    part.begin += first;
    part.end += first;
    part.a += first * q.lda;
    part.c += first * q.ldc;
    kernels().sddmm(part);
  });
}

}  // namespace sonospike
