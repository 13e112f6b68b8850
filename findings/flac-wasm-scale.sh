#!/bin/bash
# @wasm-audio-decoders/flac 0.2.11 scales 16-bit samples by 1/32767, so that -32768 becomes -1.0000305, below the range
# of [-1, 1], and 16384 becomes 0.5000153. The same samples in a WAV are commonly scaled by 1/32768 (16384 is 0.5): a
# clip in FLAC is 0.003% louder than as a WAV, unless the integers are recovered with Math.round(x * 32767).
# The package calls itself MIT; codec-parser 2.5.0, which it needs, is LGPL-3.0-or-later.
# Exits with 1 if that is no longer so.
set -e
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @wasm-audio-decoders/flac@0.2.11 codec-parser@2.5.0
# 32 samples of 16 bits, mono, 16 kHz, by flac 1.4.2: 32767, -32768, 16384, 1, -1, and zeros.
echo ZkxhQwAAACIQABAAAAAbAAAbA+gA8AAAACCL58TTrPntxODy613Di8E2hAAAKCAAAAByZWZlcmVuY2UgbGliRkxBQyAxLjQuMiAyMDIyMTAyMgAAAAD/+GUIAB+oEA+H/+H//IABAAgeHh4eHh4eyxw= | base64 -d >clip.flac
cat >decode.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { FLACDecoder } from '@wasm-audio-decoders/flac';

const decoder = new FLACDecoder();
await decoder.ready;
const { channelData, bitDepth } = await decoder.decodeFile(readFileSync('clip.flac'));
decoder.free();
const samples = [...channelData[0].slice(0, 5)];
const expected = [32767, -32768, 16384, 1, -1].map((value) => Math.fround(value / 32767));
console.log(`${bitDepth} bits: ${samples.join(' ')}`);
const licence = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).license;
console.log(`licences: ${licence('@wasm-audio-decoders/flac')}, codec-parser ${licence('codec-parser')}`);
const same = samples.every((sample, i) => Math.abs(sample - expected[i]) < 1e-7);
process.exitCode = same && licence('codec-parser') === 'LGPL-3.0-or-later' ? 0 : 1;
JS
node decode.mjs
