import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { presetNames, presetSettings } from '../lib/settings/presets.js';
import type { AdaptiveLayer, ModelSettings } from '../lib/settings/settings.js';
import { inputCount, parameterShapes } from '../lib/settings/shapes.js';
import { validateSettings } from '../lib/settings/validate.js';
import { SonospikeError } from '../lib/support/errors.js';
import {
  abortSignal,
  boolean,
  callback,
  choice,
  flag,
  integer,
  number,
  optionsObject,
  string,
} from '../lib/support/options.js';
import { smallSettings } from './helpers/model.js';

const REMOVED = Symbol('removed');

/** Copies of settings with the value at a path such as `network.layers[0].neurons` replaced. */
function replaced(settings: ModelSettings, path: string, value: unknown): unknown {
  // Unlike structuredClone, JSON does not keep objects shared between layers.
  const copy = JSON.parse(JSON.stringify(settings));
  const keys = path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
  const last = keys.pop()!;
  let parent = copy as Record<string, unknown>;
  for (const key of keys) parent = parent[key] as Record<string, unknown>;
  if (value === REMOVED) delete parent[last];
  else parent[last] = value;
  return copy;
}

/** Paths of every value in settings, those of objects and arrays included. */
function paths(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Object.entries(value).flatMap(([key, item]) =>
    paths(item, Array.isArray(value) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`),
  );
  return at === '' ? inner : [at, ...inner];
}

function refusal(path: string) {
  return expect.objectContaining({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining(path) });
}

test('good settings are given back as an equal copy', () => {
  const given = smallSettings();
  const checked = validateSettings(given, '');
  expect(checked).toEqual(given);
  expect(checked.network.layers[0]).not.toBe(given.network.layers[0]);
});

test('what the files of before do not have is given what those networks are', () => {
  const settings = smallSettings();
  const { adaptation, ...layer } = settings.network.layers[0] as AdaptiveLayer;
  settings.network.layers[0] = { ...layer, neuron: 'lif' };
  const old = JSON.parse(JSON.stringify(settings)) as ModelSettings;
  for (const layer of old.network.layers) {
    delete layer.connection;
    delete layer.neuron;
    delete layer.dropout;
    delete layer.weightGain;
  }
  expect(validateSettings(old, '')).toEqual(settings);
});

test('peak scaling takes a log-mel front end with topDb, over the clip, pooled', () => {
  const peak = smallSettings();
  peak.scaling = { type: 'peak', over: 'clip', pooled: true };
  peak.frontend = { ...peak.frontend, topDb: 60, removeMean: true };
  expect(validateSettings(peak, '')).toEqual(peak);
  const wrong: [string, unknown][] = [
    ['frontend.topDb', null],
    ['frontend.topDb', 0],
    ['scaling.over', 'training-set'],
    ['scaling.pooled', false],
  ];
  const mfcc = { ...peak, frontend: { ...peak.frontend, type: 'mfcc', coefficients: 2 } };
  expect(() => validateSettings(mfcc, '')).toThrow(refusal('frontend.type'));
  for (const [path, value] of wrong) {
    expect(() => validateSettings(replaced(peak, path, value), '')).toThrow(refusal(path));
  }
  expect(() => validateSettings(replaced(peak, 'frontend.removeMean', 1), '')).toThrow(
    refusal('frontend.removeMean'),
  );
});

test('an offset that is not removed is not written', () => {
  const settings = smallSettings();
  const given = { ...settings, frontend: { ...settings.frontend, removeMean: false } };
  expect(validateSettings(given, '')).toEqual(settings);
});

describe('each value out of its range is refused by its path', () => {
  test.each<[string, unknown]>([
    ['sampleRate', 999],
    ['sampleRate', 192_001],
    ['sampleRate', 8000.5],
    ['frontend.type', 'fbank'],
    ['frontend.windowLength', 1],
    ['frontend.hopLength', 0],
    ['frontend.hopLength', 7],
    ['frontend.fftLength', 199],
    ['frontend.melBands', 0],
    ['frontend.minFrequency', -1],
    ['frontend.minFrequency', 4000.5],
    ['frontend.maxFrequency', 4000.5],
    ['frontend.maxFrequency', 20],
    ['frontend.coefficients', 2],
    ['frontend.topDb', -1],
    ['scaling.type', 'max'],
    ['scaling.over', 'batch'],
    ['scaling.pooled', 0],
    ['frames', 0],
    ['frames', 200_001],
    ['encoding.type', 'phase'],
    ['encoding.stepsPerFrame', 0],
    ['encoding.stepsPerFrame', 1001],
    ['encoding.threshold', 0],
    ['network.layers', []],
    ['network.layers', Array(17).fill(smallSettings().network.layers[0])],
    ['network.layers[0]', REMOVED],
    ['network.layers[1].neurons', 8193],
    ['network.layers[0].connection', 'dense'],
    ['network.layers[0].connection.type', 'sparse'],
    ['network.layers[0].connection.taps', 65],
    ['network.layers[0].connection.dilation', 1025],
    ['network.layers[0].neuron', 'alif'],
    ['network.layers[0].adaptation.decay', 1.1],
    ['network.layers[0].adaptation.decay', -0.1],
    ['network.layers[0].adaptation.coupling', -1],
    ['network.layers[0].adaptation.jump', 2e6],
    ['network.layers[0].adaptation', null],
    ['network.layers[1].adaptation', { decay: 0.9, coupling: 0.1, jump: 0.5 }],
    ['network.layers[0].recurrent', 1],
    ['network.layers[0].dropout', 0.1],
    ['network.layers[1].dropout', 1],
    ['network.layers[0].weightGain', -1],
    ['network.layers[0].spike.type', 'firm'],
    ['network.layers[0].spike.surrogate', 'relu'],
    ['network.layers[0].spike.slope', 0],
    ['network.layers[0].reset', 'none'],
    ['network.layers[0].decay', Number.POSITIVE_INFINITY],
    ['network.layers[0].threshold', 2e6],
    ['network.readout.type', 'mean'],
    ['labels', ['one']],
    ['labels', Array.from({ length: 1001 }, (_, index) => `w${index}`)],
    ['labels[0]', ''],
    ['labels[0]', ' '],
    ['labels[0]', 'a\nb'],
    ['labels[0]', '\ud800'],
    ['labels[0]', 'x'.repeat(201)],
    ['labels[1]', 'да'],
  ])('%s: %o', (path, value) => {
    const attempt = () => validateSettings(replaced(smallSettings(), path, value), 'settings');
    expect(attempt).toThrow(refusal(`settings.${path} is `));
  });

  test('a wrong type anywhere', () => {
    const wrong = fc.oneof(
      fc.constantFrom(undefined, Number.NaN, 'text', Symbol('s'), () => 1, REMOVED, -1e300),
      fc.bigInt(),
      fc.object(),
    );
    // "text" is a good label, and what files of before do not have may be left out.
    const optional =
      /\.(connection(\.type|\.taps|\.dilation)?|neuron|adaptation(\.\w+)?|dropout|weightGain)$/;
    const places = paths(smallSettings()).filter(
      (path) => !path.startsWith('labels[') && !optional.test(path),
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), wrong, (path, value) => {
        expect(() => validateSettings(replaced(smallSettings(), path, value), '')).toThrow(refusal(path));
      }),
      { numRuns: 1000 },
    );
  });

  test('an unknown key anywhere', () => {
    const objects = [
      '',
      'frontend',
      'scaling',
      'encoding',
      'network',
      'network.layers[0]',
      'network.readout',
    ];
    for (const path of objects) {
      const changed = replaced(smallSettings(), path === '' ? 'extra' : `${path}.extra`, 1);
      expect(() => validateSettings(changed, '')).toThrow(/There is no key "extra" in .+; the keys are/);
    }
  });
});

describe('values against each other', () => {
  test('the spike count needs one neuron a label in the last layer', () => {
    const settings = smallSettings();
    settings.network.readout = { type: 'spike-count' };
    expect(validateSettings(settings, '')).toEqual(settings);
    settings.labels.push('три');
    expect(() => validateSettings(settings, '')).toThrow(
      refusal('network.layers[1].neurons is 2; it must be 3'),
    );
  });

  test('at most 2,000,000 time steps', () => {
    const steps = (frames: number, stepsPerFrame: number) => {
      const settings = { ...smallSettings(), frames };
      settings.encoding.stepsPerFrame = stepsPerFrame;
      return () => validateSettings(settings, '');
    };
    expect(steps(200_000, 10)).not.toThrow();
    expect(steps(200_000, 11)).toThrow(
      refusal('encoding.stepsPerFrame is 11; it must be an integer from 1 to 10'),
    );
  });

  test('labels that look the same are the same', () => {
    const settings = { ...smallSettings(), labels: ['é', 'e\u0301'] };
    expect(() => validateSettings(settings, '')).toThrow(refusal('labels[1]'));
    expect(validateSettings({ ...settings, labels: ['e\u0301', 'a'] }, '').labels[0]).toBe('é');
  });
});

test('the code and the file of the error are those asked for', () => {
  const attempt = () =>
    validateSettings(null, 'settings', { code: 'ERR_MODEL_INVALID', file: 'm.safetensors' });
  expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_MODEL_INVALID', file: 'm.safetensors' }));
  expect(attempt).toThrow('m.safetensors: settings is null');
});

test('anything at all gives a typed error', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expect(() => validateSettings(value, '')).toThrow(SonospikeError);
    }),
  );
});

describe('option checkers', () => {
  test('give back what is good', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => integer(value, 'n', value, value) === value));
    expect(number(0.5, 'x', 0, 1)).toBe(0.5);
    expect(choice('b', 'c', ['a', 'b'])).toBe('b');
    expect(boolean(false, 'b')).toBe(false);
    expect(string('s', 's')).toBe('s');
  });

  test('say what was given and what is wanted', () => {
    expect(() => integer(9, '--threads', 1, 8)).toThrow('--threads is 9; it must be an integer from 1 to 8.');
    expect(() => integer('3', 'n', 1, 8)).toThrow('n is "3"; it must be an integer');
    expect(() => number(Number.NaN, 'x', 0, 1)).toThrow('x is NaN; it must be a number from 0 to 1.');
    expect(() => choice('c', 'c', ['a', 'b'])).toThrow(`c is "c"; it must be 'a' or 'b'.`);
    expect(() => boolean(undefined, 'b')).toThrow('b is missing; it must be true or false.');
    expect(() => string('', 's')).toThrow('s is ""; it must be a string that is not empty.');
    expect(() => integer(8n, 'n', 1, 8)).toThrow('n is 8n; it must be');
    expect(() => string(new Date(), 's')).toThrow('s is an object (Date); it must be');
    expect(() => callback(1, 'onEpoch')).toThrow('onEpoch is 1; it must be a function.');
  });

  test('options may be left out, but are not null and have no other keys', () => {
    expect(optionsObject(undefined, 'the options', ['seed'])).toEqual({});
    expect(optionsObject({ seed: 1 }, 'the options', ['seed'])).toEqual({ seed: 1 });
    for (const value of [null, [], 'x', 1, () => 1]) {
      expect(() => optionsObject(value, 'the options', ['seed'])).toThrow(refusal('the options'));
    }
    expect(() => optionsObject({ sede: 1 }, 'the options', ['seed'])).toThrow(refusal('Did you mean seed?'));
    expect(() => optionsObject({ x: 1 }, 'the options', ['seed'])).toThrow(/the keys are seed\.$/);
    expect([flag(undefined, 'f'), flag(undefined, 'f', true), flag(false, 'f', true)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(() => flag('yes', 'f')).toThrow(refusal('f is "yes"'));
    const { signal } = new AbortController();
    expect([abortSignal(undefined, 's'), abortSignal(signal, 's')]).toEqual([undefined, signal]);
    for (const value of [null, {}, { aborted: false }, true]) {
      expect(() => abortSignal(value, 's')).toThrow(refusal('it must be an AbortSignal'));
    }
  });
});

describe('presets', () => {
  test.each(presetNames)('%s is valid for any words', (name) => {
    const settings = presetSettings(name, ['ja', 'nein', 'vielleicht']);
    expect(validateSettings(settings, '')).toEqual(settings);
    expect(settings.labels).toEqual(['ja', 'nein', 'vielleicht']);
  });

  test('the original network is 20-32-32-32-10 over 800 steps', () => {
    const settings = presetSettings('original', [...'0123456789']);
    expect([inputCount(settings), ...settings.network.layers.map(({ neurons }) => neurons)]).toEqual([
      20, 32, 32, 32, 10,
    ]);
    expect(settings.frames * settings.encoding.stepsPerFrame).toBe(800);
  });

  test('an unknown one is refused with the names that there are', () => {
    for (const name of ['big', 'toString', '']) {
      const attempt = () => presetSettings(name, ['a', 'b']);
      expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_PRESET' }));
      expect(attempt).toThrow('default, original');
    }
    expect(() => presetSettings('default', ['a'])).toThrow(refusal('labels is an array of 1'));
  });
});

describe('parameter shapes', () => {
  test('of a network with everything', () => {
    expect(Object.fromEntries(parameterShapes(smallSettings()))).toEqual({
      'layers.0.weight': [3, 8],
      'layers.0.bias': [3],
      'layers.0.decay': [3],
      'layers.0.threshold': [3],
      'layers.0.recurrent': [3, 3],
      'layers.0.adaptation_decay': [3],
      'layers.0.adaptation_coupling': [3],
      'layers.0.adaptation_jump': [3],
      'layers.1.weight': [2, 3],
      'layers.1.bias': [2],
      'layers.1.decay': [2],
      'layers.1.threshold': [2],
      'readout.weight': [2, 2],
      'readout.bias': [2],
      'readout.decay': [2],
      'scaling.offset': [4],
      'scaling.scale': [4],
    });
  });

  test('pooled scaling has one statistic, scaling by the clip none', () => {
    const settings = smallSettings();
    settings.scaling = { type: 'standard', over: 'training-set', pooled: true };
    expect(parameterShapes(settings).get('scaling.offset')).toEqual([1]);
    settings.scaling = { type: 'standard', over: 'clip', pooled: true };
    expect(parameterShapes(settings).has('scaling.offset')).toBe(false);
  });

  test('MFCC inputs are the coefficients kept', () => {
    const settings = smallSettings();
    settings.frontend = { ...settings.frontend, type: 'mfcc', coefficients: 2 };
    settings.encoding = { type: 'direct', stepsPerFrame: 1 };
    expect(parameterShapes(settings).get('layers.0.weight')).toEqual([3, 2]);
  });
});

describe('adaptive neurons', () => {
  const given = smallSettings().network.layers[0]!;
  const validated = (layer: unknown) =>
    validateSettings(replaced(smallSettings(), 'network.layers[0]', layer), '').network
      .layers[0] as AdaptiveLayer;

  test('what is left out of their adaptation has the usual value', () => {
    const usual = { decay: 0.9, coupling: 0.1, jump: 0.5 };
    expect(validated({ ...given, adaptation: undefined })!.adaptation).toEqual(usual);
    expect(validated({ ...given, adaptation: { jump: 2 } })!.adaptation).toEqual({ ...usual, jump: 2 });
  });

  test('others have none', () => {
    expect(validated({ ...given, neuron: 'lif', adaptation: null })).not.toHaveProperty('adaptation');
    expect(() => validated({ ...given, neuron: 'lif' })).toThrow(
      'network.layers[0].adaptation is an object; it must be left out, as only neuron \'adaptive\' uses it and neuron is "lif".',
    );
  });

  test('the mean of the potentials has the tensors of the leaky integrator', () => {
    const settings = smallSettings();
    settings.network.readout = { type: 'mean-potential', decay: 0.9, learnDecay: true };
    expect(parameterShapes(validateSettings(settings, ''))).toEqual(parameterShapes(smallSettings()));
  });
});

describe('connections', () => {
  const convolution = {
    type: 'convolution',
    channels: 16,
    kernel: 3,
    stride: 2,
    taps: 3,
    dilation: 2,
  } as const;

  /** Four bands of an up and a down channel below the first layer. */
  function convolving(): ModelSettings {
    const settings = smallSettings();
    const layer = { ...settings.network.layers[0]!, recurrent: false, neurons: 32, connection: convolution };
    const above = { ...layer, neurons: 16, dropout: 0.5 };
    const last = {
      ...settings.network.layers[1]!,
      connection: { type: 'dense', taps: 2, dilation: 1 } as const,
    };
    settings.network.layers = [layer, above, last, settings.network.layers[1]!];
    return settings;
  }

  test('every tensor has the shape that PyTorch gives it', () => {
    const shapes = parameterShapes(validateSettings(convolving(), ''));
    expect(shapes.get('layers.0.weight')).toEqual([16, 2, 3, 3]);
    expect(shapes.get('layers.0.threshold')).toEqual([16]);
    expect(shapes.get('layers.1.weight')).toEqual([16, 16, 3, 3]);
    expect(shapes.get('layers.2.weight')).toEqual([2, 16, 2]);
    expect(shapes.get('layers.3.weight')).toEqual([2, 2]);
  });

  test('the neurons of a convolution may be left out', () => {
    const settings = convolving();
    const filled = validateSettings(replaced(settings, 'network.layers[1].neurons', REMOVED), '');
    expect(filled).toEqual(settings);
  });

  test.each<[string, unknown, string]>([
    ['network.layers[0].neurons', 31, '32, the 2 output bands x 16 channels'],
    ['network.layers[0].connection.channels', 24, 'a multiple of 16'],
    ['network.layers[0].connection.channels', 0, 'from 16 to'],
    ['network.layers[0].connection.kernel', 9, 'from 1 to 8'],
    ['network.layers[0].connection.stride', 5, 'from 1 to 4'],
    ['network.layers[0].recurrent', true, 'only a dense layer of one tap'],
    ['network.layers[2].recurrent', true, 'only a dense layer of one tap'],
    ['network.layers[3].connection', convolution, 'no bands to convolve over'],
    [
      'network.layers[2].connection',
      { type: 'dense', kernel: 3 },
      "must be left out, as only type 'convolution' uses it",
    ],
  ])('%s: %o', (path, value, why) => {
    const attempt = () => validateSettings(replaced(convolving(), path, value), '');
    expect(attempt).toThrow(refusal(path.replace('[3].connection', '[3].connection.type')));
    expect(attempt).toThrow(why);
  });

  test('a spike count counts spikes, and all of them', () => {
    const settings = convolving();
    settings.network.readout = { type: 'spike-count' };
    settings.network.layers[3]!.dropout = 0.5;
    expect(() => validateSettings(settings, '')).toThrow(refusal('network.layers[3].dropout'));
    settings.network.layers[3] = { neurons: 2, neuron: 'relu', recurrent: false };
    expect(() => validateSettings(settings, '')).toThrow(refusal('network.layers[3].neuron'));
  });
});
