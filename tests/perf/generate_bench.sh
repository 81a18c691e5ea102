#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tokens a second of our engine against llama-bench, of the same build of
# llama.cpp on the same networks: a decoder and an encoder of more than 100
# million random weights, as F32 and Q8_0. Pairs are interleaved and alternate
# in order; printed is the ratio, with a 95 % interval of its mean over pairs
# (Student's t on logarithms).
#   tools/llama bench && cmake --preset bench && cmake --build build/bench
#   tests/perf/generate_bench.sh
# RUNS (10) pairs, THREADS (those of the machine), PROMPT (512) and GENERATE
# (64) tokens; MODICUM_LLAMA as tools/llama has it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/bench/bin
llama=${MODICUM_LLAMA:-$root/build/llama}/build/bin
runs=${RUNS:-10} threads=${THREADS:-$(nproc)}
prompt=${PROMPT:-512} generate=${GENERATE:-64}
for program in "$bin/neural_speed" "$bin/random_network" "$llama/llama-bench" \
  "$llama/llama-quantize"; do
  [[ -x $program ]] || {
    echo "$program is missing: the head of this script says how to build it" >&2
    exit 1
  }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ours() { # network: lines "what tokens/s"
  "$bin/neural_speed" "$1" "$threads" "$prompt" "$generate"
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
      ours "$2" >"$dir/ours"
    else
      ours "$2" >"$dir/ours"
      theirs "$2" "$3" >"$dir/theirs"
    fi
    paste -d' ' "$dir/ours" "$dir/theirs" >>"$dir/pairs"
  done
  awk -v name="$1" '
    { n[$1]++; ours[$1] += $2; theirs[$1] += $4
      x = log($2 / $4); s[$1] += x; q[$1] += x * x }
    END {
      # 97.5 % of Student t, 2 to 20 pairs.
      split("12.71 4.30 3.18 2.78 2.57 2.45 2.36 2.31 2.26 2.23 2.20 2.18 " \
            "2.16 2.14 2.13 2.12 2.11 2.10 2.09", t, " ")
      for (k in n) {
        m = s[k] / n[k]
        sd = n[k] > 1 ? sqrt((q[k] - n[k] * m * m) / (n[k] - 1)) : 0
        h = n[k] > 1 ? (n[k] > 20 ? 2.05 : t[n[k] - 1]) * sd / sqrt(n[k]) : 0
        printf "%-14s %-8s %8.1f tokens/s, llama-bench %8.1f: " \
               "%.3f times [%.3f, %.3f], %d pairs\n", name, k, \
               ours[k] / n[k], theirs[k] / n[k], exp(m), exp(m - h), \
               exp(m + h), n[k]
      }
    }' "$dir/pairs"
}

for kind in llama bert; do
  "$bin/random_network" $kind "$dir/$kind.gguf"
  "$llama/llama-quantize" "$dir/$kind.gguf" "$dir/$kind-q8_0.gguf" q8_0 \
    >/dev/null 2>&1
  compare "$kind, f32" "$dir/$kind.gguf" $kind
  compare "$kind, q8_0" "$dir/$kind-q8_0.gguf" $kind
done
