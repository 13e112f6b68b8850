import { access } from 'node:fs/promises';
import type { Sound } from '../audio/sound.js';
import { encodeWav } from '../audio/wav-writer.js';
import { createFileAtomic, writeFileAtomic } from '../files/atomic-file.js';
import type { Model } from '../model/model.js';
import type { Prediction } from '../model/prediction.js';
import { SonospikeError } from '../support/errors.js';
import { percent, shortPath } from './format.js';
import { Hearing } from './hearing.js';
import type { Output } from './output.js';
import { DeadMicrophone, type RecordInput } from './sound-input.js';
import { levelFault, levelOf, TAKE_RATE, type Take, takes, toTakeRate } from './takes.js';

interface RecordOneOptions {
  out?: string;
  force: boolean;
  /** Records for so long; left out: until a word was said. */
  seconds?: number;
}

type Recording = Pick<Take, 'samples' | 'peak' | 'clipped'>;

/** @throws SonospikeError ERR_FILE_WRITE where the file is there and not to be replaced */
export async function requireNew({ out, force }: Pick<RecordOneOptions, 'out' | 'force'>): Promise<void> {
  if (out === undefined || force) return;
  const there = await access(out).then(
    () => true,
    () => false,
  );
  if (there) throw existsError(out);
}

function existsError(file: string): SonospikeError {
  const message = `${file} exists: name another --out, or replace it with --force.`;
  return new SonospikeError('ERR_FILE_WRITE', message, { file });
}

/** Records one word, or for a fixed time, writes it, and tells what was recognised. */
export async function recordOne(input: RecordInput, options: RecordOneOptions, out: Output): Promise<void> {
  const { choice, model, signal, open } = input;
  const sound = await open();
  const dead = new DeadMicrophone(out);
  let begun = false;
  const onPiece = (hearing: Hearing, piece: Float32Array) => {
    if (!choice.piped) {
      if (!begun)
        out.note(options.seconds === undefined ? 'Say a word.' : `Recording ${options.seconds} seconds.`);
      dead.hear(piece, sound.sampleRate);
    }
    begun = true;
    hearing.show(out);
  };
  const recorded =
    options.seconds === undefined
      ? await firstTake(sound, model, onPiece)
      : await timed(sound, model, options.seconds, onPiece);
  if (recorded === null) throw nothing(sound.name, signal);
  const fault = levelFault(recorded);
  if (fault !== null) out.note(fault);
  const wav = encodeWav(recorded.samples, TAKE_RATE);
  const file = await write(wav, options);
  report(file, recorded, await recognise(model, wav), out);
}

function nothing(name: string, signal: AbortSignal): SonospikeError {
  if (signal.aborted) {
    return new SonospikeError('ERR_ABORTED', 'Stopped before anything was recorded.', {
      cause: signal.reason,
    });
  }
  return new SonospikeError('ERR_AUDIO_SILENT', `No word was to be heard on ${name} before it ended.`);
}

type OnPiece = (hearing: Hearing, piece: Float32Array) => void;

async function firstTake(sound: Sound, model: Model, onPiece: OnPiece): Promise<Recording | null> {
  for await (const take of takes(sound, model, onPiece)) return take;
  return null;
}

/** The first seconds of a sound; less where it ends. */
async function timed(
  sound: Sound,
  model: Model,
  seconds: number,
  onPiece: OnPiece,
): Promise<Recording | null> {
  const { sampleRate } = sound;
  const hearing = new Hearing(model, sampleRate);
  const samples = new Float32Array(Math.round(seconds * sampleRate));
  let filled = 0;
  for await (const chunk of sound.chunks) {
    const piece = chunk.subarray(0, samples.length - filled);
    samples.set(piece, filled);
    filled += piece.length;
    await hearing.hear(piece);
    onPiece(hearing, piece);
    if (filled === samples.length) break;
  }
  if (filled === 0) return null;
  const heard = samples.subarray(0, filled);
  return { samples: toTakeRate(heard, sampleRate), ...levelOf(heard, sound, 0, filled) };
}

/** Writes the WAV, to the first name that is not taken where none was given. */
async function write(wav: Uint8Array, { out, force }: RecordOneOptions): Promise<string> {
  if (out !== undefined && force) {
    await writeFileAtomic(out, [wav]);
    return out;
  }
  if (out !== undefined) {
    if (await createFileAtomic(out, [wav])) return out;
    throw existsError(out);
  }
  for (let n = 1; ; n++) {
    const file = `recording-${n}.wav`;
    if (await createFileAtomic(file, [wav])) return file;
  }
}

/** What the model says of the file; null of digital silence. */
async function recognise(model: Model, wav: Uint8Array): Promise<Prediction | null> {
  const found = await model.predict(wav);
  return found.silent ? null : found;
}

function report(
  file: string,
  { samples, peak, clipped }: Recording,
  found: Prediction | null,
  out: Output,
): void {
  const seconds = samples.length / TAKE_RATE;
  if (out.json) {
    const { label = null, confidence = null, rejected = null, scores = null, softmax = null } = found ?? {};
    out.document({ file, seconds, peak, clipped, label, confidence, rejected, scores, softmax });
    return;
  }
  const heard = found
    ? `${found.label} ${percent(found.confidence)}${found.rejected ? ' rejected' : ''}`
    : 'nothing but silence';
  out.print(`${shortPath(file)}  ${seconds.toFixed(2)} s  peak ${peak.toFixed(0)} dB  ${heard}`);
}
