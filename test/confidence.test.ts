import { describe, expect, it } from 'vitest';
import { calibration } from '../lib/evaluation/metrics.js';
import { loadModel } from '../lib/index.js';
import { confidenceFeatures, judge, sigmoid } from '../lib/settings/confidence.js';
import { Random } from '../lib/support/random.js';
import { type Answer, calibrate } from '../lib/training/calibrate.js';
import { fitLogistic, logLoss } from '../lib/training/logistic.js';

/** Probabilities of ten labels that give the best one so much, the others the rest in unequal shares. */
function probabilities(first: number, random: Random): Float32Array {
  const others = Array.from({ length: 9 }, () => random.uniform(0.1, 1));
  const sum = others.reduce((a, b) => a + b, 0);
  return Float32Array.from([first, ...others.map((x) => ((1 - first) * x) / sum)]);
}

/** Answers of a network that is right less often than it says, as networks are. */
function answers(count: number, seed: string): Answer[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const first = random.uniform(0.55, 0.999);
    const right = random.uniform() < sigmoid(0.5 * Math.log(first / (1 - first)) - 0.2);
    return { probabilities: probabilities(first, random), best: 0, right };
  });
}

function judged(settings: ReturnType<typeof calibrate>, of: readonly Answer[]) {
  return of.map((each) => ({ ...judge(settings, each.probabilities, each.best), right: each.right }));
}

describe('features', () => {
  it('are the odds, the margin and the entropy', () => {
    const [logOdds, margin, entropy] = confidenceFeatures([0.1, 0.6, 0.3], 1);
    expect(logOdds).toBeCloseTo(Math.log(0.6 / 0.4), 12);
    expect(margin).toBeCloseTo(Math.log(2), 12);
    const nats = -(0.1 * Math.log(0.1) + 0.6 * Math.log(0.6) + 0.3 * Math.log(0.3));
    expect(entropy).toBeCloseTo(nats / Math.log(3), 12);
  });

  it('are finite for a network that is certain', () => {
    expect(confidenceFeatures([1, 0], 0).every(Number.isFinite)).toBe(true);
    expect(confidenceFeatures([0, 1], 0).every(Number.isFinite)).toBe(true);
  });
});

describe('the fit', () => {
  it('is where no small change lowers the penalised loss', () => {
    const random = new Random('fit');
    const features = Array.from({ length: 200 }, () => [random.normal(), random.normal(), random.normal()]);
    const right = features.map(([a, b]) => random.uniform() < sigmoid(0.7 + 1.4 * a! + 0.6 * b!));
    const { bias, weights } = fitLogistic(features, right, [true, true, true]);
    const loss = (b: number, w: number[]) =>
      logLoss({ bias: b, weights: w }, features, right) +
      0.05 * b * b +
      0.5 * ((w[0]! - 1) ** 2 + w[1]! ** 2 + w[2]! ** 2);
    const least = loss(bias, weights);
    for (const step of [-1e-3, 1e-3]) {
      expect(loss(bias + step, weights)).toBeGreaterThan(least);
      for (const k of [0, 1, 2]) {
        const moved = weights.map((w, i) => (i === k ? w + step : w));
        if (moved[k]! >= 0) expect(loss(bias, moved)).toBeGreaterThan(least);
      }
    }
    expect(weights[0]).toBeGreaterThan(0.9);
  });

  it('never has a weight the wrong way round', () => {
    const features = Array.from({ length: 100 }, (_, i) => [i / 50 - 1, 1 - i / 50, 0]);
    const right = features.map(([a]) => a! < 0);
    const { weights } = fitLogistic(features, right, [true, true, true]);
    expect(weights[0]).toBe(0.05);
    expect(weights[1]).toBeGreaterThan(0);
  });
});

describe('calibrate', () => {
  it('makes confidences of other answers mean what they say', () => {
    const settings = calibrate(answers(2000, 'fit'), 0.02);
    const others = answers(4000, 'test');
    const before = calibration(judged(null, others)).error;
    const after = calibration(judged(settings, others)).error;
    expect(before).toBeGreaterThan(0.1);
    expect(after).toBeLessThan(0.03);
  });

  it('rejects no more of the right answers than it may, and as many as it may', () => {
    const all = answers(1000, 'threshold');
    const right = all.filter((each) => each.right);
    for (const rate of [0, 0.02, 0.1]) {
      const settings = calibrate(all, rate);
      const rejected = judged(settings, right).filter((each) => each.rejected).length;
      expect(rejected).toBe(Math.floor(rate * right.length));
    }
  });

  it('keeps the order of the answers where all are right', () => {
    const random = new Random('right');
    const all = [0.4, 0.6, 0.8, 0.9, 0.99].flatMap((first) =>
      Array.from({ length: 20 }, () => ({
        probabilities: probabilities(first, random),
        best: 0,
        right: true,
      })),
    );
    const settings = calibrate(all, 0.02);
    const confidences = judged(settings, all).map(({ confidence }) => confidence);
    for (let i = 20; i < 100; i += 20) {
      expect(Math.min(...confidences.slice(i, i + 20))).toBeGreaterThan(
        Math.max(...confidences.slice(i - 20, i)),
      );
    }
    expect(settings).toMatchObject({ clips: 100, right: 100 });
  });

  it('gives the same bits again, and nothing for a few answers', () => {
    expect(calibrate(answers(300, 'same'), 0.02)).toEqual(calibrate(answers(300, 'same'), 0.02));
    expect(calibrate(answers(19, 'few'), 0.02)).toBeNull();
    expect(calibrate(answers(20, 'few'), 0.02)).not.toBeNull();
  });

  it('holds where none is right', () => {
    const settings = calibrate(
      answers(50, 'wrong').map((each) => ({ ...each, right: false })),
      0.02,
    );
    expect(settings).toMatchObject({ threshold: 0, right: 0 });
    expect(judged(settings, answers(5, 'wrong')).every(({ confidence }) => confidence < 0.5)).toBe(true);
  });
});

it('the core gives the confidence of the formula that it is fitted with', async () => {
  const model = await loadModel(undefined, { threads: 1 });
  const files = ['0', '3', '7', '9'].map((digit) => `samples/${digit}_kal_0.wav`);
  for (const { confidence, rejected, softmax, ranked } of await model.predictBatch(files)) {
    const best = model.labels.indexOf(ranked[0]!.label);
    const expected = judge(model.confidence, softmax, best);
    expect(Math.abs(confidence - expected.confidence)).toBeLessThanOrEqual(1e-15);
    expect(rejected).toBe(expected.rejected);
  }
});

it('the core rejects by the threshold that it was given last, and nothing without one', async () => {
  const model = await loadModel(undefined, { threads: 1 });
  const samples = Float32Array.from({ length: 8000 }, (_, i) => 0.3 * Math.sin(i * i));
  const ask = (settings: typeof model.confidence) => {
    model.native.setConfidence(settings);
    return model.predictSync({ samples, sampleRate: 8000 });
  };
  const { confidence } = ask(model.confidence);
  const above = { ...model.confidence!, threshold: Math.min(1, confidence + 1e-9) };
  expect(ask(above)).toMatchObject({ confidence, rejected: true });
  expect(ask({ ...above, threshold: confidence })).toMatchObject({ confidence, rejected: false });
  const uncalibrated = ask(null);
  expect(uncalibrated).toMatchObject({
    confidence: Math.max(...uncalibrated.softmax),
    rejected: false,
  });
});
