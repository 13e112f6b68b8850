// The thread that `decoding.ts` starts.
import { parentPort } from 'node:worker_threads';
import { type ErrorCode, SonospikeError } from '../support/errors.js';
import type { DecodedAudio } from './formats/format.js';
import { FORMATS } from './formats/index.js';
import { decodeFormat } from './formats/packages.js';

interface DecodeRequest {
  id: number;
  /** Its name. */
  format: string;
  bytes: Uint8Array;
  file: string | undefined;
}

/** What the thread answers. */
export type DecodeReply =
  | { id: number; audio: DecodedAudio }
  | { id: number; code: ErrorCode; message: string; file: string | undefined };

parentPort!.on('message', async ({ id, format: name, bytes, file }: DecodeRequest) => {
  try {
    const format = FORMATS.find((candidate) => candidate.name === name)!;
    const audio = await decodeFormat(format, bytes, file);
    parentPort!.postMessage({ id, audio } satisfies DecodeReply, [audio.samples.buffer as ArrayBuffer]);
  } catch (error) {
    const { code, message } =
      error instanceof SonospikeError ? error : { code: 'ERR_INTERNAL' as const, message: String(error) };
    parentPort!.postMessage({ id, code, message, file } satisfies DecodeReply);
  }
});
