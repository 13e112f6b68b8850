// The clips that samples/make-samples.mjs makes, on the fewest voices that show it. What needs the synthesizers is
// skipped, and says so, where they are not installed.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset, readAudio } from '../lib/index.js';
import { startNode } from './helpers/cli.js';

/** The scripts have no types. */
const script = (name: string) => import(resolve('samples/synthesis', name));
const { ESPEAK_ACCENTS, espeakPhonemes, FESTIVAL_ACCENTS, phonemesOf } = await script('accents.mjs');
const { missing } = await script('synthesizers.mjs');
const { shippedTakes, testTakes, trainingTakes } = await script('voices.mjs');
const { DIGITS, OTHER_WORDS, otherTexts, TEST_WORDS } = await script('words.mjs');

interface Take {
  synth: string;
  id: string;
  speaker: string;
  rate: number;
  pitch?: number;
}

const SLOW = 300_000; // ms
const training: Take[] = trainingTakes();
const key = ({ synth, id, rate, pitch }: Take) => `${synth} ${id} ${rate} ${pitch}`;

const lacking: string[] = missing([...shippedTakes(), ...training, ...testTakes()]);
if (lacking.length > 0) console.warn(`Tests of samples/make-samples.mjs skipped: ${lacking[0]}`);

describe('the lists', () => {
  it('words to measure with are none of those to train with, and no other word sounds like a digit', () => {
    const said = new Set(otherTexts().flatMap(([text]: [string]) => text.split(' ')));
    expect(TEST_WORDS.filter((word: string) => said.has(word))).toEqual([]);
    const digits = [...DIGITS, 'won', 'to', 'too', 'for', 'fore', 'ate', 'oh', 'nil'];
    expect(digits.filter((word) => said.has(word) || TEST_WORDS.includes(word))).toEqual([]);
    expect(OTHER_WORDS.length).toBeGreaterThan(200);
    expect(new Set(TEST_WORDS).size).toBe(40);
  });

  it('no voice to measure with, and no setting of a shipped clip, is trained with', () => {
    const held = new Set(testTakes().map(({ id }: Take) => id));
    expect(training.filter(({ id }) => held.has(id))).toEqual([]);
    const shipped = new Set(shippedTakes().map(key));
    expect(training.filter((take) => shipped.has(key(take)))).toEqual([]);
    // The speakers slt and rms and the variant linda, under whatever name.
    expect(training.filter(({ id }) => /slt|rms|[+]linda/.test(id))).toEqual([]);
  });

  it('speakers of one name are one voice', () => {
    const voices = new Map<string, string>();
    for (const { speaker, id } of training) {
      expect(voices.get(speaker) ?? id).toBe(id);
      voices.set(speaker, id);
    }
  });
});

describe('accents', () => {
  it('phonemes of espeak-ng in IPA', () => {
    expect(phonemesOf('z_ˈiə_ɹ_oʊ')).toEqual(['z', "'i", 'r', 'ou']);
    expect(phonemesOf('f_ˈoːɹ')).toEqual(['f', "'o:", 'r.']);
    expect(phonemesOf('n_ˈaɪ_n')).toEqual(['n', "'a", 'y', 'n']);
  });

  it('a heavy German one has v for w, and the light one has not', () => {
    const one = phonemesOf('w_ˈʌ_n');
    expect(espeakPhonemes(one, 'de', true)).toBe("[[v'an]]");
    expect(espeakPhonemes(one, 'de', false)).toBe("[[w'an]]");
  });

  it('none makes a tree of three', () => {
    const three = phonemesOf('θ_ɹ_ˈiː');
    for (const language of Object.keys(ESPEAK_ACCENTS)) {
      for (const strong of [true, false]) {
        expect(espeakPhonemes(three, language, strong)).toMatch(/^\[\[[Ts][rR]'i:?\]\]$/);
      }
    }
    for (const { table } of Object.values<{ table: Record<string, string> }>(FESTIVAL_ACCENTS)) {
      expect(['s', 'th']).toContain(table.T);
    }
  });
});

describe.skipIf(lacking.length > 0)('the clips', () => {
  let folder: string;
  const at = (...path: string[]) => join(folder, ...path);
  const make = (...args: string[]) => startNode([resolve('samples/make-samples.mjs'), ...args]).finished;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonospike-samples-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('that are shipped come out the same to the byte', { timeout: SLOW }, async () => {
    const { status, stderr } = await make('--out', at('shipped'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const names = (await readdir('samples')).filter((name) => name.endsWith('.wav'));
    expect((await readdir(at('shipped'))).sort()).toEqual(names.sort());
    for (const name of names) {
      const made = await readFile(at('shipped', name));
      expect(made.equals(await readFile(join('samples', name))), name).toBe(true);
    }
  });

  it('of the sets are read as clips, with their levels and lengths', { timeout: SLOW }, async () => {
    const sets = ['--training', at('a'), '--unknown-test', at('b'), '--every', '45'];
    expect(await make(...sets)).toMatchObject({ status: 0 });
    const digits = await openDataset(at('a'));
    expect(digits.labels).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(digits.clips.some(({ speaker }) => speaker?.startsWith('accent'))).toBe(true);
    for (const { file } of digits.clips) {
      const { samples, sampleRate } = await readAudio(file);
      const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(sampleRate).toBe(16000);
      expect(peak).toBeGreaterThan(0.69);
      expect(peak).toBeLessThan(0.71);
      expect(samples.length / sampleRate).toBeLessThan(1);
    }
    const others = (await readdir(at('b', '_unknown_'))).sort();
    expect(others).toHaveLength(TEST_WORDS.length);
    const rows = (await readFile(at('b', 'words.csv'), 'utf8')).trim().split('\n').slice(1);
    expect(rows.map((row) => row.split(',')[0]!.replace('_unknown_/', '')).sort()).toEqual(others);
  });
});

it('says which number --every needs', async () => {
  const { status, stderr } = await startNode([resolve('samples/make-samples.mjs'), '--every', '0']).finished;
  expect(status).toBe(1);
  expect(stderr).toBe('--every 0 is not a whole number above 0\n');
});
