# SPDX-License-Identifier: Apache-2.0
"""Meters, windows and results over the compiled module."""

from __future__ import annotations

import atexit
import functools
import inspect
import json
import os
import threading
import warnings
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Union

import _modicum

_ORIGINS = ("counter", "sensor", "modelled", "assumed")
_SCOPES = ("device", "process", "package", "host", "wall")
_SUBJECTS = {"tree": 0, "process": 1, "machine": 2}
_CODES = {
    1: "invalid input",
    2: "not found",
    3: "permission",
    4: "unavailable",
    5: "retry",
    6: "ended",
    7: "interrupted",
    9: "io",
    10: "internal",
}


class Error(RuntimeError):
    """What failed and where, with what to do next.

    Attributes:
        message: what failed and where.
        hint: what to do next; "" when nothing can be said.
        code: "invalid input", "not found", "permission", "unavailable", ...
    """

    def __init__(self, message: str, hint: str = "", code: int = 10) -> None:
        super().__init__(message, hint, code)
        self.message = message
        self.hint = hint
        self.code = _CODES.get(code, "internal")

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


_modicum.set_error(Error)


def version() -> str:
    """The library's version, such as "0.1.0"."""
    return _modicum.version()


class Estimate(NamedTuple):
    """A value with its 90 % interval, unit, origin and scope.

    Origins, best first: counter, sensor, modelled, assumed. Scopes, narrowest
    first: device, process, package, host, wall.
    """

    mid: float
    low: float
    high: float
    unit: str
    origin: str
    scope: str

    def __float__(self) -> float:
        return self.mid

    def __str__(self) -> str:
        return (
            f"{self.mid:.3g} {self.unit} [{self.low:.3g}, {self.high:.3g}] "
            f"{self.origin}"
        )


class Component(NamedTuple):
    """A part of the energy; together the components are all of it."""

    component: str  # "cpu", "dram", "gpu"
    probe: str  # "rapl", "cpu-load"
    energy: Estimate  # J


def _estimate(figure: tuple, unit: str) -> Estimate:
    mid, low, high, origin, scope = figure
    return Estimate(mid, low, high, unit, _ORIGINS[origin], _SCOPES[scope])


class Result:
    """What a window held. Constant; `print()` shows the whole bill."""

    def __init__(self, plain: _modicum.Result) -> None:
        self._plain = plain

    @property
    def name(self) -> str:
        return self._plain.name()

    @property
    def run_id(self) -> str:
        """Its id, in the ledger too where it is recorded."""
        return self._plain.run_id()

    @property
    def wall_s(self) -> float:
        """Elapsed time, seconds."""
        return self._plain.wall()

    @property
    def cpu_s(self) -> float:
        """User and system time of the subject, seconds."""
        return self._plain.cpu()

    @property
    def energy(self) -> Estimate:
        """The subject's, of IT equipment, J."""
        return _estimate(self._plain.energy(), "J")

    @property
    def measured(self) -> Estimate:
        """The whole machine's, J."""
        return _estimate(self._plain.measured(), "J")

    @property
    def components(self) -> List[Component]:
        """The parts of `energy`."""
        return [
            Component(component, probe, _estimate(figure, "J"))
            for component, probe, figure in self._plain.components()
        ]

    @property
    def carbon(self) -> Estimate:
        """Operational: energy x PUE x grid intensity, gCO2e."""
        return _estimate(self._plain.carbon(), "gCO2e")

    @property
    def market_carbon(self) -> Optional[Estimate]:
        """By the contract's intensity instead of the grid's; None: none is set."""
        figure = self._plain.market_carbon()
        return _estimate(figure, "gCO2e") if figure else None

    @property
    def embodied(self) -> Optional[Estimate]:
        """Of making the hardware, by its share of time, gCO2e; None: not known."""
        figure = self._plain.embodied()
        return _estimate(figure, "gCO2e") if figure else None

    @property
    def water(self) -> Estimate:
        """Energy x (WUE + PUE x that of the electricity), L."""
        return _estimate(self._plain.water(), "L")

    @property
    def money(self) -> Optional[Estimate]:
        """Of the electricity, in the currency that is its unit; None: no tariff."""
        found = self._plain.money()
        return _estimate(*found) if found else None

    @property
    def place(self) -> str:
        return self._plain.place()

    @property
    def pue(self) -> float:
        """Facility energy over IT energy, in `carbon`, `water` and `money`."""
        return self._plain.pue()

    @property
    def contended(self) -> bool:
        """Others used, or a hypervisor took, too much of the machine."""
        return self._plain.contended()

    @property
    def short_window(self) -> bool:
        """Fewer than ten updates of a source fell into it."""
        return self._plain.short_window()

    @property
    def warnings(self) -> List[str]:
        return self._plain.warnings()

    @property
    def missing(self) -> List[str]:
        """What is not in the figures."""
        return self._plain.missing()

    @property
    def phases(self) -> List["Result"]:
        return [Result(phase) for phase in self._plain.phases()]

    def as_dict(self) -> Dict[str, Any]:
        """Everything, factors and their sources too: `modicum run --json`'s."""
        return json.loads(self._plain.json())

    def csv(self) -> str:
        """A header and a row in CodeCarbon's columns."""
        return self._plain.csv()

    def append_csv(self, path: Union[str, "os.PathLike[str]"], **labels: str) -> None:
        """Appends that row to the file, with the header when it is new.

        `labels` are texts for columns that only the caller knows, such as
        experiment_id. Raises Error where the file has other columns.
        """
        self._plain.append_csv(os.fspath(path), list(labels.items()))

    def __str__(self) -> str:
        return self._plain.bill()

    def __repr__(self) -> str:
        return f"<modicum.Result {self.name!r}: {self.energy}>"


