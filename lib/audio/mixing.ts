/**
 * Channels become one by their mean, unless they cancel: a balanced microphone on a stereo input gives a signal and its
 * inverse, whose mean is silence. Then the channel with the most energy is taken.
 *
 * Compared is the energy of the sum with the sum of the channels' energies, each without its offset. The ratio is 1
 * for channels that have nothing in common, and if all channels but one are silent; it is the number of channels if
 * they are equal, and 0 if they cancel. Below 1/4, which two equally loud channels have at a correlation of -3/4, the
 * mean is no longer used.
 */
const CANCELS = 0.25;
/** In a stream, the ratio above which the mean is used again. */
const RETURNS = 0.5;

/** Mono from interleaved channels. */
export function mixToMono(interleaved: Float32Array, channels: number): Float32Array {
  if (channels === 1) return interleaved;
  const mono = meanOf(interleaved, channels);
  const energy = new Energies(channels);
  energy.add(interleaved, mono);
  return energy.ratio < CANCELS ? channelOf(interleaved, channels, energy.loudest) : mono;
}

/** Frames in which a stream decides between the mean and a channel: 10 ms, at least 64. */
const blockOf = (sampleRate: number) => Math.max(64, Math.round(sampleRate / 100));
/** Share of the energies that is left after a block: they fade with a time constant of 100 ms. */
const FADING = Math.exp(-1 / 10);

/**
 * Mono from a stream of interleaved channels by the same rule, decided for each block of 10 ms over about the last tenth
 * of a second. From one choice to the other the sound is faded over one block.
 */
export class StreamMixer {
  readonly #channels: number;
  readonly #block: number;
  readonly #energies: Energies;
  #held = new Float32Array(0);
  /** The channel that is used; null: the mean. */
  #chosen: number | null = null;
  #started = false;

  /** @param sampleRate Hz */
  constructor(channels: number, sampleRate: number) {
    this.#channels = channels;
    this.#block = blockOf(sampleRate) * channels;
    this.#energies = new Energies(channels);
  }

  /** What is decided of the sound so far, and `interleaved` of it: whole frames. */
  add(interleaved: Float32Array): Float32Array {
    if (this.#channels === 1) return interleaved;
    const all = new Float32Array(this.#held.length + interleaved.length);
    all.set(this.#held);
    all.set(interleaved, this.#held.length);
    const whole = all.length - (all.length % this.#block);
    const mono = new Float32Array(whole / this.#channels);
    for (let at = 0; at < whole; at += this.#block) {
      mono.set(this.#mix(all.subarray(at, at + this.#block)), at / this.#channels);
    }
    this.#held = all.subarray(whole);
    return mono;
  }

  /** The rest. */
  end(): Float32Array {
    const rest = this.#held;
    this.#held = new Float32Array(0);
    return this.#channels === 1 || rest.length === 0 ? rest : this.#mix(rest);
  }

  #mix(block: Float32Array): Float32Array {
    const mean = meanOf(block, this.#channels);
    this.#energies.fade();
    this.#energies.add(block, mean);
    const before = this.#chosen;
    const { ratio, loudest } = this.#energies;
    if (before === null && ratio < CANCELS) this.#chosen = loudest;
    else if (before !== null && ratio > RETURNS) this.#chosen = null;
    const read = (chosen: number | null) =>
      chosen === null ? mean : channelOf(block, this.#channels, chosen);
    const mono = read(this.#chosen);
    const started = this.#started;
    this.#started = true;
    if (!started || before === this.#chosen) return mono;
    const old = read(before);
    return mono.map((sample, i) => {
      const share = (i + 1) / mono.length;
      return share * sample + (1 - share) * old[i]!;
    });
  }
}

/** Energies of the channels and of their mean, offsets left out. */
class Energies {
  readonly #channels: Float64Array;
  #mean = 0;

  constructor(channels: number) {
    this.#channels = new Float64Array(channels);
  }

  add(interleaved: Float32Array, mean: Float32Array): void {
    const count = this.#channels.length;
    for (let channel = 0; channel < count; channel++) {
      this.#channels[channel]! += energyOf(interleaved, channel, count);
    }
    this.#mean += energyOf(mean, 0, 1);
  }

  fade(): void {
    for (let i = 0; i < this.#channels.length; i++) this.#channels[i]! *= FADING;
    this.#mean *= FADING;
  }

  /** Energy of the sum over the sum of the energies; 1 where there is none. */
  get ratio(): number {
    const sum = this.#channels.reduce((total, energy) => total + energy, 0);
    return sum === 0 ? 1 : (this.#mean * this.#channels.length ** 2) / sum;
  }

  /** The first of the channels with the most energy. */
  get loudest(): number {
    return this.#channels.indexOf(this.#channels.reduce((most, energy) => Math.max(most, energy), 0));
  }
}

/** Sum of the squares about the mean of every `stride`-th sample from `first` on. */
function energyOf(samples: Float32Array, first: number, stride: number): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let i = first; i < samples.length; i += stride) {
    const sample = samples[i]!;
    sum += sample;
    squares += sample * sample;
    count++;
  }
  const energy = squares - (sum * sum) / Math.max(1, count);
  // Of a constant channel only rounding errors are left.
  return energy > 1e-12 * squares ? energy : 0;
}

function meanOf(interleaved: Float32Array, channels: number): Float32Array {
  const mono = new Float32Array(interleaved.length / channels);
  for (let frame = 0, at = 0; frame < mono.length; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += interleaved[at++]!;
    mono[frame] = sum / channels;
  }
  return mono;
}

function channelOf(interleaved: Float32Array, channels: number, channel: number): Float32Array {
  const mono = new Float32Array(interleaved.length / channels);
  for (let frame = 0, at = channel; frame < mono.length; frame++, at += channels)
    mono[frame] = interleaved[at]!;
  return mono;
}
