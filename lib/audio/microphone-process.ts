// The process that `microphone.ts` starts. It ends when its parent closes the channel, or goes away.
//
// The package blocks the thread that reads, for up to a second, or for ever when the sound server hangs; and ALSA
// writes its own errors to stderr. In a process of its own neither disturbs the program.

/** The messages that this process sends to its parent. */
export type MicrophoneMessage =
  | { type: 'devices'; devices: string[] }
  | { type: 'started'; device: string; sampleRate: number }
  | { type: 'frame'; frame: Int16Array }
  /** The package is not installed, or does not work on this machine. */
  | { type: 'no-package'; installed: boolean; reason: string }
  /** There is no microphone, or it cannot be opened. */
  | { type: 'no-device'; reason: string }
  | { type: 'unknown-device'; devices: string[] }
  | { type: 'lost'; reason: string };

/** The part of the package's interface that is used here. */
interface Recorder {
  readonly isRecording: boolean;
  readonly sampleRate: number;
  start(): void;
  read(): Promise<Int16Array>;
  getSelectedDevice(): string;
}
interface RecorderClass {
  new (frameLength: number, deviceIndex: number, bufferedFrames: number): Recorder;
  getAvailableDevices(): string[];
}

/** The type string lets this compile where the package is not installed. */
const PACKAGE: string = '@picovoice/pvrecorder-node';
/** Samples, 20 ms. */
const FRAME = 320;
/** Frames that the package buffers for a slow reader: two seconds. */
const BUFFERED = 100;

const [task, device = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
if (process.send) await main();

async function main(): Promise<void> {
  const Recorder = await loadPackage();
  if (Recorder === null) return;
  const devices = availableDevices(Recorder);
  if (devices === null) return;
  if (task === 'list') return tell({ type: 'devices', devices });
  const index = device === '' ? -1 : find(devices, device);
  if (index === null) return tell({ type: 'unknown-device', devices });
  const recorder = start(Recorder, index);
  if (recorder !== null) await record(recorder);
}

async function loadPackage(): Promise<RecorderClass | null> {
  // Without this PulseAudio delivers two seconds at a time.
  process.env.PULSE_LATENCY_MSEC ??= '30';
  try {
    const loaded = (await import(PACKAGE)) as { PvRecorder: RecorderClass };
    return loaded.PvRecorder;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_MODULE_NOT_FOUND';
    tell({ type: 'no-package', installed: !missing, reason: text(error) });
    return null;
  }
}

function availableDevices(Recorder: RecorderClass): string[] | null {
  try {
    return Recorder.getAvailableDevices();
  } catch (error) {
    tell({ type: 'no-device', reason: text(error) });
    return null;
  }
}

/** The index of the device that `wanted` names: its number, its name, or a unique part of the name; null if there is none. */
function find(devices: readonly string[], wanted: string): number | null {
  if (/^\d+$/.test(wanted)) return Number(wanted) < devices.length ? Number(wanted) : null;
  const exact = devices.indexOf(wanted);
  if (exact >= 0) return exact;
  const alike = [...devices.keys()].filter((i) => devices[i]!.toLowerCase().includes(wanted.toLowerCase()));
  return alike.length === 1 ? alike[0]! : null;
}

function start(Recorder: RecorderClass, index: number): Recorder | null {
  try {
    const recorder = new Recorder(FRAME, index, BUFFERED);
    recorder.start();
    tell({ type: 'started', device: recorder.getSelectedDevice(), sampleRate: recorder.sampleRate });
    return recorder;
  } catch (error) {
    tell({ type: 'no-device', reason: text(error) });
    return null;
  }
}

/** Sends frames until the device stops. The parent decides how long it waits for the next frame. */
async function record(recorder: Recorder): Promise<void> {
  while (recorder.isRecording) {
    try {
      const frame = await recorder.read();
      tell({ type: 'frame', frame });
    } catch (error) {
      // The package gives up after a second, but a device that wakes from sleep can take longer.
      if (!isTimeout(error)) return tell({ type: 'lost', reason: text(error) });
    }
  }
  tell({ type: 'lost', reason: 'the device stopped' });
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'PvRecorderStatusIOError';
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tell(message: MicrophoneMessage): void {
  if (process.connected) process.send?.(message);
}