def _ended(plain: _modicum.Result) -> Result:
    if plain.record_error():
        warnings.warn(f"not recorded: {plain.record_error()}", stacklevel=3)
    return Result(plain)


class Window:
    """An open window; `with` ends it. Used by one thread at a time."""

    def __init__(self, plain: _modicum.Window) -> None:
        self._plain = plain
        self.result: Optional[Result] = None

    def phase(self, name: Optional[str]) -> None:
        """The current phase ends, one called `name` begins; None: none does."""
        if name is None:
            self._plain.end_phase()
        else:
            self._plain.phase(name)

    def peek(self) -> Result:
        """What it holds so far, without its phases; it goes on."""
        return Result(self._plain.peek())

    def end(self, exit_code: int = 0) -> Result:
        """Ends it. `exit_code` is recorded: 0 when the work succeeded."""
        self.result = _ended(self._plain.end(exit_code))
        return self.result

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if self.result is None:
            self.end(0 if kind is None else 1)


class Meter:
    """Takes samples in a thread of its own: make one and keep it.

    What is None is taken from where the program takes it too: MODICUM_*
    variables, modicum.toml, the default.

    Args:
        region: "PL", "Poland", "US-CA", "world".
        provider: "aws", "gcp", "azure", "on-prem".
        intensity: of the grid's electricity, gCO2e/kWh.
        market_intensity: of the contract's, gCO2e/kWh: a second figure of carbon.
        intensity_file: the grid's hour by hour: a CSV file, or a service.
        pue: facility energy over IT energy, at least 1.
        wue: water used on site, L/kWh.
        tariff: price of a kWh, in `currency` (ISO 4217).
        probe: the energy source; the best usable where None.
        idle_policy: who pays idle power: "marginal", "proportional" or "full".
        sample_hz: readings of the source per second.
        project: put on every recorded run.
        ledger: path of the ledger.
        record: every ended window becomes a run of the ledger.
        subject: whose energy windows hold: "tree" (this process and all its
            descendants), "process" (this one alone), "machine" (everybody, and
            the machine's idling).

    Raises:
        Error: for a wrong option, and for a machine without any source.
    """

    def __init__(
        self,
        *,
        region: Optional[str] = None,
        provider: Optional[str] = None,
        intensity: Optional[float] = None,
        market_intensity: Optional[float] = None,
        intensity_file: Union[str, "os.PathLike[str]", None] = None,
        pue: Optional[float] = None,
        wue: Optional[float] = None,
        tariff: Optional[float] = None,
        currency: Optional[str] = None,
        probe: Optional[str] = None,
        idle_policy: Optional[str] = None,
        sample_hz: Optional[float] = None,
        project: Optional[str] = None,
        ledger: Union[str, "os.PathLike[str]", None] = None,
        record: bool = False,
        subject: str = "tree",
    ) -> None:
        if subject not in _SUBJECTS:
            raise Error(
                f"unknown subject {subject!r}", "use tree, process or machine", 1
            )
        self._plain = _modicum.Meter(
            region,
            provider,
            intensity,
            market_intensity,
            None if intensity_file is None else os.fspath(intensity_file),
            pue,
            wue,
            tariff,
            currency,
            probe,
            idle_policy,
            sample_hz,
            project,
            None if ledger is None else os.fspath(ledger),
            record,
            _SUBJECTS[subject],
        )

    def begin(self, name: str, exact: bool = False) -> Window:
        """Opens a window, by reading the clocks alone: the energy at that moment
        is interpolated. `exact` reads the sensors, and waits for them."""
        return Window(self._plain.begin(name, exact))

    def measure(
        self, name: Union[str, Callable[..., Any], None] = None, exact: bool = False
    ) -> "Measure":
        """As `modicum.measure`, with this meter."""
        return _measured(name, exact, lambda: self)


