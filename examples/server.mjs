// Answers HTTP requests that carry a sound file: node examples/server.mjs [PORT]
//   curl --data-binary @seven.wav http://127.0.0.1:8080/
import { createServer } from 'node:http';
import { loadModel, SonospikeError } from '../dist/index.js';

const MAX_BYTES = 4 * 2 ** 20;
const port = Number(process.argv[2] ?? 8080);
const model = await loadModel();

async function body(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw Object.assign(new Error('The file is too large.'), { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const server = createServer(async (request, response) => {
  const answer = (status, value) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(value)}\n`);
  };
  try {
    if (request.method !== 'POST') return answer(405, { error: 'POST the bytes of a sound file.' });
    const { label, confidence, rejected } = await model.predict(await body(request));
    answer(200, { label, confidence, rejected });
  } catch (error) {
    const status = error instanceof SonospikeError ? 400 : (error.status ?? 500);
    answer(status, { error: error.message, code: error.code });
  }
});
server.listen(port, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
process.once('SIGINT', () => server.close());
process.once('SIGTERM', () => server.close());
