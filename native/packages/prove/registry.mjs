// A local registry (verdaccio) that has the packed set and hands on everything else.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cleanEnvironment, failure, node, npmTools, run, upstream } from './tools.mjs';

const PACKED = resolve(import.meta.dirname, '../../../build-packages/npm');
const VERSION = '6.10.4';
const START_MS = 60_000;

/** Starts the registry with the packed set published; `stop` ends it and removes what it stored. */
export async function startRegistry() {
  const folder = mkdtempSync(join(tmpdir(), 'sonospike-registry-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const config = join(folder, 'config.yaml');
  writeFileSync(config, JSON.stringify(configuration(folder))); // JSON is YAML
  // node-fetch is asked for by a tag, which a mirror of npm may not have.
  const modules = npmTools('verdaccio', [`verdaccio@${VERSION}`], { overrides: { 'node-fetch': '^2.7.0' } });
  const program = join(modules, 'verdaccio/bin/verdaccio');
  const child = spawn(node(24), [program, '--config', config, '--listen', `127.0.0.1:${port}`], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const stop = () => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(url);
    for (const name of packedNames()) await publish(name, url);
  } catch (error) {
    stop();
    throw new Error(`${error.message}\n${said}`);
  }
  return { url, stop };
}

function configuration(folder) {
  const storage = join(folder, 'storage');
  mkdirSync(storage);
  const ours = { access: '$all', publish: '$all' };
  return {
    storage,
    uplinks: { npm: { url: upstream(), maxage: '1h' } },
    packages: { sonospike: ours, '@sonospike/*': ours, '**': { access: '$all', proxy: 'npm' } },
    max_body_size: '50mb',
    log: { type: 'stdout', level: 'error' },
  };
}

/** In the order in which they are published: the library last. */
function packedNames() {
  return [...readdirSync(join(PACKED, '@sonospike')).map((name) => `@sonospike/${name}`), 'sonospike'];
}

async function publish(name, url) {
  const token = `--${url.replace('http:', '')}:_authToken=none`;
  const command = ['npm', 'publish', '--registry', url, token, '--provenance=false'];
  const result = await run(command, { cwd: join(PACKED, name) });
  if (result.error) throw new Error(`${name} cannot be published: ${failure(result)}`);
}

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

async function answers(url) {
  const end = Date.now() + START_MS;
  for (;;) {
    const found = await fetch(`${url}-/ping`).catch(() => null);
    if (found?.ok) return;
    if (Date.now() > end) throw new Error('The local registry does not answer.');
    await new Promise((done) => setTimeout(done, 100));
  }
}
