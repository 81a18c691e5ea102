#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `modicum tune` saves against llama.cpp's defaults: tokens a second of CPU
# time and joules, by its own last comparison (both in turn, on the same
# requests). The workload: requests to embed 16 texts of 32 tokens; the network:
# an encoder of the shape of bert-base with random weights, as F32 and Q8_0.
#   tools/llama bench && cmake --preset bench && cmake --build build/bench
#   tests/perf/tune_saving.sh
# TYPES ("f32 q8_0"); MODICUM_LLAMA as tools/llama has it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/bench/bin
llama=${MODICUM_LLAMA:-$root/build/llama}/build/bin
. "$root/tests/perf/need.sh"
need "$bin/modicum" "$bin/random_network" "$llama/llama-quantize"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/workload.toml" <<'TOML'
[workload]
kind = "embed"
prompt = 32
batch = 16
TOML
"$bin/random_network" bert "$dir/f32.gguf"
for type in ${TYPES:-f32 q8_0}; do
  [[ -f $dir/$type.gguf ]] ||
    "$llama/llama-quantize" "$dir/f32.gguf" "$dir/$type.gguf" "$type" \
      >/dev/null 2>&1
  MODICUM_LEDGER=$dir/ledger.sqlite "$bin/modicum" tune "$dir/$type.gguf" \
    --workload "$dir/workload.toml" --no-keep
done
