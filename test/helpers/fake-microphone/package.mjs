// A microphone that gives the samples of a file, and then does what FAKE_MICROPHONE says.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

const {
  broken,
  devices = ['Fake', 'Fake Monitor', 'Other'],
  fails,
  sound,
  afterwards,
} = JSON.parse(process.env.FAKE_MICROPHONE);
if (broken) throw new Error(broken);

class PvRecorderStatusIOError extends Error {}

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

export class PvRecorder {
  static getAvailableDevices() {
    return devices;
  }

  #frameLength;
  #device;
  #bytes = sound ? readFileSync(sound) : Buffer.alloc(0);
  sampleRate = 16_000;
  isRecording = false;

  constructor(frameLength, device) {
    if (fails) throw new Error(fails);
    this.#frameLength = frameLength;
    this.#device = devices[Math.max(0, device)];
  }

  start() {
    // As libraries do that write to stdout and stderr.
    console.log('noise on stdout');
    console.error('noise on stderr');
    this.isRecording = true;
  }

  getSelectedDevice() {
    return this.#device;
  }

  async read() {
    const frame = new Int16Array(this.#frameLength);
    await wait(0);
    const bytes = this.#bytes.subarray(0, frame.byteLength);
    this.#bytes = this.#bytes.subarray(bytes.length);
    Buffer.from(frame.buffer).set(bytes);
    if (bytes.length > 0) return frame;
    if (afterwards === 'stop') this.isRecording = false;
    else if (afterwards === 'fail') throw new Error('it was pulled out');
    else if (afterwards === 'crash') {
      // Sent when all before it is.
      await new Promise((sent) => process.send({ type: 'frame', frame }, sent));
      process.kill(process.pid, 'SIGKILL');
    } else if (afterwards === 'hang') sleep(Infinity);
    else if (afterwards === 'nothing') {
      sleep(100);
      throw new PvRecorderStatusIOError();
    } else await wait(20);
    return frame;
  }
}
