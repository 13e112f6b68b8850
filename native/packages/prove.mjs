// Installs the packed set as users do and runs it on every runtime, bundler and platform at hand; prints tables:
//
//   npm run pack:packages && npm run prove:packages                        everything
//   npm run prove:packages -- managers runtimes                            these
//
// For Linux x64 with glibc, with the packages of all platforms packed. Tools come from npm (and PyPI and Debian for musl)
// into build-packages/tools, about 2 GB, which stay. docs/platforms.md has the results.
import { proveBundlers } from './prove/bundlers.mjs';
import { proveManagers } from './prove/managers.mjs';
import { proveForeign } from './prove/foreign.mjs';
import { startRegistry } from './prove/registry.mjs';
import { installedProject, proveRuntimes } from './prove/runtimes.mjs';
import { proveSources } from './prove/sources.mjs';
import { anyFailed } from './prove/trials.mjs';

const GROUPS = {
  managers: ({ registry }) => proveManagers(registry.url),
  runtimes: ({ project }) => proveRuntimes(project),
  bundlers: ({ project }) => proveBundlers(project),
  sources: ({ registry }) => proveSources(registry.url),
  arm: ({ registry, project }) => proveForeign(registry.url, project, ['arm']),
  musl: ({ registry, project }) => proveForeign(registry.url, project, ['musl']),
  windows: ({ registry, project }) => proveForeign(registry.url, project, ['windows']),
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in GROUPS));
if (unknown.length > 0) throw new Error(`There is no trial ${unknown.join(', ')}. There are: ${Object.keys(GROUPS).join(', ')}.`);

const registry = await startRegistry();
try {
  const project = await installedProject(registry.url);
  for (const name of chosen.length > 0 ? chosen : Object.keys(GROUPS)) await GROUPS[name]({ registry, project });
  project.remove();
} finally {
  registry.stop();
}
process.exitCode = anyFailed() ? 1 : 0;