_lock = threading.Lock()
_default: Optional[Meter] = None
_owner: Optional[int] = None


def default_meter() -> Meter:
    """The meter of `modicum.measure`, opened when first used; a forked child
    opens its own."""
    global _default, _owner
    with _lock:
        if _default is None or _owner != os.getpid():
            _default, _owner = Meter(), os.getpid()
        return _default


# A thread of the parent may have held it.
def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


# Its thread ends before the interpreter does.
def _at_exit() -> None:
    global _default
    _default = None


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)


class Measure:
    """Context manager and decorator; see `measure`.

    Every figure of `Result` is also an attribute, once the window has ended.
    """

    def __init__(self, name: Optional[str], exact: bool, meter: Callable[[], Meter]):
        self._name = name
        self._exact = exact
        self._meter = meter
        self._window: Optional[Window] = None
        self.result: Optional[Result] = None

    def phase(self, name: Optional[str]) -> None:
        """As `Window.phase`."""
        self._open().phase(name)

    def peek(self) -> Result:
        """As `Window.peek`."""
        return self._open().peek()

    def _open(self) -> Window:
        if self._window is None:
            raise Error("the window is not open", "use it inside `with`", 2)
        return self._window

    def __enter__(self) -> "Measure":
        if self._window is not None:
            raise Error(
                "the window is open already", "nest another modicum.measure()", 1
            )
        self._window = self._meter().begin(self._name or "window", self._exact)
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        window, self._window = self._open(), None
        self.result = window.end(0 if kind is None else 1)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        name = self._name or function.__qualname__

        def again() -> Measure:
            return Measure(name, self._exact, self._meter)

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapped(*args: Any, **kwargs: Any) -> Any:
                with again() as one:
                    value = await function(*args, **kwargs)
                wrapped.result = one.result  # type: ignore[attr-defined]
                return value

        else:

            @functools.wraps(function)
            def wrapped(*args: Any, **kwargs: Any) -> Any:
                with again() as one:
                    value = function(*args, **kwargs)
                wrapped.result = one.result  # type: ignore[attr-defined]
                return value

        wrapped.result = None  # type: ignore[attr-defined]
        return wrapped

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(Result, name):
            raise AttributeError(name)
        if self.result is None:
            raise Error(
                f"{name} is not known before the window has ended",
                "read it after `with`, or use peek()",
                2,
            )
        return getattr(self.result, name)

    def __str__(self) -> str:
        return repr(self) if self.result is None else str(self.result)


def _measured(name: Any, exact: bool, meter: Callable[[], Meter]) -> Any:
    if callable(name):  # used as a bare @measure
        return Measure(None, exact, meter)(name)
    return Measure(name, exact, meter)


def measure(
    name: Union[str, Callable[..., Any], None] = None, exact: bool = False
) -> Any:
    """Measures a block or a function, with the default meter.

        with modicum.measure("train") as m:
            m.phase("load")
            ...
        m.energy, m.carbon, m.phases

        @modicum.measure("step")    # or a bare @modicum.measure
        def step(): ...
        step.result                 # of the last call that returned

    A block that raises is recorded as failed, and raises. `exact` reads the
    sensors as the window opens, and waits for them.
    """
    return _measured(name, exact, default_meter)
