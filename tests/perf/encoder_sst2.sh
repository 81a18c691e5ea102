#!/usr/bin/env bash
# A small encoder trained from nothing on the 6,920 sentences of SST-2 by the
# shipped defaults: accuracy on the 1,821 test sentences, CPU time, joules.
# Build first: cmake --preset bench && cmake --build build/bench
#   tests/perf/encoder_sst2.sh [FOLDER] [layers=2 width=128 ...]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${1:-$root/../shared/data/sst2}
[[ -d $data ]] || {
  echo "encoder_sst2.sh: no folder $data with stsa.binary.train and .test" >&2
  exit 1
}
bin=$root/build/bench/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$bin/modicum" run --ledger "$scratch/ledger.sqlite" -- \
  "$bin/encoder_sst2" "$data" "${@:2}"
