import { resolve } from 'node:path';
import { readModelFile, writeModelFile } from '../../files/model-file.js';
import { HASH_BYTES } from '../../support/clip-hash.js';
import { SonospikeError } from '../../support/errors.js';
import { defineCommand } from '../command.js';
import { shortPath } from '../format.js';
import { requireNew } from '../record-one.js';

export const strip = defineCommand({
  name: 'strip',
  summary: 'Takes the hashes of the training clips out of a model file.',
  description:
    'Takes the short hashes of the training clips out of a model or checkpoint, in place or into another file. With ' +
    'them, whoever has a recording can tell whether the model was trained on it; without them, evaluate cannot tell ' +
    'which clips are no test of the model.',
  examples: [
    'sonospike strip digits.safetensors',
    'sonospike strip digits.safetensors --out public.safetensors',
  ],
  positionals: { usage: 'FILE', max: 1 },
  options: {
    out: { type: 'text', value: 'FILE', help: 'File to write (default: FILE itself).' },
    force: { type: 'flag', help: 'Replaces the file that --out names, if there is one.' },
  },
  async run({ options, positionals: [file] }, out) {
    if (file === undefined) {
      throw new SonospikeError('ERR_INVALID_OPTION', 'Name the model file, as in: strip digits.safetensors');
    }
    const { clipHashes, ...model } = await readModelFile(file);
    const to = options.out ?? file;
    if (resolve(to) !== resolve(file)) await requireNew(options);
    await writeModelFile(to, model);
    const hashes = (clipHashes?.length ?? 0) / HASH_BYTES;
    if (out.json) out.document({ file: to, hashes });
    else out.print(`${shortPath(to)} is written without the ${hashes} hashes of training clips.`);
  },
});
