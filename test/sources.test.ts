// binding.gyp and CMakeLists.txt build the same files with the same flags, and leave none out.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const gyp = readFileSync('binding.gyp', 'utf8').replace(/^\s*#.*/gm, '');
const cmake = readFileSync('CMakeLists.txt', 'utf8').replace(/#.*/g, '');

function sourcesOnDisk(): string[] {
  return ['native/addon', 'native/core'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.cc'))
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
  );
}

/** Every source that a build file names, once each: CMake names kernels again to give them flags. */
function sourcesIn(text: string): string[] {
  return [...new Set(text.match(/native\/(?:addon|core)\/[\w/]+\.cc/g))];
}

interface GypTarget {
  sources: string[];
  cflags_cc?: string[];
}

interface Gyp {
  variables: { core_flags: string[] };
  conditions: [string, { targets: GypTarget[] }][];
}

describe('sources', () => {
  it('binding.gyp names every source file, and no other', () => {
    expect(sourcesIn(gyp).sort()).toEqual(sourcesOnDisk().sort());
  });

  it('CMakeLists.txt names every source file, and no other', () => {
    expect(sourcesIn(cmake).sort()).toEqual(sourcesOnDisk().sort());
  });
});

it('CMakeLists.txt names every CUDA source, and no other', () => {
  const onDisk = readdirSync('native/cuda', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(cu|cc)$/.test(file))
    .map((file) => `native/cuda/${file.replaceAll('\\', '/')}`);
  const named = new Set(cmake.match(/native\/cuda\/[\w/]+\.(cu|cc)/g) ?? []);
  expect([...named].sort()).toEqual(onDisk.sort());
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
    for (const { sources, cflags_cc: flags } of kernels) {
      const properties = `set_source_files_properties\\(${sources[0]} PROPERTIES\\s+COMPILE_OPTIONS\\s+"([^"]*)"`;
      expect(cmake.match(new RegExp(properties))?.[1]?.split(';'), sources[0]).toEqual(flags);
    }
  });
});
