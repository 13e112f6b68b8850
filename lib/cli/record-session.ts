import { encodeWav } from '../audio/wav-writer.js';
import { openDataset } from '../datasets/index.js';
import { namePart, Recordings } from '../datasets/recordings.js';
import { createFileAtomic } from '../files/atomic-file.js';
import { makeFolder } from '../files/files.js';
import { fileError, SonospikeError } from '../support/errors.js';
import type { OptionTable, Values } from './args.js';
import { shortPath } from './format.js';
import type { Hearing } from './hearing.js';
import type { Output } from './output.js';
import { commandLine } from './program.js';
import { DeadMicrophone, type RecordInput } from './sound-input.js';
import { StopSignal } from './stop.js';
import { levelFault, TAKE_RATE, type Take, takes } from './takes.js';

export const SESSION_OPTIONS = {
  label: { type: 'text', value: 'WORD', help: 'The word of a session.' },
  labels: { type: 'text', value: 'WORD,WORD', help: 'The words of a session, in turn.' },
  speaker: { type: 'text', value: 'NAME', help: 'Who speaks in a session. Left out: me.' },
  count: {
    type: 'integer',
    min: 1,
    max: 10_000,
    help: 'Recordings of every word of a session. Left out: 10.',
  },
  shuffle: { type: 'flag', help: 'Asks for the words of a session in another order every time.' },
  longest: { type: 'number', min: 0.2, max: 2, help: 'Seconds of a word of a session. Left out: 1.' },
} as const satisfies OptionTable;

export interface SessionPlan {
  directory: string;
  labels: string[];
  speaker: string;
  /** Recordings of every word. */
  count: number;
  shuffle: boolean;
  /** Seconds of a word. */
  longest: number;
}

/**
 * The session that the options ask for; null if they do not ask for one.
 * @throws SonospikeError ERR_INVALID_OPTION
 */
