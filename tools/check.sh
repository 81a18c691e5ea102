#!/usr/bin/env bash
# Format, layers, build and tests, the same here and in CI.
#   tools/check.sh [quick]
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# configure and build a preset; tests are built by default.
build() {
  [[ -f build/$1/build.ninja ]] || cmake --preset "$1" >/dev/null
  cmake --build "build/$1" -- --quiet
}
tests() {
  build "$1"
  ctest --test-dir "build/$1" --output-on-failure -j "$(nproc)" --quiet \
    --output-log "build/$1/ctest.log" "${@:2}" || {
    grep -vE '^ *[0-9]+/[0-9]+ Test .*Passed' "build/$1/ctest.log"
    exit 1
  }
  tail -n 6 "build/$1/ctest.log"
}

step layers
tools/check_layers

step format
git ls-files '*.cc' '*.h' | xargs clang-format-14 --dry-run --Werror

step 'tests (dev)'
tests dev

if [[ ${1:-} != quick ]]; then
  step 'tests (address and undefined behaviour sanitizers)'
  tests asan

  step 'tests (thread sanitizer)'
  tests tsan -L threads

  step 'fuzz: corpus and two seconds of libFuzzer each'
  build fuzz
  for target in build/fuzz/bin/fuzz_*; do
    corpus=tests/fuzz/corpus/${target##*/fuzz_}
    found=$(mktemp -d)
    "$target" -max_total_time=2 -verbosity=0 -artifact_prefix="$found/" \
      "$found" "$corpus" >"$found.log" 2>&1 || {
      cat "$found.log"
      exit 1
    }
    rm -r "$found" "$found.log"
  done
  echo "fuzz: ok"
fi

step 'all checks passed'
