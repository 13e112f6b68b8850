import { defaultText } from '../../settings/defaults.js';
import { presetNames } from '../../settings/presets.js';
import { settingsSchema } from '../../settings/schema.js';
import { PLACES } from '../../settings/table.js';
import type { Field } from '../../support/fields.js';
import { defineCommand } from '../command.js';
import { makeSettings } from '../settings-source.js';
import { TRAIN_OPTIONS } from '../train-options.js';

/** Labels are those of the data that a model is trained on; the ten digits stand for them until then. */
const STAND_IN = [...'0123456789'];

export const settings = defineCommand({
  name: 'settings',
  summary: 'Prints the settings of a model as JSON, or describes each of them.',
  description:
    'Prints the settings of a preset as JSON, with those of --settings and --set over them. Change what you like, leave ' +
    'out what you do not change, and train with --settings FILE.',
  examples: [
    'sonospike settings > my.json',
    'sonospike settings --preset original --set surrogate=atan --set spike=hard',
    'sonospike train --data data/fsdd --settings my.json --set layers.*.threshold=2',
    'sonospike settings --schema > settings.schema.json',
  ],
  options: {
    preset: {
      type: 'choice',
      choices: presetNames,
      help: 'Preset that the settings come from (default: default).',
    },
    settings: TRAIN_OPTIONS.settings,
    set: TRAIN_OPTIONS.set,
    schema: { type: 'flag', help: 'Prints the JSON schema of settings instead, for editors.' },
  },
  json: 'Prints the document on one line.',
  more: {
    title: 'Settings, by the path that --set takes (its end is enough where that names one):',
    entries: PLACES.filter(({ path }) => path !== 'labels').map(({ path, field }) => [
      path,
      [field.help, rangeOf(field), defaultText(path)].filter((text) => text !== '').join(' '),
    ]),
  },
  async run({ options }, out) {
    const { preset = 'default', settings: file, set, schema } = options;
    const { labels, ...shown } = await makeSettings({ preset, labels: STAND_IN, file, set });
    const document = schema ? settingsSchema() : isStandIn(labels) ? shown : { ...shown, labels };
    if (out.json) out.document(document);
    else out.print(JSON.stringify(document, null, 2));
  },
});

function isStandIn(labels: readonly string[]): boolean {
  return labels.join() === STAND_IN.join();
}

function rangeOf(field: Field): string {
  if (field.type !== 'integer' && field.type !== 'number') return '';
  const { min, max, unit } = field;
  return `From ${min} to ${max}${unit === undefined ? '' : ` ${unit}`}.`;
}
