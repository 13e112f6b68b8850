#pragma once

#include <string>
#include <vector>

#include "core/kernels/kernels.h"

namespace sonospike {

/// Values that lie band-major, channel-minor: value = band * channels + channel. Dense layers have none.
struct Bands {
  int count = 0, channels = 0;
};

/// Sums over time steps in float32 are added to a sum in float64 after this many steps, on every device, so
/// that sums over very many steps lose nothing.
inline constexpr int kSettledSteps = 8192;

/// Whether a neuron sends on a value; otherwise a spike, 0 or 1.
constexpr bool sends_values(SpikeKind spike) {
  return spike == SpikeKind::kSoft || spike == SpikeKind::kRelu;
}

enum class ConnectionKind { kDense, kConvolution };

/// How a layer reads what is below: every neuron all of it, or a convolution over the bands with zeros beyond
/// the first and last ("same" padding as in TensorFlow). `taps` time steps are looked at: the present one and
/// those `dilation`, 2 dilation ... steps before it.
struct ConnectionOptions {
  ConnectionKind kind = ConnectionKind::kDense;
  int channels = 0, kernel = 1, stride = 1;  ///< of a convolution; channels is a multiple of kLanePad
  int taps = 1, dilation = 1;

  bool convolves() const { return kind == ConnectionKind::kConvolution; }
  /// Steps that it looks back.
  int history() const { return (taps - 1) * dilation; }
};

/// A layer of leaky integrate-and-fire neurons:
///   u = decay v + W s_in + b (+ R s_prev),  s = spike(u - threshold),
///   v = u (1 - s) (reset to zero) or u - s threshold (reset by subtraction);
/// or of adaptive ones, with w_prev taken from u and
///   w = rho w_prev + (1 - rho) (coupling u + jump s);
/// or of rectified linear units, s = max(0, W s_in + b), which have neither state nor decay and threshold.
struct LayerOptions {
  int neurons = 32;  ///< of a convolution: output bands x channels
  ConnectionOptions connection;
  bool recurrent = false;  ///< dense layers of one tap only
  NeuronModel neuron{SpikeKind::kFastSigmoid, 5.0f, ResetKind::kZero, false};
  /// Initial weights: uniform in ±weight_gain / sqrt(inputs of a neuron).
  float weight_gain = 1.0f;
  /// Initial values: uniform in decay ± decay_spread and threshold ± threshold_spread.
  float decay = 0.9f, decay_spread = 0.0f, threshold = 1.0f, threshold_spread = 0.0f;
  bool learn_decay = true, learn_threshold = true;
  /// Initial values of adaptive neurons: rho, the upper end of couplings uniform from 0, and the jump.
  float adaptation_decay = 0.9f, adaptation_coupling = 0.1f, adaptation_jump = 0.5f;
  /// Probability with which training silences a neuron, or a channel of a convolution, for a whole clip; what
  /// the others send is divided by the rest. Not for recurrent layers and soft spikes.
  float dropout = 0.0f;
  /// Keep decay in [0, 1], threshold at or above 0.01 and rho in [0, 0.999] after every optimizer step.
  bool constrain = false;
};

/// Scores: the spikes of the last layer; the mean over time of softmax(o), o the potentials of a leaky
/// integrator; the mean over time of o itself.
enum class ReadoutKind { kSpikeCount, kLeakyIntegrator, kMeanPotential };

struct ReadoutOptions {
  ReadoutKind kind = ReadoutKind::kSpikeCount;
  float decay = 0.9f;
  bool learn_decay = true;
};

struct NetworkOptions {
  int inputs = 0;
  int classes = 0;
  std::vector<LayerOptions> layers;
  ReadoutOptions readout;
  int input_channels = 1;  ///< of a band; inputs is a multiple of it
};

/// What each layer reads; no bands above a dense layer.
std::vector<Bands> bands_below(const NetworkOptions& options);
/// Output bands of a convolution; of any other connection as many as there are in the input.
int output_bands(const ConnectionOptions& connection, int input_bands);
/// Bands of zeros before the first band of the input ("same" padding).
int padding_before(const ConnectionOptions& connection, int input_bands);

}  // namespace sonospike
