#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sentences a second that `modicum embed` makes vectors of, against
# llama-server's /embedding of the same build: an encoder of the shape of
# bert-base with random weights and a vocabulary learned from the texts. The
# server is up before it is asked, and asked for 64 sentences a request; ours is
# timed as a whole process, loading included. Once as the server comes, with
# four slots, and once with a slot for each of 64 sentences and batches of 2048.
# Pairs alternate in order; printed is the ratio with a 95 % interval of its
# mean (Student's t on logarithms).
#   tools/llama bench && cmake --preset bench && cmake --build build/bench
#   tests/perf/encoder_bench.sh SENTENCES
# SENTENCES: a file of lines. PAIRS (5), THREADS (those of the machine), TYPES
# ("f32 q8_0"), BLAS (auto; on: of quantized networks too), PORT (18080);
# MODICUM_LLAMA as tools/llama has it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/build/bench/bin
llama=${MODICUM_LLAMA:-$root/build/llama}/build/bin
pairs=${PAIRS:-5} threads=${THREADS:-$(nproc)} port=${PORT:-18080}
sentences=${1:?usage: encoder_bench.sh SENTENCES}
. "$root/tests/perf/need.sh"
need "$bin/modicum" "$bin/random_network" "$llama/llama-server" \
  "$llama/llama-quantize"
dir=$(mktemp -d)
server=
stop() { [[ -z $server ]] || { kill "$server" && wait "$server" || true; }; server=; }
trap 'stop; rm -rf "$dir"' EXIT

cat >"$dir/ask.py" <<'PYTHON'
import json, sys, time, urllib.request
url, path = sys.argv[1:]
lines = open(path).read().splitlines()
def ask(texts):
    request = urllib.request.Request(url, json.dumps({"content": texts}).encode())
    return len(json.load(urllib.request.urlopen(request)))
ask(lines[:64])  # warms up
began = time.monotonic()
told = sum(ask(lines[at:at + 64]) for at in range(0, len(lines), 64))
assert told == len(lines), told
print(time.monotonic() - began)
PYTHON

ours() { # network: seconds
  local began=$EPOCHREALTIME
  "$bin/modicum" embed -m "$1" --plain --input "$sentences" -t "$threads" \
    --blas "${BLAS:-auto}" --trust --quiet --no-ledger --no-tuned >"$dir/vectors"
  local ended=$EPOCHREALTIME
  [[ $(wc -l <"$dir/vectors") == $(wc -l <"$sentences") ]]
  awk "BEGIN { print $ended - $began }"
}
start() { # network, options of the server
  local model=$1 i
  shift
  "$llama/llama-server" -m "$model" --embeddings --host 127.0.0.1 \
    --port "$port" -t "$threads" "$@" >"$dir/server.log" 2>&1 &
  server=$!
  for ((i = 0; i < 100; ++i)); do
    curl -sf "http://127.0.0.1:$port/health" >/dev/null && return
    sleep 0.2
  done
  cat "$dir/server.log" >&2
  return 1
}
theirs() { python3 "$dir/ask.py" "http://127.0.0.1:$port/embedding" "$sentences"; }

compare() { # name, network, options of the server
  local name=$1 model=$2 i
  shift
  : >"$dir/pairs"
  for ((i = 0; i < pairs; ++i)); do
    # The server waits without spinning while ours runs.
    start "$@"
    if ((i % 2)); then
      theirs >"$dir/theirs"
      ours "$model" >"$dir/ours"
    else
      ours "$model" >"$dir/ours"
      theirs >"$dir/theirs"
    fi
    stop
    awk -v count="$(wc -l <"$sentences")" \
      '{ getline theirs; print "embed", count / $1, count / theirs }' \
      "$dir/ours" "$dir/theirs" >>"$dir/pairs"
  done
  awk -v name="$name" -v unit=sentences/s -v peer=llama-server \
    -f "$root/tests/perf/paired_ratio.awk" "$dir/pairs"
}

"$bin/random_network" bert "$dir/f32.gguf" "$sentences"
for type in ${TYPES:-f32 q8_0}; do
  [[ -f $dir/$type.gguf ]] ||
    "$llama/llama-quantize" "$dir/f32.gguf" "$dir/$type.gguf" "$type" \
      >/dev/null 2>&1
  compare "$type, four slots" "$dir/$type.gguf"
  compare "$type, 64 slots" "$dir/$type.gguf" -np 64 -b 2048 -ub 2048
done
