import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Clip } from '../datasets/clip.js';
import type { Dataset } from '../datasets/dataset.js';
import { fingerprint } from '../datasets/fingerprint.js';
import { openDataset } from '../datasets/index.js';
import { otherNames, relabelled } from '../datasets/number-words.js';
import { type Model, SHIPPED_MODEL } from '../model/model.js';
import { samplesFolder } from '../support/package-files.js';
import { MAX_SAMPLES_OF_WORD, SEARCH_SECONDS, SEARCHED_FOLDERS } from './limits.js';
import type { SampleSource, SamplesOffered } from './protocol.js';

type Source = Pick<Clip, 'file' | 'piece'>;

/** Clips that the page offers to try the model on. */
export interface Samples {
  offered: SamplesOffered;
  /** The clips by the names in `offered`. */
  clips: ReadonlyMap<string, Source>;
}

/** The included clip that a visitor sees first. */
const FIRST_SIGHT = '7_kal_0.wav';

/**
 * Clips of the words of a model: those of the folder that was named; else those of the folder that the model was
 * trained on, if it lies beside the model or in the current folder; else those of the included clips whose words the
 * model has. null if there are none.
 * @param file path of the model file
 * @param folder of a data set; undefined: none was named
 * @throws SonospikeError as `openDataset`, for the folder that was named
 */
export async function samplesFor(
  model: Model,
  file: string,
  folder: string | undefined,
): Promise<Samples | null> {
  if (folder !== undefined) return samplesOf(await openDataset(folder), 'named', model.labels);
  const trained = resolve(file) === resolve(SHIPPED_MODEL) ? null : await trainingData(model, file);
  if (trained !== null) return samplesOf(trained, 'training', model.labels);
  return includedSamples(model.labels);
}

/** The included clips of these words; null where there are none, or where an installation has left them out. */
export async function includedSamples(labels: readonly string[]): Promise<Samples | null> {
  const included = await openDataset(samplesFolder()).catch(() => null);
  return included && samplesOf(included, 'included', labels);
}

function samplesOf(data: Dataset, source: SampleSource, labels: readonly string[]): Samples | null {
  const known = relabelled(data.clips, otherNames(data.labels, labels));
  const clips = new Map<string, Source>();
  const words = labels.flatMap((label) => {
    const own = spread(known.filter((clip) => clip.label === label));
    if (own.length === 0) return [];
    const names = own.map(({ file, piece }) => {
      const name = nameOf(data.directory, file, piece);
      clips.set(name, piece === undefined ? { file } : { file, piece });
      return name;
    });
    return [{ label, names }];
  });
  if (words.length === 0) return null;
  const first = clips.has(FIRST_SIGHT) && source === 'included' ? FIRST_SIGHT : words[0]!.names[0]!;
  return { offered: { source, folder: basename(data.directory), words, first }, clips };
}

/** Clips from the whole of a list, so that many speakers are among them. */
function spread(clips: readonly Clip[]): Clip[] {
  const count = Math.min(clips.length, MAX_SAMPLES_OF_WORD);
  return Array.from({ length: count }, (_, i) => clips[Math.floor((i * clips.length) / count)]!);
}

function nameOf(directory: string, file: string, piece: Clip['piece']): string {
  const name = relative(directory, file).split(sep).join('/');
  return piece === undefined ? name : `${name} at ${piece.start.toFixed(2)} s`;
}

/**
 * The data set that a model was trained on, known by its fingerprint. It is looked for in the folders beside the model
 * file and in the current folder, for a few seconds at most; null if it is not found.
 */
async function trainingData(model: Model, file: string): Promise<Dataset | null> {
  const wanted = fingerprintOf(model);
  if (wanted === undefined) return null;
  const signal = AbortSignal.timeout(1000 * SEARCH_SECONDS);
  const places = new Set([process.cwd(), resolve('data'), dirname(resolve(file))]);
  for (const place of places) {
    for (const folder of [...(await foldersIn(place)), place]) {
      if (signal.aborted) return null;
      if (folder === process.cwd()) continue;
      const data = await openDataset(folder, { signal }).catch(() => null);
      if (data !== null && fingerprint(data.layout, data.clips) === wanted) return data;
    }
  }
  return null;
}

function fingerprintOf({ training }: Model): string | undefined {
  return (training as { dataset?: { fingerprint?: string } } | null)?.dataset?.fingerprint;
}

async function foldersIn(place: string): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules',
  );
  return folders.slice(0, SEARCHED_FOLDERS).map(({ name }) => join(place, name));
}
