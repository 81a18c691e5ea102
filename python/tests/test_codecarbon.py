# SPDX-License-Identifier: Apache-2.0
"""Programs that import codecarbon as its documentation shows, unchanged."""

import csv
import os
import subprocess
import sys
import textwrap

import unittest

from recorded_machine import RecordedMachine

# A script's first lines: work that draws joules of the recorded machine.
PRELUDE = f"""
import sys, time
sys.path.append({os.path.dirname(os.path.abspath(__file__))!r})
from recorded_machine import draw
def work(joules):
    time.sleep(0.25)  # a sample fixes the beginning
    draw(joules)
    time.sleep(0.02)  # so much in no time is no energy that a package can draw
"""

# CodeCarbon's columns, in its order.
COLUMNS = (
    "timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,"
    "cpu_power,gpu_power,ram_power,cpu_energy,gpu_energy,ram_energy,"
    "energy_consumed,water_consumed,country_name,country_iso_code,region,"
    "cloud_provider,cloud_region,os,python_version,codecarbon_version,cpu_count,"
    "cpu_model,gpu_count,gpu_model,longitude,latitude,ram_total_size,tracking_mode,"
    "cpu_utilization_percent,gpu_utilization_percent,ram_utilization_percent,"
    "ram_used_gb,on_cloud,pue,wue"
).split(",")


