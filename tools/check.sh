#!/usr/bin/env bash
# Format, layers, build and tests, the same here and in CI.
#   tools/check.sh         every test under the sanitizers: what ./test runs
#   tools/check.sh quick   the dev build's tests alone
#   tools/check.sh tidy    clang-tidy over everything
#   tools/check.sh fuzz    libFuzzer on every parser of outside bytes
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# configure and build a preset, or only the targets named.
build() {
  [[ -f build/$1/build.ninja ]] || cmake --preset "$1" >/dev/null
  cmake --build "build/$1" ${2:+--target "${@:2}"} -- --quiet
}
# run a preset's tests; what failed is shown whole.
tests() {
  ctest --test-dir "build/$1" --output-on-failure -j "$(nproc)" --quiet \
    --output-log "build/$1/ctest.log" "${@:2}" || {
    grep -vE '^ *[0-9]+/[0-9]+ Test .*Passed|^ *Start ' "build/$1/ctest.log"
    exit 1
  }
  grep -E 'tests passed' "build/$1/ctest.log"
}

step layers
tools/check_layers

step format
git ls-files '*.cc' '*.h' | xargs clang-format-14 --dry-run --Werror

case ${1:-all} in
  quick)
    step 'tests (dev)'
    build dev
    tests dev
    ;;
  all)
    step 'every test, with the address and undefined-behaviour sanitizers'
    build asan
    tests asan

    step 'tests of threaded code, with the thread sanitizer'
    build tsan base_test record_test meter_test evaluate_test \
      run_settings_test
    tests tsan -L threads
    ;;
  tidy)
    step 'clang-tidy'
    build tidy
    ;;
  fuzz)
    step 'libFuzzer, half a minute each'
    build fuzz
    for target in build/fuzz/bin/fuzz_*; do
      what=${target##*/fuzz_}
      echo "$what"
      mkdir -p "build/fuzz/found/$what"
      "$target" -max_total_time=30 -verbosity=0 -timeout=10 \
        -artifact_prefix="build/fuzz/found/$what-" "build/fuzz/found/$what" \
        "tests/fuzz/corpus/$what"
    done
    ;;
  *)
    echo "usage: $0 [all|quick|tidy|fuzz]" >&2
    exit 2
    ;;
esac

step 'all checks passed'
