// Runs the installed set on every runtime: a training, saved files, worker threads, Node's permission model.
import { dirname, join, resolve } from 'node:path';
import { bun, DENO_FLAGS, deno, emptyProject } from './managers.mjs';
import { node, run } from './tools.mjs';
import { title, trial } from './trials.mjs';

const NODES = [20, 22, 24, 26];
const ROOT = resolve(import.meta.dirname, '../../..');
/** What workers of the hazard tests do. */
const TASKS = ['train', 'predict', 'predictSync', 'evaluate', 'stream'];

/** A project in which npm installed the library from the registry. */
export async function installedProject(registry) {
  const { project, env, remove } = emptyProject(registry);
  const { error } = await run(['npm', 'install', 'sonospike', '--ignore-scripts'], { cwd: project, env });
  if (error) throw error;
  return { cwd: project, env, remove };
}

export async function proveRuntimes({ cwd, env }) {
  title('whole: train, save over a file, evaluate; threads: 10 workers terminated at work');
  const denoFlags = [...DENO_FLAGS, `--allow-write=${cwd}`];
  const runtimes = [
    ...NODES.map((major) => [`Node ${major}`, [node(major)]]),
    ['Bun', [bun()]],
    ['Deno', [deno(), 'run', ...denoFlags]],
  ];
  for (const [name, command] of runtimes) {
    const options = { cwd, env: { ...env, PATH: `${dirname(command[0])}:${env.PATH}` } };
    await trial(`${name}, whole`, [[...command, 'whole.mjs']], options);
    await trial(`${name}, threads`, [[...command, 'worker.mjs']], options);
  }
  for (const task of TASKS) {
    const command = [bun(), 'test/hazards/children/terminate-workers.mjs', task, '10'];
    await trial(`Bun, 10 workers terminated while they ${task}`, [command], { cwd: ROOT, env });
  }
  const rights = ['--permission', '--allow-addons', '--allow-fs-read=*', `--allow-fs-write=${join(cwd, 'out')}`];
  for (const major of [24, 26]) {
    await trial(`Node ${major} --permission, saving a model`, [[node(major), ...rights, 'save.mjs']], { cwd, env });
  }
}
