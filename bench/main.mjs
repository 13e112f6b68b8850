#!/usr/bin/env node
// Speed on this machine, by itself and side by side with PyTorch programs, as a table or as JSON. See --help.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { info, presetNames } from '../dist/index.js';
import { benchFrontend } from './frontend.mjs';
import { benchInference } from './inference.mjs';
import { benchLayer } from './layer.mjs';
import { Peer } from './peer.mjs';
import { quartiles } from './statistics.mjs';
import { benchTraining } from './training.mjs';

const SUITES = {
  training: benchTraining,
  inference: benchInference,
  layer: benchLayer,
  frontend: benchFrontend,
};
const GRID = { n: '512', steps: '500', batch: '16', density: '5,100' };

const HELP = `Usage: npm run bench -- [options]

Measures training, prediction, single layers and the front end. What is timed is first checked: one thread and
all give the same bits, a batch the same as single clips, and a peer the same gradients or features.

  --suite LIST     ${Object.keys(SUITES).join(',')} (default: training,inference)
  --preset LIST    ${presetNames.join(',')} (default: all); for training and inference
  --peers          alternates with the same work in PyTorch (the original program, torchaudio, and SpikingJelly and
                   snnTorch where Python can import them; Debian: apt-get install python3-torch python3-torchaudio)
  --python FILE    the Python that has torch (default: python3)
  --n, --steps, --batch, --density LIST
                   grid of the layer suite; density in percent of spiking inputs
                   (default: ${Object.values(GRID).join(' ')})
  --threads N      threads for training, batches and layers (default: all cores)
  --repeats N      timed runs of each, after one to warm up (default: 7)
  --json           one JSON document on stdout instead of a table
  --help           this text`;

const OPTIONS = {
  suite: { type: 'string', default: 'training,inference' },
  preset: { type: 'string', default: presetNames.join(',') },
  peers: { type: 'boolean', default: false },
  python: { type: 'string', default: 'python3' },
  n: { type: 'string', default: GRID.n },
  steps: { type: 'string', default: GRID.steps },
  batch: { type: 'string', default: GRID.batch },
  density: { type: 'string', default: GRID.density },
  threads: { type: 'string' },
  repeats: { type: 'string', default: '7' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/** A list of names, all of them among `known`. */
function names(text, known, option) {
  const list = text.split(',');
  const wrong = list.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Error(`--${option}: "${wrong}" is none of ${known.join(', ')}`);
  return list;
}

function wholeNumber(text, option, most) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`--${option} is "${text}"; it must be a whole number from 1 to ${most}`);
  }
  return value;
}

/** Every combination of the lists of the layer suite. */
function gridOf(values) {
  const list = (option, most) => values[option].split(',').map((text) => wholeNumber(text, option, most));
  return list('n', 8192).flatMap((n) =>
    list('steps', 100_000).flatMap((steps) =>
      list('batch', 4096).flatMap((batch) =>
        list('density', 100).map((percent) => ({ n, steps, batch, density: percent / 100 })),
      ),
    ),
  );
}

function machine(threads, torch) {
  const { version, node, platform, instructionSet } = info();
  const date = new Date().toISOString().slice(0, 10);
  const cpu = cpus()[0]?.model.trim() ?? 'unknown';
  return { date, cpu, cores: cpus().length, threads, instructionSet, platform, node, version, torch };
}

/** How many times faster sonospike is than each peer at the same work. */
function addRatios(results) {
  for (const result of results) {
    const ours = results.find(
      (r) => r.who === 'sonospike' && r.suite === result.suite && r.what === result.what,
    );
    if (!ours || ours === result) continue;
    result.ratio = result.better === 'less' ? result.median / ours.median : ours.median / result.median;
  }
}

function print({ machine: m, results }) {
  const torch = m.torch ? `; torch ${m.torch}` : '';
  console.log(
    `${m.cpu}, ${m.cores} cores, ${m.threads} threads, ${m.instructionSet}; Node ${m.node}${torch}; ${m.date}`,
  );
  const head = ['suite', 'what', 'who', 'median', 'quartiles', 'unit', 'sonospike is'];
  const rows = results.map((r) => [
    r.suite,
    r.what,
    r.who,
    number(r.median),
    `${number(r.lower)} - ${number(r.upper)}`,
    r.unit + (r.p99 === undefined ? '' : ` (p99 ${number(r.p99)})`),
    r.ratio === undefined ? '' : `${number(r.ratio)}x`,
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, i) =>
      i === 3 || i === 4 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]),
    );
    console.log(cells.join('  ').trimEnd());
  }
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(HELP);
  const suites = names(values.suite, Object.keys(SUITES), 'suite');
  const presets = names(values.preset, presetNames, 'preset');
  const threads = values.threads === undefined ? info().threads : wholeNumber(values.threads, 'threads', 256);
  const repeats = wholeNumber(values.repeats, 'repeats', 1000);
  const grid = gridOf(values);
  const peer = values.peers ? new Peer(values.python) : null;
  try {
    const there = peer ? await peer.ask({ op: 'info' }) : { torch: null, peers: [] };
    const results = [];
    for (const suite of suites) {
      const rows = await SUITES[suite]({ presets, threads, repeats, grid, peer, peers: there.peers });
      for (const { values: measured, ...row } of rows) results.push({ ...row, ...quartiles(measured) });
    }
    addRatios(results);
    const report = { machine: machine(threads, there.torch), results };
    if (values.json) console.log(JSON.stringify(report));
    else print(report);
  } finally {
    peer?.close();
  }
}

main().catch((error) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
