import { basename } from 'node:path';
import type { PartName } from '../../datasets/clip.js';
import { type Evaluation, evaluate as evaluateModel } from '../../evaluation/evaluate.js';
import { loadModel } from '../../model/model.js';
import { checkDevice } from '../../native/device.js';
import { plotEvaluation } from '../../plot/evaluation.js';
import { SonospikeError } from '../../support/errors.js';
import { optionName } from '../args.js';
import { defineCommand } from '../command.js';
import { modelPath, noteSkipped, openData } from '../data.js';
import type { EvaluateValues } from '../evaluate-options.js';
import { EVALUATE_OPTIONS, MODEL_OPTIONS, PROTOCOL_OPTIONS } from '../evaluate-options.js';
import { mergeShards, runProtocol } from '../evaluate-protocol.js';
import { report } from '../evaluate-report.js';
import { Forecast } from '../forecast.js';
import { percent, shortPath } from '../format.js';
import type { Output } from '../output.js';
import { PlotFile } from '../plot-file.js';
import { stoppable } from '../stop.js';
import { noteWithoutThreshold } from '../threshold.js';

export const evaluate = defineCommand({
  name: 'evaluate',
  summary: 'Measures a model on a dataset, or trains and tests a whole protocol.',
  description:
    'Measures a model on a dataset: accuracy with its 95% interval, precision and recall of every label, confusion ' +
    'matrix, accuracy of every speaker, firing rates, operations, calibration of the confidence. With --protocol it trains and tests on every fold ' +
    'with several seeds, and tells means and standard deviations; Ctrl-C stops it, and with --out and --resume it goes on.',
  examples: [
    'sonospike evaluate --data data/fsdd --model sonospike-model.safetensors',
    'sonospike evaluate --data data/fsdd --split official --json',
    'sonospike evaluate --data data/fsdd --robustness --unknown other-words',
    'sonospike evaluate --data data/fsdd --plot evaluation.svg',
    'sonospike evaluate --data data/fsdd --protocol leave-one-speaker-out --out result.json',
    'sonospike evaluate --data data/fsdd --protocol official --seeds 1 --target 0.98',
  ],
  options: EVALUATE_OPTIONS,
  positionals: { usage: '[FILES...]', max: Number.POSITIVE_INFINITY },
  async run({ options, positionals, args }, out) {
    if (options.merge) return mergeShards(options, positionals, args, out);
    if (positionals[0] !== undefined) {
      const what = JSON.stringify(positionals[0]);
      const message = `evaluate does not know what to do with ${what}: files are for --merge. Its options are listed by --help.`;
      throw new SonospikeError('ERR_INVALID_OPTION', message);
    }
    if (options.protocol === undefined) {
      refuseGiven(options, Object.keys(PROTOCOL_OPTIONS), 'is an option of --protocol');
      await measureModel(options, out);
    } else {
      refuseGiven(options, Object.keys(MODEL_OPTIONS), 'has no meaning with --protocol');
      await runProtocol({ ...options, protocol: options.protocol }, args, out);
    }
  },
});

/** The same for a forecast. */
const FORECASTS = { load: 'Reading the clips', robustness: 'Testing under other conditions' };

/** What an evaluation does, for the bar. */
const PHASES = { load: 'reading clips', robustness: 'testing under other conditions' };

function refuseGiven(options: EvaluateValues, keys: readonly string[], why: string): void {
  const isGiven = (value: unknown) => value !== undefined && value !== false;
  const given = keys.find((key) => isGiven(options[key as keyof EvaluateValues]));
  if (given !== undefined)
    throw new SonospikeError('ERR_INVALID_OPTION', `--${optionName(given)} ${why}; see --help.`);
}

async function measureModel(options: EvaluateValues, out: Output): Promise<void> {
  const { data: directory, model: named, split, fold, part, splitSeed, seed, threads } = options;
  const { strict, unknown, robustness } = options;
  const plot = await PlotFile.choose(options.plot);
  const file = modelPath(named);
  const model = await loadModel(file, {
    ...(threads === undefined ? {} : { threads }),
    device: checkDevice(options.device, 'auto'),
  });
  const chosen = Object.entries({ split, fold, part, splitSeed, seed, threads });
  const forecasts = {
    load: new Forecast(out, FORECASTS.load),
    robustness: new Forecast(out, FORECASTS.robustness),
  };
  const { opened, found } = await stoppable(out, async (signal) => {
    const opened = await openData(directory, { ...options, signal });
    const found = await evaluateModel({
      ...Object.fromEntries(chosen.filter(([, value]) => value !== undefined)),
      ...(unknown === undefined ? {} : { unknown: unknown === '' ? true : unknown }),
      robustness,
      strict,
      model,
      data: opened,
      signal,
      onProgress: ({ phase, done, total }) => {
        forecasts[phase].update(done / total);
        out.bar.update(PHASES[phase], done / total, `${done} of ${total}`);
      },
    });
    return { opened, found };
  });
  noteSkipped(out, found.skipped);
  noteWithoutThreshold(out, model);
  for (const note of remarks(found, directory, part ?? 'test')) out.note(note);
  if (plot) {
    const title = `${basename(file)} on ${basename(opened.directory)}`;
    plot.update(title, () => [{ name: title, svg: plotEvaluation(found, { title }) }]);
    await plot.written();
  }
  if (out.json) out.document({ ...found, model: file, ...(plot ? { plot: plot.file } : {}) });
  else out.print(report(found));
  if (plot) out.note(`The picture is ${plot.file}.`);
}

/** What a reader of the figures must know. */
function remarks(found: Evaluation, directory: string | undefined, part: PartName): string[] {
  const { clips, seenInTraining, unseen, renamed, longer } = found;
  const notes: string[] = [];
  if (longer) {
    const [is, it] = longer.clips === 1 ? ['clip is', 'it'] : ['clips are', 'each'];
    notes.push(
      `${longer.clips} ${is} longer than the ${longer.heard.toFixed(2)} s that the model hears of ${it}: ` +
        `${longer.unheard.toFixed(1)} s in all were left out. The longest is ${shortPath(longer.longest)}.`,
    );
  }
  if (renamed !== undefined) {
    const names = Object.entries(renamed).map(([theirs, own]) => `${theirs} is ${own}`);
    notes.push(`The model has other names for words of the data: ${names.join(', ')}.`);
  }
  if (part !== 'test') return notes;
  if (seenInTraining === null && directory !== undefined) {
    notes.push(
      'The file of the model does not tell which clips it was trained on: whether some of these are among them cannot be told.',
    );
  }
  if (seenInTraining !== null && seenInTraining > 0) {
    const others =
      unseen === null ? '' : ` Accuracy on the other ${unseen.clips} clips: ${percent(unseen.accuracy)}.`;
    notes.push(
      `${seenInTraining} of these ${clips} clips were in the training part of the model: this is no test of it.${others}`,
    );
  }
  return notes;
}
