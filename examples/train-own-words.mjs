// Trains on a folder of recordings: node examples/train-own-words.mjs [DIR] [OUT]
// DIR holds a folder for each word, or files that are named word_speaker_take.wav as in samples/.
import { openDataset, train } from '../dist/index.js';

const [directory = 'samples', out = 'own-words.safetensors'] = process.argv.slice(2);
const data = await openDataset(directory);
console.log(`${data.clips.length} clips of ${data.labels.length} words: ${data.labels.join(', ')}`);
for (const { file, reason } of data.skipped) console.log(`left out: ${file}: ${reason}`);

const { model, test, testedBy } = await train({
  data,
  seed: 1,
  out,
  onEpoch: ({ metrics, total }) => console.log(`epoch ${metrics.epoch} of ${total}`),
});
console.log(`${testedBy}: ${(100 * test.accuracy).toFixed(1)}% of ${test.clips} clips right`);

const clip = data.clips[0].file;
const { label, confidence } = await model.predict(clip);
console.log(`${clip}: ${label} (${(100 * confidence).toFixed(1)}%); the model is ${out}`);
