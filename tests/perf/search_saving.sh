#!/usr/bin/env bash
# How much of the saving that an exhaustive search finds the ladder finds, and
# for which share of its joules, on each bundled task.
#   tests/perf/search_saving.sh [BIN-FOLDER] [TASK...]
# Limits: at least 95 % of the saving for at most 25 % of the joules. The
# saving is of joules per 1,000 predictions against the ladder's baseline, the
# most accurate model that it found, as the exhaustive search measured it: that
# tries every candidate alone and with every chain of one or two passes. Takes
# 20 to 50 minutes a task.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$(realpath "${1:-build/release/bin}")
shift || true
tasks=("${@:-}")
[[ -n ${tasks[0]} ]] || tasks=(spam languages letters)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
data=$work/data
mkdir "$data"
# What is downloaded already need not be again.
for folder in "${XDG_CACHE_HOME:-$HOME/.cache}"/modicum/*/; do
  [[ $folder == */fit-cache/ ]] || cp -r "$folder" "$data/" 2>/dev/null || true
done

# fit TASK NAME [FLAG]: afresh, so that nothing of another fit is resumed.
fit() {
  "$bin/modicum" fit "examples/$1/task.toml" --ledger "$work/$2.db" \
    --data-dir "$data" --no-artifact --no-receipt --quiet \
    --format json "${@:3}" >"$work/$2.json"
  rm -rf "$data/fit-cache"
}

status=0
for task in "${tasks[@]}"; do
  fit "$task" "$task-ladder"
  fit "$task" "$task-all" --exhaustive
  node -e '
    const [task, ladder, all] = [process.argv[1], ...process.argv.slice(2)
      .map((path) => JSON.parse(require("fs").readFileSync(path)))];
    const joules = (fit, name) => fit.candidates
      .find((row) => row.name === name)?.joules_per_1000?.mid;
    const dear = joules(all, ladder.baseline) ?? joules(all, all.baseline);
    // Both of one run where it tried both: runs differ by the machine.
    const found = joules(all, ladder.chosen) ?? joules(ladder, ladder.chosen);
    const saving = (dear - found) /
      (dear - joules(all, all.chosen));
    const spent = ladder.search_joules.mid / all.search_joules.mid;
    const percent = (share) => (100 * share).toFixed(1) + " %";
    const tried = (fit) => fit.candidates
      .filter((row) => row.validation).length;
    console.log(`${task}: ${percent(saving)} of the saving (limit 95 %) for ` +
      `${percent(spent)} of the joules (limit 25 %); per 1,000: ` +
      `${dear.toPrecision(3)} J baseline (${ladder.baseline}), ` +
      `${found.toPrecision(3)} J ladder, ` +
      `${joules(all, all.chosen).toPrecision(3)} J exhaustive; ladder: ` +
      `${ladder.chosen}, ${tried(ladder)} on all rows, ` +
      `${ladder.search_seconds.toFixed(0)} s; exhaustive: ${all.chosen}, ` +
      `${tried(all)}, ${all.search_seconds.toFixed(0)} s`);
    process.exit(saving >= 0.95 && spent <= 0.25 ? 0 : 1);
  ' "$task" "$work/$task-ladder.json" "$work/$task-all.json" || status=1
done
exit $status
