# SPDX-License-Identifier: Apache-2.0
"""python -m modicum.codecarbon SCRIPT ARGS..., or -m MODULE ARGS...: runs what
imports `codecarbon`, with Modicum's in its place."""

import os
import runpy
import sys

import modicum.codecarbon

_USAGE = """\
usage: python -m modicum.codecarbon SCRIPT [ARG...]
       python -m modicum.codecarbon -m MODULE [ARG...]

Runs a program that imports codecarbon, measured by Modicum instead."""


def main() -> int:
    words = sys.argv[1:]
    if words[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return 0
    is_module = words[:1] == ["-m"]
    words = words[is_module:]
    if not words:
        print(_USAGE, file=sys.stderr)
        return 2
    if not is_module and not os.path.exists(words[0]):
        print(
            f"modicum: error: cannot find {words[0]}\n"
            "  hint: name a Python script, or a module after -m",
            file=sys.stderr,
        )
        return 2
    modicum.codecarbon.install()
    sys.argv = words
    if is_module:
        # As `python -m` has it: modules are looked for here first.
        sys.path[0] = os.getcwd()
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(words[0]))
        runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
