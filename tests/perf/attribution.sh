#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whether `watch` gives each of two loads that run together what it took. The
# truth is the CPU time that the kernel tells the parent of each when it has
# ended; what it takes alone is shown beside it: where two hardware threads share
# a core, the same work takes more CPU time together.
#   tests/perf/attribution.sh [BIN_FOLDER]
# Limit: within 5 % each, and under 2 % of the energy unattributed.
set -eu

bin=$(realpath "${1:-build/release/bin}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export MODICUM_LEDGER="$folder/ledger.sqlite"

# Two names for a shell, so that the kernel tells them apart.
cp "$(readlink -f /bin/sh)" "$folder/load-a"
cp "$(readlink -f /bin/sh)" "$folder/load-b"
# The second starts children that live for some milliseconds each.
cat >"$folder/a.sh" <<'LOAD'
i=0; while [ $i -lt 2000000 ]; do i=$((i + 1)); done
LOAD
cat >"$folder/b.sh" <<LOAD
n=0
while [ \$n -lt 100 ]; do
  n=\$((n + 1))
  "$folder/load-b" -c 'i=0; while [ \$i -lt 15000 ]; do i=\$((i + 1)); done'
done
LOAD

alone() {
  "$bin/modicum" run --quiet --no-ledger --json "$folder/$1.json" -- \
    "$folder/load-$1" "$folder/$1.sh"
}
alone a
alone b
"$bin/modicum" watch --by command --interval 0.5 --json \
  >"$folder/together.jsonl" &
watch=$!
sleep 1
together() {
  "$bin/modicum" run --quiet --no-ledger --json "$folder/$1-together.json" -- \
    "$folder/load-$1" "$folder/$1.sh"
}
together a &
a=$!
together b &
b=$!
wait $a
wait $b
sleep 1
kill -TERM $watch
wait $watch || true

node -e '
  const fs = require("fs");
  const folder = process.argv[1];
  const frames = fs.readFileSync(folder + "/together.jsonl", "utf8").trim()
    .split("\n").map((line) => JSON.parse(line));
  let worst = 0;
  for (const load of ["a", "b"]) {
    const cpu = (name) => JSON.parse(
      fs.readFileSync(folder + "/" + load + name + ".json")).bill.cpu_s;
    const truth = cpu("-together");
    const given = frames.reduce((sum, frame) => sum +
      frame.rows.filter((row) => row.name === "load-" + load)
        .reduce((cpu, row) => cpu + row.cpu_s, 0), 0);
    const off = 100 * (given / truth - 1);
    worst = Math.max(worst, Math.abs(off));
    console.log(`load ${load}: ${truth.toFixed(2)} s of CPU, ` +
      `${given.toFixed(2)} s given, ${off.toFixed(1)} % apart (limit 5); ` +
      `alone ${cpu("").toFixed(2)} s`);
  }
  const sum = (part) => frames.reduce((all, frame) => all + frame[part].mid, 0);
  const unattributed = 100 * sum("unattributed") / sum("measured");
  console.log(`unattributed: ${unattributed.toFixed(2)} % (limit 2)`);
  process.exit(worst <= 5 && unattributed <= 2 ? 0 : 1);
' "$folder"
