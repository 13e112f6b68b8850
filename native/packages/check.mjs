// Checks the addons that build.mjs made: npm run check:packages [-- PLATFORM ...]. Prints a line for each, and what is wrong.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBinary } from './read-binary.mjs';
import { addonOf, chosenTargets } from './targets.mjs';

process.chdir(join(import.meta.dirname, '../..'));

const MOST_BYTES = 1_500_000;
const OLDEST_GLIBC = [2, 28];
const FORMATS = { linux: 'elf', darwin: 'macho', win32: 'pe' };
const EXPORTED = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
/** Libraries that an addon may ask for: parts of every system of that kind. */
const ALLOWED = {
  glibc: /^(libc|libm|libdl|libpthread)\.so\.\d+$|^ld-linux-[\w-]+\.so\.\d$/,
  musl: /^libc\.so$/,
  darwin: /^\/usr\/lib\/libSystem\.B\.dylib$/,
  win32: /^(KERNEL32|api-ms-win-crt-[\w-]+|ntdll)\.dll$/i,
};

/** What is wrong with the addon of a target. */
function faults(target, bytes, found) {
  const list = [];
  const complain = (wrong, text) => wrong && list.push(text);
  complain(found.format !== FORMATS[target.os], `is a ${found.format} file`);
  complain(found.cpu !== target.cpu, `is for ${found.cpu}`);
  complain(bytes.length > MOST_BYTES, `has ${bytes.length} bytes, more than ${MOST_BYTES}`);
  for (const name of EXPORTED) complain(!found.exported.includes(name), `does not export ${name}`);
  // zig's linker for macOS takes no list of exports: the operators new and delete of the C++ library stay visible, and
  // so do the two symbols by which the linker marks the file's own header.
  const tolerated = target.os === 'darwin' ? /^_Z(n[wa]m|d[la]Pv)|^_mh_dylib_header$|^__dso_handle$/ : /^$/;
  const others = found.exported.filter((name) => !EXPORTED.includes(name) && !tolerated.test(name));
  complain(others.length > 0, `exports ${others.length} others, such as ${others[0]}`);
  const strange = found.needed.filter((name) => !ALLOWED[target.libc ?? target.os].test(name));
  complain(strange.length > 0, `needs ${strange.join(', ')}`);
  // Electron refuses memory of the addon as an ArrayBuffer. On Windows the addon has all functions in a table, and that
  // none of these two is called is left to NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED.
  const outside = found.imported.filter((name) => /^napi_create_external_(arraybuffer|buffer)$/.test(name));
  complain(outside.length > 0, `calls ${outside.join(', ')}`);
  complain(found.stays === false, 'can be unloaded');
  for (const version of found.versions) {
    const [, major, minor] = /^GLIBC_(\d+)\.(\d+)/.exec(version) ?? [];
    const tooNew = major === undefined || major > OLDEST_GLIBC[0] || Number(minor) > OLDEST_GLIBC[1];
    complain(tooNew, `needs ${version}`);
  }
  complain(target.os === 'darwin' && target.cpu === 'arm64' && found.signed !== 'ad hoc', `signature: ${found.signed}`);
  complain(target.os === 'darwin' && found.oldest !== '12.0', `is for macOS ${found.oldest}`);
  return list;
}

/** The newest of versions such as GLIBC_2.17. */
function newest(versions) {
  return versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
}

let failed = false;
for (const target of chosenTargets(process.argv.slice(2))) {
  const file = addonOf(target);
  if (!existsSync(file)) {
    console.log(`${target.name}: missing; run "npm run build:packages -- ${target.name}"`);
    failed = true;
    continue;
  }
  const bytes = readFileSync(file);
  const found = readBinary(bytes);
  const wrong = faults(target, bytes, found);
  const facts = [`${(bytes.length / 1e6).toFixed(2)} MB`, newest(found.versions), found.oldest && `macOS ${found.oldest}`];
  if (found.signed) facts.push(`signed: ${found.signed}`);
  console.log(`${target.name}: ${facts.filter(Boolean).join(', ')}; needs ${found.needed.join(' ') || 'nothing'}`);
  for (const text of wrong) console.log(`  WRONG: ${text}`);
  failed ||= wrong.length > 0;
}
process.exitCode = failed ? 1 : 0;
