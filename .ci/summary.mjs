// Adds up the results of vitest and of the native tests: node summary.mjs STATUS VITEST.json NATIVE.log...
import { readFileSync } from 'node:fs';

const [status, vitest, ...logs] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const report = JSON.parse(readFileSync(vitest, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  if (!report.success && report.numFailedTests === 0) failed++;
} catch {
  console.error('vitest left no report');
  failed++;
}
for (const log of logs) {
  const count = /^(\d+) test cases of the C\+\+ core passed/m.exec(readFileSync(log, 'utf8'));
  if (count) {
    passed += Number(count[1]);
  } else {
    console.error('The native tests failed or did not run: see above.');
    failed++;
  }
}
if (status !== '0' && failed === 0) failed++;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
