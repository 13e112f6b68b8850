import { SonospikeError } from '../support/errors.js';

const MAX_LENGTH = 300;

/** Text that may come from a file, fit for one line of a message. */
export function oneLine(text: string): string {
  const line = text.replace(/\p{Cc}/gu, ' ');
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}

/** The error for a model file that cannot be used; `what` is a clause without a full stop. */
export function damaged(file: string | undefined, what: string, cause?: unknown): SonospikeError {
  const subject = file ?? 'The data';
  return new SonospikeError(
    'ERR_MODEL_INVALID',
    `${subject} is damaged or is not a model: ${oneLine(what)}.`,
    {
      file,
      cause,
    },
  );
}
