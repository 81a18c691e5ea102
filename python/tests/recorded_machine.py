# SPDX-License-Identifier: Apache-2.0
"""A recorded machine for the tests, with a counter that they move."""

import os
import shutil
import tempfile
import unittest


def draw(joules: float) -> None:
    """What a package of the machine drew since."""
    path = os.environ["MODICUM_ROOT"] + "/sys/class/powercap/intel-rapl:0/energy_uj"
    # Of as many digits, into the same file: the meter keeps it open.
    with open(path, "r+") as file:
        counter = int(file.read())
        file.seek(0)
        file.write(str(counter + round(joules * 1e6)))


def others_run() -> None:
    """Other processes used ten thousand seconds of CPU time."""
    with open(os.environ["MODICUM_ROOT"] + "/proc/stat", "r+") as file:
        text = file.read()
        user = text.split()[1]
        file.seek(0)
        file.write(text.replace(user, str(int(user) + 1_000_000), 1))


class RecordedMachine(unittest.TestCase):
    """Each test has the machine, no settings, and a folder to work in."""

    machine = "xeon-2s-rapl-dram"

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="modicum-python-")
        self.addCleanup(shutil.rmtree, self.folder)
        root = os.path.join(self.folder, "root")
        shutil.copytree(os.path.join(os.environ["MODICUM_ROOTS"], self.machine), root)
        for name in list(os.environ):
            if name.startswith(("MODICUM_", "CODECARBON_")) and name != "MODICUM_ROOTS":
                del os.environ[name]
        os.environ.update(
            MODICUM_ROOT=root,
            MODICUM_REGION="PL",
            HOME=self.folder,
            XDG_CONFIG_HOME=self.folder,
            XDG_DATA_HOME=self.folder,
        )
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.work)
        before = os.getcwd()
        os.chdir(self.work)
        self.addCleanup(os.chdir, before)
