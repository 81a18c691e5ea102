#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training speed of our encoder against libtorch: the same classifier of 5
# million numbers from the same beginning over the same texts, AdamW and
# clipping in both, one core each. Pairs alternate in order; printed is the
# ratio of tokens a second with a 95 % interval of its mean (Student's t on
# logarithms), with OpenBLAS in both and without it in ours, and by how much
# the losses of a step differ at most.
#   tools/llama && apt-get install libtorch-dev libopenblas0-pthread
#   cmake --preset bench && cmake --build build/bench --target \
#     training_speed torch_training
#   tests/perf/training_speed.sh
# PAIRS (5), STEPS (30), CPU (0).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/bench/bin
pairs=${PAIRS:-5} steps=${STEPS:-30} cpu=${CPU:-0}
. "$root/tests/perf/need.sh"
need "$bin/training_speed" "$bin/torch_training"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OPENBLAS_NUM_THREADS=1

ours() { taskset -c "$cpu" "$bin/training_speed" "$dir/begin" "$steps"; }
theirs() { taskset -c "$cpu" "$bin/torch_training" "$dir/begin" "$steps"; }

compare() { # name
  local i
  : >"$dir/pairs"
  ours >/dev/null # writes what both begin with
  for ((i = 0; i < pairs; ++i)); do
    if ((i % 2)); then
      theirs >"$dir/theirs"
      ours >"$dir/ours"
    else
      ours >"$dir/ours"
      theirs >"$dir/theirs"
    fi
    paste -d' ' "$dir/ours" "$dir/theirs" >>"$dir/pairs"
  done
  awk '$1 == "tokens/s" { print "train", $2, $4 }' "$dir/pairs" |
    awk -v name="$1" -v unit=tokens/s -v peer=libtorch \
      -f "$root/tests/perf/paired_ratio.awk"
  awk '$1 == "loss" { d = $3 - $6; if (d < 0) d = -d; if (d > most) most = d }
    END { printf "  losses of a step differ by at most %.6f\n", most }' \
    "$dir/pairs"
}

compare 'OpenBLAS in both'
MODICUM_BLAS=off compare "ggml's own products"
