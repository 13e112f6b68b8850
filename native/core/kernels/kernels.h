#pragma once

#include <cstddef>
#include <cstdint>

/// The inner loops. Each instruction set has its own copy of all of them, compiled from the same source
/// (all.inc); `kernels()` is the copy for this machine. Rows are padded to kLanePad floats and 64-byte
/// aligned.
///
/// Forward, every element of a result is a sum in an order that does not depend on the number of rows, clips
/// or threads, so that a clip gives the same bits alone and in a batch.

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

/// kRelu: no spikes but s = max(0, u) of a neuron without state.
enum class SpikeKind : int { kSoft, kFastSigmoid, kAtan, kTriangle, kBoxcar, kSigmoid, kRelu };
enum class ResetKind : int { kZero, kSubtract };

struct NeuronModel {
  SpikeKind spike;  ///< kSoft, kRelu, or the surrogate derivative of a hard spike
  float slope;
  ResetKind reset;
  bool detach_reset;
  bool adaptive = false;  ///< with an adaptation w of its own; not kRelu

  bool operator==(const NeuronModel&) const = default;
};

/// Adaptive neurons: u = decay v + input - w before the step, and after it
///   w = rho w + (1 - rho) (coupling u + jump s)
/// with the u and s of the same step. [stride]
struct Adaptation {
  const float *rho, *coupling, *jump;
};

/// A few steps of one layer. Arrays are [steps, clips, stride]; parameters [stride]; states [clips, stride].
struct LifForwardArgs {
  int clips, stride;
  const float *decay, *threshold;
  float* u;        ///< in: input current; out: membrane potential before the reset
  float* s;        ///< out: what is sent on; null where spikes are hard
  uint16_t* bits;  ///< out: hard spikes, a bit each, [steps, clips, stride / 16]; null otherwise
  float* v;        ///< in, out: membrane potential after the reset
  float* count;    ///< in, out: sum of the spikes over the steps; kRelu: how often s was not 0
  Adaptation adaptation{};
  float* w = nullptr;  ///< adaptive: out: w after each step; the row before the first step is w before it
};

/// A few steps, from the last to the first.
struct LifBackwardArgs {
  NeuronModel model;
  int steps, clips, stride;
  bool starts;  ///< v before the first step is zero; otherwise it comes from the row before u (and s)
  const float *decay, *threshold;
  const float* u;
  const float* s;                                  ///< soft spikes; null where spikes are hard
  float* g;                                        ///< in: dL/ds of the layer above; out: dL/du
  float* gv;                                       ///< in, out: dL/dv after the step, [clips, stride]
  float *grad_bias, *grad_decay, *grad_threshold;  ///< accumulated
  Adaptation adaptation{};
  const float* w = nullptr;  ///< adaptive: as forward left it
  float* gw = nullptr;       ///< in, out: dL/dw after the step, [clips, stride]
  float *grad_rho = nullptr, *grad_coupling = nullptr, *grad_jump = nullptr;  ///< accumulated
};

/// Finds the neurons whose surrogate derivative is not zero, where it is zero beyond some distance from the
/// threshold: triangle and boxcar.
struct NearThresholdArgs {
  SpikeKind spike;
  float slope;
  size_t rows;
  int stride;
  const float *u, *threshold;  ///< [rows, stride], [stride]
  uint16_t* bits;              ///< out: [rows, stride / 16]
};

/// C(m, i) += the scalar product of row m of A and row i of B, for the i that the list of row m names: as
/// `GatherArgs`.
struct SampledProductArgs {
  int m, k;  ///< k is a multiple of kLanePad
  const uint32_t *begin, *end, *index;
  const float* a;
  ptrdiff_t lda;
  const float* b;
  ptrdiff_t ldb;
  float* c;
  ptrdiff_t ldc;
};

/// Products with spikes by table: for every four inputs the 16 sums of their rows that there can be.
struct NibbleArgs {
  int rows, words, groups, n;  ///< `groups` of four inputs; n is a multiple of kLanePad
  const uint16_t* bits;        ///< [rows, words]
};

/// Spikes where a word of random bits, taken as a number in [0, 1) of 24 bits, is below a probability.
struct RateSpikesArgs {
  int steps, words;
  const uint32_t* random;  ///< [steps, random_stride], readable up to 16 words
  ptrdiff_t random_stride;
  const float* probability;  ///< [16 words]; negative where there is no input
  uint16_t* bits;            ///< out: [steps, bit_stride]
  ptrdiff_t bit_stride;
};

