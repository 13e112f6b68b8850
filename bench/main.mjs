#!/usr/bin/env node
// Speed on this machine, by itself and side by side with PyTorch programs, as a table or as JSON. See --help.
import { writeFileSync } from 'node:fs';
import { openDevices } from './devices.mjs';
import { help, readOptions } from './options.mjs';
import { finish, machine, print } from './report.mjs';
import { benchAgainst } from './suites/against.mjs';
import { benchFalseAlarms } from './suites/false-alarms.mjs';
import { benchFrontend } from './suites/frontend.mjs';
import { benchInference } from './suites/inference.mjs';
import { benchLayer } from './suites/layer.mjs';
import { benchMemory } from './suites/memory.mjs';
import { benchScaling } from './suites/scaling.mjs';
import { benchStream } from './suites/stream.mjs';
import { benchTraining } from './suites/training.mjs';

const SUITES = {
  training: benchTraining,
  inference: benchInference,
  layer: benchLayer,
  frontend: benchFrontend,
  scaling: benchScaling,
  memory: benchMemory,
  stream: benchStream,
  'false-alarms': benchFalseAlarms,
  against: benchAgainst,
};

function progress(text) {
  console.error(`[${(performance.now() / 1000).toFixed(0)} s] ${text}`);
}

async function measure(options) {
  const devices = await openDevices(options);
  for (const { who, why } of devices.refused) progress(`${who}: ${why}`);
  const { name, peer } = devices.usable[0];
  try {
    const { torch, peers } = peer ? await peer.ask({ op: 'info' }) : { torch: null, peers: [] };
    // The other suites are of the CPU.
    const shared = { ...options, devices, peer: name === 'cpu' ? peer : null, peers, progress };
    const results = [];
    for (const suite of options.suites) results.push(...(await SUITES[suite](shared)));
    return { machine: await machine({ ...options, torch, peers, devices }), results: finish(results) };
  } finally {
    devices.close();
  }
}

async function main() {
  const options = readOptions(Object.keys(SUITES));
  if (options.help) return console.log(help(Object.keys(SUITES)));
  const report = await measure(options);
  if (options.out) writeFileSync(options.out, `${JSON.stringify(report, null, 2)}\n`);
  if (options.json) console.log(JSON.stringify(report));
  else print(report);
  if (report.results.some(({ failed }) => failed)) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
