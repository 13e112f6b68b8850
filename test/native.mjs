// Builds the tests of the C++ core with CMake and runs them. `--sanitize`: with AddressSanitizer and UBSan.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sanitize = process.argv.includes('--sanitize');
const build = sanitize ? 'build-sanitize' : 'build-native';
const jobs = String(availableParallelism());

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Runs a program in the root of the repository with its output on ours, and ends with its failure. */
function run(program, args) {
  const { error, status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: environment() });
  if (error?.code === 'ENOENT') {
    fail(`${program} is not installed. The C++ tests need CMake, a C++20 compiler and doctest
(Debian, Ubuntu: apt install cmake g++ doctest-dev; macOS: brew install cmake doctest).`);
  }
  if (error) throw error;
  if (status !== 0) fail(`${program} ${args.join(' ')} failed (${status ?? 'killed'})`);
}

function environment() {
  return {
    ...process.env,
    ASAN_OPTIONS: 'strict_string_checks=1:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
}

/** The number of doctest cases that the last run of CTest reports as passed. */
function passedCases() {
  const log = readFileSync(`${root}/${build}/Testing/Temporary/LastTest.log`, 'utf8');
  const summaries = log.matchAll(/\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed/g);
  return [...summaries].reduce((sum, [, passed]) => sum + Number(passed), 0);
}

// CMake would say that the header is missing after a page of other output; most often it is in one of these.
const places = ['/usr/include', '/usr/local/include', '/opt/homebrew/include'];
if (!process.env.CMAKE_PREFIX_PATH && !places.some((place) => existsSync(`${place}/doctest/doctest.h`))) {
  fail(`doctest/doctest.h is not in ${places.join(', ')}. The C++ tests need doctest
(Debian, Ubuntu: apt install doctest-dev; macOS: brew install doctest; elsewhere: set CMAKE_PREFIX_PATH).`);
}

run('cmake', [
  ...['-S', '.', '-B', build, '-DCMAKE_BUILD_TYPE=Release', '-DSONOSPIKE_TESTS=ON'],
  `-DSONOSPIKE_SANITIZE=${sanitize ? 'address;undefined' : ''}`,
]);
run('cmake', ['--build', build, '--parallel', jobs]);
run('ctest', ['--test-dir', build, '--output-on-failure', '--no-tests=error', '--parallel', jobs]);
console.log(`${passedCases()} test cases of the C++ core passed${sanitize ? ' with sanitizers' : ''}.`);
