import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { dirname, format, parse, resolve } from 'node:path';
import { readModelFile } from '../files/model-file.js';
import { fileError, SonospikeError } from '../support/errors.js';
import { readSavedRun } from '../training/saved-run.js';
import { counted, percent } from './format.js';
import { commandLine } from './program.js';

export interface TrainFiles {
  out: string;
  checkpoint: string;
  /** The checkpoint to go on from. */
  resume: string | undefined;
  /** What to say of them once the training begins. */
  notes: string[];
}

/** What the command line says of the files of a training. */
interface NamedFiles {
  out?: string;
  checkpoint?: string;
  resume?: string;
  force: boolean;
}

/**
 * The files of a training. Refuses those that cannot be written now, rather than after the first epoch, those that are
 * there already and no models, and those of another training unless they are to be replaced.
 * @param usual the model's file where none is named; `isDemo`: it is that of the demo, whose finished model is replaced
 * @param args as they were typed, for the ways on
 * @throws SonospikeError ERR_INVALID_OPTION, ERR_FILE_WRITE, ERR_FILE_NOT_FOUND
 */
export async function chooseFiles(
  named: NamedFiles,
  usual: { out: string; isDemo: boolean },
  args: readonly string[],
): Promise<TrainFiles> {
  const out = named.out ?? usual.out;
  const checkpoint = named.checkpoint ?? (named.resume || besideModel(out));
  if (resolve(out) === resolve(checkpoint)) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      `The model and the checkpoint would both be ${out}; name different files with --out and --checkpoint.`,
    );
  }
  if (named.resume !== undefined && named.force) {
    throw new SonospikeError(
      'ERR_INVALID_OPTION',
      '--resume goes on with a training, --force replaces it: name one of both.',
    );
  }
  const [outThere, checkpointThere] = [await writable(out), await writable(checkpoint)];
  const notes: string[] = [];
  const resume = named.resume || (named.resume === '' && checkpointThere ? checkpoint : undefined);
  const files = { out, checkpoint, resume, notes };
  if (resume !== undefined) {
    notes.push(`Going on from ${resume}.`);
    for (const file of new Set([...(outThere ? [out] : []), ...(checkpointThere ? [checkpoint] : [])]))
      if (resolve(file) !== resolve(resume)) await requireSameRun(file, resume);
    return files;
  }
  const there = [...(outThere ? [out] : []), ...(checkpointThere ? [checkpoint] : [])];
  if (named.resume === '') {
    notes.push(`There is no checkpoint ${checkpoint} to go on from: starting anew.`);
  } else if (!named.force && there.length > 0) {
    const found = await Promise.all(there.map(lookAt));
    const replaceable =
      usual.isDemo && named.out === undefined && !found.some(({ unfinished }) => unfinished);
    if (!replaceable) throw inTheWay(found, checkpointThere, args);
  }
  notes.push(...there.map((file) => `Replacing ${file}, which is there already.`));
  return files;
}

/** What is in the way of a training. */
interface FoundFile {
  file: string;
  /** A part of a sentence that begins with the name of the file. */
  text: string;
  /** Whether it is the checkpoint of a training that may go on. */
  unfinished: boolean;
}

async function lookAt(file: string): Promise<FoundFile> {
  try {
    const { settings, training, state } = await readModelFile(file);
    const words = counted(settings.labels.length, 'word');
    if (state === null)
      return { file, text: `${file} is a model of ${words}${reached(training)}`, unfinished: false };
    const { history, options } = await readSavedRun(file);
    const finished = history.length >= options.epochs;
    const how = finished
      ? 'that has ended'
      : `that was stopped after ${history.length} of ${counted(options.epochs, 'epoch')}`;
    return { file, text: `${file} is the checkpoint of a training ${how}`, unfinished: !finished };
  } catch (error) {
    if (!(error instanceof SonospikeError)) throw error;
    return { file, text: `${file} is there already, and cannot be read (${error.code})`, unfinished: true };
  }
}

/** What the file of a model says of its accuracy. */
function reached(training: object | null): string {
  const { test, crossValidation, epoch } = (training ?? {}) as {
    test?: { accuracy?: unknown };
    crossValidation?: { accuracy?: unknown };
    epoch?: unknown;
  };
  if (typeof test?.accuracy === 'number') return ` (test accuracy ${percent(test.accuracy)})`;
  if (typeof crossValidation?.accuracy === 'number')
    return ` (cross-validated accuracy ${percent(crossValidation.accuracy)})`;
  return typeof epoch === 'number' ? ` (epoch ${epoch})` : '';
}

function inTheWay(found: readonly FoundFile[], canGoOn: boolean, args: readonly string[]): SonospikeError {
  const command = (option: string) => commandLine('train', [...args, option]);
  const onwards = canGoOn ? `Go on with it: ${command('--resume')}. ` : '';
  const message =
    `${found.map(({ text }) => text).join('; ')}. ${onwards}Replace ${found.length === 1 ? 'it' : 'them'}: ` +
    `${command('--force')}. Or name another file with --out.`;
  return new SonospikeError('ERR_FILE_WRITE', message, { file: found[0]!.file });
}

/** A training that goes on may replace its own model, not that of another one. */
async function requireSameRun(file: string, resume: string): Promise<void> {
  // What is wrong with the checkpoint itself is said when the training begins.
  const [theirs, own] = await Promise.all([file, resume].map((each) => runOf(each).catch(() => null)));
  if (own === null || own === theirs) return;
  const message =
    `${file} is not of the training that ${resume} goes on with, and would be replaced. Name another file with ` +
    '--out and --checkpoint.';
  throw new SonospikeError('ERR_FILE_WRITE', message, { file });
}

/** What tells one training from another; it may go on for more epochs. */
async function runOf(file: string): Promise<string> {
  const { training } = await readModelFile(file);
  const { options, dataset } = (training ?? {}) as { options?: object; dataset?: unknown };
  return JSON.stringify([{ ...options, epochs: 0, patience: 0 }, dataset]);
}

/** `digits.safetensors` → `digits.checkpoint.safetensors` */
function besideModel(out: string): string {
  const { dir, name, ext } = parse(out);
  return format({ dir, name: `${name}.checkpoint`, ext });
}

/** Whether the file is there, and not empty; an error if it cannot be written. */
async function writable(file: string): Promise<boolean> {
  try {
    await access(dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw fileError(error, file, 'write');
  }
  const found = await stat(file).catch(() => null);
  if (found === null || (found.isFile() && found.size === 0)) return false;
  if (!found.isDirectory() && (!found.isFile() || (await looksLikeModel(file)))) return true;
  const what = found.isDirectory()
    ? 'it is a directory'
    : 'it is there already, and no model; name another file';
  throw new SonospikeError('ERR_FILE_WRITE', `Cannot write ${file}: ${what}.`, { file });
}

/** The header of a safetensors file begins behind eight bytes. */
async function looksLikeModel(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return true;
  try {
    const { buffer } = await handle.read(Buffer.alloc(9), 0, 9, 0);
    return buffer[8] === '{'.charCodeAt(0);
  } finally {
    await handle.close();
  }
}
