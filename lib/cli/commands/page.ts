import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { loadModel } from '../../model/model.js';
import { isLoopback } from '../../page/access.js';
import { samplesFor } from '../../page/samples.js';
import { startPage } from '../../page/server.js';
import { MAX_THREADS } from '../../support/options.js';
import type { OptionTable } from '../args.js';
import { defineCommand } from '../command.js';
import { modelPath } from '../data.js';
import { stoppable } from '../stop.js';
import { noteWithoutThreshold } from '../threshold.js';

const OPTIONS = {
  model: { type: 'text', value: 'FILE', help: 'Left out: the shipped model.' },
  data: {
    type: 'text',
    value: 'DIR',
    help: "Data set whose clips the page offers as samples (default: the folder that the model was trained on, if it is here or beside the model's file; else the included clips of its words).",
  },
  port: { type: 'integer', min: 0, max: 65_535, default: 7667, help: '0: any that is free.' },
  host: {
    type: 'text',
    value: 'NAME',
    default: '127.0.0.1',
    help:
      'Name or address of this machine to listen on. Others than 127.0.0.1 can be reached from outside: whoever does ' +
      'needs no password, and browsers give no microphone to a page of another machine without https.',
  },
  threads: { type: 'integer', min: 1, max: MAX_THREADS, help: 'Left out: all cores.' },
  open: { type: 'flag', help: 'Opens the page in the browser.' },
} as const satisfies OptionTable;

export const page = defineCommand({
  name: 'page',
  summary: 'Serves a local web page that listens and shows the spikes.',
  description:
    'Serves a web page on this machine: speak into the microphone or drop a sound file, and see the waveform, the features, ' +
    'the spikes of every layer, the potentials of the readout and the word. Clips can be replayed slowly, layers ' +
    'inspected, encodings compared. Ctrl-C ends it.',
  examples: ['sonospike page --open', 'sonospike page --model sonospike-model.safetensors --data my-words'],
  options: OPTIONS,
  async run({ options }, out) {
    const { host, port, threads } = options;
    const file = modelPath(options.model);
    const model = await loadModel(file, threads === undefined ? {} : { threads });
    noteWithoutThreshold(out, model);
    const samples = await samplesFor(model, file, options.data);
    await stoppable(out, async (signal) => {
      const served = await startPage({ model, modelName: basename(file), samples, host, port });
      if (!isLoopback(host)) {
        out.note(`Warning: ${host} can be reached from other machines, and the page asks for no password.`);
      }
      if (out.json) out.document({ url: served.url, port: served.port, host });
      else out.print(`The page is at ${served.url}  (Ctrl-C ends it)`);
      if (options.open)
        openInBrowser(served.url, (why) =>
          out.note(`No browser was opened (${why}). Open the address above in your browser.`),
        );
      if (!signal.aborted) await once(signal, 'abort');
      await served.close();
    });
  },
});

/** Hands the address to what the desktop opens addresses with. */
function openInBrowser(url: string, failed: (why: string) => void): void {
  const [program, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url]]
        : ['xdg-open', [url]];
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.on('error', ({ message }) => failed(message));
  child.on('exit', (status) => {
    if (status !== null && status > 0) failed(`${program} ended with status ${status}`);
  });
  child.unref();
}
