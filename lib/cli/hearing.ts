import type { Model } from '../model/model.js';
import type { WordStream } from '../model/word-stream.js';
import type { Output } from './output.js';
import { meter } from './progress.js';

/** A word stream that is written to piece by piece, each heard before the next. */
export class Hearing {
  readonly stream: WordStream;

  /** @param sampleRate Hz of what is heard */
  constructor(model: Model, sampleRate: number) {
    this.stream = model.stream({ sampleRate });
    // Who writes gets the error.
    this.stream.on('error', () => {});
  }

  hear(samples: Float32Array): Promise<void> {
    return new Promise((done, fail) => {
      this.stream.write(samples, (error) => (error ? fail(error) : done()));
    });
  }

  end(): Promise<void> {
    return new Promise((done, fail) => {
      // Its own error comes here before its event.
      this.stream.end((error?: Error | null) => (error ? fail(error) : done()));
    });
  }

  /** Draws the level at the foot of the terminal. */
  show(out: Output): void {
    if (!out.bar.animated) return;
    const { speaking, level } = this.stream;
    out.bar.update(speaking ? 'hearing  ' : 'listening', null, meter(level));
  }
}
