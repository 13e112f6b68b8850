#!/usr/bin/env bash
# Packs what bench/gpu-check.sh needs on a machine with a GPU that has neither Node nor a network: Node itself, the
# packages, what tsc has made, FSDD and doctest.
#
#   bash bench/gpu-pack.sh FOLDER [DATA]     DATA: the folder with data/fsdd (default: ../shared)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?the folder to pack into}
data=$(realpath "${2:-${SONOSPIKE_DATA:-../shared}}")
doctest=/usr/include/doctest/doctest.h
[ -f "$doctest" ] || doctest=/usr/local/include/doctest/doctest.h

npx tsc
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$folder" "$stage/bin" "$stage/data/data" "$stage/include/doctest"
cp "$(node -p process.execPath)" "$stage/bin/node"
strip "$stage/bin/node"
cp "$doctest" "$stage/include/doctest/"
cp -r "$data/seed" "$stage/data/"
cp -r "$data/data/fsdd" "$stage/data/data/"
# Neither the compiler, the formatter, a browser nor a microphone is needed there.
unneeded=(--exclude=typescript --exclude=@biomejs --exclude=playwright-core --exclude=@picovoice)
tar -cf - "${unneeded[@]}" node_modules dist | tar -xf - -C "$stage"
XZ_OPT='-T0 -3' tar -cJf "$folder/pack.tar.xz" -C "$stage" .
ls -l "$folder/pack.tar.xz"
