// Runs on the audio thread: collects what the microphone gives, 128 samples at a time, into chunks worth a message.

declare const sampleRate: number; // Hz
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Seconds of a chunk. */
const CHUNK = 0.02;

class Recorder extends AudioWorkletProcessor {
  #chunk = new Float32Array(Math.round(CHUNK * sampleRate));
  #length = 0;

  /** @param inputs of each input its channels, of each channel its samples */
  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0];
    for (let at = 0; channel !== undefined && at < channel.length; ) {
      const part = channel.subarray(at, at + this.#chunk.length - this.#length);
      this.#chunk.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === this.#chunk.length) this.#flush();
    }
    return true;
  }

  #flush(): void {
    this.port.postMessage(this.#chunk, [this.#chunk.buffer]);
    this.#chunk = new Float32Array(Math.round(CHUNK * sampleRate));
    this.#length = 0;
  }
}

registerProcessor('recorder', Recorder);
