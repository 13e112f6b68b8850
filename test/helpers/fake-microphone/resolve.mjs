const { missing } = JSON.parse(process.env.FAKE_MICROPHONE);

export function resolve(specifier, context, next) {
  if (specifier !== '@picovoice/pvrecorder-node') return next(specifier, context);
  if (missing) return next('@picovoice/not-there', context);
  return { url: new URL('./package.mjs', import.meta.url).href, shortCircuit: true };
}
