// Has the synthesizers' programs say words.
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { espeakPhonemes, festivalSegments, phonemesOf } from './accents.mjs';

function execute(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 24, ...options });
  if (result.error?.code === 'ENOENT') {
    throw new Error(`${program} is not installed (Debian package: ${program})`);
  }
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr.trim()}`);
  return result.stdout;
}

/** What each program says it has: for espeak-ng the file names of the variants. */
const LISTINGS = {
  'espeak-ng': { args: ['--voices=variant'], names: (text) => text.match(/(?<=!v\/)\S+/g) },
  flite: { args: ['-lv'], names: (text) => text.split(/\s+/) },
  festival: { args: ['-b', '(print (voice.list))'], names: (text) => text.match(/\w+/g) },
};

/** What a take needs of its program's listing; null for an espeak-ng voice without a variant. */
function neededName({ synth, id }) {
  return synth === 'espeak-ng' ? (id.split('+')[1] ?? null) : id;
}

/** The programs and voices that `takes` need and this machine lacks, a sentence each. */
export function missing(takes) {
  const problems = [];
  for (const [program, { args, names }] of Object.entries(LISTINGS)) {
    const needed = new Set(takes.filter(({ synth }) => synth === program).map(neededName));
    if (needed.size === 0) continue;
    needed.delete(null);
    try {
      const installed = new Set(names(execute(program, args)));
      for (const id of needed) {
        if (!installed.has(id)) problems.push(`${program} has no voice ${id} (see samples/README.md)`);
      }
    } catch (error) {
      problems.push(error.message);
    }
  }
  return problems;
}

const transcribed = new Map();

/** The phonemes of an English text as `accents.mjs` names them. */
export function transcribe(text) {
  if (!transcribed.has(text)) {
    const ipa = execute('espeak-ng', ['-q', '-v', 'en-us', '--ipa', '--sep=_', text]);
    transcribed.set(text, phonemesOf(ipa.trim()));
  }
  return transcribed.get(text);
}

/** What espeak-ng is given to say. */
function espeakText({ text, accent, strong, mark }) {
  return (accent === undefined ? text : espeakPhonemes(transcribe(text), accent, strong)) + mark;
}

/** festival's commands for one job. */
function festivalCommands(job) {
  const { id, rate, pitch, range = 14, text, mark, accent, raw } = job;
  const save = (utterance) => `(utt.save.wave (utt.synth (Utterance ${utterance})) "${raw}" 'riff)`;
  const voice = `(voice_${id})`;
  if (accent !== undefined) return [voice, save(`Segments ${festivalSegments(transcribe(text), id, job)}`)];
  const stretch = `(Parameter.set 'Duration_Stretch ${1 / rate})`;
  const model = '(model_f0_mean 170) (model_f0_std 34)';
  const f0 = `(set! int_lr_params '((target_f0_mean ${pitch}) (target_f0_std ${range}) ${model}))`;
  return [voice, stretch, ...(pitch === undefined ? [] : [f0]), save(`Text "${text}${mark}"`)];
}

/**
 * Has festival say its jobs, whose `raw` files are in `folder`. What is in its memory shows in some sounds: with a
 * process for each take and names that are always the same, a clip does not depend on what else is made, and where.
 */
function synthesizeWithFestival(jobs, folder) {
  const takes = new Map();
  for (const job of jobs) {
    const key = `${job.id} ${job.take}`;
    takes.set(key, [...(takes.get(key) ?? []), job]);
  }
  for (const said of takes.values()) {
    const names = said.map((_, i) => `said${100 + i}.wav`);
    const commands = said.flatMap((job, i) => festivalCommands({ ...job, raw: names[i] }));
    writeFileSync(join(folder, 'say.scm'), commands.join('\n'));
    execute('festival', ['-b', 'say.scm'], { cwd: folder });
    for (const [i, { raw }] of said.entries()) renameSync(join(folder, names[i]), raw);
  }
}

/** Has the synthesizers say every job's text into its `raw` file. `folder` is where they are. */
export function synthesize(jobs, folder) {
  for (const [done, job] of jobs.entries()) {
    const { synth, id, rate, pitch, range, text, mark, raw } = job;
    if (done % 500 === 0 && done > 0) process.stderr.write(`${done} of ${jobs.length} words said\n`);
    if (synth === 'espeak-ng') {
      const speed = `${Math.round(175 * rate)}`;
      execute(synth, ['-v', id, '-s', speed, '-p', `${pitch}`, '-w', raw, espeakText(job)]);
    } else if (synth === 'flite') {
      const settings = { duration_stretch: 1 / rate, int_f0_target_mean: pitch, int_f0_target_stddev: range };
      const given = Object.entries(settings).filter(([, value]) => value !== undefined);
      const features = given.flatMap(([name, value]) => ['--setf', `${name}=${value}`]);
      execute(synth, ['-voice', id, ...features, '-t', text + mark, '-o', raw]);
    }
  }
  synthesizeWithFestival(
    jobs.filter(({ synth }) => synth === 'festival'),
    folder,
  );
}
