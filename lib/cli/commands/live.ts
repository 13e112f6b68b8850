import type { Sound } from '../../audio/sound.js';
import { loadModel, type Model } from '../../model/model.js';
import type { Word } from '../../model/word-stream.js';
import { SonospikeError } from '../../support/errors.js';
import type { OptionTable } from '../args.js';
import { defineCommand } from '../command.js';
import { modelPath } from '../data.js';
import { clock, counted, padTo, percent } from '../format.js';
import { Hearing } from '../hearing.js';
import type { Output } from '../output.js';
import {
  DeadMicrophone,
  openSound,
  printDevices,
  SOUND_OPTIONS,
  SOUND_USAGE,
  soundChoice,
} from '../sound-input.js';
import { stoppable } from '../stop.js';
import { printable, textWidth } from '../text-width.js';
import { noteWithoutThreshold } from '../threshold.js';

const OPTIONS = {
  model: { type: 'text', value: 'FILE', help: 'Left out: the shipped model.' },
  ...SOUND_OPTIONS,
  showRejected: { type: 'flag', help: 'Also prints sounds that the model would not call a word.' },
} as const satisfies OptionTable;

export const live = defineCommand({
  name: 'live',
  summary: 'Recognises words as they are spoken, from the microphone or a pipe.',
  description:
    'Recognises words as they are spoken, and prints a line for each: its time, what it is, and how sure that is. ' +
    'Listens to the microphone until Ctrl-C, or with - to standard input until its end: a WAV while it ' +
    'comes, another sound file (FLAC, MP3, Opus, Vorbis, AIFF) once it is there, or raw mono samples of 16 bits ' +
    '(little-endian).',
  examples: [
    'sonospike live',
    'sonospike live --model sonospike-model.safetensors',
    'arecord -f S16_LE -r 16000 -c 1 | sonospike live -',
    'ffmpeg -i talk.m4a -f wav - | sonospike live - --json',
  ],
  positionals: SOUND_USAGE,
  options: OPTIONS,
  json: 'Prints a line of JSON for every word on stdout; everything else goes to stderr. With npm, use npm run -s.',
  async run({ options, positionals: [source] }, out) {
    const choice = soundChoice(source, options);
    if (options.listDevices) return printDevices(out);
    const model = await loadModel(modelPath(options.model));
    noteWithoutThreshold(out, model);
    await stoppable(out, async (signal) => {
      const sound = await openSound(choice, out, signal);
      if (!choice.piped && !signal.aborted) out.note(`Listening to ${sound.name}. Ctrl-C ends.`);
      const heard = await listen(sound, model, out, options.showRejected, choice.piped);
      if (signal.aborted) throw stopped(heard, signal);
    });
  },
});

/** What was heard until a stop. */
interface Heard {
  seconds: number;
  words: number;
}

function stopped({ seconds, words }: Heard, signal: AbortSignal): SonospikeError {
  const message = `Stopped after ${clock(seconds)}; ${counted(words, 'word')} recognised.`;
  return new SonospikeError('ERR_ABORTED', message, { cause: signal.reason });
}

/** Prints the words of a sound until it ends. */
async function listen(
  sound: Sound,
  model: Model,
  out: Output,
  showRejected: boolean,
  piped: boolean,
): Promise<Heard> {
  const hearing = new Hearing(model, sound.sampleRate);
  const width = Math.max(...model.labels.map(textWidth));
  let words = 0;
  const print = (word: Word) => {
    if (out.json) out.document(described(word));
    else out.print(line(word, width));
  };
  hearing.stream.on('word', (word: Word) => {
    words++;
    print(word);
  });
  if (showRejected) hearing.stream.on('rejected', print);
  const dead = new DeadMicrophone(out);
  for await (const samples of sound.chunks) {
    await hearing.hear(samples);
    if (!piped) dead.hear(samples, sound.sampleRate);
    hearing.show(out);
  }
  await hearing.end();
  return { seconds: hearing.stream.time, words };
}

function line({ start, label, confidence, rejected }: Word, width: number): string {
  return `${clock(start).padStart(8)}  ${padTo(printable(label), width)}  ${percent(confidence).padStart(6)}${rejected ? ' rejected' : ''}`;
}

function described({ start, end, label, confidence, rejected, scores, softmax }: Word) {
  return { start, end, label, confidence, rejected, scores, softmax };
}
