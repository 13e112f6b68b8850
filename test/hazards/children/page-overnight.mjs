// One page that listens for hours, and others that come and go: what does the server keep of it?
// Arguments: hours of audio. Prints megabytes after the first tenth and at the end, as JSON.
import { WebSocket } from 'ws';
import { loadModel, readAudio } from '../../../dist/index.js';
import { pack, parse, unpack } from '../../../dist/page/message.js';
import { startPage } from '../../../dist/page/server.js';

const hours = Number(process.argv[2]);
const RATE = 8000; // Hz
const CYCLE = 10; // seconds, with one word

const page = await startPage({ model: await loadModel(), modelName: 'digits', host: '127.0.0.1', port: 0 });
const clip = await readAudio('samples/7_kal_0.wav');
if (clip.sampleRate !== 16_000) throw new Error('the sample was to be of 16 kHz');
const cycle = Float32Array.from({ length: CYCLE * RATE }, (_, i) => {
  const word = clip.samples[2 * (i - 4 * RATE)] ?? 0;
  return word + 1e-4 * Math.sin(i * i);
});
const second = Array.from({ length: CYCLE }, (_, k) =>
  pack({ type: 'audio', id: 1 }, { samples: cycle.slice(k * RATE, (k + 1) * RATE) }),
);

const connect = () =>
  new Promise((done) => {
    const socket = new WebSocket(`${page.url.replace('http', 'ws')}live`, { origin: page.url.slice(0, -1) });
    socket.on('open', () => done(socket));
  });
const headerOf = (data, binary) => (binary ? unpack(data).header : parse(data.toString()));

const counts = { word: 0, picture: 0, live: 0, error: 0 };
const listening = await connect();
let stopped;
const end = new Promise((done) => {
  stopped = done;
});
listening.on('message', (data, binary) => {
  const { type } = headerOf(data, binary);
  if (type in counts) counts[type]++;
  if (type === 'stopped') stopped();
});
listening.send(JSON.stringify({ type: 'listen', id: 1, sampleRate: RATE, pictures: true }));

const passing = async () => {
  const socket = await connect();
  socket.send(JSON.stringify({ type: 'listen', id: 1, sampleRate: RATE, pictures: true }));
  socket.send(second[4]);
  socket.send(JSON.stringify({ type: 'sample', id: 2, name: '7_kal_0.wav' }));
  await new Promise((done) =>
    socket.on('message', (data, binary) => headerOf(data, binary).type === 'picture' && done()),
  );
  socket.terminate();
};

const megabytes = () => {
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed / 1e6, external: external / 1e6, rss: rss / 1e6 };
};

const seconds = hours * 3600;
let early;
for (let at = 0; at < seconds; at++) {
  await new Promise((done) => listening.send(second[at % CYCLE], done));
  // What is on its way is no leak: the server is given time to answer.
  if (at % CYCLE === 0) {
    const words = at / CYCLE;
    while (counts.picture < words) await new Promise((done) => setTimeout(done, 1));
  }
  if (at % 60 === 0) await passing();
  if (at === Math.floor(seconds / 10)) early = megabytes();
}
listening.send(JSON.stringify({ type: 'stop', id: 1 }));
await end;
while (page.clients > 1) await new Promise((done) => setTimeout(done, 1));
const late = megabytes();
await page.close();
console.log(JSON.stringify({ early, late, counts, words: Math.floor(seconds / CYCLE) }));
