# SPDX-License-Identifier: Apache-2.0
"""CodeCarbon's trackers and decorators over Modicum's meter."""

from __future__ import annotations

import functools
import os
import platform
import uuid
from typing import Any, Callable, Dict, Optional

import modicum
from modicum.codecarbon.config import Parameters, is_true, logger, warn_once
from modicum.codecarbon.output import (
    VERSION,
    EmissionsData,
    TaskEmissionsData,
    read_row,
)

# What the interface it follows gives runs that name no experiment.
_NO_EXPERIMENT = "5b0fa12a-3dd7-45bb-9766-cc326314d9f1"


def _region_of(country: Optional[str], region: Optional[str]) -> Optional[str]:
    """Modicum's name of a country and a state of the US."""
    if not country or not region or country.upper() != "USA":
        return country
    if len(region) == 2:
        return "US-" + region.upper()
    # Also a country.
    return "US-GA" if region.lower() == "georgia" else region


def _free_name(path: str) -> str:
    """emissions.csv.bak, or the first of emissions.csv_1.bak, ... not taken."""
    name, number = path + ".bak", 0
    while os.path.exists(name):
        number += 1
        name = f"{path}_{number}.bak"
    return name


class BaseEmissionsTracker:
    """Meters from start() to stop(), and tasks within.

    Figures are CodeCarbon's: emissions in kg of CO2eq, energies in kWh with the
    PUE (1 unless given), powers in W, water in L, time in s.
    """

    def __init__(
        self,
        project_name: Optional[str] = None,
        measure_power_secs: Optional[float] = None,
        **arguments: Any,
    ) -> None:
        if project_name is not None:
            arguments["project_name"] = project_name
        self._parameters = Parameters(arguments)
        get = self._parameters.get
        logger.setLevel(str(get("log_level", "info")).upper())
        self._output_dir = os.fspath(get("output_dir", "."))
        if not os.path.isdir(self._output_dir):
            raise OSError(f"Folder '{self._output_dir}' doesn't exist !")
        self._tracking_mode = get("tracking_mode", "machine")
        if self._tracking_mode not in ("machine", "process"):
            raise ValueError(
                f"tracking_mode is {self._tracking_mode!r}: machine or process"
            )
        self.run_id = str(uuid.uuid4())
        self._meter = self._open_meter()
        self._window: Optional[modicum.Window] = None
        self._task: Optional[str] = None
        self._task_window: Optional[modicum.Window] = None
        self._tasks: Dict[str, TaskEmissionsData] = {}
        self.final_emissions: Optional[float] = None
        self.final_emissions_data: Optional[EmissionsData] = None

    def _place(self) -> Dict[str, Optional[str]]:
        names = ("country_iso_code", "region", "cloud_provider", "cloud_region")
        place = {name: self._parameters.get(name) for name in names}
        if place["cloud_provider"] and not place["country_iso_code"]:
            warn_once(
                "cloud_region names no place here: give country_iso_code, or the "
                "place of Modicum's settings is used"
            )
        return place

    def _open_meter(self) -> modicum.Meter:
        number = self._parameters.number
        place = self._place()
        options: Dict[str, Any] = {
            "intensity": number("force_carbon_intensity_g_co2e_kwh", None),
            "pue": number("pue", 1.0),
            "wue": number("wue", 0.0),
            "project": self._parameters.get("project_name", "codecarbon"),
            "subject": "machine" if self._tracking_mode == "machine" else "tree",
        }
        country = place.get("country_iso_code")
        for region in dict.fromkeys((_region_of(country, place["region"]), country)):
            try:
                return modicum.Meter(region=region, **options)
            except modicum.Error as error:
                if not region or error.code != "not found":
                    raise
                logger.error("modicum: %s: a wider average is used", error.message)
        return modicum.Meter(region="world", **options)

    def _labels(self) -> Dict[str, str]:
        place = {key: value for key, value in self._place().items() if value}
        return {
            "run_id": self.run_id,
            "experiment_id": str(
                self._parameters.get("experiment_id", _NO_EXPERIMENT)
            ),
            "python_version": platform.python_version(),
            "codecarbon_version": VERSION,
            "tracking_mode": self._tracking_mode,
            "on_cloud": "Y" if "cloud_provider" in place else "N",
            **place,
        }

    # ---- The whole run ----------------------------------------------------

    def start(self) -> None:
        """Begins the run."""
        if self._window is not None:
            logger.warning("modicum: the tracker was started already")
            return
        self._window = self._meter.begin(
            self._parameters.get("project_name", "codecarbon")
        )

    def flush(self) -> Optional[float]:
        """Writes the run so far; it goes on. Returns its kg of CO2eq."""
        if self._window is None:
            logger.error("modicum: the tracker is not started")
            return None
        return self._write(self._window.peek()).emissions

    def stop(self) -> Optional[float]:
        """Ends the run and writes it. Returns its kg of CO2eq; None when it was
        never started, the same again when it was stopped already."""
        if self._task_window is not None:
            self.stop_task()
        if self._window is None:
            logger.warning("modicum: the tracker is not started, or was stopped")
            return self.final_emissions
        window, self._window = self._window, None
        result = window.end()
        for text in result.missing:
            logger.info("modicum: not in the figures: %s", text)
        for text in result.warnings:
            warn_once(text)
        self.final_emissions_data = self._write(result)
        self.final_emissions = self.final_emissions_data.emissions
        return self.final_emissions

    def _write(self, result: modicum.Result) -> EmissionsData:
        data = EmissionsData(**read_row(result.csv(), self._labels()))
        get = self._parameters.get
        if is_true(get("save_to_file", True)):
            self._append(result)
        if is_true(get("save_to_logger", False)) and get("logging_logger"):
            get("logging_logger").out(data, data)
        for handler in get("output_handlers", []):
            handler.out(data, data)
        return data

    def _append(self, result: modicum.Result) -> None:
        path = os.path.join(
            self._output_dir, self._parameters.get("output_file", "emissions.csv")
        )
        try:
            result.append_csv(path, **self._labels())
        except modicum.Error as error:
            if error.code != "invalid input":
                raise
            # Of another version: it is kept, as CodeCarbon does.
            kept = _free_name(path)
            os.rename(path, kept)
            logger.warning(
                "modicum: %s: the old file is now %s", error.message, kept
            )
            result.append_csv(path, **self._labels())

    # ---- Tasks --------------------------------------------------------------

    def start_task(self, task_name: Optional[str] = None) -> None:
        """Begins a task; one at a time. The run begins with the first one, if
        start() was not called."""
        if self._task_window is not None:
            logger.warning("modicum: task %s is still going on", self._task)
            return
        if self._window is None:
            self.start()
        name = task_name or uuid.uuid4().hex
        if name in self._tasks:
            name += "_" + uuid.uuid4().hex
        self._task = name
        self._task_window = self._meter.begin(name)

    def stop_task(self, task_name: Optional[str] = None) -> Optional[EmissionsData]:
        """Ends the task. Returns its figures; they are in no file."""
        if self._task_window is None:
            logger.warning("modicum: no task is going on")
            return None
        if task_name and task_name != self._task:
            logger.warning("modicum: the task going on is %s", self._task)
        window, self._task_window = self._task_window, None
        name = self._task or ""
        values = read_row(window.end().csv(), self._labels())
        self._tasks[name] = TaskEmissionsData(task_name=name, **values)
        return self._tasks[name]

    def __enter__(self) -> "BaseEmissionsTracker":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


