#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `modicum run` itself costs, with the plain command as the baseline of
# the same run.
#   tests/perf/run_overhead.sh [BIN_FOLDER] [SECONDS]
# Prints the added time per command, and the metering process's peak memory and
# share of one core while it samples at 10 Hz, beside that of a bare loop.
set -eu

bin=${1:-build/release/bin}
seconds=${2:-33} # the last 30 of them count
repeats=200
modicum=$bin/modicum
export MODICUM_LEDGER="${TMPDIR:-/tmp}/modicum-run-overhead.$$/ledger.sqlite"
folder=$(dirname "$MODICUM_LEDGER")
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT

# Milliseconds per run of "$@", mean of all repeats.
each() {
  begin=$(date +%s%N)
  i=0
  while [ $i -lt $repeats ]; do
    "$@" >/dev/null 2>&1
    i=$((i + 1))
  done
  echo $((($(date +%s%N) - begin) / repeats / 1000)) |
    awk '{printf "%.2f", $1 / 1000}'
}

# Nanoseconds that the threads of process $1 have run; its children left out.
cpu_nanos() {
  cat /proc/"$1"/task/*/schedstat | awk '{sum += $1} END {print sum}'
}

# Share of a core that the metering process uses while its command runs.
share() {
  name=$1
  shift
  "$modicum" run --quiet -- "$@" &
  pid=$!
  sleep 2 # start-up is not sampling
  before=$(cpu_nanos $pid)
  sleep "$((seconds - 3))"
  after=$(cpu_nanos $pid)
  peak=$(awk '/VmHWM/ {print $2}' /proc/$pid/status)
  wait $pid || true
  awk -v name="$name" -v n="$((after - before))" -v s="$((seconds - 3))" \
    -v kb="$peak" 'BEGIN {
      printf "%-34s %.3f %% of a core (limit 0.1), peak RSS %.1f MB (limit 12)\n",
             name, n / 1e7 / s, kb * 1.024 / 1000
    }'
}

# The least that any sampler does: a loop that wakes at 10 Hz and reads the same
# two files, kept open.
bare() {
  perl -e '
    my ($seconds) = @ARGV;
    my @files = map { open my $file, "<", $_ or die; $file }
      "/proc/stat", "/proc/self/stat";
    sub used { open my $file, "<", "/proc/self/schedstat" or die;
               (split " ", <$file>)[0] }
    my $before = used();
    for (1 .. 10 * $seconds) {
      select undef, undef, undef, 0.1;
      for (@files) { sysseek $_, 0, 0; sysread $_, my $text, 4096; }
    }
    printf "%-34s %.3f %% of a core\n", "a bare loop of the same reads",
      (used() - $before) / 1e7 / $seconds;' "$seconds"
}

each /bin/true >/dev/null # warm-up
plain=$(each /bin/true)
metered=$(each "$modicum" run --quiet -- /bin/true)
unrecorded=$(each "$modicum" run --quiet --no-ledger -- /bin/true)
version=$(each "$modicum" --version)
strip -o "$folder/modicum" "$modicum"
wc -c <"$folder/modicum" |
  awk '{printf "%-34s %.2f MB (limit 4)\n", "program, stripped", $1 / 1e6}'
printf '%-34s %s ms\n' 'true, plain' "$plain"
printf '%-34s %s ms\n' 'modicum --version' "$version"
printf '%-34s %s ms\n' 'modicum run --no-ledger -- true' "$unrecorded"
printf '%-34s %s ms, with its ledger row\n' 'modicum run -- true' "$metered"
awk -v a="$metered" -v b="$plain" \
  'BEGIN {printf "%-34s %.2f ms (limit 10)\n", "added by modicum run", a - b}'
bare
share "idle child, $seconds s" sleep "$seconds"
share "busy child, $seconds s" timeout "$seconds" sh -c 'while :; do :; done'
