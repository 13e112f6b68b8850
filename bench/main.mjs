#!/usr/bin/env node
// Throughput of the presets on this machine, as a table or as JSON. See --help.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { info, presetNames } from '../dist/index.js';
import { benchInference } from './inference.mjs';
import { quartiles } from './statistics.mjs';
import { benchTraining } from './training.mjs';

const SUITES = { training: benchTraining, inference: benchInference };

const HELP = `Usage: npm run bench -- [options]

Measures clips per second in training and the time of a prediction, for every preset. What is timed is first
checked: the same work on one thread and on all gives the same bits.

  --suite LIST     training,inference (default: both)
  --preset LIST    ${presetNames.join(',')} (default: all)
  --threads N      threads for training and batches (default: all cores)
  --repeats N      timed runs of each, after one to warm up (default: 7)
  --json           one JSON document on stdout instead of a table
  --help           this text`;

const OPTIONS = {
  suite: { type: 'string', default: Object.keys(SUITES).join(',') },
  preset: { type: 'string', default: presetNames.join(',') },
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

function machine(threads) {
  const { version, node, platform, instructionSet } = info();
  const date = new Date().toISOString().slice(0, 10);
  return { date, cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, threads, instructionSet, platform, node, version };
}

function print({ machine: m, results }) {
  console.log(`${m.cpu}, ${m.cores} cores, ${m.threads} threads, ${m.instructionSet}; Node ${m.node}; ${m.date}`);
  const rows = results.map((r) => [r.suite, r.preset, r.what, number(r.median), `${number(r.lower)} - ${number(r.upper)}`, r.unit]);
  const head = ['suite', 'preset', 'what', 'median', 'quartiles', 'unit'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, i) => (i === 3 || i === 4 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
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
  const results = [];
  for (const suite of suites) {
    for (const preset of presets) {
      for (const { what, unit, values: measured, ...more } of await SUITES[suite](preset, { threads, repeats })) {
        results.push({ suite, preset, what, unit, ...quartiles(measured), ...more });
      }
    }
  }
  const report = { machine: machine(threads), results };
  if (values.json) console.log(JSON.stringify(report));
  else print(report);
}

main().catch((error) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
