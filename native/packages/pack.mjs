// Writes the folders that are published, from a built checkout and the addons of build.mjs:
//
//   build-packages/npm/@sonospike/PLATFORM   a compiled addon
//   build-packages/npm/@sonospike/sources    what is needed to compile one
//   build-packages/npm/sonospike             the library; its manifest names the packages of the platforms
//
//   npm run build && npm run build:packages && npm run check:packages && npm run pack:packages
//
// The order above is the order in which they are published. With names of platforms as arguments only those are packed.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addonOf, chosenTargets } from './targets.mjs';

process.chdir(join(import.meta.dirname, '../..'));

const OUT = 'build-packages/npm';
const ours = JSON.parse(readFileSync('package.json', 'utf8'));
const { version, license, engines, repository, homepage, bugs, author } = ours;
const shared = Object.fromEntries(
  Object.entries({ version, license, engines, author, homepage, repository, bugs }).filter(([, value]) => value !== undefined),
);
const publishConfig = { access: 'public', provenance: true };

/** Makes a folder for a package with its manifest and the files given. */
function writePackage(manifest, files, readme) {
  const folder = join(OUT, manifest.name);
  mkdirSync(folder, { recursive: true });
  for (const [from, to] of files) cpSync(from, join(folder, to), { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  if (readme) writeFileSync(join(folder, 'README.md'), readme);
  cpSync('LICENSE', join(folder, 'LICENSE'));
  console.log(folder);
}

const nameOf = (target) => `@sonospike/${target.name}`;

function packPlatform(target) {
  const addon = addonOf(target);
  if (!existsSync(addon)) throw new Error(`${addon} is missing: run "npm run build:packages -- ${target.name}" first.`);
  const made = statSync(addon).mtimeMs;
  const newer = readdirSync('native', { recursive: true }).filter(
    (name) => /\.(cc|h|inc)$/.test(name) && statSync(join('native', name)).mtimeMs > made,
  );
  if (newer.length > 0) throw new Error(`${addon} is older than native/${newer[0]}: run "npm run build:packages" first.`);
  writePackage(
    {
      name: nameOf(target),
      ...shared,
      description: `Compiled addon of sonospike for ${target.name}`,
      os: [target.os],
      cpu: [target.cpu],
      ...(target.libc && { libc: [target.libc] }),
      main: './sonospike.node',
      files: ['sonospike.node'],
      preferUnplugged: true,
      publishConfig,
    },
    [[addon, 'sonospike.node']],
    `# ${nameOf(target)}\n\nThe compiled addon of [sonospike](https://www.npmjs.com/package/sonospike) for ${target.name}. Install \`sonospike\`, which depends on it.\n`,
  );
}

function packSources() {
  const { 'node-addon-api': headers, 'node-gyp-build': loader } = ours.dependencies;
  const { 'node-gyp': gyp, 'cmake-js': cmake } = ours.devDependencies;
  writePackage(
    {
      name: '@sonospike/sources',
      ...shared,
      description: 'Sources of the native addon of sonospike, to compile it for other platforms or with CUDA',
      gypfile: false,
      binary: ours.binary,
      scripts: { build: 'node-gyp rebuild', 'build:cuda': ours.scripts['build:cuda'] },
      dependencies: { 'node-addon-api': headers, 'node-gyp-build': loader, 'node-gyp': gyp, 'cmake-js': cmake },
      publishConfig,
    },
    ['binding.gyp', 'CMakeLists.txt', 'native/core', 'native/addon', 'native/cuda', 'native/sources.json'].map((path) => [path, path]),
    '# @sonospike/sources\n\nThe C++ sources of [sonospike](https://www.npmjs.com/package/sonospike). `npm run build` (a C++20 compiler, make, Python 3) leaves `build/Release/sonospike.node`: name it in the environment variable SONOSPIKE_ADDON. `npm run build:cuda` (CUDA toolkit, CMake) leaves `build-cuda/Release/sonospike.node`: name it in SONOSPIKE_CUDA_ADDON.\n',
  );
}

function packLibrary(targets) {
  const runTime = Object.fromEntries(
    Object.entries(ours.dependencies).filter(([name]) => !['node-addon-api', 'node-gyp-build'].includes(name)),
  );
  const { devDependencies, binary, scripts, ...kept } = ours;
  const parts = ['dist', 'docs', 'lib', 'models', 'samples', 'README.md', 'CHANGELOG.md'].filter((path) => existsSync(path));
  writePackage(
    {
      ...kept,
      gypfile: false,
      files: ours.files.filter((path) => !/^native|^prebuilds|binding\.gyp|CMakeLists/.test(path)),
      dependencies: runTime,
      optionalDependencies: {
        ...ours.optionalDependencies,
        ...Object.fromEntries(targets.map((target) => [nameOf(target), version])),
      },
      publishConfig,
    },
    parts.map((path) => [path, path]),
  );
}

const targets = chosenTargets(process.argv.slice(2));
if (!existsSync('dist/index.js')) throw new Error('dist is missing: run "npm run build:ts" first.');
rmSync(OUT, { recursive: true, force: true });
for (const target of targets) packPlatform(target);
packSources();
packLibrary(targets);
