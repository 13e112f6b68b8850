import type { EpochMetrics, LoadProgress, Score, TrainingProgress } from '../training/epoch.js';
import type { TrainResult } from '../training/train.js';
import { accuracyText, duration, firingText, percent } from './format.js';
import type { Output } from './output.js';
import { commandLine } from './program.js';
import type { TrainFiles } from './train-files.js';

/** Shows a training while it runs: a JSON line for every epoch, and for people a bar or a line. */
export class TrainReport {
  readonly #out: Output;
  #last: EpochMetrics | null = null;

  constructor(out: Output) {
    this.#out = out;
  }

  load({ done, total }: LoadProgress): void {
    this.#out.bar.update('reading clips', done / total, `${done} of ${total}`);
  }

  progress({ epoch, epochs, done, total, clipsPerSecond }: TrainingProgress): void {
    const left = (total - done + total * (epochs - epoch)) / clipsPerSecond;
    const details = [
      `${clipsPerSecond.toFixed(0)} clips/s`,
      ...(Number.isFinite(left) ? [`${duration(left)} left`] : []),
      ...(this.#last ? [scores(this.#last), `firing ${firingText(this.#last.firingRates)}`] : []),
    ];
    this.#out.bar.update(`epoch ${epoch}/${epochs}`, done / total, details.join('  '));
  }

  epoch(metrics: EpochMetrics): void {
    this.#last = metrics;
    this.#out.print(JSON.stringify(metrics));
    if (!this.#out.json && !this.#out.bar.animated) this.#out.note(epochText(metrics));
  }
}

function epochText(metrics: EpochMetrics): string {
  const { epoch, epochs, firingRates, clipsPerSecond, secondsLeft } = metrics;
  return [
    `epoch ${epoch}/${epochs}`,
    scores(metrics),
    `firing ${firingText(firingRates)}`,
    `${clipsPerSecond.toFixed(0)} clips/s`,
    `${duration(secondsLeft)} left`,
  ].join('  ');
}

function scores({ train, validation, test }: EpochMetrics): string {
  const score = (name: string, of: Score | null | undefined) =>
    of ? `  ${name} ${of.loss.toFixed(3)} ${percent(of.accuracy)}` : '';
  return `loss ${train.loss.toFixed(3)}  accuracy ${percent(train.accuracy)}${score('validation', validation)}${score('test', test)}`;
}

/** What a training gave, for people. */
export function summary(result: TrainResult, files: TrainFiles): string {
  const { test, bestEpoch, epochs } = result;
  return [
    `Test accuracy ${accuracyText(test)}, with the model of epoch ${bestEpoch} of ${epochs.length}.`,
    `Firing rates of the layers: ${firingText(test.firingRates)} spikes per neuron and time step.`,
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
    split,
    skipped,
    options,
    device,
  };
}
