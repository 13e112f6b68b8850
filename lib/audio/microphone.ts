import { type ChildProcess, fork } from 'node:child_process';
import { SonospikeError } from '../support/errors.js';
import { packageFile } from '../support/package-files.js';
import type { MicrophoneMessage } from './microphone-process.js';
import type { Sound } from './sound.js';

export interface MicrophoneOptions {
  /** A device's number in the list, its name, or a part of the name that no other has. Default: the system's own. */
  device?: string;
  /** Ends the sound, as its end would. */
  signal?: AbortSignal;
}

const PROCESS = packageFile('dist/audio/microphone-process.js');
/** Hz, what the package gives. */
const SAMPLE_RATE = 16_000;
/** Milliseconds that a device may take until it gives samples; one that sleeps takes a second or two. */
const START = 15_000;
/** Milliseconds without samples after which a device is taken to be gone. */
const STALL = 5000;

const PIPE =
  'Or pipe the sound in and name - as the source, for example: arecord -f S16_LE -r 16000 -c 1 | sonospike live -';

/**
 * The names of the microphones.
 * @throws SonospikeError ERR_MICROPHONE_MISSING
 */
export async function listMicrophones(): Promise<string[]> {
  const connection = new Connection('list', '');
  try {
    const message = await connection.receive(START);
    if (message?.type === 'devices') return message.devices;
    throw refusal(message, '');
  } finally {
    connection.close();
  }
}

/**
 * Starts to record, 16 kHz mono. The device is free again when the iteration of the chunks ends.
 * @throws SonospikeError ERR_MICROPHONE_MISSING (the package or the device is not there); the iterator ERR_MICROPHONE_LOST
 * (unplugged, say)
 */
export async function openMicrophone({ device = '', signal }: MicrophoneOptions = {}): Promise<Sound> {
  const connection = new Connection('record', device, signal);
  const message = await connection.receive(START);
  if (message?.type === 'started') {
    return {
      name: message.device,
      sampleRate: message.sampleRate,
      chunks: frames(connection, message.device),
    };
  }
  connection.close();
  if (signal?.aborted) return { name: 'the microphone', sampleRate: SAMPLE_RATE, chunks: noFrames() };
  throw refusal(message, device);
}

async function* noFrames(): AsyncGenerator<Float32Array> {}

async function* frames(connection: Connection, device: string): AsyncGenerator<Float32Array> {
  try {
    for (let patience = START; ; patience = STALL) {
      const message = await connection.receive(patience);
      if (connection.aborted) return;
      if (message?.type !== 'frame') throw lost(message, device, connection.ended ? null : patience);
      yield Float32Array.from(message.frame, (sample) => sample / 32768);
    }
  } finally {
    connection.close();
  }
}

/** @param patience null where the process has ended */
function lost(message: MicrophoneMessage | null, device: string, patience: number | null): SonospikeError {
  const silence =
    patience === null
      ? 'the process that reads it ended'
      : `no samples for ${(patience / 1000).toFixed(0)} seconds`;
  const reason = message?.type === 'lost' ? message.reason : silence;
  return new SonospikeError(
    'ERR_MICROPHONE_LOST',
    `The microphone ${device} is gone (${reason}). Plug it in again, or choose another with --device; ` +
      '--list-devices names them.',
  );
}

/** Why there is no sound from the start. */
function refusal(message: MicrophoneMessage | null, device: string): SonospikeError {
  return new SonospikeError('ERR_MICROPHONE_MISSING', refusalText(message, device));
}

function refusalText(message: MicrophoneMessage | null, device: string): string {
  switch (message?.type) {
    case 'no-package':
      return message.installed
        ? `The package @picovoice/pvrecorder-node does not work on this machine (${message.reason}). ${PIPE}`
        : `The microphone needs a package that is not installed: npm install @picovoice/pvrecorder-node. ${PIPE}`;
    case 'unknown-device': {
      const names = message.devices.map((name, i) => `${i} ${name}`).join(', ');
      return `No one microphone is called ${JSON.stringify(device)}. There are: ${names || 'none'}.`;
    }
    case 'no-device':
      return `No microphone can be opened (${message.reason}): plug one in, or start the sound server. ${PIPE}`;
    default:
      return `The sound system of this machine does not answer. ${PIPE}`;
  }
}

/** The process that records, and what it says. */
class Connection {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal | undefined;
  readonly #messages: MicrophoneMessage[] = [];
  readonly #wake = () => this.#waiting?.();
  #waiting: (() => void) | null = null;
  #ended = false;

  constructor(task: 'list' | 'record', device: string, signal?: AbortSignal) {
    // In a process group of its own, Ctrl-C reaches it only through its parent.
    this.#child = fork(PROCESS, [task, device], {
      serialization: 'advanced',
      detached: true,
      stdio: ['ignore', 'ignore', process.env.SONOSPIKE_DEBUG ? 'inherit' : 'ignore', 'ipc'],
    });
    this.#child.on('message', (message) => {
      this.#messages.push(message as MicrophoneMessage);
      this.#wake();
    });
    for (const event of ['error', 'disconnect', 'exit']) {
      this.#child.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
    this.#signal = signal;
    signal?.addEventListener('abort', this.#wake);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get aborted(): boolean {
    return this.#signal?.aborted === true;
  }

  /** The next message; null if none comes within so many milliseconds, none will come, or the signal says stop. */
  async receive(patience: number): Promise<MicrophoneMessage | null> {
    if (this.#messages.length === 0 && !this.#ended && !this.aborted) {
      await new Promise<void>((resolve) => {
        // After work that has held up this thread, the messages that waited are seen before the verdict.
        const timer = setTimeout(() => setImmediate(() => setImmediate(resolve)), patience);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#waiting = null;
    }
    return this.aborted ? null : (this.#messages.shift() ?? null);
  }

  /** Takes the microphone away from the process, in one way or the other. */
  close(): void {
    this.#signal?.removeEventListener('abort', this.#wake);
    if (this.#child.connected) this.#child.disconnect();
    this.#child.kill('SIGKILL');
  }
}
