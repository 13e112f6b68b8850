#!/usr/bin/env node
// Makes a changed copy of every official training clip of FSDD: a third each in a room with echoes (0.2 to 0.8 s), among
// other voices (5 to 18 dB) and on a telephone line. For an experiment: train --extra-data OUT.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeWav } from '../../dist/audio/wav-writer.js';
import { splitDataset } from '../../dist/datasets/public.js';
import { amongVoices, reverberated, telephoned } from '../../dist/evaluation/rooms.js';
import { openDataset, readAudio } from '../../dist/index.js';
import { Random } from '../../dist/support/random.js';

const { data, out } = parseArgs({
  options: { data: { type: 'string', default: 'data/fsdd' }, out: { type: 'string', default: 'rooms' } },
}).values;

/** Takes of the copies begin here, so that no name is that of a recording. */
const FIRST_TAKE = 1000;
const OTHERS = 400;

const { train, validation } = splitDataset(await openDataset(data), 'official');
const clips = [...train, ...validation].sort((a, b) => (a.file < b.file ? -1 : 1));
const sounds = await Promise.all(clips.map(({ file }) => readAudio(file)));
mkdirSync(join(out, 'recordings'), { recursive: true });
for (const [i, { file }] of clips.entries()) {
  const [label, speaker, take] = basename(file, '.wav').split('_');
  const random = new Random(`rooms\0${label}_${speaker}_${take}`);
  const sound = sounds[i];
  const others = sounds.filter((_, k) => k !== i && k % Math.ceil(sounds.length / OTHERS) === 0);
  const changed = [
    () => reverberated(sound.samples, sound.sampleRate, random.uniform(0.2, 0.8), random),
    () => amongVoices(sound, random.uniform(5, 18), others, random),
    () => telephoned(sound.samples, sound.sampleRate),
  ][i % 3]();
  const peak = changed.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const name = `${label}_${speaker}_${Number(take) + FIRST_TAKE}.wav`;
  writeFileSync(
    join(out, 'recordings', name),
    encodeWav(
      changed.map((x) => x / peak),
      sound.sampleRate,
    ),
  );
}
console.log(`${clips.length} clips in ${out}`);
