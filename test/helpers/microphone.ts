import { pathToFileURL } from 'node:url';

export interface FakeMicrophone {
  /** The package is not installed. */
  missing?: true;
  /** Why the package cannot be loaded. */
  broken?: string;
  /** Why no device can be opened. */
  fails?: string;
  devices?: string[];
  /** A file of raw 16 kHz samples. */
  sound?: string;
  /**
   * When they are over; left out: silence. `crash` ends the process, `hang` blocks the thread, `nothing` is the package's
   * own timeout.
   */
  afterwards?: 'stop' | 'fail' | 'crash' | 'hang' | 'nothing';
}

/** The environment in which a command finds a microphone made for tests. */
export function microphone(fake: FakeMicrophone): Record<string, string> {
  const preload = pathToFileURL('test/helpers/fake-microphone/register.mjs').href;
  return { NODE_OPTIONS: `--import ${preload}`, FAKE_MICROPHONE: JSON.stringify(fake) };
}
