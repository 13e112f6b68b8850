import { randomInt } from 'node:crypto';
import { basename, dirname, relative, resolve } from 'node:path';
import { type Audio, type LoadedAudio, readAudio } from '../../audio/source.js';
import type { SkippedFile } from '../../datasets/dataset.js';
import { shuffled } from '../../datasets/draw.js';
import { UNKNOWN_LABEL } from '../../datasets/names.js';
import { otherNames, relabelled } from '../../datasets/number-words.js';
import { loadModel, type Model } from '../../model/model.js';
import type { HeardPart } from '../../model/prediction.js';
import type { PlotPageEntry } from '../../plot/html.js';
import { plotObservation } from '../../plot/observation.js';
import { SonospikeError } from '../../support/errors.js';
import { MAX_THREADS } from '../../support/options.js';
import type { OptionTable, Values } from '../args.js';
import { defineCommand } from '../command.js';
import { DATA_HELP, LAYOUT_OPTION, modelPath, noteSkipped, openData } from '../data.js';
import { digitTable, scoreLists } from '../digit-table.js';
import { Forecast } from '../forecast.js';
import { percent, shortPath } from '../format.js';
import type { Output } from '../output.js';
import { PlotFile } from '../plot-file.js';
import { noteWithoutThreshold } from '../threshold.js';

/** Clips whose samples are in memory together. */
const TOGETHER = 64;
/** Pictures that a page can hold and a browser still shows. */
const MOST_PICTURES = 200;
/** Clips that are named because they are longer than the network hears. */
const MOST_NOTES = 5;

const OPTIONS = {
  model: { type: 'text', value: 'FILE', help: 'Left out: the shipped model.' },
  data: {
    type: 'text',
    value: 'DIR',
    help: `${DATA_HELP} Clips are drawn from it where no files are named. Left out: the shipped samples.`,
  },
  ...LAYOUT_OPTION,
  count: { type: 'integer', min: 1, max: 1_000_000, default: 10, help: 'Number of clips to draw.' },
  seed: {
    type: 'integer',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    help: 'Of the draw and of the rate encoding. Left out: other clips every time.',
  },
  threads: { type: 'integer', min: 1, max: MAX_THREADS, help: 'Left out: all cores.' },
  scores: { type: 'flag', help: 'Prints the score of every label for each clip.' },
  plot: {
    type: 'text',
    value: 'FILE',
    help:
      'Draws waveform, features, the spikes of every layer, readout and softmax: of one clip into an .svg, of one ' +
      'or several into an .html.',
  },
  strict: { type: 'flag', help: 'Makes a clip that cannot be used an error, instead of leaving it out.' },
} as const satisfies OptionTable;

interface Chosen {
  file: string;
  /** null where it is not known. */
  label: string | null;
}

interface Result extends Chosen {
  predicted: string;
  confidence: number;
  rejected: boolean;
  /** In the order of the labels. */
  scores: number[];
  softmax: number[];
  /** The part of the clip that the network heard. */
  heard: HeardPart | null;
  /** Whether the recording is cut off at full scale. */
  clipped: boolean;
  /** What is wrong with the file although it could be read. */
  remarks: string[];
}

