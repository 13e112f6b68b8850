import { listMicrophones, openMicrophone } from '../audio/microphone.js';
import type { Sound } from '../audio/sound.js';
import { MAX_SAMPLE_RATE } from '../audio/sound.js';
import { readSound } from '../audio/sound-reader.js';
import type { Model } from '../model/model.js';
import { MIN_SAMPLE_RATE } from '../model/word-stream.js';
import { SonospikeError } from '../support/errors.js';
import type { OptionTable, Values } from './args.js';
import type { Output } from './output.js';

export const SOUND_OPTIONS = {
  device: {
    type: 'text',
    value: 'NAME|N',
    help: 'Microphone: its number in --list-devices, or a part of its name. Left out: the one of the system.',
  },
  listDevices: { type: 'flag', help: 'Prints the microphones and ends.' },
  rate: {
    type: 'integer',
    min: MIN_SAMPLE_RATE,
    max: MAX_SAMPLE_RATE,
    default: 16_000,
    help: 'Hz of raw samples on standard input. Sound files say their own.',
  },
} as const satisfies OptionTable;

export const SOUND_USAGE = { usage: '[-]', max: 1 };

/** Where the sound of a command comes from. */
export interface SoundChoice {
  /** Standard input instead of the microphone. */
  piped: boolean;
  device: string | undefined;
  rate: number;
}

/** @throws SonospikeError ERR_INVALID_OPTION */
export function soundChoice(
  source: string | undefined,
  { device, rate }: Values<typeof SOUND_OPTIONS>,
): SoundChoice {
  if (source !== undefined && source !== '-') {
    const message =
      `${JSON.stringify(source)} is no source of sound: leave it out for the microphone, or - is standard input. ` +
      'run-digit recognises files.';
    throw new SonospikeError('ERR_INVALID_OPTION', message);
  }
  if (source === '-' && device !== undefined) {
    throw new SonospikeError('ERR_INVALID_OPTION', '--device is of the microphone, and - is standard input.');
  }
  if (source === '-' && process.stdin.isTTY) {
    const message =
      'Standard input is the terminal; - is for sound that is piped in, for example: ' +
      'arecord -f S16_LE -r 16000 -c 1 | sonospike live -';
    throw new SonospikeError('ERR_INVALID_OPTION', message);
  }
  return { piped: source === '-', device, rate };
}

/** What a command that records works with. */
export interface RecordInput {
  choice: SoundChoice;
  model: Model;
  signal: AbortSignal;
  open(): Promise<Sound>;
}

/**
 * Opens the microphone or standard input. The sound must then be iterated, which closes it.
 * @param signal ends the sound
 * @throws SonospikeError as `openMicrophone` and `readSound` do, and ERR_AUDIO_UNSUPPORTED at a rate that no stream takes
 */
export async function openSound(choice: SoundChoice, out: Output, signal: AbortSignal): Promise<Sound> {
  if (!choice.piped) return openMicrophone({ signal, ...(choice.device ? { device: choice.device } : {}) });
  const sound = await readSound(process.stdin, {
    name: 'standard input',
    sampleRate: choice.rate,
    signal,
    onRemark: (text) => out.note(text),
  });
  if (sound.sampleRate >= MIN_SAMPLE_RATE) return sound;
  // Left open, it would keep the program from ending for as long as something may come.
  process.stdin.destroy();
  throw new SonospikeError(
    'ERR_AUDIO_UNSUPPORTED',
    `The sound on standard input has ${sound.sampleRate} samples a second, and at least ${MIN_SAMPLE_RATE} are needed.`,
  );
}

/** The microphones, for `--list-devices`. */
export async function printDevices(out: Output): Promise<void> {
  const devices = await listMicrophones();
  if (out.json) out.document(devices);
  else if (devices.length === 0) out.note('There is no microphone.');
  else out.print(devices.map((name, i) => `${i} ${name}`).join('\n'));
}

/** Seconds of nothing but zeros, after which it is worth a remark. */
const DEAD = 3;

/** Says so, once, where a microphone gives nothing but zeros from the start. */
export class DeadMicrophone {
  #seconds = 0;
  #known = false;

  constructor(private readonly out: Output) {}

  hear(samples: Float32Array, sampleRate: number): void {
    if (this.#known) return;
    this.#seconds += samples.length / sampleRate;
    this.#known = samples.some((sample) => sample !== 0);
    if (this.#known || this.#seconds < DEAD) return;
    this.#known = true;
    this.out.note(
      'The microphone gives nothing but digital silence so far: is it muted, or this terminal not allowed to use it?',
    );
  }
}
