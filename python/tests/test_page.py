# SPDX-License-Identifier: Apache-2.0
"""What docs/python.md shows runs as it stands there."""
import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from recorded_machine import RecordedMachine

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "python.md"


def blocks():
    """The page's indented blocks, without their indent."""
    text = PAGE.read_text()
    for block in re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE):
        if block.strip():
            yield re.sub(r"^ {4}", "", block.strip("\n"), flags=re.MULTILINE)


class Page(RecordedMachine):
    def test_the_program(self):
        program = next(blocks())
        self.assertTrue(program.startswith("import modicum\n"), program)
        names = {"load": lambda: None, "train": lambda: sum(range(10**5))}
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(program, str(PAGE), "exec"), names)
        energy, carbon, bill = out.getvalue().split("\n", 2)
        self.assertRegex(energy, r"^\S+ \w*J \[.+\] \w+$")
        self.assertGreaterEqual(float(carbon), 0)
        self.assertIn("energy", bill)
        self.assertEqual(names["step"].result.energy.unit, "J")

    def test_the_command(self):
        command = next(b for b in blocks() if b.startswith("python -m"))
        self.assertEqual(command, "python -m modicum.codecarbon train.py ARGS...")
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "train.py").write_text(
                "import sys\n"
                "from codecarbon import EmissionsTracker\n"
                "with EmissionsTracker() as tracker: sum(range(10**5))\n"
                "print(sys.argv[1], tracker.final_emissions)\n")
            done = subprocess.run(
                [sys.executable, *command.split()[1:-1], "ARGS"], cwd=folder,
                capture_output=True, text=True, env=os.environ)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^ARGS \S+\n$")


if __name__ == "__main__":
    unittest.main()
