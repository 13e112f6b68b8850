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
  const counts = /test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed/.exec(readFileSync(log, 'utf8'));
  if (counts) {
    passed += Number(counts[2]);
    failed += Number(counts[3]);
  } else {
    console.error(`${log} has no summary of the native tests`);
    failed++;
  }
}
if (status !== '0' && failed === 0) failed++;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
