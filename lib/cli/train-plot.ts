import { basename } from 'node:path';
import { type PlottedEpoch, plotTraining } from '../plot/training.js';
import type { PlotFile } from './plot-file.js';

/** The curves of a training in a file, while it runs. */
export class TrainingCurves {
  readonly #plot: PlotFile;
  readonly #title: string;
  #epochs: readonly PlottedEpoch[] = [];

  /** `model`: the file that the model goes to. */
  constructor(plot: PlotFile, model: string) {
    this.#plot = plot;
    this.#title = `Training of ${basename(model)}`;
  }

  /** Writes the curves up to now, in the background. */
  update(epochs: readonly PlottedEpoch[]): void {
    this.#epochs = epochs;
    this.#draw(true);
  }

  /**
   * Writes the curves for the last time: those of `epochs`, or of those so far where the training has failed.
   * @throws SonospikeError ERR_FILE_WRITE
   */
  async end(epochs: readonly PlottedEpoch[] = this.#epochs): Promise<void> {
    this.#epochs = epochs;
    // A training that is stopped before its first epoch leaves the earlier file alone.
    if (epochs.length > 0) this.#draw(false);
    await this.#plot.written();
  }

  #draw(growing: boolean): void {
    const title = this.#title;
    this.#plot.update(title, () => [{ name: title, svg: plotTraining(this.#epochs, { title }) }], growing);
  }
}
