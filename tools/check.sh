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

# Of this run alone: another may be under way.
TEST_TMPDIR=$(mktemp -d)
export TEST_TMPDIR
trap 'rm -rf "$TEST_TMPDIR"' EXIT

# Of storage that libraries opened later have in threads, LLVM 14's runtime
# guesses the place, and its search for leaks may read where nothing is.
export ASAN_OPTIONS=intercept_tls_get_addr=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}

counted=()
# run a preset's tests; what failed is shown whole.
tests() {
  local log=build/$1/ctest.log results=build/$1/results
  rm -rf "$results" "$results.xml"
  GTEST_OUTPUT="xml:$PWD/$results/" ctest --test-dir "build/$1" -j "$(nproc)" \
    --quiet --output-on-failure --output-log "$log" \
    --output-junit "$PWD/$results.xml" "${@:2}" ||
    grep -vE '^ *[0-9]+/[0-9]+ Test .*Passed|^ *Start ' "$log"
  counted+=("$results")
  tools/count_tests "$results"
}

step layers
tools/check_layers

step format
git ls-files '*.cc' '*.h' '*.c' '*.hpp' | xargs clang-format-14 --dry-run --Werror

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
    threaded=({base,record,probe,meter,evaluate,run_settings,agent}_test)
    build tsan "${threaded[@]}"
    tests tsan -R "^($(IFS='|' && echo "${threaded[*]}"))$"
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
((${#counted[@]} == 0)) || tools/count_tests "${counted[@]}"
