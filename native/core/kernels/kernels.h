#pragma once

#include <cstddef>
#include <cstdint>

/// The inner loops. Each instruction set has its own copy of all of them, compiled from the same source
/// (all.inc); `kernels()` is the copy for this machine. Rows are padded to kLanePad floats and 64-byte
/// aligned.
///
/// Every element of a result is a sum in an order that does not depend on the number of rows, clips or
/// threads, so that a clip gives the same bits alone and in a batch.

namespace sonospike {

/// C[m, n] = start + sum over k of A(m, k) B[k, n], k ascending. A(m, k) = a[m a_row + k a_col].
struct GemmArgs {
  int m, n, k;  ///< n is a multiple of kLanePad
  const float* a;
  ptrdiff_t a_row, a_col;
  const float* b;
  ptrdiff_t ldb;
  float* c;
  ptrdiff_t ldc;
  const float* bias;  ///< [n], the start when C does not accumulate; null: zero
  bool accumulate;    ///< start from the values in C
};

/// C[m, n] = start + the sum of the rows index[begin[m]] ... index[end[m] - 1] of B, in that order: a product
/// with a matrix of zeros and ones that costs nothing for a zero. With ascending indices the same bits as
/// `gemm`.
struct GatherArgs {
  int m, n;  ///< n is a multiple of kLanePad
  const uint32_t *begin, *end, *index;
  const float* b;
  ptrdiff_t ldb;
  float* c;
  ptrdiff_t ldc;
  const float* bias;
  bool accumulate;
};

enum class SpikeKind : int { kSoft, kFastSigmoid, kAtan, kTriangle, kBoxcar, kSigmoid };
enum class ResetKind : int { kZero, kSubtract };

struct NeuronModel {
  SpikeKind spike;  ///< kSoft, or the surrogate derivative of a hard spike
  float slope;
  ResetKind reset;
  bool detach_reset;
};

/// Arrays are [steps, clips, stride]; parameters [stride]; states [clips, stride].
struct LifForwardArgs {
  NeuronModel model;
  int steps, clips, stride;
  const float *decay, *threshold;
  float* u;  ///< in: input current; out: membrane potential before the reset
  float* s;  ///< out: spikes
  float* v;  ///< in, out: membrane potential after the reset
};

/// Visits the steps from `last` down to `first`. v before step 0 is zero.
struct LifBackwardArgs {
  NeuronModel model;
  int first, last, clips, stride;
  const float *decay, *threshold;
  const float *u, *s;
  float* g;                                        ///< in: dL/ds of the layer above; out: dL/du
  float* gv;                                       ///< in, out: dL/dv after the step, [clips, stride]
  float *grad_bias, *grad_decay, *grad_threshold;  ///< accumulated
};

/// o = d o + (1 - d) i; p = softmax(o); score = mean of p over the steps. Arrays [steps, clips, stride].
struct LeakyReadoutArgs {
  int steps, clips, stride, classes;
  const float* decay;       ///< [stride]
  float* current;           ///< in: i; forward leaves it, backward turns it into dL/di
  float* o;                 ///< forward: out
  float* p;                 ///< forward: out
  float* score;             ///< forward: out, [clips, stride]
  const float* grad_score;  ///< backward: dL/dscore, [clips, stride]
  float *grad_bias, *grad_decay;
};

struct AdamArgs {
  size_t count;
  float *parameter, *m, *v;
  const float* gradient;
  float gradient_scale;  ///< clipping
  float rate, beta1, beta2, epsilon;
  float correction1, correction2;  ///< 1 - beta^step
  float decoupled_decay, l2_decay;
};

constexpr int kPeakSink = 256;

struct Kernels {
  const char* name;
  void (*gemm)(const GemmArgs&);
  void (*lif_forward)(const LifForwardArgs&);
  void (*lif_backward)(const LifBackwardArgs&);
  void (*leaky_readout_forward)(const LeakyReadoutArgs&);
  void (*leaky_readout_backward)(const LeakyReadoutArgs&);
  /// target += source
  void (*add)(float* target, const float* source, size_t count);
  void (*adam)(const AdamArgs&);
  /// Words of the Philox blocks with counters (first, stream, clip, epoch), (first + 1, …) …: 4 blocks words.
  void (*philox_fill)(uint32_t* words, int blocks, uint32_t first, uint32_t stream, uint32_t clip,
                      uint32_t epoch, uint64_t seed);
  /// Bit i % 16 of bits[i / 16]: s[i] is 1. Returns whether every value is 0 or 1. count is a multiple of
  /// kLanePad.
  bool (*spike_bits)(const float* s, size_t count, uint16_t* bits);
  void (*gather)(const GatherArgs&);
  /// The processor at its fastest: multiply-adds that wait for nothing, `rounds` in each of some chains.
  /// Gives their floating-point operations; `sink` takes kPeakSink floats.
  double (*multiply_add)(int64_t rounds, float* sink);
};

/// The fastest that this machine runs, or the one that the environment variable SONOSPIKE_ISA names.
const Kernels& kernels();
/// Those that this machine runs, slowest first, ending with null.
const Kernels* const* available_kernels();
/// Makes `kernels()` return the one of that name; false if this machine has none such. For tests.
bool select_kernels(const char* name);

}  // namespace sonospike
