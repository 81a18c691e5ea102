# SPDX-License-Identifier: Apache-2.0
"""What a tracker gives: CodeCarbon's EmissionsData, from the row that Modicum
writes into emissions.csv."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import logging
from collections import OrderedDict
from typing import Any, Dict, Optional

# CodeCarbon's version whose interface this has.
VERSION = "3.3.0+modicum"


@dataclasses.dataclass
class EmissionsData:
    """CodeCarbon's columns, by name and in its units: kg, kg/s, W, kWh, L, s.

    Energies include the PUE, powers do not. What is not measured is None, never
    a stand-in.
    """

    timestamp: str
    project_name: str
    run_id: str
    experiment_id: str
    duration: float
    emissions: float
    emissions_rate: float
    cpu_power: float
    gpu_power: float
    ram_power: float
    cpu_energy: float
    gpu_energy: float
    ram_energy: float
    energy_consumed: float
    water_consumed: float
    country_name: str
    country_iso_code: str
    region: str
    cloud_provider: str
    cloud_region: str
    os: str
    python_version: str
    codecarbon_version: str
    cpu_count: Optional[float]
    cpu_model: str
    gpu_count: Optional[float]
    gpu_model: str
    longitude: Optional[float]
    latitude: Optional[float]
    ram_total_size: float
    tracking_mode: str
    cpu_utilization_percent: Optional[float]
    gpu_utilization_percent: Optional[float]
    ram_utilization_percent: Optional[float]
    ram_used_gb: Optional[float]
    on_cloud: str
    pue: float
    wue: float

    @property
    def values(self) -> "OrderedDict[str, Any]":
        return OrderedDict(dataclasses.asdict(self))

    def toJSON(self) -> str:
        return json.dumps(self.values, sort_keys=True, indent=4)


@dataclasses.dataclass
class TaskEmissionsData(EmissionsData):
    """Of a task: what `stop_task()` returns."""

    task_name: str = ""


_NUMBERS = {
    field.name for field in dataclasses.fields(EmissionsData) if "float" in field.type
}


def read_row(row_csv: str, labels: Dict[str, str]) -> Dict[str, Any]:
    """The values of EmissionsData from a header and a row; `labels` win."""
    row = next(csv.DictReader(io.StringIO(row_csv)))
    row.update(labels)
    values: Dict[str, Any] = {}
    for field in dataclasses.fields(EmissionsData):
        text = row[field.name]
        is_number = field.name in _NUMBERS
        values[field.name] = (float(text) if text else None) if is_number else text
    return values


class BaseOutput:
    """What `output_handlers` are: `out` is called with every row written."""

    def out(self, total: EmissionsData, delta: EmissionsData) -> None:
        pass


class LoggerOutput(BaseOutput):
    """Writes each row to a logger, as JSON."""

    def __init__(self, logger: logging.Logger, severity: int = logging.INFO) -> None:
        self.logger = logger
        self.logging_severity = severity

    def out(self, total: EmissionsData, delta: EmissionsData) -> None:
        self.logger.log(self.logging_severity, json.dumps(total.values))
