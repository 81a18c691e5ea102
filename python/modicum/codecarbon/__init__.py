# SPDX-License-Identifier: Apache-2.0
"""CodeCarbon's interface, measured by Modicum.

    python -m modicum.codecarbon script.py ARGS...

runs a script that imports `codecarbon` as it is; or, at the top of a program:

    import modicum.codecarbon
    modicum.codecarbon.install()

Nothing is replaced unasked. docs/python.md says what differs.
"""

import sys

from modicum.codecarbon import emissions_tracker, output
from modicum.codecarbon.emissions_tracker import (
    EmissionsTracker,
    OfflineEmissionsTracker,
    track_emissions,
)
from modicum.codecarbon.output import VERSION

__all__ = [
    "EmissionsTracker",
    "OfflineEmissionsTracker",
    "track_emissions",
    "install",
]
__version__ = VERSION


def install() -> None:
    """From now on `import codecarbon` gives this module, in this process."""
    sys.modules["codecarbon"] = sys.modules[__name__]
    for module in (emissions_tracker, output):
        name = module.__name__.rpartition(".")[2]
        sys.modules["codecarbon." + name] = module
