import { createRequire } from 'node:module';

const { symbols } = createRequire(import.meta.url)('node-api-headers');

/**
 * C source that binds the Node-API of version `version` when the addon is loaded: to the program that loads it, be it
 * called node.exe, electron.exe, bun.exe or otherwise. An import library would bind to node.exe by name.
 *
 * The headers are compiled with NAPI_EXTERN=__declspec(dllimport), so every call goes through a pointer called
 * __imp_NAME. Those pointers are defined here. A function that the program does not have fails with a status.
 */
export function windowsHost(version) {
  const { js_native_api_symbols: engine, node_api_symbols: node } = symbols[`v${version}`];
  const names = [...engine, ...node];
  return `#include <stddef.h>
#include <windows.h>

/* napi_status napi_generic_failure. The caller clears the stack on x64, so any arguments are fine. */
static int missing(void) { return 9; }

${names.map((name) => `void *__imp_${name} = (void *)missing;`).join('\n')}

static const struct { const char *name; void **function; } functions[] = {
${names.map((name) => `  {"${name}", &__imp_${name}},`).join('\n')}
};

__attribute__((constructor)) static void find_functions(void) {
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == NULL) host = GetModuleHandleW(NULL);
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; ++i) {
    FARPROC found = GetProcAddress(host, functions[i].name);
    if (found != NULL) *functions[i].function = (void *)found;
  }
}
`;
}
