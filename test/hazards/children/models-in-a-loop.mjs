// Makes 120 models one after the other without a turn of the event loop, and prints the megabytes that the process has
// grown by. `close`: closes each; `drop`: leaves each to the collector.
import { presetSettings } from '../../../dist/index.js';
import { addon, check } from './common.mjs';

const settings = presetSettings('default', ['a', 'b']);
const megabytes = () => process.memoryUsage().rss / 2 ** 20;

const before = megabytes();
for (let i = 0; i < 120; i++) {
  const model = new addon.Model(settings, 1);
  model.initialise(i);
  if (process.argv[2] === 'close') model.close();
  else if (i % 10 === 9) globalThis.gc();
}
console.log(megabytes() - before);
check(process.memoryUsage().external < 100 * 2 ** 20, 'the engine is told of memory that is gone');
