// The most threads that this process has while it makes stores of 16 threads each and drops them at once.
import { readdirSync } from 'node:fs';
import { addon, settings, sleep } from './common.mjs';

const model = new addon.Model(settings(), 1);
let most = 0;
for (let i = 0; i < 300; i++) {
  new addon.FeatureStore(model, 16);
  await sleep(1);
  most = Math.max(most, readdirSync('/proc/self/task').length);
}
console.log(most);
