# SPDX-License-Identifier: Apache-2.0
# For scripts beside it. need PROGRAM...: ends the script where one is not built.
need() {
  local program
  for program in "$@"; do
    [[ -x $program ]] || {
      echo "$program is missing: the head of $0 says how to build it" >&2
      exit 1
    }
  done
}
