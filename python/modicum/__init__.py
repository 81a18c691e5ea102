# SPDX-License-Identifier: Apache-2.0
"""Joules, carbon, water and money of pieces of a Python program.

    import modicum

    with modicum.measure("train") as m:
        train()
    print(m.energy)    # 120 J [53, 270] modelled
    print(m)           # the whole bill

    @modicum.measure("step")
    def step(): ...

Windows nest and overlap, in any number of threads. Every figure is an
`Estimate`: a value with its 90 % interval, unit, origin and scope.
"""

from modicum._meter import (
    Component,
    Error,
    Estimate,
    Measure,
    Meter,
    Result,
    Window,
    default_meter,
    measure,
    version,
)

__all__ = [
    "Component",
    "Error",
    "Estimate",
    "Measure",
    "Meter",
    "Result",
    "Window",
    "default_meter",
    "measure",
    "version",
]
__version__ = version()
