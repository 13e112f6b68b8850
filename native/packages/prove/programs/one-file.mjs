// Beside the bundle of this there is no package: SONOSPIKE_ADDON names the addon, and the model is given by its bytes.
import { readFileSync } from 'node:fs';
import { loadModel } from 'sonospike';

loadModel(readFileSync('digits.safetensors'))
  .then((model) => model.predict('7.wav'))
  .then(({ label }) => console.log(label));
