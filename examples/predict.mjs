// Recognises sound files with the included model: node examples/predict.mjs [FILE...]
import { loadModel, SonospikeError } from '../dist/index.js';

const files = process.argv.slice(2);
if (files.length === 0) files.push('samples/7_kal_0.wav', 'samples/3_awb_0.wav');

const model = await loadModel();
for (const file of files) {
  try {
    const { label, confidence, rejected } = await model.predict(file);
    const percent = (100 * confidence).toFixed(1);
    console.log(`${file}: ${rejected ? 'none of my words' : label} (${percent}%)`);
  } catch (error) {
    if (!(error instanceof SonospikeError)) throw error;
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 1;
  }
}
