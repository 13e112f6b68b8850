import { type FetchProgress, fetchDataset, PUBLIC_DATASETS } from '../../datasets/fetch.js';
import { SonospikeError } from '../../support/errors.js';
import { nearest } from '../../support/nearest.js';
import type { OptionTable } from '../args.js';
import { defineCommand } from '../command.js';
import { Forecast } from '../forecast.js';
import { megabytes, shortPath } from '../format.js';
import type { Output } from '../output.js';
import { commandLine } from '../program.js';
import { stoppable } from '../stop.js';

type Name = keyof typeof PUBLIC_DATASETS;

const NAMES = Object.keys(PUBLIC_DATASETS) as Name[];

const OPTIONS = {
  to: {
    type: 'text',
    value: 'DIR',
    default: 'data',
    help: 'Folder in which that of the dataset is made.',
  },
} as const satisfies OptionTable;

export const dataset = defineCommand({
  name: 'dataset',
  summary: 'Downloads a public dataset of spoken digits.',
  description:
    'Downloads a public dataset of spoken digits: fsdd (Free Spoken Digit Dataset, 3,000 clips of 6 speakers) or ' +
    'audiomnist (AudioMNIST, 30,000 clips of 60 speakers). A download that broke off is resumed. ' +
    'SONOSPIKE_DATASET_URL names a mirror of GitHub, or the archive itself.',
  examples: ['sonospike dataset fsdd', 'sonospike dataset audiomnist --to /data'],
  positionals: { usage: NAMES.join('|'), max: 1 },
  options: OPTIONS,
  async run({ options, positionals: [given] }, out) {
    const name = NAMES.find((each) => each === given);
    if (name === undefined) {
      const problem = given === undefined ? 'Name the dataset' : `There is no public dataset ${given} here`;
      const meant = given === undefined ? null : nearest(given, NAMES);
      const hint = meant === null ? '' : ` Did you mean ${meant}?`;
      throw new SonospikeError('ERR_INVALID_OPTION', `${problem}; there are ${NAMES.join(' and ')}.${hint}`);
    }
    const report = new FetchReport(name, out);
    const directory = await stoppable(out, (signal) =>
      fetchDataset(name, { to: options.to, signal, onProgress: (progress) => report.update(progress) }),
    );
    if (out.json) {
      out.document({ dataset: name, directory });
    } else {
      const short = shortPath(directory);
      out.print(`${PUBLIC_DATASETS[name].title}: ${short}`);
      out.print(`Train on it with: ${commandLine('train', ['--data', short])}`);
    }
  },
});

/** A line when each phase begins, and the bar while it lasts. */
class FetchReport {
  readonly #name: Name;
  readonly #out: Output;
  readonly #forecast: Forecast;
  #phase = '';

  constructor(name: Name, out: Output) {
    this.#name = name;
    this.#out = out;
    this.#forecast = new Forecast(out, 'The download');
  }

  update({ phase, done, total }: FetchProgress): void {
    const { title, clips } = PUBLIC_DATASETS[this.#name];
    if (phase !== this.#phase) {
      this.#phase = phase;
      const text = {
        exists: 'is there already',
        download: 'is being downloaded',
        unpack: 'is being unpacked',
      };
      this.#out.note(`${title} ${text[phase]}.`);
    }
    if (phase === 'download') {
      if (total !== null) this.#forecast.update(done / total);
      const of = total === null ? '' : ` of ${megabytes(total)}`;
      this.#out.bar.update('download', total === null ? null : done / total, megabytes(done) + of);
    } else if (phase === 'unpack') {
      this.#out.bar.update('unpack', Math.min(1, done / clips), `${done} files`);
    }
  }
}
