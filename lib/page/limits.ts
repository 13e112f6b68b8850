/** What one page may ask of the server. A server bound to an address that others reach meets pages that are not ours. */

export const MAX_CLIENTS = 128;
/** TCP connections, those that load files included. */
export const MAX_CONNECTIONS = 1024;
/** Of a sound file that the server reads, 20 MB; a message has a few words around it. */
export const MAX_FILE_BYTES = 20_000_000;
export const MAX_MESSAGE_BYTES = MAX_FILE_BYTES + 4096;
/** Of a sound file that the server reads: 24 MB as float32. */
export const MAX_DECODED_SAMPLES = 6_000_000;
/** Of a clip that is shown: 30 s at 96 kHz. */
export const MAX_CLIP_SAMPLES = 96_000 * 30;
/** Clips of one word that the page offers as samples. */
export const MAX_SAMPLES_OF_WORD = 12;
/** How long, and in how many folders of one place, the data set that a model was trained on is looked for. */
export const SEARCH_SECONDS = 2;
export const SEARCHED_FOLDERS = 50;
/** Samples of one message of a stream: half a second at the highest rate. */
export const MAX_STREAM_CHUNK = 384_000;
/** Messages of a stream that wait to be heard until no more are read. */
export const MAX_UNHEARD = 8;
/** Requests of one client that wait. */
export const MAX_WAITING = 8;
/** Bytes that wait for a client to read them: beyond the first live pictures are left out, beyond the second it is dropped. */
export const SKIP_BYTES = 2 ** 20;
export const DROP_BYTES = 32 * 2 ** 20;
/** Potentials in a picture, 16 MB; layers beyond go without. */
export const MAX_POTENTIALS = 2 ** 22;
/** Values of an encoding to compare. */
export const MAX_ENCODED = 2 ** 22;
/** Seconds of a stream between two live pictures. */
export const LIVE_SECONDS = 0.1;
/** A client that has not answered a ping until the next is gone. */
export const PING_SECONDS = 30;
