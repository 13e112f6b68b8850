#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/encoding/encoder.h"
#include "core/network/loss.h"
#include "core/network/options.h"
#include "core/network/parameters.h"

namespace sonospike {

/// What the inputs of a batch are encoded from, for a backend that does so itself.
struct EncodedClips {
  EncodingOptions encoding;
  int features = 0;  ///< of a frame
  /// [frames, features], scaled. A clip has as many frames as fill its steps.
  std::function<const float*(int clip)> values;
  /// The same number stands for the same values for as long as the process runs, so that they can be kept;
  /// 0: they will not come again.
  std::function<uint64_t(int clip)> identity;
  const ClipKey* keys = nullptr;  ///< [clips]: of the random numbers
};

/// A batch whose inputs are made where and when they are needed, so that they are never all in memory at
/// once.
struct Batch {
  int clips = 0;
  int steps = 0;                  ///< of every clip; the greatest of `steps_of` where there is that
  const int* steps_of = nullptr;  ///< [clips]: where they are not all as long
  /// Writes the input of `steps` steps of one clip from `first` on, step first + t to x[t * stride …]. Called
  /// from several threads at once, and more than once for the same steps of long clips.
  std::function<void(int clip, int first, int steps, float* x, size_t stride, int worker)> input;
  /// The same for inputs that are all 0 or 1, as bits: see Encoder::encode_spikes. Takes the place of
  /// `input`.
  std::function<void(int clip, int first, int steps, uint16_t* bits, size_t stride, int worker)> spikes;
  /// What `input` or `spikes` makes them from; null: not known. A backend may leave it alone.
  const EncodedClips* encoded = nullptr;
  int steps_of_clip(int clip) const { return steps_of ? steps_of[clip] : steps; }

  const int* labels = nullptr;  ///< [clips]; training only
  /// [clips]: `gradient` draws by them what the layers drop; null: nothing is dropped.
  const ClipKey* keys = nullptr;
  /// Whether `gradient` makes dloss/dinput too, for `read_input_gradient`.
  bool of_input = false;
  /// The inputs are those of the call before: a backend that still has them need not ask for them again.
  bool same_inputs = false;
};

struct BatchStatistics {
  double loss = 0.0;  ///< summed over the clips
  int correct = 0;
  std::vector<double> spikes;  ///< of each layer, summed over clips, steps and neurons
  int64_t steps = 0;           ///< summed over the clips
};

struct OptimizerOptions {
  bool decoupled_decay = false;  ///< AdamW; otherwise weight decay is an L2 term in the gradient, as in Adam
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
  float weight_decay = 0.0f;  ///< of weight matrices only
  float clip_norm = 0.0f;     ///< greatest norm of the whole gradient; 0: not clipped
};

/// What a layer did in one clip, for those who want to look: pointers stay valid until the next call.
struct ActivityView {
  const float *u, *s;  ///< [steps, stride]
  size_t stride;
  int neurons;
  double spikes;  ///< of all neurons and steps
};

/// What a whole network did in one clip.
struct NetworkView {
  std::vector<ActivityView> layers;
  const float* potential = nullptr;  ///< of the leaky integrator, [steps, potential_stride]; null: none
  size_t potential_stride = 0;
};

/// Owns the parameters and the state of one network. Nothing above it asks which one it is.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual const NetworkOptions& options() const = 0;
  virtual const ParameterTable& table() const = 0;
  /// `Batch::input` is called with a worker in [0, workers()).
  virtual int workers() const = 0;
  /// Whether a device of its own does the work, and the host's threads are free while it does.
  virtual bool works_elsewhere() const { return false; }
  /// Waits for all that such a device has been given.
  virtual void synchronize() {}
  /// Memory held, on the host and on such a device; threads are not counted.
  virtual size_t bytes() const = 0;

  /// All parameters in the order of `table()`.
  virtual void load_parameters(const float* values) = 0;
  virtual void read_parameters(float* values) const = 0;

  /// Scores [clips, classes]; spikes of each clip and layer [clips, layers].
  virtual void forward(const Batch& batch, float* scores, double* spikes) = 0;
  /// Forward for the single clip of `batch`, keeping what every layer and the readout did.
  virtual NetworkView observe(const Batch& batch, float* scores) = 0;

  /// Forward and backward: leaves the gradient of the mean loss for `step` and `read_gradient`.
  virtual BatchStatistics gradient(const Batch& batch, const LossOptions& loss) = 0;
  /// Starts `gradient` and does not wait for a device that works elsewhere. Returns a function that blocks
  /// until the statistics are there and gives them. It may be called after `step` and the start of other
  /// batches, or not at all, on the same thread and while the backend lives.
  virtual std::function<BatchStatistics()> start_gradient(const Batch& batch, const LossOptions& loss) {
    return [done = gradient(batch, loss)] { return done; };
  }
  virtual void read_gradient(float* values) const = 0;
  /// dloss/dinput [steps, clips, inputs] of the last `gradient`, whose batch must have asked for it; 0 beyond
  /// the end of a clip.
  virtual void read_input_gradient(float* values) const = 0;
  /// One step of Adam along the gradient.
  virtual void step(const OptimizerOptions& options, float rate) = 0;

  /// First and second moments in the order of `table()`, and the number of steps taken.
  virtual void read_moments(float* m, float* v, int64_t* steps) const = 0;
  virtual void load_moments(const float* m, const float* v, int64_t steps) = 0;
};

std::unique_ptr<Backend> make_cpu_backend(const NetworkOptions& options, int threads);

}  // namespace sonospike