export function sessionPlan(
  options: Values<typeof SESSION_OPTIONS> & { out?: string; force: boolean; seconds?: number },
): SessionPlan | null {
  const { label, labels, speaker, count, shuffle, longest } = options;
  if (label === undefined && labels === undefined) {
    const surplus = Object.entries({ speaker, count, shuffle: shuffle || undefined, longest });
    const [name] = surplus.find(([, value]) => value !== undefined) ?? [];
    if (name === undefined) return null;
    throw invalid(`--${name} is of a session: name its word with --label, or its words with --labels.`);
  }
  if (label !== undefined && labels !== undefined) throw invalid('Name --label or --labels, not both.');
  if (options.seconds !== undefined)
    throw invalid('--seconds is not of a session, which cuts the words out.');
  if (options.force) throw invalid('--force is not of a session, which never replaces a recording.');
  const words = (label === undefined ? labels!.split(',') : [label]).map((word) =>
    namePart(word, 'The word'),
  );
  const twice = words.find((word, i) => words.findIndex((other) => same(word, other)) < i);
  if (twice !== undefined) throw invalid(`--labels names ${twice} twice.`);
  return {
    directory: options.out ?? 'recordings',
    labels: words,
    speaker: namePart(speaker ?? 'me', 'The speaker', true),
    count: count ?? 10,
    shuffle,
    longest: longest ?? 1,
  };
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function invalid(message: string): SonospikeError {
  return new SonospikeError('ERR_INVALID_OPTION', message);
}

/** Leads through a session. What is recorded when it is stopped stays. */
export async function recordSession(input: RecordInput, plan: SessionPlan, out: Output): Promise<void> {
  const { choice, model, signal, open } = input;
  const recordings = await Recordings.open(plan.directory, plan.speaker, plan.labels);
  await makeFolder(recordings.folder).catch((error) => {
    throw fileError(error, recordings.folder, 'write');
  });
  const session = new Session(plan, recordings, out);
  const sound = await open();
  const dead = new DeadMicrophone(out);
  const onPiece = (hearing: Hearing, piece: Float32Array) => {
    if (!choice.piped) dead.hear(piece, sound.sampleRate);
    session.prompt();
    hearing.show(out);
  };
  try {
    for await (const take of takes(sound, model, onPiece)) {
      await session.take(take);
      if (session.done) break;
    }
  } catch (error) {
    if (session.recorded > 0) await session.report();
    throw error;
  }
  if (session.recorded === 0 && !signal.aborted) {
    throw new SonospikeError(
      'ERR_AUDIO_SILENT',
      `No word that could be used was to be heard on ${sound.name}.`,
    );
  }
  await session.report();
  if (!session.done && signal.reason instanceof StopSignal) process.exitCode = signal.reason.status;
}

/** Takes shorter than this are no word. Seconds. */
const SHORTEST = 0.15;

/** What is still to be said, and what was. */
class Session {
  readonly #plan: SessionPlan;
  readonly #recordings: Recordings;
  readonly #out: Output;
  readonly #words: string[];
  readonly #clips: { file: string; label: string; seconds: number; peak: number }[] = [];
  #refused = 0;
  #asked = false;

  constructor(plan: SessionPlan, recordings: Recordings, out: Output) {
    this.#plan = plan;
    this.#recordings = recordings;
    this.#out = out;
    this.#words = Array.from({ length: plan.count }, () =>
      plan.shuffle ? inAnyOrder(plan.labels) : plan.labels,
    ).flat();
  }

  get recorded(): number {
    return this.#clips.length;
  }

  get done(): boolean {
    return this.#clips.length === this.#words.length;
  }

  /** Says what to say, unless it is said already. */
  prompt(): void {
    if (this.#asked || this.done) return;
    this.#out.note(`Say ${this.#words[this.recorded]} (${this.recorded + 1} of ${this.#words.length})`);
    this.#asked = true;
  }

  /** Writes a take, or says what is wrong with it. */
  async take(take: Take): Promise<void> {
    this.#asked = false;
    const fault = levelFault(take) ?? this.#lengthFault(take);
    if (fault !== null) {
      this.#refused++;
      this.#out.note(fault);
      return;
    }
    const label = this.#words[this.recorded]!;
    const wav = encodeWav(take.samples, TAKE_RATE);
    let file = this.#recordings.next(label);
    // Another session may have taken the name.
    while (!(await createFileAtomic(file, [wav]))) file = this.#recordings.next(label);
    const { seconds, peak } = take;
    this.#clips.push({ file, label, seconds, peak });
    if (!this.#out.json) {
      this.#out.print(`  ${shortPath(file)}  ${seconds.toFixed(2)} s  peak ${peak.toFixed(0)} dB`);
    }
  }

  #lengthFault({ seconds }: Take): string | null {
    const { longest } = this.#plan;
    if (seconds < SHORTEST) return `Too short (${seconds.toFixed(2)} s).`;
    if (seconds <= longest) return null;
    return `Too long (${seconds.toFixed(1)} s, at most ${longest}): say the word alone. --longest allows more.`;
  }

  async report(): Promise<void> {
    const { directory, labels, speaker } = this.#plan;
    const clips = this.#clips;
    const wanted = this.#words.length;
    if (this.#out.json) {
      this.#out.document({ directory, speaker, labels, clips, wanted, refused: this.#refused });
      return;
    }
    const of = this.done ? '' : ` of ${wanted}`;
    this.#out.print(`${clips.length}${of} recordings are in ${shortPath(this.#recordings.folder)}.`);
    const words = await wordsIn(directory);
    if (words === null || words < 2) {
      this.#out.note('Training takes two words at least: record another.');
    } else {
      this.#out.note(`Train on them: ${commandLine('train', ['--data', directory])}`);
    }
  }
}

/** How many words a folder has recordings of; null if it is no dataset (yet). */
async function wordsIn(directory: string): Promise<number | null> {
  try {
    return (await openDataset(directory)).labels.length;
  } catch (error) {
    if (error instanceof SonospikeError) return null;
    throw error;
  }
}

function inAnyOrder(words: readonly string[]): string[] {
  return words
    .map((word) => ({ word, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ word }) => word);
}
