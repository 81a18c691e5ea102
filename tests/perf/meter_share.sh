#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the meter takes of the CPU time of the generation that it meters: the
# thread that samples, by the kernel's count, against the whole process, from
# the first token on.
#   tools/llama && cmake --preset release && cmake --build build/release
#   tests/perf/meter_share.sh NETWORK
# NETWORK: a GGUF file, such as tests/perf/random_network's. TOKENS (400),
# PROBE (the best that there is).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
modicum=${MODICUM:-$root/build/release/bin/modicum}
network=${1:?usage: meter_share.sh NETWORK}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$modicum" generate -m "$network" -p 'a b c d' -n "${TOKENS:-400}" --trust \
  --no-ledger --no-tuned ${PROBE:+--probe "$PROBE"} \
  >"$dir/text" 2>"$dir/bill" &
pid=$!
# Nanoseconds on a CPU: of the thread that samples, and of all.
look() {
  local task
  for task in "/proc/$pid"/task/*; do
    printf '%s ' "$(<"$task/comm")" && cut -d' ' -f1 "$task/schedstat"
  done 2>/dev/null
}
until [[ -s $dir/text ]]; do
  kill -0 "$pid" || { cat "$dir/bill" >&2; exit 1; }
  sleep 0.05
done
look >"$dir/first"
while kill -0 "$pid" 2>/dev/null; do
  look >"$dir/now"
  # Threads end before their process: the last look that had the meter.
  if grep -q '^meter ' "$dir/now"; then mv "$dir/now" "$dir/last"; fi
  sleep 0.2
done
wait "$pid"
awk '
  { sign = FILENAME ~ /first$/ ? -1 : 1; all += sign * $2 }
  $1 == "meter" { own += sign * $2 }
  END { printf "meter %.1f ms of %.1f s: %.3f %%\n", own / 1e6, all / 1e9, \
               100 * own / all }' "$dir/first" "$dir/last"
grep decode "$dir/bill"
