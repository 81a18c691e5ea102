#!/usr/bin/env bash
# How much of the saving that an exhaustive search finds the ladder finds, and
# for which share of its joules, on each bundled task.
#   [EVERY=N] tests/perf/search_saving.sh [BIN-FOLDER] [TASK...]
# Limits: at least 95 % of the saving for at most 25 % of the joules.
#
# The saving is of joules per 1,000 predictions against a choice that is blind
# to them: the mean of the candidates that are good enough, before passes and
# cascades. The exhaustive search tries every candidate alone and with every
# chain of one or two passes. Of some thousand short measurements the least is
# partly luck: both choices are measured again, in turn, on all of the data.
# Takes 20 to 50 minutes a task; EVERY=3 takes each third row of the data, and a
# third of the time.
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

# rows_of TASK: a file of each N-th row of its data.
rows_of() {
  local catalog path
  catalog=$(sed -n 's/^data = "catalog:\([^"]*\)".*/\1/p' \
    "examples/$1/task.toml")
  "$bin/modicum" data get "$catalog" --data-dir "$data" >/dev/null
  path=$(ls "$data/$catalog"/*.{jsonl,csv} 2>/dev/null | head -1)
  mkdir -p "$work/$1"
  # The first line of a table names its columns.
  awk -v n="${EVERY:-1}" 'NR % n == 1 || n == 1' "$path" \
    >"$work/$1/${path##*/}"
  echo "$work/$1/${path##*/}"
}

# fit TASK ROWS NAME [FLAG]: afresh, so that nothing of another fit is resumed.
fit() {
  sed "s|^data = .*|data = \"$2\"|" "examples/$1/task.toml" \
    >"$work/$1/task.toml"
  "$bin/modicum" fit "$work/$1/task.toml" --ledger "$work/$3.db" \
    --data-dir "$data" --output "$work/$3.modicum" --no-receipt --quiet \
    --format json "${@:4}" >"$work/$3.json"
  rm -rf "$data/fit-cache"
}

# again TASK ROWS: CPU time of both choices in turn, for all rows and for two,
# which is starting and loading.
again() {
  local plain=()
  [[ $2 == *.csv ]] && plain=(--plain)
  head -2 "$2" >"$work/few${2##*.}"
  for rows in "$2" "$work/few${2##*.}"; do
    local command="$bin/modicum predict --no-ledger --quiet ${plain[*]-} \
      --input $rows --output /dev/null"
    "$bin/modicum" run --quiet --no-ledger --repeat 12 --json - \
      --compare "$command $work/$1-ladder.modicum" \
      "$command $work/$1-all.modicum"
  done | node -e '
    const [all, few] = require("fs").readFileSync(0, "utf8")
      .split(/(?<=^\})\n/m).filter((text) => text.trim()).map(JSON.parse);
    const cpu = (side) => all[side].cpu.mid - few[side].cpu.mid;
    console.log(cpu("a") / cpu("b"));'
}

status=0
for task in "${tasks[@]}"; do
  rows=$(rows_of "$task")
  fit "$task" "$rows" "$task-ladder"
  fit "$task" "$rows" "$task-all" --exhaustive
  node -e '
    const [task, again] = process.argv.slice(1, 3);
    const [ladder, all] = process.argv.slice(3)
      .map((path) => JSON.parse(require("fs").readFileSync(path)));
    const figure = (row) => row.joules_per_1000.mid;
    const plain = all.candidates.filter((row) => row.feasible &&
      row.joules_per_1000 && !row.passes?.length && !row.stages?.length);
    const blind = plain.reduce((sum, row) => sum + figure(row), 0) /
      plain.length;
    const best = figure(all.candidates.find((row) => row.name === all.chosen));
    const found = best * again;
    const saving = (blind - found) / (blind - best);
    const spent = ladder.search_joules.mid / all.search_joules.mid;
    const percent = (share) => (100 * share).toFixed(1) + " %";
    const tried = (fit) => fit.candidates
      .filter((row) => row.validation).length;
    console.log(`${task}: ${percent(saving)} of the saving (limit 95 %) for ` +
      `${percent(spent)} of the joules (limit 25 %); per 1,000: ` +
      `${blind.toPrecision(3)} J blind (${plain.length} candidates), ` +
      `${found.toPrecision(3)} J ladder, ${best.toPrecision(3)} J exhaustive; ` +
      `ladder: ${ladder.chosen}, ${tried(ladder)} on all rows, ` +
      `${ladder.search_seconds.toFixed(0)} s; exhaustive: ${all.chosen}, ` +
      `${tried(all)}, ${all.search_seconds.toFixed(0)} s`);
    process.exit(saving >= 0.95 && spent <= 0.25 ? 0 : 1);
  ' "$task" "$(again "$task" "$rows")" "$work/$task-ladder.json" \
    "$work/$task-all.json" || status=1
done
exit $status
