/** The microphone, while it is open. */
export interface Microphone {
  /** Hz. */
  sampleRate: number;
  close(): void;
}

interface Listeners {
  /** What came in, about 50 times a second. */
  samples(samples: Float32Array<ArrayBuffer>): void;
  /** The microphone has gone: unplugged, or its permission withdrawn. */
  lost(): void;
}

/** The sound as it is: the network has learned from recordings that nothing was done to. */
const SOUND = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** Asks for the microphone and listens. Rejects with an error that says what the user can do. */
export async function openMicrophone(listeners: Listeners): Promise<Microphone> {
  if (navigator.mediaDevices === undefined) {
    throw new Error(
      'Browsers give a microphone only to pages of https or of this very machine (localhost). Sound files can be dropped.',
    );
  }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND }).catch((error: DOMException) => {
    throw new Error(explain(error), { cause: error });
  });
  const context = new AudioContext();
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  };
  try {
    await context.audioWorklet.addModule('/page/browser/worklet.js');
    const recorder = new AudioWorkletNode(context, 'recorder', { numberOfOutputs: 0 });
    recorder.port.onmessage = ({ data }) => listeners.samples(data as Float32Array<ArrayBuffer>);
    context.createMediaStreamSource(stream).connect(recorder);
    await context.resume();
  } catch (error) {
    close();
    throw error;
  }
  stream.getAudioTracks()[0]?.addEventListener('ended', () => listeners.lost());
  return { sampleRate: context.sampleRate, close };
}

function explain({ name, message }: DOMException): string {
  switch (name) {
    case 'NotAllowedError':
      return 'The browser was not allowed to use the microphone. Allow it in the settings of this page (left of the address), then press Speak again. Sound files can be dropped without.';
    case 'NotFoundError':
      return 'There is no microphone. Plug one in and press Speak again, or drop a sound file.';
    case 'NotReadableError':
      return 'The microphone cannot be read. Another program may be using it.';
    default:
      return `The microphone cannot be used: ${message}`;
  }
}
