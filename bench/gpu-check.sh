#!/usr/bin/env bash
# Builds, tests and times the CUDA backend on a machine with an NVIDIA GPU, in one call of at most nine minutes.
#
#   bash bench/gpu-pack.sh FOLDER                  where there are Node and the data
#   bash bench/gpu-check.sh FOLDER [RESULTS]       on the machine with the GPU, FOLDER copied to it
#   bash bench/gpu-check.sh FOLDER --rehearse      anywhere: with the backend on an emulated GPU, and the least work
#
# It needs nvcc, CMake and a C++20 compiler there; PyTorch, compute-sanitizer and ncu are used if they are found. A step
# that fails or takes too long does not keep the next from running. What all gave goes to RESULTS (default:
# bench/results) as DATE-NAME.json, and the logs of the steps to FOLDER/logs.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath "${1:?the folder that gpu-pack.sh has filled}")
rehearse=""
results=bench/results
if [ "${2:-}" = --rehearse ]; then
  rehearse=1
  results=$folder/rehearsal
elif [ -n "${2:-}" ]; then
  results=$2
fi
limit=${GPU_CHECK_SECONDS:-540}
patience=1
if [ -n "$rehearse" ]; then
  limit=${GPU_CHECK_SECONDS:-3600}
  patience=6 # an emulated GPU is slow
fi
logs=$folder/logs
rm -rf "$logs" && mkdir -p "$logs" "$results"

# step NAME SECONDS COMMAND...: runs it for so long at most, and notes how it ended.
step() {
  local name=$1 seconds=$(($2 * patience)) start=$SECONDS status=0 left=$((limit - SECONDS))
  shift 2
  [ "$seconds" -lt "$left" ] || seconds=$left
  if [ "$seconds" -le 0 ]; then
    status=124
  else
    timeout -k 5 "$seconds" "$@" >"$logs/$name.log" 2>&1 || status=$?
  fi
  echo "{\"step\":\"$name\",\"status\":$status,\"seconds\":$((SECONDS - start))}" >>"$logs/steps.jsonl"
  echo "[$SECONDS s] $name: $([ $status = 0 ] && echo done || echo "failed ($status): $(tail -c 300 "$logs/$name.log" 2>/dev/null)")"
  return $status
}

has() { command -v "$1" >/dev/null; }

mkdir -p "$folder/unpacked"
unpack=(tar -xJf "$folder/pack.tar.xz" -C "$folder/unpacked")
has xz || unpack=(python3 -m tarfile -e "$folder/pack.tar.xz" "$folder/unpacked")
step unpack 120 "${unpack[@]}" || exit 1
[ -e node_modules ] || ln -s "$folder/unpacked/node_modules" node_modules
[ -e dist ] || cp -r "$folder/unpacked/dist" dist
find dist -name '*.js' -exec touch {} + # newer than the sources, so that no test makes it anew
has node || export PATH="$folder/unpacked/bin:$PATH"
export SONOSPIKE_DATA=$folder/unpacked/data
fsdd=$SONOSPIKE_DATA/data/fsdd

# --- builds ---
if [ -n "$rehearse" ]; then
  cuda=build-emulation
  kind=-DSONOSPIKE_EMULATED_CUDA=ON
else
  cuda=build-cuda
  kind=-DSONOSPIKE_CUDA=ON
  export PATH="$PATH:/usr/local/cuda/bin" # compute-sanitizer and ncu
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | tr -d .)
  export SONOSPIKE_CUDA_ARCHITECTURES="${capability:+$capability-real}"
  nvidia-smi >"$logs/nvidia-smi.log" 2>&1
fi
# build NAME FOLDER OPTIONS...
build() {
  local name=$1 to=$2
  shift 2
  step "configure-$name" 60 cmake -S . -B "$to" -DCMAKE_BUILD_TYPE=Release "$@" \
    "-DCMAKE_JS_INC=$PWD/node_modules/node-api-headers/include" "-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=$PWD/$to/Release" &&
    step "build-$name" 260 cmake --build "$to" --parallel "$(nproc)"
}
[ -f build/Release/sonospike.node ] || build cpu build || exit 1
build cuda "$cuda" "$kind" -DSONOSPIKE_TESTS=ON "-DDOCTEST_INCLUDE_DIR=$folder/unpacked/include" || exit 1
export SONOSPIKE_CUDA_ADDON=$PWD/$cuda/Release/sonospike.node
export SONOSPIKE_DEVICE=""

step info 120 node dist/cli/main.js info --json
cp "$logs/info.log" "$logs/info.json"
step device 120 node dist/cli/main.js evaluate --device cuda || echo "The GPU cannot be used; the CPU's figures are all there will be."

# Before anything else takes memory of the GPU, of which only all that is free is known.
step memory 60 node bench/gpu-check.mjs memory ${rehearse:+3 8} && cp "$logs/memory.log" "$logs/memory.json"

# --- correctness, with the sanitizers beside it ---
sanitize() {
  for tool in memcheck racecheck initcheck; do
    step "$tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 9 --target-processes all \
      node bench/gpu-check.mjs steps
  done
}
if [ -z "$rehearse" ] && has compute-sanitizer; then sanitize & fi
step native-tests 120 "$cuda/native_tests" --source-file='*/cuda_*,*/optimizer_*,*/mixed_lengths_*,*/reuse_*'
step golden 90 node node_modules/vitest/vitest.mjs run test/golden.test.ts
step steps 60 node bench/gpu-check.mjs steps
protocol=official
seeds=2
recipe=()
if [ -n "$rehearse" ]; then
  seeds=1
  fsdd=$folder/few
  rm -rf "$fsdd" && mkdir "$fsdd" && cp samples/[01]_*.wav "$fsdd"
  protocol=leave-one-speaker-out
  recipe=(--epochs 1 --validation 0 --folds 1)
fi
accuracy() { # DEVICE
  step "accuracy-$1" 120 node dist/cli/main.js evaluate --data "$fsdd" --protocol "$protocol" --seeds $seeds \
    --target 0.98 --device "$1" "${recipe[@]}" --out "$logs/accuracy-$1.json"
}
accuracy cpu
wait

# --- time: nothing else runs ---
accuracy cuda
peers=()
if has python3 && python3 -c 'import torch' 2>/dev/null; then peers=(--peers); fi
layers=(--n 512,4096 --steps 500 --batch 16 --density 5)
quick=()
if [ -n "$rehearse" ]; then
  quick=(--quick)
  layers=()
fi
bench() { # NAME SECONDS OPTIONS...
  local name=$1 seconds=$2
  shift 2
  step "bench-$name" "$seconds" node bench/main.mjs --repeats 3 "${quick[@]}" \
    --out "$logs/bench-$name.json" "$@"
}
bench original 90 --suite training --preset original --device cuda "${peers[@]}"
bench layer 60 --suite layer "${layers[@]}" --device cuda "${peers[@]}"
SONOSPIKE_TENSOR_CORES=0 bench layer-multiply-adds 40 --suite layer "${layers[@]}" --device cuda
bench both 90 --suite training --device cpu,cuda
bench layer-both 40 --suite layer "${layers[@]}" --device cpu,cuda
bench inference 30 --suite inference --device cpu,cuda
if [ -z "$rehearse" ] && has ncu; then
  step ncu 40 ncu --target-processes all --launch-count 40 --csv node bench/gpu-check.mjs steps
fi

step report 20 node bench/gpu-check.mjs report "$logs" "$results"
cat "$logs/report.log"
