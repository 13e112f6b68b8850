#!/usr/bin/env node
// Makes the sample clips in this folder, and on request sets to train and measure with, with free speech
// synthesizers. Nothing here is random: the same synthesizer versions give the same bytes.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { finish } from './synthesis/clip.mjs';
import { missing, synthesize } from './synthesis/synthesizers.mjs';
import { hashedUnit, shippedTakes, testTakes, trainingTakes } from './synthesis/voices.mjs';
import { DIGITS, otherTexts, TEST_WORDS } from './synthesis/words.mjs';

const HELP = `Usage: node samples/make-samples.mjs [--out DIR]
       node samples/make-samples.mjs [--training DIR] [--unknown DIR] [--unknown-test DIR]

Says words with espeak-ng, flite and festival.

Without options it writes the shipped clips of the digits, D_voice_I.wav, beside this
script. With them, sets of other voices and settings; the voices that are held out, and
the exact settings of the shipped clips, are in none to train with.

  --out DIR           write the shipped clips to DIR instead
  --training DIR      digits to train with, in DIR/recordings; the voices whose names
                      begin with "accent" are of other languages
  --unknown DIR       other words to train with, in DIR/_unknown_, and DIR/words.csv
  --unknown-test DIR  other words, said by held-out voices, to measure with
  --every N           only every N-th setting of the voices: a smaller set
  -h, --help          show this text

Debian packages: see samples/README.md
`;

const MAX_SECONDS = 0.99;
const MAX_PAIR_SECONDS = 1.4;
const UNKNOWN_CLIPS = 4400;

function digitJobs(takes) {
  return takes.flatMap((take) =>
    DIGITS.map((text, digit) => ({ ...take, text, name: `${digit}_${take.speaker}_${take.take}.wav` })),
  );
}

/** `speaker_index.wav`, which a folder named after a word reads as a speaker's clip. */
function numbered(jobs) {
  const counts = new Map();
  return jobs.map((job) => {
    const index = counts.get(job.speaker) ?? 0;
    counts.set(job.speaker, index + 1);
    return { ...job, name: `${job.speaker}_${index}.wav` };
  });
}

/** Goes around the texts, in another order each time, until every take has said as many. */
function unknownJobs(takes) {
  const texts = otherTexts().flatMap(([text, weight]) => Array.from({ length: weight }, (_, i) => [text, i]));
  const each = Math.ceil(UNKNOWN_CLIPS / takes.length);
  const rounds = Math.ceil((each * takes.length) / texts.length);
  const order = Array.from({ length: rounds }, (_, round) =>
    texts
      .map(([text, copy]) => ({ text, key: hashedUnit(`${round} ${text} ${copy}`) }))
      .sort((a, b) => a.key - b.key),
  ).flat();
  const shuffled = takes.toSorted(
    (a, b) => hashedUnit(`${a.speaker} ${a.take}`) - hashedUnit(`${b.speaker} ${b.take}`),
  );
  return numbered(
    Array.from({ length: each * takes.length }, (_, i) => ({
      ...shuffled[i % takes.length],
      text: order[i].text,
    })),
  );
}

function testJobs(takes) {
  return numbered(takes.flatMap((take) => TEST_WORDS.map((text) => ({ ...take, text }))));
}

/** Says, finishes and writes the jobs' clips; gives the jobs that made one. */
function makeClips(jobs, target) {
  const problems = missing(jobs);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  mkdirSync(target, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'sonospike-samples-'));
  try {
    const all = jobs.map((job, i) => ({ ...job, raw: join(folder, `${i}.wav`) }));
    synthesize(all, folder);
    const seen = new Map();
    let bytesWritten = 0;
    const made = all.filter((job) => {
      const maxSeconds = job.text.includes(' ') ? MAX_PAIR_SECONDS : MAX_SECONDS;
      const { bytes, problem } = finish({ ...job, maxSeconds });
      const digest = bytes && createHash('sha256').update(bytes).digest('hex');
      const twin = seen.get(digest);
      if (problem || twin) {
        process.stderr.write(`left out ${job.name} (${job.text}): ${problem ?? `same as ${twin}`}\n`);
        rmSync(join(target, job.name), { force: true });
        return false;
      }
      seen.set(digest, job.name);
      writeFileSync(join(target, job.name), bytes);
      bytesWritten += bytes.length;
      return true;
    });
    const speakers = new Set(made.map((job) => job.speaker)).size;
    const megabytes = (bytesWritten / 1e6).toFixed(1);
    process.stdout.write(
      `${made.length} clips of ${jobs.length}, ${speakers} voices, ${megabytes} MB, in ${target}\n`,
    );
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeUnknown(jobs, target) {
  const made = makeClips(jobs, join(target, '_unknown_'));
  const rows = made.map(({ name, text }) => `_unknown_/${name},${text}\n`);
  writeFileSync(join(target, 'words.csv'), `file,text\n${rows.join('')}`);
}

function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      out: text,
      training: text,
      unknown: text,
      'unknown-test': text,
      every: text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  const step = Number(values.every ?? 1);
  if (!(Number.isInteger(step) && step > 0)) {
    throw new Error(`--every ${values.every} is not a whole number above 0`);
  }
  const some = (takes) => takes.filter((_, i) => i % step === 0);
  const { training, unknown, 'unknown-test': test, out } = values;
  if (training !== undefined) makeClips(digitJobs(some(trainingTakes())), join(training, 'recordings'));
  if (unknown !== undefined) makeUnknown(unknownJobs(some(trainingTakes())), unknown);
  if (test !== undefined) makeUnknown(testJobs(some(testTakes())), test);
  if ([training, unknown, test].every((set) => set === undefined)) {
    makeClips(digitJobs(shippedTakes()), out ?? import.meta.dirname);
  }
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
