import { array, type Blame, refuse, string } from '../support/options.js';
import { SETTINGS_FIELDS } from './table.js';

const MAX_LABEL_LENGTH = 200;

/**
 * The words of a model: 2 to 1000 different ones, printable.
 * @returns them in Unicode's NFC
 * @throws SonospikeError with the code of `blame`, ERR_INVALID_OPTION unless told otherwise
 */
export function validateLabels(value: unknown, at: string, blame?: Blame): string[] {
  const { min, max } = SETTINGS_FIELDS.labels;
  const labels = new Set<string>();
  for (const [index, item] of array(value, at, min, max, blame).entries()) {
    const name = `${at}[${index}]`;
    const label = string(item, name, blame).normalize('NFC');
    // Control characters would break a terminal's line, and lone surrogates have no UTF-8 form.
    if (label.length > MAX_LABEL_LENGTH || label.trim() === '' || /[\p{Cc}\p{Cs}]/u.test(label)) {
      throw refuse(item, name, `a word of up to ${MAX_LABEL_LENGTH} printable characters`, blame);
    }
    if (labels.has(label)) throw refuse(item, name, 'different from the labels before it', blame);
    labels.add(label);
  }
  return [...labels];
}
