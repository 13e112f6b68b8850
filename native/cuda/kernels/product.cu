#include "cuda/kernels/product.h"

#include <algorithm>

#include "cuda/kernels/tensor_product.h"
#include "cuda/kernels/tiled_product.h"

namespace sonospike::cuda {
namespace {

/// By tiles as wide as the result is, which the number of its rows does not change.
template <typename Problem>
void multiply(const Device& device, const Problem& problem, int parts) {
  const auto start = [&](auto kernel) {
    using Kernel = decltype(kernel);
    launch(device,
           {blocks_of(problem.m, Kernel::kTileM), blocks_of(problem.n, Kernel::kTileN),
            static_cast<unsigned>(parts)},
           Kernel::kThreads, Kernel::kShared, kernel);
  };
  if (device.has_tensor_cores()) {
    if (problem.n <= 32) return start(TensorProduct<Problem, 1>{problem});
    if (problem.n <= 64) return start(TensorProduct<Problem, 2>{problem});
    return start(TensorProduct<Problem, 4>{problem});
  }
  if constexpr (!Problem::kWords) {
    if (problem.n <= 32) return start(TiledProduct<Problem, 4, 4, 16, 8>{problem});
    if (problem.n <= 64) return start(TiledProduct<Problem, 4, 4, 16, 16>{problem});
    start(TiledProduct<Problem, 8, 8, 16, 16>{problem});
  }
}

/// Whether tensor cores find 32 inputs side by side in a word.
bool in_words(const Device& device, const ConnectionShape& shape) {
  return device.has_tensor_cores() && shape.in_channels % 32 == 0;
}

template <bool Bits, bool Words = false>
void drive_from(const Device& device, const ConnectionShape& shape, const Clips& clips, const Sent& input,
                const float* weight, const float* bias, float* out) {
  multiply(device,
           Drive<Bits, Words>{clips.rows * shape.bands, shape.channels, shape.taps * shape.depth(),
                              Unfolded<Bits>(shape, clips, input), weight, bias, out},
           1);
}

template <bool Bits, bool Words = false>
void weight_gradient_from(const Device& device, const ConnectionShape& shape, const Clips& clips,
                          const Sent& input, const float* g, int parts, float* out) {
  const int lines = clips.rows * shape.bands;
  multiply(
      device,
      WeightGradient<Bits, Words>{shape.taps * shape.depth(), shape.channels, lines,
                                  (lines + parts - 1) / parts, Unfolded<Bits>(shape, clips, input), g, out},
      parts);
}

}  // namespace

void forward_product(const Device& device, const ConnectionShape& shape, const Clips& clips,
                     const Sent& input, const float* weight, const float* bias, float* out) {
  if (input.bits && in_words(device, shape))
    return drive_from<true, true>(device, shape, clips, input, weight, bias, out);
  if (input.bits) return drive_from<true>(device, shape, clips, input, weight, bias, out);
  drive_from<false>(device, shape, clips, input, weight, bias, out);
}

void input_gradient_product(const Device& device, const ConnectionShape& shape, const Clips& clips,
                            const float* g, const float* weight, float* gx) {
  for (int phase = 0; phase < shape.stride; ++phase) {
    const PassDown problem(shape, phase, clips, g, weight, gx);
    if (problem.m > 0) multiply(device, problem, 1);
  }
}

int gradient_parts(const ConnectionShape& shape, int rows) {
  constexpr size_t kMostFloats = size_t{1} << 25;  // of all parts
  constexpr int kFewestLines = 128;
  // Tiles as tensor cores make them, of which a large GPU works on so many at a time.
  const int across = shape.channels <= 32 ? 1 : shape.channels <= 64 ? 2 : 4;
  const int at_once = across == 1 ? 384 : 512 / across;
  const int tiles =
      static_cast<int>(blocks_of(shape.taps * shape.depth(), 128) * blocks_of(shape.channels, 32 * across));
  const size_t lines = static_cast<size_t>(rows) * shape.bands;
  const size_t useful = std::min<size_t>(std::max(1, at_once / tiles), blocks_of(lines, kFewestLines));
  const size_t affordable = std::max<size_t>(1, kMostFloats / shape.weights());
  return static_cast<int>(std::max<size_t>(1, std::min(useful, affordable)));
}

void weight_gradient(const Device& device, const ConnectionShape& shape, const Clips& clips,
                     const Sent& input, const float* g, int parts, float* out) {
  if (input.bits && in_words(device, shape))
    return weight_gradient_from<true, true>(device, shape, clips, input, g, parts, out);
  if (input.bits) return weight_gradient_from<true>(device, shape, clips, input, g, parts, out);
  weight_gradient_from<false>(device, shape, clips, input, g, parts, out);
}

}  // namespace sonospike::cuda
