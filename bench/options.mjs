import { parseArgs } from 'node:util';
import { presetNames } from '../dist/index.js';
import { checkThreads } from '../dist/support/options.js';

const GRID = { n: '512', steps: '500', batch: '16', density: '5,100' };
const WHOLE_GRID = { n: '128,512,2048', steps: '100,500', batch: '1,16,128', density: '1,5,20,100' };
const SMALLEST_GRID = { n: '32', steps: '20', batch: '2', density: '5' };
const DEFAULT_DATA = 'data/fsdd';
const DEFAULT_SUITES = 'training,inference';

export const help = (suites) => `Usage: npm run bench -- [options]

Measures training, prediction, single layers, the front end, how they scale, memory, live streams, and
false words in them. What is timed is first
checked: one thread and all give the same bits, a batch the same as single clips, a peer and another instruction set
the same spikes, scores, gradients or features, another device the same scores and gradients. The floor is the work's arithmetic at this machine's measured peak
(bench/floor.mjs).

  --suite LIST     ${suites.join(',')} or all (default: ${DEFAULT_SUITES})
  --preset LIST    ${presetNames.join(',')} (default: all); for training, inference and scaling
  --device LIST    cpu, cuda or both, side by side, in the suites training, inference (batches) and layer (default:
                   cpu); both compute the same, which is checked
  --peers          alternates with the same work in PyTorch: the original program, torchaudio, and SpikingJelly and
                   snnTorch where Python can import them, each the fastest way (Debian: apt-get install python3-torch
                   python3-torchaudio). Each device has a PyTorch of its own.
  --python FILE    the Python that has torch (default: python3)
  --n, --steps, --batch, --density LIST
                   of the layer suite; density in percent of spiking inputs
                   (default: ${Object.values(GRID).join(' ')})
  --grid           all of ${Object.values(WHOLE_GRID).join(' ')}
  --against DIR    another built checkout: both builds take turns at the same work (suite against, alone unless --suite
                   names more), with the frozen settings of bench/settings
  --data DIR       FSDD, for the suites stream (how well words are found in its test clips) and against, which else
                   trains on the samples (default: ${DEFAULT_DATA})
  --sounds LIST    folders of recordings in which no digit is said, for the suite false-alarms, beside made music and
                   made household noise
  --picture FILE   an SVG of the curves of the suite false-alarms
  --threads N      threads for training, batches and layers (default: all cores)
  --repeats N      timed runs of each, after one to warm up; fewer where they take long (default: 7)
  --quick          the smallest case of each suite, once: whether it works
  --json           one JSON document on stdout instead of a table
  --out FILE       writes the JSON document to a file as well
  --help           this text

Progress goes to stderr.`;

const text = { type: 'string' };
const flag = { type: 'boolean', default: false };
const OPTIONS = {
  suite: text,
  against: text,
  preset: { type: 'string', default: presetNames.join(',') },
  device: { type: 'string', default: 'cpu' },
  peers: flag,
  python: { type: 'string', default: 'python3' },
  data: { type: 'string', default: DEFAULT_DATA },
  sounds: text,
  picture: text,
  n: text,
  steps: text,
  batch: text,
  density: text,
  grid: flag,
  threads: text,
  repeats: text,
  quick: flag,
  json: flag,
  out: text,
  help: { ...flag, short: 'h' },
};

/** A list of names, all of them among `known`. */
function names(list, known, option) {
  const given = list.split(',');
  const wrong = given.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Error(`--${option}: "${wrong}" is none of ${known.join(', ')}`);
  return given;
}

/** Checked before it is turned into a number, so that the message shows what was written. */
function fromTo(value, option, least, most, wanted) {
  const number = Number(value);
  if (value.trim() === '' || !(number >= least && number <= most))
    throw new Error(`--${option} is "${value}"; it must be ${wanted} from ${least} to ${most}`);
  return number;
}

function wholeNumber(value, option, most) {
  const number = fromTo(value, option, 1, most, 'a whole number');
  if (!Number.isInteger(number)) throw new Error(`--${option} is "${value}"; it must be a whole number`);
  return number;
}

/** Every combination of the lists of the layer suite. */
function gridOf(values) {
  const lists = values.grid ? WHOLE_GRID : values.quick ? SMALLEST_GRID : GRID;
  const given = (option) => (values[option] ?? lists[option]).split(',');
  const list = (option, most) => given(option).map((value) => wholeNumber(value, option, most));
  const densities = given('density').map(
    (value) => fromTo(value, 'density', 0.01, 100, 'a percentage') / 100,
  );
  return list('n', 8192).flatMap((n) =>
    list('steps', 20_000).flatMap((steps) =>
      list('batch', 4096).flatMap((batch) => densities.map((density) => ({ n, steps, batch, density }))),
    ),
  );
}

/** What the command line asks for. */
export function readOptions(suites) {
  const { values } = parseArgs({ options: OPTIONS });
  const { help, against, peers, python, data, picture, quick, json, out } = values;
  const suite = values.suite ?? (against === undefined ? DEFAULT_SUITES : 'against');
  const sounds = values.sounds?.split(',') ?? [];
  const common = { help, against, peers, python, data, sounds, picture, quick, json, out };
  return {
    ...common,
    suites:
      suite === 'all'
        ? suites.filter((name) => name !== 'against' || against)
        : names(suite, suites, 'suite'),
    devices: names(values.device, ['cpu', 'cuda'], 'device'),
    presets: names(values.preset, presetNames, 'preset'),
    grid: gridOf(values),
    threads:
      values.threads === undefined ? checkThreads(undefined) : wholeNumber(values.threads, 'threads', 256),
    repeats: wholeNumber(values.repeats ?? (quick ? '1' : '7'), 'repeats', 1000),
  };
}
