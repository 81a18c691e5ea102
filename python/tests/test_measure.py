# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import sqlite3
import threading
import time
import unittest

import modicum
from recorded_machine import RecordedMachine, draw

# Longer than the sampler's period: a window that is only stamped has its
# beginning fixed by then.
SAMPLE_S = 0.25


def spin(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def work(window, joules: float) -> None:
    """Draws joules in `window`, over a time in which that is possible."""
    window.peek()  # which fixes its beginning
    draw(joules)
    time.sleep(0.02)


class Windows(RecordedMachine):
    def setUp(self) -> None:
        super().setUp()
        self.meter = modicum.Meter(subject="machine")

    def test_a_window_holds_what_the_counter_says(self):
        with self.meter.measure("train", exact=True) as m:
            work(m, 2)
        self.assertAlmostEqual(m.energy.mid, 2, places=9)
        self.assertEqual(m.energy.unit, "J")
        self.assertEqual(m.energy.origin, "counter")
        self.assertLess(m.energy.low, 2)
        self.assertGreater(m.energy.high, 2)
        self.assertGreaterEqual(m.wall_s, 0.02)
        self.assertEqual(m.place, "Poland")
        self.assertIn("carbon", str(m))
        self.assertAlmostEqual(sum(part.energy.mid for part in m.components), 2)

    def test_a_stamped_window_is_interpolated(self):
        with self.meter.measure("train") as m:
            time.sleep(SAMPLE_S)
            draw(2)
        self.assertAlmostEqual(m.energy.mid, 2, places=9)

    def test_windows_nest_and_have_phases(self):
        with self.meter.measure("outer", exact=True) as outer:
            work(outer, 1)
            with self.meter.measure("inner", exact=True) as inner:
                inner.phase("load")
                work(inner, 1)
                inner.phase(None)
        self.assertAlmostEqual(inner.energy.mid, 1, places=9)
        self.assertAlmostEqual(outer.energy.mid, 2, places=9)
        self.assertEqual([phase.name for phase in inner.phases], ["load"])

    def test_peek_shows_the_window_so_far(self):
        with self.meter.measure("w", exact=True) as m:
            work(m, 1)
            self.assertAlmostEqual(m.peek().energy.mid, 1, places=9)
            with self.assertRaisesRegex(modicum.Error, "before the window has ended"):
                m.energy
            work(m, 1)
        self.assertAlmostEqual(m.energy.mid, 2, places=9)

    def test_threads_have_windows_of_their_own(self):
        found = []

        def work():
            for _ in range(20):
                with self.meter.measure("w") as m:
                    m.phase("p")
                found.append(m.wall_s)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(found), 80)
        self.assertTrue(all(wall > 0 for wall in found))

    def test_options_come_before_the_environment(self):
        meter = modicum.Meter(
            region="Sweden", intensity=360, pue=1.5, subject="machine"
        )
        with meter.measure(exact=True) as m:
            work(m, 1)
        self.assertEqual(m.place, "Sweden")
        self.assertAlmostEqual(m.carbon.mid, 1.5 * 360 / 3.6e6, places=12)
        factors = m.as_dict()["bill"]["factors"]
        self.assertTrue(any(factor["value"] == 360 for factor in factors))

    def test_the_contracts_carbon_stands_beside_the_grids(self):
        self.assertIsNone(self.meter.begin("w").end().market_carbon)
        meter = modicum.Meter(intensity=360, market_intensity=36, subject="machine")
        with meter.measure("w", exact=True) as m:
            work(m, 1)
        self.assertAlmostEqual(m.market_carbon.mid, m.carbon.mid / 10, places=9)
        self.assertEqual(m.market_carbon.unit, "gCO2e")

    def test_an_error_says_what_to_do(self):
        with self.assertRaises(modicum.Error) as caught:
            modicum.Meter(region="Polnd")
        error = caught.exception
        self.assertEqual(error.code, "not found")
        self.assertEqual(
            error.message, "unknown region 'Polnd', did you mean 'Poland'?"
        )
        self.assertIn("name a country", error.hint)
        self.assertIn("hint: ", str(error))
        with self.assertRaisesRegex(modicum.Error, "unknown subject 'all'"):
            modicum.Meter(subject="all")

    def test_a_window_ends_once(self):
        window = self.meter.begin("w")
        window.end()
        with self.assertRaisesRegex(modicum.Error, "ended already"):
            window.end()

    def test_runs_are_recorded_with_their_outcome(self):
        ledger = os.path.join(self.folder, "own.sqlite")
        meter = modicum.Meter(ledger=ledger, record=True, project="p")
        with meter.measure("good"):
            pass
        with self.assertRaises(KeyError):
            with meter.measure("bad"):
                raise KeyError("work failed")
        rows = sqlite3.connect(ledger).execute(
            "SELECT name, kind, project, status, exit_code FROM run ORDER BY name"
        )
        self.assertEqual(
            rows.fetchall(),
            [("bad", "window", "p", "failed", 1), ("good", "window", "p", "ok", 0)],
        )

    def test_a_row_is_appended_in_codecarbons_columns(self):
        with self.meter.measure("w") as m:
            pass
        m.append_csv("e.csv", experiment_id="e-1")
        with open("e.csv") as file:
            header, row = file.read().splitlines()
        self.assertTrue(header.startswith("timestamp,project_name,run_id,"))
        self.assertEqual(row.split(",")[3], "e-1")
        with self.assertRaisesRegex(modicum.Error, "'emissions' cannot be given"):
            m.append_csv("e.csv", emissions="0")


class Modelled(RecordedMachine):
    machine = "epyc-no-rapl-vm"

    def setUp(self) -> None:
        super().setUp()
        modicum._meter._at_exit()  # the default meter is of the last test

    def test_the_default_meter_bills_this_process(self):
        with modicum.measure("spin") as m:
            spin(0.05)
        self.assertGreaterEqual(m.cpu_s, 0.05)
        self.assertGreater(m.energy.mid, 0)
        self.assertEqual(m.energy.origin, "modelled")

    def test_children_are_counted_and_a_forked_one_may_measure(self):
        with modicum.measure("parent") as m:
            time.sleep(SAMPLE_S)
            child = os.fork()
            if child == 0:
                with modicum.measure("child") as own:
                    spin(0.2)
                os._exit(0 if own.cpu_s >= 0.2 else 1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertGreaterEqual(m.cpu_s, 0.2)

    def test_functions_are_measured_by_each_call(self):
        @modicum.measure("step")
        def step(seconds):
            """Steps."""
            spin(seconds)
            return 7

        self.assertIsNone(step.result)
        self.assertEqual(step(0.02), 7)
        first = step.result
        self.assertGreaterEqual(first.cpu_s, 0.02)
        self.assertEqual((first.name, step.__doc__), ("step", "Steps."))
        step(0)
        self.assertLess(step.result.cpu_s, first.cpu_s)

    def test_a_bare_decorator_takes_the_functions_name(self):
        @modicum.measure
        def step():
            pass

        step()
        self.assertTrue(step.result.name.endswith("step"))

    def test_coroutines_are_measured_to_their_end(self):
        @modicum.measure
        async def wait():
            await asyncio.sleep(0.02)
            return 7

        self.assertEqual(asyncio.run(wait()), 7)
        self.assertGreaterEqual(wait.result.wall_s, 0.02)

    def test_a_decorated_function_may_call_itself(self):
        @modicum.measure("f")
        def f(n):
            return 1 if n == 0 else n * f(n - 1)

        self.assertEqual(f(4), 24)


if __name__ == "__main__":
    unittest.main()
