#!/usr/bin/env bash
# The whole fit on the mail corpus, from an empty ledger and cache: seconds,
# peak memory and the chosen model's accuracy, beside the limits.
#   tests/perf/fit_cost.sh [MODICUM]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
modicum=$(realpath "${1:-$root/build/release/bin/modicum}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$modicum" data get spam-assassin >/dev/null
cache=$("$modicum" data get spam-assassin)
mkdir -p "$scratch/data"
cp -r "$(dirname "$cache")" "$scratch/data/"
cd "$scratch"
/usr/bin/time -f '%e %M' -o time.txt "$modicum" fit \
  "$root/examples/spam/task.toml" --ledger "$scratch/ledger.sqlite" \
  --data-dir "$scratch/data" --save result.json --quiet >out.txt
read -r seconds kilobytes <time.txt
node -e '
  const result = JSON.parse(require("fs").readFileSync("result.json"));
  const chosen = result.candidates.find(row => row.name === result.chosen);
  const [seconds, kilobytes] = process.argv.slice(1).map(Number);
  console.log(`chosen          ${chosen.name}`);
  console.log(`accuracy        ${chosen.quality.mid.toFixed(4)} on ${chosen.quality.items} ${chosen.quality.split} items (at least 0.98)`);
  console.log(`fit, wall       ${seconds.toFixed(1)} s (under 120 s)`);
  console.log(`fit, peak RSS   ${(kilobytes / 1000).toFixed(0)} MB (under 1000 MB)`);
' "$seconds" "$kilobytes"
