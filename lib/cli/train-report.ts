import type { ModelSettings } from '../settings/settings.js';
import type { CalibrationProgress, EpochMetrics, LoadProgress, TrainingProgress } from '../training/epoch.js';
import type { TrainResult } from '../training/train.js';
import { FiringWatch } from './firing.js';
import { Forecast } from './forecast.js';
import { duration, firingText, percent } from './format.js';
import type { Output } from './output.js';
import { commandLine } from './program.js';
import { testedText } from './threshold.js';
import type { TrainFiles } from './train-files.js';

/** Epochs up to which each has a row, however quickly they end. */
const ALL_ROWS = 40;
/** Milliseconds between two rows where there are more epochs. */
const ROW_INTERVAL = 1000;

/**
 * Shows a training while it runs: a row for every epoch, above a bar where stderr is a terminal. With `--json` the
 * metrics of every epoch are lines of JSON on stderr instead.
 */
export class TrainReport {
  readonly #out: Output;
  readonly #forecast: Forecast;
  #firing: FiringWatch | null = null;
  /** When the last row was printed; null before the first. */
  #printed: number | null = null;

  constructor(out: Output) {
    this.#out = out;
    this.#forecast = new Forecast(out, 'The training');
  }

  load({ done, total }: LoadProgress): void {
    this.#out.bar.update('reading clips', done / total, `${done} of ${total}`);
  }

  begin({ network }: ModelSettings): void {
    this.#firing = new FiringWatch(network.layers);
  }

  progress({ epoch, epochs, done, total, clipsPerSecond }: TrainingProgress): void {
    const left = (total - done + total * (epochs - epoch)) / clipsPerSecond;
    const details = [
      `${clipsPerSecond.toFixed(0)} clips/s`,
      ...(Number.isFinite(left) ? [`${duration(left)} left`] : []),
    ];
    this.#forecast.update((epoch - 1 + done / total) / epochs);
    this.#out.bar.update(`epoch ${epoch}/${epochs}`, done / total, details.join('  '));
  }

  calibration({ done, total }: CalibrationProgress): void {
    this.#out.bar.update('cross-validating', done / total, `${done} of ${total} epochs`);
  }

  epoch(metrics: EpochMetrics): void {
    if (this.#out.json) this.#out.print(JSON.stringify(metrics));
    else if (this.#isShown(metrics)) this.#row(metrics);
    for (const warning of this.#firing?.look(metrics.firingRates) ?? []) this.#out.note(warning);
  }

  #isShown({ epoch, epochs }: EpochMetrics): boolean {
    if (epochs <= ALL_ROWS || epoch === epochs || this.#printed === null) return true;
    return performance.now() - this.#printed >= ROW_INTERVAL;
  }

  #row(metrics: EpochMetrics): void {
    if (this.#printed === null) this.#out.print(epochRow(headOf(metrics), this.#out.columns));
    this.#printed = performance.now();
    this.#out.print(epochRow(cellsOf(metrics), this.#out.columns));
  }
}

/** The cells of an epoch, or their heads. */
interface EpochCells {
  epoch: string;
  scores: string[];
  left: string;
  firing: string;
}

function headOf({ epochs, validation, test }: EpochMetrics): EpochCells {
  return {
    epoch: 'epoch'.padStart(2 * String(epochs).length + 1),
    scores: ['loss', 'accuracy', ...(validation ? ['validation'] : []), ...(test ? ['test'] : [])],
    left: 'left',
    firing: 'firing rate by layer',
  };
}

function cellsOf({
  epoch,
  epochs,
  train,
  validation,
  test,
  firingRates,
  secondsLeft,
}: EpochMetrics): EpochCells {
  return {
    epoch: `${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    scores: [
      train.loss.toFixed(3),
      percent(train.accuracy),
      ...(validation ? [percent(validation.accuracy)] : []),
      ...(test ? [percent(test.accuracy)] : []),
    ],
    left: duration(secondsLeft),
    firing: firingRates.map((rate) => rate.toFixed(2)).join(' '),
  };
}

const SCORE_WIDTHS = [7, 8, 10, 6];

/** A row of the table of epochs. Firing rates come last, and only the first of very many layers are shown. */
function epochRow({ epoch, scores, left, firing }: EpochCells, columns: number): string {
  const cells = [
    epoch.padStart(5),
    ...scores.map((text, i) => text.padStart(SCORE_WIDTHS[i]!)),
    left.padStart(7),
  ];
  const row = `${cells.join('  ')}  `;
  const room = columns - row.length;
  if (firing.length <= room) return row + firing;
  const shown = firing.slice(0, room - 1);
  return `${row}${shown.slice(0, shown.lastIndexOf(' '))} …`;
}

/** What a training gave, for people. */
export function summary(result: TrainResult, files: TrainFiles): string {
  const { test } = result;
  return [
    ...testedText(result),
    `Firing rates of the layers, in spikes per neuron and time step: ${firingText(test.firingRates)}.`,
    `The model is ${files.out}. Try it on a recording:`,
    `  ${commandLine('run-digit', ['--model', files.out, 'my.wav'])}`,
  ].join('\n');
}

/** What a training gave, as the JSON document. */
export function document(result: TrainResult, files: TrainFiles): Record<string, unknown> {
  const { test, bestEpoch, epochs, split, options, device } = result;
  const { accuracy, clips, interval, confusion, perSpeaker, perClass, firingRates, skipped } = test;
  const { calibration, rejection } = test;
  return {
    model: files.out,
    checkpoint: files.checkpoint,
    accuracy,
    clips,
    interval,
    train: epochs[bestEpoch - 1]?.train ?? null,
    bestEpoch,
    epochs,
    labels: test.labels,
    confusion,
    perSpeaker,
    perClass,
    firingRates,
    calibration,
    rejection,
    confidence: result.model.confidence,
    testedBy: result.testedBy,
    crossValidation: result.crossValidation,
    remarks: result.remarks,
    split,
    skipped,
    options,
    device,
  };
}