export const runDigit = defineCommand({
  name: 'run-digit',
  summary: 'Recognises sound files, or random clips of a dataset.',
  description:
    'Recognises the sound files (WAV, FLAC, MP3, Opus, Vorbis, AIFF) that are named, or else random clips of a dataset, and prints the true label, the ' +
    'predicted one, the confidence, the label with the next best score, and the accuracy over the clips whose label is known. The label of a file named ' +
    '7_anything.wav is 7, if the model knows a 7.',
  examples: [
    'sonospike run-digit',
    'sonospike run-digit my_seven.wav other.wav --model sonospike-model.safetensors',
    'sonospike run-digit --data data/fsdd --count 20 --seed 1',
    'sonospike run-digit my_seven.wav --scores',
    'sonospike run-digit my_seven.wav --plot seven.svg',
  ],
  positionals: { usage: '[FILES...]', max: Number.POSITIVE_INFINITY },
  options: OPTIONS,
  async run({ options, positionals }, out) {
    const plot = await PlotFile.choose(options.plot);
    const file = modelPath(options.model);
    const model = await loadModel(file, options.threads === undefined ? {} : { threads: options.threads });
    const named = positionals.length > 0;
    const seed = options.seed ?? (named ? 0 : randomInt(2 ** 32));
    const chosen = named ? byName(positionals, model.labels) : await draw(options, seed, model.labels);
    noteWithoutThreshold(out, model);
    if (!named) out.note(`${chosen.length} clips drawn with --seed ${seed}.`);
    if (plot) requirePlottable(plot, chosen.length);
    const pictures: PlotPageEntry[] = [];
    const forecast = new Forecast(out, 'Recognising the clips');
    let done = 0;
    const { results, skipped } = await recognise(model, chosen, seed, options.strict, async (clip, audio) => {
      if (plot) pictures.push(await picture(model, clip, audio, seed));
      done++;
      forecast.update(done / chosen.length);
      out.bar.update('recognising', done / chosen.length, `${done} of ${chosen.length}`);
    });
    noteSkipped(out, skipped);
    noteLong(out, results);
    noteFaults(out, results);
    if (plot && pictures.length === 0) throw nothingToDraw(results);
    plot?.update(pictures.length === 1 ? pictures[0]!.name : `${pictures.length} clips`, () => pictures);
    await plot?.written();
    const known = results.filter(({ label }) => label !== null && label !== UNKNOWN_LABEL);
    const correct = known.filter(({ label, predicted }) => label === predicted).length;
    const accuracy = known.length === 0 ? null : correct / known.length;
    if (out.json) {
      const threshold = model.confidence?.threshold ?? null;
      const document = {
        accuracy,
        clips: results.length,
        predictions: results,
        skipped,
        seed,
        model: file,
        threshold,
      };
      out.document(plot ? { ...document, plot: plot.file } : document);
      return;
    }
    out.print(digitTable(results, model, out.columns));
    if (options.scores) out.print(`\n${scoreLists(results, model, out.columns)}`);
    if (accuracy !== null) out.print(`\nAccuracy ${percent(accuracy)}: ${correct} of ${known.length} clips`);
    if (plot) out.note(`The picture is ${plot.file}.`);
  },
});

/** Files that were named; the label is what stands before the first underscore, or the folder, if the model knows it. */
function byName(files: readonly string[], labels: readonly string[]): Chosen[] {
  return files.map((file) => {
    const [, word] = /^([^_]+)_/.exec(basename(file).normalize('NFC')) ?? [];
    const folder = basename(dirname(resolve(file))).normalize('NFC');
    return {
      file,
      label: [word, folder].find((name) => name !== undefined && labels.includes(name)) ?? null,
    };
  });
}

async function draw(
  options: Values<typeof OPTIONS>,
  seed: number,
  labels: readonly string[],
): Promise<Chosen[]> {
  const data = await openData(options.data, options);
  const { directory } = data;
  const clips = relabelled(data.clips, otherNames(data.labels, labels)).filter(({ piece }) => !piece);
  const byFile = new Map(clips.map(({ file, label }) => [relative(directory, file), { file, label }]));
  const drawn = shuffled(byFile.keys(), seed, 'run-digit').slice(0, options.count);
  const chosen = drawn.map((name) => byFile.get(name)!);
  const unknown = chosen.find(({ label }) => label !== UNKNOWN_LABEL && !labels.includes(label));
  if (unknown === undefined) return chosen;
  throw new SonospikeError(
    'ERR_UNKNOWN_LABEL',
    `${directory} has the word ${unknown.label}, which the model does not know.`,
    { file: directory },
  );
}

/** @throws SonospikeError ERR_INVALID_OPTION where one file cannot show so many clips */
function requirePlottable({ file, isPage }: PlotFile, clips: number): void {
  const most = isPage ? MOST_PICTURES : 1;
  if (clips <= most) return;
  const instead = isPage
    ? `--count ${MOST_PICTURES}`
    : 'name one file, give --count 1, or let it end in .html';
  throw new SonospikeError(
    'ERR_INVALID_OPTION',
    `${file} can show ${most === 1 ? 'one clip' : `at most ${most} clips`}, not ${clips}: ${instead}.`,
  );
}

