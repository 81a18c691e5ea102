#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# End to end speed of `modicum predict` from JSONL against fastText's own
# command-line tool on the same mails, in the same run.
#   tests/perf/predict_bench.sh [MODICUM]
#
# Ours: the linear model with single words and pairs, and with character
# n-grams; JSON in, JSON out. fastText: 16 dimensions (its default of 100 is
# slower), pairs of words, and for the second comparison character 3-5-grams
# too; it reads plain text and parses no JSON. Each time is the least of RUNS
# (5), interleaved; start-up and loading the model are part of both.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
modicum=$(realpath "${1:-$root/build/release/bin/modicum}")
runs=${RUNS:-5}
command -v fasttext >/dev/null || {
  echo "fasttext is missing: tools/setup bench installs it" >&2
  exit 1
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
items=$("$modicum" data get spam-assassin)

node -e '
  const fs = require("fs"), [items, dir] = process.argv.slice(1);
  let plain = "", train = "";
  for (const line of fs.readFileSync(items, "utf8").trim().split("\n")) {
    const item = JSON.parse(line);
    const text = item.text.toLowerCase().split(/\s+/).join(" ").trim();
    plain += text + "\n";
    train += `__label__${item.label} ${text}\n`;
  }
  fs.writeFileSync(`${dir}/plain`, plain);
  fs.writeFileSync(`${dir}/train`, train);
' "$items" "$dir"

artifact() { # name, candidate
  cat >"$dir/$1.toml" <<EOF
[task]
name = "$1"
kind = "text-classification"
data = "catalog:spam-assassin"
families = ["$2"]
EOF
  "$modicum" fit "$dir/$1.toml" -o "$dir/$1.modicum" --quiet >/dev/null
}
seconds() { # appends the wall time of a command to a file
  local begin end
  begin=$(date +%s%N)
  "${@:2}"
  end=$(date +%s%N)
  awk "BEGIN { printf \"%.4f\n\", ($end - $begin) / 1e9 }" >>"$1"
}
ours() { "$modicum" predict "$1" --no-ledger --quiet <"$items" >"$dir/ours"; }
theirs() { fasttext predict "$dir/model.bin" "$dir/plain" >"$dir/theirs"; }
least() { sort -n "$1" | head -n 1; }

compare() { # name, candidate, fastText's options, ratio to reach
  artifact "$1" "$2"
  # shellcheck disable=SC2086 # the options are words
  fasttext supervised -input "$dir/train" -output "$dir/model" -epoch 5 \
    -dim 16 -bucket 200000 -thread 1 -verbose 0 $3 2>"$dir/log"
  : >"$dir/a"
  : >"$dir/b"
  for _ in $(seq "$runs"); do
    seconds "$dir/a" ours "$dir/$1.modicum"
    seconds "$dir/b" theirs
  done
  awk -v a="$(least "$dir/a")" -v b="$(least "$dir/b")" 'BEGIN {
    printf "%-11s modicum %.3f s, fastText %.3f s on '"$(wc -l <"$items")"' mails: %.2f times as fast (at least '"$4"')\n", "'"$1"'", a, b, b / a }'
}

compare words "linear, bigrams" "-wordNgrams 2" 2
compare characters "linear, characters" "-wordNgrams 2 -minn 3 -maxn 5" 0.8
