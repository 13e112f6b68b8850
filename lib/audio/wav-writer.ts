import wavefile from './wavefile.cjs';

/**
 * A mono 16-bit WAV.
 * @param samples what lies beyond [-1, 1) is clipped
 * @param sampleRate Hz
 */
export function encodeWav(samples: Float32Array, sampleRate: number): Uint8Array {
  const wav = new (wavefile().WaveFile)();
  wav.fromScratch(1, sampleRate, '16', toInt16(samples));
  return wav.toBuffer();
}

/** The nearest 16-bit samples: those that came from 16 bits get their own back. */
function toInt16(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i]! * 32768)));
  }
  return out;
}
