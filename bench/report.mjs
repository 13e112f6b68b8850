import { availableParallelism, cpus, totalmem } from 'node:os';
import { deviceInfo } from '../dist/index.js';
import { bandwidth, peakOperations } from './floor.mjs';
import { quartiles } from './statistics.mjs';

/** What the numbers were measured on, and what it can do at most: operations and bytes per second. */
export async function machine({ threads, torch, peers, devices }) {
  const { version, node, platform, instructionSet, compiler } = await deviceInfo();
  const date = new Date().toISOString().slice(0, 10);
  const cpu = cpus()[0]?.model.trim() ?? 'unknown';
  const most = (n) => ({ threads: n, operations: peakOperations(n)(), bytes: bandwidth(n)() });
  const peak = { one: most(1), all: most(threads) };
  const cores = availableParallelism();
  const memory = totalmem();
  const peerList = peers.join(', ') || null;
  const software = { platform, node, version, compiler, torch, peers: peerList };
  const gpu = await gpuOf(devices);
  return { date, cpu, cores, memory, threads, instructionSet, ...software, peak, ...(gpu && { gpu }) };
}

/** The GPU in use, and what it can do at most. */
async function gpuOf({ usable }) {
  const used = usable.find(({ name }) => name === 'cuda');
  if (!used) return null;
  const { cuda } = await deviceInfo();
  const { driver, runtime, devices } = cuda;
  return { ...devices[used.place.number], driver, runtime, peak: used.peak };
}

/** How many times `of` is as good as `to`, at the same work. */
function ratioOf(rows, row, [of, to]) {
  const median = (who) =>
    rows.find((r) => r.who === who && r.suite === row.suite && r.what === row.what)?.median;
  const [a, b] = [median(of), median(to)];
  if (a === undefined || b === undefined) return {};
  return { ratio: { of, to, times: row.better === 'less' ? b / a : a / b } };
}

/** Rows with quartiles in place of the measured values, how far each is from its floor, and ratios. */
export function finish(results) {
  const rows = results.map(({ values, ...row }) => {
    if (!values) return row;
    const { median, lower, upper } = quartiles(values);
    const measured = { ...row, runs: values.length, median, lower, upper };
    if (!row.floor) return measured;
    const floor = row.floor();
    return { ...measured, floor, timesFloor: row.better === 'less' ? median / floor : floor / median };
  });
  return rows.map(({ compare, ...row }) => (compare ? { ...row, ...ratioOf(rows, row, compare) } : row));
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** "sonospike 159x" where another is faster than this row by that; "1.9x 1 thread" where this row is. */
function ratioText({ who, ratio }) {
  if (!ratio) return '';
  const times = `${number(ratio.times)}x`;
  return ratio.of === who ? `${times} ${ratio.to}` : `${ratio.of} ${times}`;
}

function unitText({ unit, p99, process }) {
  if (p99 !== undefined) return `${unit}, p99 ${number(p99)}`;
  return process === undefined ? unit : `${unit} of ${number(process)}`;
}

const HEAD = ['', 'who', 'median', 'quartiles', 'unit', 'floor', 'ratio'];
const TO_THE_RIGHT = [2, 3, 5];
const WIDTH = 120; // columns; a long refusal is whole in the JSON

function cellsOf(row, before) {
  const what = row.what === before?.what ? '' : row.what;
  if (row.refused) return [what, row.who, `refused: ${row.refused}`];
  if (row.failed) return [what, row.who, `failed: ${row.failed}`];
  return [
    what,
    row.who,
    number(row.median),
    `${number(row.lower)} - ${number(row.upper)}`,
    unitText(row),
    row.timesFloor === undefined ? '' : `${number(row.timesFloor)}x`,
    ratioText(row),
  ];
}

function printSuite(suite, rows) {
  const lines = [[suite, ...HEAD.slice(1)], ...rows.map((row, i) => cellsOf(row, rows[i - 1]))];
  const full = lines.filter((line) => line.length === HEAD.length);
  const widths = HEAD.map((_, i) => Math.max(...(i < 2 ? lines : full).map((line) => line[i].length)));
  console.log();
  for (const line of lines) {
    const aligned = line.length === HEAD.length ? TO_THE_RIGHT : [];
    const cells = line.map((cell, i) =>
      aligned.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]),
    );
    console.log(cells.join('  ').trimEnd().slice(0, WIDTH));
  }
}

export function print({ machine: m, results }) {
  const giga = (value) => number(value / 1e9);
  const torch = m.torch ? `, torch ${m.torch}` : '';
  const { one, all } = m.peak;
  console.log(`${m.cpu}, ${m.cores} cores, ${m.instructionSet}; Node ${m.node}${torch}; ${m.date}`);
  console.log(
    `Peak: ${giga(one.operations)} GFLOP/s and ${giga(one.bytes)} GB/s on one thread, ` +
      `${giga(all.operations)} and ${giga(all.bytes)} on ${all.threads}`,
  );
  if (m.gpu) {
    console.log(
      `${m.gpu.name}, CUDA ${m.gpu.runtime}: ${giga(m.gpu.peak.operations)} GFLOP/s, ${giga(m.gpu.peak.bytes)} GB/s`,
    );
  }
  for (const suite of new Set(results.map((row) => row.suite)))
    printSuite(
      suite,
      results.filter((row) => row.suite === suite),
    );
}
