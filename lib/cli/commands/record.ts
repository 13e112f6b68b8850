import { loadModel } from '../../model/model.js';
import type { OptionTable } from '../args.js';
import { defineCommand } from '../command.js';
import { modelPath } from '../data.js';
import { recordOne, requireNew } from '../record-one.js';
import { recordSession, SESSION_OPTIONS, sessionPlan } from '../record-session.js';
import { openSound, printDevices, SOUND_OPTIONS, SOUND_USAGE, soundChoice } from '../sound-input.js';
import { stoppable } from '../stop.js';

const OPTIONS = {
  out: {
    type: 'text',
    value: 'FILE|DIR',
    help: 'WAV to write, left out: a new recording-N.wav; of a session the folder, left out: recordings.',
  },
  force: { type: 'flag', help: 'Replaces the WAV that --out names, if there is one.' },
  seconds: {
    type: 'number',
    min: 0.1,
    max: 600,
    help: 'Records for so long, whatever is heard, instead of waiting for a word.',
  },
  model: { type: 'text', value: 'FILE', help: 'Says what was recognised. Left out: the shipped model.' },
  ...SESSION_OPTIONS,
  ...SOUND_OPTIONS,
} as const satisfies OptionTable;

export const record = defineCommand({
  name: 'record',
  summary: 'Records a word, or leads through a session of many.',
  description:
    'Records a word from the microphone, or with - from standard input (a sound file, or raw mono samples of 16 bits), to a ' +
    '16 kHz WAV, and tells what was recognised. With --label or --labels it leads through a session: says what to ' +
    'say, cuts the words out, checks how loud and long they are, asks again where one is bad, and writes them as ' +
    'DIR/SPEAKER/label_SPEAKER_N.wav (the layout of AudioMNIST), for train --data DIR. Any words will do. Another ' +
    'session goes on behind the recordings that are there.',
  examples: [
    'sonospike record',
    'sonospike record --seconds 1 --out one-second.wav',
    'sonospike record --labels yes,no --speaker me --count 20 --out my-words',
    'arecord -f S16_LE -r 16000 -c 1 | sonospike record - --label seven',
  ],
  positionals: SOUND_USAGE,
  options: OPTIONS,
  async run({ options, positionals: [source] }, out) {
    const choice = soundChoice(source, options);
    if (options.listDevices) return printDevices(out);
    const plan = sessionPlan(options);
    if (plan === null) await requireNew(options);
    const model = await loadModel(modelPath(options.model));
    await stoppable(out, async (signal) => {
      const input = { choice, model, signal, open: () => openSound(choice, out, signal) };
      if (plan === null) await recordOne(input, options, out);
      else await recordSession(input, plan, out);
    });
  },
});
