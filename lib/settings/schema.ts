import type { Field, Fields } from '../support/fields.js';
import { defaultText } from './defaults.js';
import { SETTINGS_FIELDS } from './table.js';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = { [key: string]: unknown };

/**
 * The JSON Schema (draft 2020-12) of a whole settings file, for editors and other programs. Limits that depend on other
 * fields, such as maxFrequency at half of the sample rate, are told in the descriptions only.
 */
export function settingsSchema(): JsonSchema {
  const schema = objectSchema(SETTINGS_FIELDS, '');
  const required = (schema.required as string[]).filter((key) => key !== 'labels');
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of a sonospike model',
    ...schema,
    required,
  };
}

function objectSchema(fields: Fields, prefix: string): JsonSchema {
  const entries = Object.entries(fields);
  const needed = ([key, field]: [string, Field]) =>
    !field.optional && field.default === undefined && `${prefix}${key}` !== 'network.layers.*.neurons';
  const always = entries.filter((entry) => entry[1].when === undefined && needed(entry));
  const conditions = entries
    .filter(([, field]) => field.when !== undefined)
    .map((entry) => {
      const [key, field] = entry;
      return {
        if: { allOf: Object.entries(field.when!).map(([name, users]) => chosen(fields, name, users)) },
        // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
        then: needed(entry) ? { required: [key] } : {},
        else: { properties: { [key]: false } },
      };
    });
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([key, field]) => [key, fieldSchema(field, `${prefix}${key}`)]),
    ),
    required: always.map(([key]) => key),
    additionalProperties: false,
    ...(conditions.length === 0 ? {} : { allOf: conditions }),
  };
}

/** That a field has one of some choices; one that is left out has its default. */
function chosen(fields: Fields, name: string, users: readonly string[]): JsonSchema {
  const usual = fields[name]?.default;
  const isUsual = typeof usual === 'string' && users.includes(usual);
  return { properties: { [name]: { enum: users } }, ...(isUsual ? {} : { required: [name] }) };
}

function fieldSchema(field: Field, path: string): JsonSchema {
  const defaults = defaultText(path);
  const description = [
    field.help,
    ...(field.unit ? [`Unit: ${field.unit}.`] : []),
    ...(defaults ? [defaults] : []),
  ].join(' ');
  const own = { description, ...valueSchema(field, path) };
  return field.nullable ? { description, anyOf: [valueSchema(field, path), { type: 'null' }] } : own;
}

function valueSchema(field: Field, path: string): JsonSchema {
  switch (field.type) {
    case 'integer':
    case 'number':
      return { type: field.type, minimum: field.min, maximum: field.max };
    case 'choice':
      return { enum: field.choices };
    case 'boolean':
      return { type: 'boolean' };
    case 'text':
      return { type: 'string', minLength: 1 };
    case 'object':
      return objectSchema(field.fields, `${path}.`);
    case 'range': {
      const item = { type: 'number', minimum: field.min, maximum: field.max };
      return { type: 'array', items: item, minItems: 2, maxItems: 2 };
    }
    case 'list': {
      const { of, min, max } = field;
      return { type: 'array', items: fieldSchema(of, `${path}.*`), minItems: min, maxItems: max };
    }
  }
}
