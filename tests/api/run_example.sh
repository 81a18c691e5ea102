#!/bin/sh
# Runs a program in a folder of its own, which is also its home.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
HOME=$folder XDG_CONFIG_HOME=$folder XDG_DATA_HOME=$folder "$@" ||
  echo "error: exit code $?"