/// o = d o + (1 - d) i; p = softmax(o); score += share p, or share o where p is null. A few steps, forward
/// from the first, backward from the last. Arrays [steps, clips, stride]; states [clips, stride].
struct LeakyReadoutArgs {
  int steps, clips, stride, classes;
  float share;              ///< 1 / steps of the whole clip
  const float* decay;       ///< [stride]
  float* current;           ///< in: i; forward leaves it, backward turns it into dL/di
  float* o;                 ///< the row before the first step is o before it; forward: out
  float* p;                 ///< forward: out; null: the score is of o
  float* score;             ///< forward: in, out
  const float* grad_score;  ///< backward: dL/dscore, [clips, stride]
  float* grad_o;            ///< backward: in, out: dL/do of the step after
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

/// Floats that `multiply_add` writes.
constexpr int kPeakSink = 256;

/// out[i, lane] = rows[lane][i], times weights[i] where there are weights. The front end and the resampler
/// work on arrays [values, lanes], with a frame or a stretch of a clip on each lane: every step is then the
/// scalar algorithm on vectors. `lanes` is what `lanes_for` gives, the arrays are 64-byte aligned.
struct ToLanesArgs {
  int lanes;
  const float* const* rows;
  int count;
  const float* weights;
  float* out;
};

/// out[lane, i] = in[i, lane] for the first `rows` lanes; both with their strides.
struct FromLanesArgs {
  int lanes, rows, count;
  const float* in;
  ptrdiff_t in_stride;
  float* out;
  ptrdiff_t out_stride;
};

/// A stage splits each transform of radix * m complex values, of which there are `stride` interleaved, into
/// `radix` of m.
struct FftStage {
  int radix, m, stride;
  const float* twiddles;  ///< [m, radix - 1] complex: exp(-2 pi i p j / (radix m)) for p and j = 1 ...
  const float* roots;     ///< [radix] complex: exp(-2 pi i k / radix)
};

/// Fourier transform of real values: even lengths go through a complex one of half the length.
struct FftPlan {
  int length, points;
  int stage_count;
  const FftStage* stages;
  const float* separation;  ///< even lengths: [points / 2 + 1] complex: -i / 2 exp(-2 pi i k / length)
};

/// Works in values and spare, both [2 points, lanes].
struct PowerSpectrumArgs {
  int lanes;
  const FftPlan* plan;
  float* values;  ///< in: [length, lanes]
  float* spare;
};

struct MelFilter {
  int first_bin, bins, first_weight;
};

struct MelArgs {
  int lanes, bands;
  const MelFilter* filters;
  const float* weights;
  const float* power;  ///< [bins, lanes]
  float* out;          ///< [bands, out_stride]
  ptrdiff_t out_stride;
  float least_power;  ///< a normal number above zero: bands are raised to it
};

/// Every period of `from` input values becomes `to` output values: y[j to + i] = sum over t of
/// weights[i from % to, t] x[j from + i from / to + t], on every lane.
struct ResampleArgs {
  int periods, from, to, taps;
  const float* weights;  ///< [to, weight_stride]
  ptrdiff_t weight_stride;
  const float* x;  ///< [values, lanes], lanes_for(many)
  float* y;        ///< [periods * to, lanes]
};

inline constexpr int kDotProductPad = 8;

/// out[i] = sum over t of rows[i][t] weights[i][t]; `taps` is a multiple of kDotProductPad.
struct DotProductArgs {
  int count;
  const float* const* rows;
  const float* const* weights;
  ptrdiff_t taps;
  float* out;
};

struct Kernels {
  const char* name;
  void (*gemm)(const GemmArgs&);
  /// Layers that do not wait for each other, of the same spikes and reset: the steps of one fill the time in
  /// which those of another wait for their own result.
  void (*lif_forward)(const NeuronModel& model, int steps, const LifForwardArgs* layers, int count);
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
  /// The reverse of `spike_bits`: writes s[16 words].
  void (*expand_spikes)(const uint16_t* bits, size_t words, float* s);
  size_t (*count_spikes)(const uint16_t* bits, size_t words);
  /// Lists the columns of the set bits in each of `rows` rows of `words`: row r has index[start[r]] up to
  /// index[start[r + 1] - 1]. `index` needs kLanePad elements more than there are spikes.
  void (*list_spikes)(const uint16_t* bits, int rows, int words, uint32_t* start, uint32_t* index);
  void (*gather)(const GatherArgs&);
  void (*near_threshold)(const NearThresholdArgs&);
  void (*sddmm)(const SampledProductArgs&);
  /// out[rows, n] = bias + the row's sums in table[groups, 16, n].
  void (*lookup_product)(const NibbleArgs&, const float* table, const float* bias, float* out);
  /// Adds every row of d[rows, n] to the sums that the row has in the table.
  void (*nibble_gradient)(const NibbleArgs&, const float* d, float* table);
  void (*rate_spikes)(const RateSpikesArgs&);
  /// The processor at its fastest: multiply-adds that wait for nothing, `rounds` in each of some chains.
  /// Gives their floating-point operations; `sink` takes kPeakSink floats.
  double (*multiply_add)(int64_t rounds, float* sink);

  /// Into how many lanes so many rows go: no more than kLanePad, and fewer for the last few of many.
  int (*lanes_for)(size_t rows);
  void (*to_lanes)(const ToLanesArgs&);
  void (*from_lanes)(const FromLanesArgs&);
  /// |X[k]|^2 for k = 0 ... length / 2, [bins, lanes]: in q.values or in q.spare.
  const float* (*power_spectrum)(const PowerSpectrumArgs& q);
  /// 10 log10(max(band, least_power)) of the mel bands of a power spectrum. Returns the greatest.
  float (*mel_decibels)(const MelArgs&);
  /// value = max(value, floor); count is a multiple of kLanePad.
  void (*raise_to)(float floor, float* values, size_t count);
  void (*resample)(const ResampleArgs&);
  void (*dot_products)(const DotProductArgs&);
};

/// The fastest that this machine runs, or the one that the environment variable SONOSPIKE_ISA names.
const Kernels& kernels();
/// Those that this machine runs, slowest first, ending with null.
const Kernels* const* available_kernels();
/// Makes `kernels()` return the one of that name; false if this machine has none such. For tests.
bool select_kernels(const char* name);

}  // namespace sonospike
