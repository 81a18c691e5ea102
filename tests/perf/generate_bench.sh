#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tokens a second of our engine against llama-bench, of the same build of
# llama.cpp on the same networks: a decoder and an encoder of more than 100
# million random weights, as F32 and Q8_0. Pairs are interleaved and alternate
# in order; printed is the ratio, with a 95 % interval of its mean over pairs
# (Student's t on logarithms).
#   tools/llama bench && cmake --preset bench && cmake --build build/bench
#   tests/perf/generate_bench.sh
# KINDS ("llama bert"), RUNS (10) pairs, THREADS (those of the machine), PROMPT
# (512) and GENERATE (64) tokens; MODICUM_LLAMA as tools/llama has it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/bench/bin
llama=${MODICUM_LLAMA:-$root/build/llama}/build/bin
runs=${RUNS:-10} threads=${THREADS:-$(nproc)}
prompt=${PROMPT:-512} generate=${GENERATE:-64}
. "$root/tests/perf/need.sh"
need "$bin/neural_speed" "$bin/random_network" "$llama/llama-bench" \
  "$llama/llama-quantize"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ours() { # network, kind: lines "what tokens/s"
  "$bin/neural_speed" "$1" "$threads" "$prompt" \
    "$([[ $2 == bert ]] && echo 0 || echo "$generate")"
}
# The same of llama-bench, which warms up by itself.
theirs() { # network, kind
  local tests=(-p "$prompt" -n 0)
  [[ $2 == bert ]] && tests+=(-embd 1)
  "$llama/llama-bench" -m "$1" -t "$threads" -r 1 -o jsonl "${tests[@]}" \
    2>/dev/null | rate "$([[ $2 == bert ]] && echo embed || echo prefill)"
  [[ $2 == bert ]] || "$llama/llama-bench" -m "$1" -t "$threads" -r 1 \
    -o jsonl -p 0 -n "$generate" -d "$prompt" 2>/dev/null | rate decode
}
rate() { sed -nE 's/.*"avg_ts": ([0-9.]+).*/'"$1"' \1/p'; }

compare() { # name, network, kind
  local i
  : >"$dir/pairs"
  for ((i = 0; i < runs; ++i)); do
    if ((i % 2)); then
      theirs "$2" "$3" >"$dir/theirs"
      ours "$2" "$3" >"$dir/ours"
    else
      ours "$2" "$3" >"$dir/ours"
      theirs "$2" "$3" >"$dir/theirs"
    fi
    paste -d' ' "$dir/ours" "$dir/theirs" | cut -d' ' -f1,2,4 >>"$dir/pairs"
  done
  awk -v name="$1" -v unit=tokens/s -v peer=llama-bench \
    -f "$root/tests/perf/paired_ratio.awk" "$dir/pairs"
}

for kind in ${KINDS:-llama bert}; do
  "$bin/random_network" $kind "$dir/$kind.gguf"
  "$llama/llama-quantize" "$dir/$kind.gguf" "$dir/$kind-q8_0.gguf" q8_0 \
    >/dev/null 2>&1
  compare "$kind, f32" "$dir/$kind.gguf" $kind
  compare "$kind, q8_0" "$dir/$kind-q8_0.gguf" $kind
done
