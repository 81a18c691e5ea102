#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# End to end speed of `modicum predict` from JSONL against fastText's own
# command-line tool on the same texts, in the same run.
#
#   predict_bench.sh MODICUM ITEMS.jsonl WORDS.modicum [CHARS.modicum]
#
# ITEMS.jsonl has members text and label; WORDS and CHARS are linear artifacts
# with word features and with character n-grams. fastText is trained on the
# same items with pairs of words (and with character 3-5-grams for CHARS) and
# reads plain text, so that it parses no JSON. Each time is the least of
# RUNS (5), interleaved; loading the model is part of both.
set -eu
modicum=$1 items=$2 words=$3 chars=${4:-}
runs=${RUNS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

python3 - "$items" "$dir" <<'EOF'
import json, sys
with open(sys.argv[1], encoding="utf-8") as lines, \
        open(sys.argv[2] + "/plain", "w", encoding="utf-8") as plain, \
        open(sys.argv[2] + "/train", "w", encoding="utf-8") as train:
    for line in lines:
        item = json.loads(line)
        text = " ".join(item["text"].lower().split())
        plain.write(text + "\n")
        train.write("__label__" + item["label"] + " " + text + "\n")
EOF

seconds() {  # the time that a command takes
  begin=$(date +%s%N)
  "$@"
  end=$(date +%s%N)
  echo "$begin $end" | awk '{ printf "%.4f\n", ($2 - $1) / 1e9 }'
}
ours() {
  "$modicum" predict "$1" --no-ledger --quiet < "$items" > "$dir/ours"
}
theirs() { fasttext predict "$1" "$dir/plain" > "$dir/theirs"; }
least() { sort -n "$1" | head -n 1; }

compare() {  # name, artifact, fastText's options, ratio to reach
  fasttext supervised -input "$dir/train" -output "$dir/model" -epoch 5 \
    -dim 16 -bucket 200000 -thread 1 -verbose 0 $3 2> "$dir/log"
  rm -f "$dir/a" "$dir/b"
  for _ in $(seq "$runs"); do
    seconds ours "$2" >> "$dir/a"
    seconds theirs "$dir/model.bin" >> "$dir/b"
  done
  echo "$1 $(least "$dir/a") $(least "$dir/b") $4 $(wc -l < "$items")" |
    awk '{ printf "%s: modicum %.3f s, fastText %.3f s on %d texts: " \
                  "%.2f times as fast (to reach: %.1f)\n",
                  $1, $2, $3, $5, $3 / $2, $4 }'
}

compare words "$words" "-wordNgrams 2" 2
if [ -n "$chars" ]; then
  compare characters "$chars" "-wordNgrams 2 -minn 3 -maxn 5" 0.8
fi