class EmissionsTracker(BaseEmissionsTracker):
    """The place is that of Modicum's settings (MODICUM_REGION, modicum.toml),
    where no country_iso_code is given: no service is asked where this machine
    stands."""


class OfflineEmissionsTracker(BaseEmissionsTracker):
    """The place is `country_iso_code`, three letters, and in the USA `region`."""


class TaskEmissionsTracker:
    """Context manager of one task, of `tracker` or of one of its own."""

    def __init__(
        self, task_name: str, tracker: Optional[BaseEmissionsTracker] = None
    ) -> None:
        self.is_default_tracker = tracker is None
        self.tracker = tracker or EmissionsTracker()
        self.task_name = task_name

    def __enter__(self) -> "TaskEmissionsTracker":
        self.tracker.start_task(self.task_name)
        return self

    def __exit__(self, *_: Any) -> None:
        self.tracker.stop_task()
        if self.is_default_tracker:
            self.tracker.stop()


def track_emissions(
    fn: Optional[Callable[..., Any]] = None,
    project_name: Optional[str] = None,
    offline: bool = False,
    **arguments: Any,
) -> Callable[..., Any]:
    """Decorator, bare or with a tracker's arguments: each call is a run.
    `offline` takes OfflineEmissionsTracker."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            place = ("country_iso_code", "cloud_provider")
            if offline and not any(arguments.get(name) for name in place):
                raise ValueError("offline=True needs country_iso_code")
            kind = OfflineEmissionsTracker if offline else EmissionsTracker
            with kind(project_name, **arguments):
                return function(*args, **kwargs)

        return wrapped

    return decorate(fn) if fn is not None else decorate


def track_task_emissions(
    fn: Optional[Callable[..., Any]] = None,
    tracker: Optional[BaseEmissionsTracker] = None,
    task_name: str = "",
) -> Callable[..., Any]:
    """Decorator, bare or with arguments: each call is a task."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with TaskEmissionsTracker(task_name, tracker):
                return function(*args, **kwargs)

        return wrapped

    return decorate(fn) if fn is not None else decorate
