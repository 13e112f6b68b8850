// Saves the shipped model and loads what was saved.
import { loadModel } from 'sonospike';

const model = await loadModel();
await model.save('out/saved.safetensors');
console.log((await (await loadModel('out/saved.safetensors')).predict('7.wav')).label);