async function picture(
  model: Model,
  { file, label }: Chosen,
  audio: Audio,
  seed: number,
): Promise<PlotPageEntry> {
  const seen = await model.observe(audio, { seed });
  const { settings } = model;
  const svg = plotObservation(seen, { settings, ...audio, title: shortPath(file), truth: label });
  const wrong = label !== null && label !== seen.label ? `, it is ${label}` : '';
  return { name: `${shortPath(file)}: ${seen.label}${seen.rejected ? ', rejected' : ''}${wrong}`, svg };
}

/** `onClip` is called for each clip that could be read, in order. */
async function recognise(
  model: Model,
  chosen: readonly Chosen[],
  seed: number,
  strict: boolean,
  onClip: (clip: Chosen, audio: Audio) => Promise<void>,
) {
  const results: Result[] = [];
  const errors: SonospikeError[] = [];
  const skipped: SkippedFile[] = [];
  for (let first = 0; first < chosen.length; first += TOGETHER) {
    /** `audio` is null where a clip is digital silence. */
    const readable: { clip: Chosen; audio: LoadedAudio | null }[] = [];
    for (const clip of chosen.slice(first, first + TOGETHER)) {
      try {
        readable.push({ clip, audio: await readAudio(clip.file) });
      } catch (error) {
        if (error instanceof SonospikeError && error.code === 'ERR_AUDIO_SILENT') {
          readable.push({ clip, audio: null });
          continue;
        }
        if (strict || !(error instanceof SonospikeError)) throw error;
        errors.push(error);
        skipped.push({ file: clip.file, reason: error.message });
      }
    }
    const predictions = await model.predictBatch(
      readable.map(({ clip, audio }) => audio ?? clip.file),
      { seed },
    );
    for (const [
      i,
      { label: predicted, confidence, rejected, scores, softmax, heard },
    ] of predictions.entries()) {
      const { clip, audio } = readable[i]!;
      const { clipped, remarks } = audio ?? { clipped: false, remarks: [] };
      results.push({
        ...clip,
        predicted,
        confidence,
        rejected,
        scores,
        softmax,
        heard,
        clipped,
        remarks,
      });
    }
    for (const { clip, audio } of readable) if (audio !== null) await onClip(clip, audio);
  }
  if (results.length === 0) throw noneRead(errors);
  return { results, skipped };
}

/** Names the clips that are longer than the network hears. */
function noteLong(out: Output, results: readonly Result[]): void {
  const long = results.filter(({ heard }) => heard?.more);
  for (const { file, heard } of long.slice(0, MOST_NOTES)) {
    const { start, end, of } = heard!;
    out.note(
      `${shortPath(file)} is longer than the model hears: it heard ${start.toFixed(2)} to ${end.toFixed(2)} of ` +
        `${of.toFixed(2)} s. Cut it into single words, or let live find them.`,
    );
  }
  if (long.length > MOST_NOTES)
    out.note(`${long.length - MOST_NOTES} more clips are longer than the model hears.`);
}

/** Says what is wrong with recordings that were read all the same. */
function noteFaults(out: Output, results: readonly Result[]): void {
  for (const remark of results.flatMap(({ remarks }) => remarks)) out.note(remark);
  const clipped = results.filter((result) => result.clipped);
  if (clipped.length === 0) return;
  const [first, others] = [shortPath(clipped[0]!.file), clipped.length - 1];
  const which = others === 0 ? `${first} is` : `${first} and ${others} more are`;
  out.note(`${which} too loud: the recording is cut off at full scale. Record it again, with less gain.`);
}

function nothingToDraw([first]: readonly Result[]): SonospikeError {
  const message = `${first!.file} is digital silence, so there is nothing to draw.`;
  return new SonospikeError('ERR_AUDIO_SILENT', message, { file: first!.file });
}

function noneRead(errors: readonly SonospikeError[]): SonospikeError {
  const [first, ...others] = errors;
  if (others.length === 0) return first!;
  const message = `None of the ${errors.length} files could be read. The first: ${first!.message}`;
  return new SonospikeError(first!.code, message, { file: first!.file, cause: first });
}
