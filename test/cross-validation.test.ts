// The pieces of the cross-validation of small sets: folds, sounds that are no words, and the rule of the threshold.
import { describe, expect, it } from 'vitest';
import type { Clip } from '../lib/datasets/clip.js';
import { judge } from '../lib/settings/confidence.js';
import { Random } from '../lib/support/random.js';
import { type Answer, calibrateAgainst } from '../lib/training/calibrate.js';
import { divideTakes } from '../lib/training/fold-takes.js';
import { notWords } from '../lib/training/not-words.js';

const clip = (label: string, take: number): Clip => ({
  file: `${label}/${take}.wav`,
  label,
  speaker: null,
  index: take,
});

/** Takes with the hash of each: its own, or that of another take that it is a copy of. */
function takes(counts: Record<string, number>, copyOf: Record<string, number> = {}) {
  return Object.entries(counts).flatMap(([label, count], word) =>
    Array.from({ length: count }, (_, take) => {
      const own = clip(label, take);
      return { clip: own, hash: 1000 * word + (copyOf[own.file] ?? take) };
    }),
  );
}

describe('divideTakes', () => {
  it('holds out every take once, of each word as many in each fold as can be', () => {
    for (const [counts, k] of [
      [{ a: 20, b: 20, c: 20 }, 4],
      [{ a: 7, b: 3, c: 5 }, 4],
      [{ a: 3, b: 3 }, 10],
    ] as const) {
      const all = takes(counts);
      const folds = divideTakes(all, k, 0)!;
      expect(
        folds
          .flat()
          .map(({ file }) => file)
          .sort(),
      ).toEqual(all.map((each) => each.clip.file).sort());
      for (const [label, count] of Object.entries(counts)) {
        const held = folds.map((fold) => fold.filter((each) => each.label === label).length);
        expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
        expect(Math.max(...held)).toBeLessThan(count);
      }
      const sizes = folds.map((fold) => fold.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
    expect(divideTakes(takes({ a: 3, b: 3 }), 10, 0)).toHaveLength(3);
  });

  it('keeps copies of a take together, and a word with one take out of all folds', () => {
    const all = takes({ a: 6, b: 1, c: 4 }, { 'a/5.wav': 0, 'a/4.wav': 0 });
    const folds = divideTakes(all, 4, 0)!;
    const foldOf = (file: string) => folds.findIndex((fold) => fold.some((each) => each.file === file));
    expect([foldOf('a/5.wav'), foldOf('a/4.wav')]).toEqual([foldOf('a/0.wav'), foldOf('a/0.wav')]);
    expect(foldOf('b/0.wav')).toBe(-1);
    expect(folds.flat()).toHaveLength(10);
  });

  it('draws by seed and samples, and gives nothing where no word has two takes', () => {
    const all = takes({ a: 12, b: 12 });
    expect(divideTakes(all, 4, 0)).toEqual(divideTakes(all, 4, 0));
    expect(divideTakes(all, 4, 1)).not.toEqual(divideTakes(all, 4, 0));
    const renamed = all.map(({ clip: each, hash }) => ({ clip: { ...each, file: `x${each.file}` }, hash }));
    expect(
      divideTakes(renamed, 4, 0)!
        .flat()
        .map(({ file }) => file),
    ).toEqual(
      divideTakes(all, 4, 0)!
        .flat()
        .map(({ file }) => `x${file}`),
    );
    expect(divideTakes(takes({ a: 1, b: 1, _unknown_: 9 }), 4, 0)).toBeNull();
    expect(divideTakes(takes({ a: 3 }, { 'a/1.wav': 0, 'a/2.wav': 0 }), 4, 0)).toBeNull();
    expect(divideTakes(all, 1, 0)).toBeNull();
  });
});

describe('notWords', () => {
  const word = (label: string, first: number, length: number, sampleRate = 8000) => ({
    label,
    sampleRate,
    samples: Float32Array.from({ length }, (_, i) => first + i),
  });

  it('turns, cuts and joins words, and adds sounds', () => {
    const made = notWords([word('a', 1, 10), word('b', 101, 7)], 16_000, 'seed');
    expect(made).toHaveLength(10);
    expect(made.slice(0, 4).map(({ samples }) => [...samples])).toEqual([
      [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
      [1, 2, 3, 4],
      [7, 8, 9, 10],
      [1, 2, 3, 4, 5, 104, 105, 106, 107],
    ]);
    expect([...made[8]!.samples]).toEqual([101, 102, 103, 6, 7, 8, 9, 10]);
    expect(made.map(({ sampleRate }) => sampleRate)).toEqual([
      8000, 8000, 8000, 8000, 16_000, 8000, 8000, 8000, 8000, 16_000,
    ]);
    expect(notWords([word('a', 1, 10)], 8000, 'x')[4]).not.toEqual(
      notWords([word('a', 1, 10)], 8000, 'y')[4],
    );
  });

  it('exchanges the halves of a word that has no other beside it, of its own rate', () => {
    expect([...notWords([word('a', 1, 5)], 8000, '')[3]!.samples]).toEqual([3, 4, 5, 1, 2]);
    const two = notWords([word('a', 1, 4), word('b', 1, 4, 16_000)], 8000, '');
    expect([...two[3]!.samples]).toEqual([3, 4, 1, 2]);
  });
});

describe('the threshold against other sounds', () => {
  const answer = (first: number, right: boolean): Answer => ({
    probabilities: Float32Array.from([first, (1 - first) * 0.7, (1 - first) * 0.3]),
    best: 0,
    right,
  });
  const between = (least: number, most: number, count: number, right: boolean, seed: string) => {
    const random = new Random(seed);
    return Array.from({ length: count }, () => answer(random.uniform(least, most), right));
  };
  const shares = (settings: NonNullable<ReturnType<typeof calibrateAgainst>>, of: readonly Answer[]) =>
    of.filter(({ probabilities, best }) => !judge(settings, probabilities, best).rejected).length / of.length;

  it('accepts as many of them as it may, where that costs no more right answers than it may', () => {
    const plain = between(0.8, 0.99, 60, true, 'plain');
    const others = between(0.34, 0.85, 200, false, 'others');
    const settings = calibrateAgainst({ plain, changed: [], others }, 0.05)!;
    expect(shares(settings, others)).toBe(0.05);
    expect(shares(settings, plain)).toBeGreaterThanOrEqual(0.9);
    // Every second of them is fitted to.
    expect(settings).toMatchObject({ clips: 160, right: 60, rejectRate: 0.05 });
  });

  it('rejects no more than twice the reject rate of the right answers, whatever it then accepts', () => {
    const plain = between(0.5, 0.99, 60, true, 'plain');
    const others = between(0.5, 0.99, 200, false, 'others');
    for (const rate of [0, 0.05, 0.2]) {
      const settings = calibrateAgainst({ plain, changed: [], others }, rate)!;
      expect(60 * (1 - shares(settings, plain))).toBeCloseTo(Math.floor(2 * rate * 60), 9);
      expect(shares(settings, others)).toBeGreaterThan(0.05);
    }
  });

  it('does not count augmented answers, and rejects all of few others', () => {
    const plain = between(0.9, 0.99, 20, true, 'plain');
    const changed = between(0.35, 0.5, 80, true, 'changed');
    const others = between(0.6, 0.8, 9, false, 'others');
    const settings = calibrateAgainst({ plain, changed, others }, 0.05)!;
    expect(shares(settings, others)).toBe(0);
    expect(shares(settings, plain)).toBeGreaterThanOrEqual(0.9);
    expect(shares(settings, changed)).toBe(0);
  });

  it('is there where no answer is right, and nothing is given for fewer than 20 answers', () => {
    const wrong = between(0.4, 0.9, 30, false, 'wrong');
    const others = between(0.4, 0.9, 100, false, 'others');
    const settings = calibrateAgainst({ plain: wrong, changed: [], others }, 0.05)!;
    expect(shares(settings, others)).toBe(0.05);
    expect(
      calibrateAgainst({ plain: wrong.slice(0, 9), changed: [], others: others.slice(0, 20) }, 0.05),
    ).toBeNull();
  });
});
