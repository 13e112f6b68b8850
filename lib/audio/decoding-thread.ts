// The thread that `decoding.ts` starts.
import { parentPort } from 'node:worker_threads';
import { type ErrorCode, SonospikeError } from '../support/errors.js';
import type { DecodedAudio } from './formats/format.js';
import { FORMATS } from './formats/index.js';

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
    const audio = format.decodeLater ? await format.decodeLater(bytes, file) : format.decode!(bytes, file);
    parentPort!.postMessage({ id, audio } satisfies DecodeReply, [audio.samples.buffer as ArrayBuffer]);
  } catch (error) {
    const known = error instanceof SonospikeError;
    const reason = error instanceof Error ? error.message : String(error);
    const message = known ? reason : `${file ?? 'The audio'} cannot be decoded as ${name} (${reason}).`;
    const code = known ? error.code : 'ERR_AUDIO_INVALID';
    parentPort!.postMessage({ id, code, message, file } satisfies DecodeReply);
  }
});