class CodeCarbon(RecordedMachine):
    def run_script(self, text, *args, expect=0):
        with open("script.py", "w") as file:
            file.write(PRELUDE + textwrap.dedent(text))
        done = subprocess.run(
            [sys.executable, "-m", "modicum.codecarbon", "script.py", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, expect, done.stderr)
        return done

    def rows(self, path="emissions.csv"):
        with open(path) as file:
            return list(csv.DictReader(file))

    def assert_joules(self, row, joules):
        self.assertAlmostEqual(float(row["energy_consumed"]), joules / 3.6e6, places=12)


class DocumentedUsage(CodeCarbon):
    def test_an_explicit_tracker(self):
        done = self.run_script(
            """
            from codecarbon import EmissionsTracker
            tracker = EmissionsTracker()
            tracker.start()
            try:
                work(3)
            finally:
                emissions = tracker.stop()
            print(emissions, tracker.final_emissions_data.energy_consumed)
            """
        )
        (row,) = self.rows()
        self.assertEqual(list(row)[: len(COLUMNS)], COLUMNS)
        self.assert_joules(row, 3)
        kilograms, kilowatt_hours = done.stdout.split()
        self.assertEqual(kilograms, row["emissions"])
        self.assertEqual(kilowatt_hours, row["energy_consumed"])
        self.assertEqual(row["project_name"], "codecarbon")
        self.assertEqual(row["tracking_mode"], "machine")
        self.assertEqual(row["country_name"], "Poland")
        self.assertEqual(row["on_cloud"], "N")
        self.assertEqual(float(row["pue"]), 1)
        self.assertEqual(
            row["python_version"], ".".join(map(str, sys.version_info[:3]))
        )
        self.assertGreater(float(row["cpu_power"]), 0)
        self.assertGreater(float(row["emissions"]), 0)

    def test_a_context_manager(self):
        self.run_script(
            """
            from codecarbon import EmissionsTracker
            with EmissionsTracker("mnist", measure_power_secs=1) as tracker:
                work(2)
            assert tracker.final_emissions > 0
            """
        )
        (row,) = self.rows()
        self.assertEqual(row["project_name"], "mnist")
        self.assert_joules(row, 2)

    def test_a_bare_decorator(self):
        done = self.run_script(
            """
            from codecarbon import track_emissions
            @track_emissions
            def training_loop(n):
                work(n)
                return n + 1
            print(training_loop(4), training_loop.__name__)
            """
        )
        self.assertEqual(done.stdout, "5 training_loop\n")
        self.assert_joules(self.rows()[0], 4)

    def test_a_decorator_with_arguments(self):
        self.run_script(
            """
            from codecarbon import track_emissions
            @track_emissions(project_name="p", output_file="own.csv")
            def training_loop():
                work(1)
            training_loop()
            training_loop()
            """
        )
        rows = self.rows("own.csv")
        self.assertEqual([row["project_name"] for row in rows], ["p", "p"])
        self.assertNotEqual(rows[0]["run_id"], rows[1]["run_id"])

    def test_a_decorator_that_is_offline(self):
        self.run_script(
            """
            from codecarbon import track_emissions
            @track_emissions(offline=True, country_iso_code="CAN")
            def training_loop():
                work(1)
            training_loop()
            """
        )
        (row,) = self.rows()
        self.assertEqual(row["country_iso_code"], "CAN")
        self.assertEqual(row["country_name"], "Canada")

    def test_an_offline_tracker(self):
        self.run_script(
            """
            from codecarbon import OfflineEmissionsTracker
            tracker = OfflineEmissionsTracker(country_iso_code="USA",
                                              region="california")
            tracker.start()
            work(1)
            tracker.stop()
            """
        )
        (row,) = self.rows()
        self.assertEqual(row["country_iso_code"], "USA")
        self.assertEqual(row["country_name"], "California")
        self.assertEqual(row["region"], "california")

    def test_tasks(self):
        done = self.run_script(
            """
            from codecarbon import EmissionsTracker
            try:
                tracker = EmissionsTracker(project_name="bert", measure_power_secs=10)
                tracker.start_task("load dataset")
                work(1)
                load = tracker.stop_task()
                tracker.start_task("build model")
                work(2)
                build = tracker.stop_task()
            finally:
                _ = tracker.stop()
            print(load.energy_consumed, build.energy_consumed, build.task_name)
            assert load.emissions > 0 and load.duration > 0
            """
        )
        load, build, name = done.stdout.split(" ", 2)
        self.assertAlmostEqual(float(load), 1 / 3.6e6, places=12)
        self.assertAlmostEqual(float(build), 2 / 3.6e6, places=12)
        self.assertEqual(name, "build model\n")
        (row,) = self.rows()
        self.assert_joules(row, 3)

    def test_flush_writes_a_row_and_goes_on(self):
        self.run_script(
            """
            from codecarbon import EmissionsTracker
            tracker = EmissionsTracker()
            tracker.start()
            work(1)
            assert tracker.flush() > 0
            work(1)
            tracker.stop()
            """
        )
        first, second = self.rows()
        self.assertEqual(first["run_id"], second["run_id"])
        self.assert_joules(first, 1)
        self.assert_joules(second, 2)

    def test_a_task_of_its_own_by_context_and_by_decorator(self):
        self.run_script(
            """
            from codecarbon.emissions_tracker import (
                EmissionsTracker, TaskEmissionsTracker, track_task_emissions)
            tracker = EmissionsTracker(save_to_file=False)
            with TaskEmissionsTracker(task_name="grid search", tracker=tracker):
                work(1)
            @track_task_emissions(tracker=tracker, task_name="fit")
            def fit():
                work(1)
            fit()
            assert tracker.stop() > 0
            """
        )
        self.assertFalse(os.path.exists("emissions.csv"))

    def test_a_logger_takes_the_rows(self):
        done = self.run_script(
            """
            import json, logging
            from codecarbon import EmissionsTracker
            from codecarbon.output import LoggerOutput
            own = logging.getLogger("own")
            own.addHandler(logging.StreamHandler(sys.stdout))
            own.setLevel(logging.INFO)
            with EmissionsTracker(save_to_file=False, save_to_logger=True,
                                  logging_logger=LoggerOutput(own, logging.INFO)):
                work(1)
            """
        )
        self.assertIn('"energy_consumed": ', done.stdout)


class Parameters(CodeCarbon):
    def test_figures_follow_the_parameters(self):
        self.run_script(
            """
            from codecarbon import EmissionsTracker
            with EmissionsTracker(pue=1.5, force_carbon_intensity_g_co2e_kwh=360,
                                  experiment_id="e-7"):
                work(2)
            """
        )
        (row,) = self.rows()
        self.assert_joules(row, 2 * 1.5)
        self.assertAlmostEqual(
            float(row["emissions"]), 2 / 3.6e6 * 1.5 * 0.360, places=12
        )
        self.assertEqual(row["experiment_id"], "e-7")

    def test_a_process_pays_its_share_of_the_machine(self):
        self.run_script(
            """
            from codecarbon import EmissionsTracker
            from recorded_machine import others_run
            with EmissionsTracker(tracking_mode="process"):
                time.sleep(0.25)
                others_run()
                work(2)
            """
        )
        (row,) = self.rows()
        self.assertEqual(row["tracking_mode"], "process")
        self.assertGreater(float(row["energy_consumed"]), 0)
        self.assertLess(float(row["energy_consumed"]), 0.01 * 2 / 3.6e6)

    def test_files_and_variables_are_read(self):
        with open(".codecarbon.config", "w") as file:
            file.write("[codecarbon]\nproject_name = of the file\npue = 2\n")
        os.environ["CODECARBON_PROJECT_NAME"] = "of the variable"
        self.run_script(
            """
            from codecarbon import EmissionsTracker
            with EmissionsTracker():
                work(1)
            """
        )
        (row,) = self.rows()
        self.assertEqual(row["project_name"], "of the variable")
        self.assert_joules(row, 2)

    def test_what_changes_a_number_is_said_once(self):
        done = self.run_script(
            """
            from codecarbon import EmissionsTracker
            for _ in range(2):
                with EmissionsTracker(force_cpu_power=100, gpu_ids=[0], wattage=3,
                                      save_to_api=False, api_call_interval=4,
                                      allow_multiple_runs=True):
                    work(1)
            """
        )
        for text in (
            "force_cpu_power is ignored: power is measured",
            "gpu_ids is ignored: every GPU is measured",
            "wattage is ignored: CodeCarbon has no such parameter",
        ):
            self.assertEqual(done.stderr.count(text), 1, done.stderr)
        self.assertNotIn("save_to_api", done.stderr)
        self.assertNotIn("api_call_interval", done.stderr)

    def test_a_country_that_is_not_known_is_said(self):
        done = self.run_script(
            """
            from codecarbon import OfflineEmissionsTracker
            with OfflineEmissionsTracker(country_iso_code="XXX"):
                work(1)
            """
        )
        self.assertIn("unknown region 'XXX'", done.stderr)
        self.assertEqual(self.rows()[0]["country_name"], "world average")

    def test_wrong_values_raise(self):
        self.run_script(
            """
            from codecarbon import EmissionsTracker
            for arguments, kind in (
                ({"tracking_mode": "all"}, ValueError),
                ({"output_dir": "not/there"}, OSError),
                ({"pue": "much"}, ValueError),
            ):
                try:
                    EmissionsTracker(**arguments)
                except kind:
                    continue
                raise SystemExit(f"{arguments} taken")
            """
        )

    def test_a_file_of_other_columns_is_kept_under_another_name(self):
        with open("emissions.csv", "w") as file:
            file.write("timestamp,emissions\n1,2\n")
        done = self.run_script(
            """
            from codecarbon import EmissionsTracker
            with EmissionsTracker():
                work(1)
            """
        )
        self.assertIn("emissions.csv.bak", done.stderr)
        with open("emissions.csv.bak") as file:
            self.assertEqual(file.read(), "timestamp,emissions\n1,2\n")
        self.assertEqual(len(self.rows()), 1)

    def test_a_file_of_codecarbons_keeps_its_columns(self):
        with open("emissions.csv", "w") as file:
            file.write(",".join(COLUMNS) + "\n")
        self.run_script(
            """
            from codecarbon import EmissionsTracker
            with EmissionsTracker():
                work(1)
            """
        )
        (row,) = self.rows()
        self.assertEqual(list(row), COLUMNS)
        self.assert_joules(row, 1)

    def test_stopping_twice_or_unstarted_is_said_and_does_no_harm(self):
        done = self.run_script(
            """
            from codecarbon import EmissionsTracker
            tracker = EmissionsTracker()
            assert tracker.stop() is None
            tracker.start()
            work(1)
            assert tracker.stop() == tracker.stop() > 0
            """
        )
        self.assertIn("is not started, or was stopped", done.stderr)
        self.assertEqual(len(self.rows()), 1)


class Launcher(CodeCarbon):
    def test_a_script_has_its_arguments_folder_and_exit_code(self):
        with open("beside.py", "w") as file:
            file.write("word = 'found'\n")
        done = self.run_script(
            """
            import beside, codecarbon
            assert __name__ == "__main__"
            print(sys.argv, beside.word, codecarbon.__version__)
            sys.exit(5)
            """,
            "a",
            "--help",
            expect=5,
        )
        self.assertEqual(
            done.stdout, "['script.py', 'a', '--help'] found 3.3.0+modicum\n"
        )

    def test_a_module_is_run_by_its_name(self):
        with open("job.py", "w") as file:
            file.write(
                "import codecarbon\nprint(codecarbon.EmissionsTracker.__module__)\n"
            )
        done = subprocess.run(
            [sys.executable, "-m", "modicum.codecarbon", "-m", "job"],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(done.stdout, "modicum.codecarbon.emissions_tracker\n")

    def test_what_is_wrong_is_said(self):
        for words, text in (([], "usage:"), (["none.py"], "cannot find none.py")):
            done = subprocess.run(
                [sys.executable, "-m", "modicum.codecarbon", *words],
                stderr=subprocess.PIPE,
                text=True,
            )
            self.assertEqual(done.returncode, 2)
            self.assertIn(text, done.stderr)

    def test_nothing_is_replaced_unasked(self):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys, modicum, modicum.codecarbon\n"
                "assert 'codecarbon' not in sys.modules",
            ]
        )
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
