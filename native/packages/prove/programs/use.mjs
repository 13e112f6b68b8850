// What a user writes first. A promise chain, as some bundlers' formats have no top-level await.
import { loadModel } from 'sonospike';

loadModel()
  .then((model) => model.predict('7.wav'))
  .then(({ label }) => console.log(label));
