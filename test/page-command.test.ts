import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, start } from './helpers/cli.js';

it('sonospike page serves until it is told to stop', async () => {
  const { child, finished, printed } = start(['page', '--port', '0']);
  await printed('The page is at http://127.0.0.1:');
  child.kill('SIGINT');
  const { status, stdout } = await finished;
  expect(status).toBe(0);
  expect(stdout).toMatch(/^The page is at http:\/\/127\.0\.0\.1:\d+\/ {2}\(Ctrl-C ends it\)\n$/);
});

it('tells its address to programs, answers there, and says when a port is taken', async () => {
  let told = '';
  const { child, finished } = start(['page', '--port', '0', '--json']);
  await new Promise<void>((done) => {
    child.stdout.on('data', (text: string) => {
      told += text;
      if (told.endsWith('\n')) done();
    });
  });
  const { url, port } = JSON.parse(told) as { url: string; port: number };
  const page = await fetch(url);
  expect([page.status, await page.text()]).toEqual([
    200,
    expect.stringContaining('<title>sonospike</title>'),
  ]);
  const second = await run(['page', '--port', String(port)]);
  expect(second.status).toBe(1);
  expect(second.stderr).toContain(`Port ${port} of 127.0.0.1 is in use by another program. Choose another`);
  child.kill('SIGTERM');
  expect(await finished).toMatchObject({ status: 0 });
});

it('says when no browser could be opened', async () => {
  const programs = await mkdtemp(join(tmpdir(), 'sonospike-programs-'));
  await writeFile(join(programs, 'xdg-open'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  const env = { PATH: `${programs}:${process.env.PATH}` };
  const { child, finished, printed } = start(['page', '--port', '0', '--open'], { env });
  await printed('The page is at http://127.0.0.1:');
  if (process.platform === 'linux') {
    const why =
      'No browser was opened (xdg-open ended with status 3). Open the address above in your browser.';
    await printed(why, 'stderr');
  }
  child.kill('SIGINT');
  expect(await finished).toMatchObject({ status: 0 });
  await rm(programs, { recursive: true });
});

it('warns where others can reach it', async () => {
  const { child, finished, printed } = start(['page', '--port', '0', '--host', '0.0.0.0']);
  await printed('Warning: 0.0.0.0 can be reached from other machines', 'stderr');
  await printed('The page is at http://localhost:');
  child.kill('SIGINT');
  expect(await finished).toMatchObject({ status: 0 });
});

it('refuses a port and an address that are none', async () => {
  expect(await run(['page', '--port', '70000'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--port is 70000'),
  });
  expect(await run(['page', '--port', '0', '--host', 'no.such.host.invalid'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Cannot listen on port 0 of no.such.host.invalid'),
  });
});
