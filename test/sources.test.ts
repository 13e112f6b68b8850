// native/sources.json, which binding.gyp and CMakeLists.txt read, leaves no source file out, and both compile with the
// same flags.
import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const { readBinary } = await import(pathToFileURL('native/packages/read-binary.mjs').href);

const gyp = readFileSync('binding.gyp', 'utf8').replace(/^\s*#.*/gm, '');
const cmake = readFileSync('CMakeLists.txt', 'utf8').replace(/#.*/g, '');

function sourcesOnDisk(): string[] {
  return ['native/addon', 'native/core', 'native/cuda'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(cc|cu)$/.test(file))
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
  );
}

interface GypTarget {
  target_name: string;
  sources: string[];
  cflags_cc?: string[];
}

interface Gyp {
  variables: { core_flags: string[] };
  conditions: [string, { targets: GypTarget[] }][];
}

it('native/sources.json names every source file once, and no other', () => {
  const lists = JSON.parse(readFileSync('native/sources.json', 'utf8')) as Record<string, string[]>;
  expect(Object.values(lists).flat().sort()).toEqual(sourcesOnDisk().sort());
});

it('neither build file names a source file of its own', () => {
  for (const text of [gyp, cmake]) expect(text).not.toMatch(/native\/[\w/]+\.(cc|cu)\b/);
});

describe('compiler flags', () => {
  const { variables, conditions } = JSON.parse(gyp) as Gyp;

  it('the core is compiled with the same ones', () => {
    const common = cmake.match(/set\(core_flags (-Wall[^)]*)\)/)![1]!.split(/\s+/);
    // CMake spells these two as CMAKE_CXX_STANDARD and CMAKE_CXX_FLAGS_RELEASE.
    expect(cmake).toContain('set(CMAKE_CXX_STANDARD 20)');
    expect(cmake).toContain('set(CMAKE_CXX_FLAGS_RELEASE "-O3")');
    expect(new Set(['-std=c++20', '-O3', ...common])).toEqual(new Set(variables.core_flags));
  });

  it('the kernels are compiled for the same instruction sets', () => {
    const kernels = conditions.flatMap(([, { targets }]) => targets);
    expect(kernels).not.toHaveLength(0);
    for (const { target_name: target, cflags_cc: flags } of kernels) {
      const source = `\\$\\{${target.replace('kernels_', '')}_source\\}`;
      const properties = `set_source_files_properties\\(${source} PROPERTIES\\s+COMPILE_OPTIONS\\s+"([^"]*)"`;
      expect(cmake.match(new RegExp(properties))?.[1]?.split(';'), target).toEqual(flags);
    }
  });
});

describe('the addon that was compiled in this checkout', () => {
  const addon = readFileSync('build/Release/sonospike.node');

  it.runIf(process.platform === 'linux')(
    'stays in the process when the last worker that uses it ends',
    () => {
      expect(readBinary(addon).stays).toBe(true);
    },
  );

  it.runIf(process.platform !== 'win32')(
    'gives JavaScript no memory of its own, which Electron refuses',
    () => {
      const { imported } = readBinary(addon);
      expect(imported).toContain('napi_create_arraybuffer');
      expect(imported.filter((name: string) => name.startsWith('napi_create_external_'))).toEqual([]);
    },
  );
});
