# SPDX-License-Identifier: Apache-2.0
"""A tracker's parameters: arguments, CODECARBON_* variables, and
.codecarbon.config here and at home, in this order."""

from __future__ import annotations

import configparser
import logging
import os
from pathlib import Path
from typing import Any, Dict, Optional, Set

logger = logging.getLogger("codecarbon")

# Read by EmissionsTracker.
USED = {
    "country_iso_code",
    "experiment_id",
    "force_carbon_intensity_g_co2e_kwh",
    "log_level",
    "logging_logger",
    "output_dir",
    "output_file",
    "output_handlers",
    "project_name",
    "pue",
    "region",
    "save_to_file",
    "save_to_logger",
    "tracking_mode",
    "wue",
    "cloud_provider",
    "cloud_region",
}

# Without effect, and without one on what is reported: Modicum takes ten samples
# a second and needs no lock; the rest belongs to services that are not called.
HARMLESS = {
    "allow_multiple_runs",
    "api_call_interval",
    "api_endpoint",
    "api_key",
    "experiment_name",
    "logger_preamble",
    "measure_power_secs",
    "organization_id",
    "project_id",
    "prometheus_url",
    "tracking_pid",
}

# Why what they ask for is not done; said once, when they are set.
REFUSED = {
    "co2_signal_api_token": "live carbon intensity is not fetched: the yearly "
    "average of country_iso_code is used",
    "country_2letter_iso_code": "it is read by a service that is not called: give "
    "country_iso_code",
    "default_cpu_power": "power is measured, or modelled from this CPU",
    "electricitymaps_api_token": "live carbon intensity is not fetched: the yearly "
    "average of country_iso_code is used",
    "emissions_endpoint": "nothing is sent anywhere",
    "force_cpu_power": "power is measured, or modelled from this CPU",
    "force_mode_cpu_load": "the best source of this machine is used; MODICUM_PROBE "
    "names another",
    "force_ram_power": "memory is measured where it has a counter, else it is "
    "listed as not counted",
    "gpu_ids": "every GPU is measured, and billed to those who use it",
    "rapl_include_dram": "memory is always counted where it has a counter",
    "rapl_prefer_psys": "the outermost counter is always preferred",
    "save_to_api": "nothing is sent anywhere",
    "save_to_logfire": "nothing is sent anywhere",
    "save_to_prometheus": "nothing is sent anywhere",
}

_said: Set[str] = set()


def warn_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        logger.warning("modicum: %s", text)


def is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _from_files() -> Dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read([Path.home() / ".codecarbon.config", ".codecarbon.config"])
    return dict(parser["codecarbon"]) if parser.has_section("codecarbon") else {}


def _from_environment() -> Dict[str, str]:
    prefix = "CODECARBON_"
    return {
        name[len(prefix) :].lower(): value
        for name, value in os.environ.items()
        if name.startswith(prefix)
    }


class Parameters:
    """The parameters of one tracker."""

    def __init__(self, arguments: Dict[str, Any]) -> None:
        self._values: Dict[str, Any] = {**_from_files(), **_from_environment()}
        self._values.update(arguments)
        for name, value in self._values.items():
            self._check(name, value)

    @staticmethod
    def _check(name: str, value: Any) -> None:
        if name == "on_csv_write" and value == "update":
            warn_once("on_csv_write='update' is not done: every row is appended")
        elif name in REFUSED:
            if value is not None and str(value).lower() != "false":
                warn_once(f"{name} is ignored: {REFUSED[name]}")
        elif name not in USED | HARMLESS | {"on_csv_write"}:
            warn_once(f"{name} is ignored: CodeCarbon has no such parameter here")

    def get(self, name: str, default: Any = None) -> Any:
        value = self._values.get(name)
        return default if value is None else value

    def number(self, name: str, default: Optional[float]) -> Optional[float]:
        value = self.get(name)
        if value is None:
            return default
        try:
            return float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {value!r}: give a number") from None
