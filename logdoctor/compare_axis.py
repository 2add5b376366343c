"""One axis for several runs: epochs if all know them, else steps, else hours, else simply value by value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from logdoctor.errors import LogDoctorError
from logdoctor.run import Curve, Floats, Run

UNITS = ("epoch", "step", "hour", "index")
CHOICES = {"epoch": "epoch", "step": "step", "time": "hour"}  # as the command line calls them


@dataclass(frozen=True)
class SharedAxis:
    """`unit`: epoch, step, hour (since a run's first value) or index (n-th value). `left_out`: runs, and why."""

    unit: str
    runs: tuple[Run, ...]
    left_out: tuple[str, ...] = ()


def share_axis(runs: Sequence[Run], wanted: str | None = None) -> SharedAxis:
    """The axis `wanted` (epoch, step or time), else the first that all runs have, else the one most runs have.

    Errors: LogDoctorError where fewer than two runs have the axis wanted.
    """
    judged = [run for run in runs if _judged(run)]
    if wanted is not None:
        return _insisted(judged, runs, wanted)
    counts = {unit: sum(has_axis(run, unit) for run in judged) for unit in UNITS[:-1]}
    most = max(counts.values(), default=0)
    unit = next((unit for unit, count in counts.items() if count == most), "index") if most > 1 else "index"
    return _shared(judged, runs, unit)


def _insisted(judged: Sequence[Run], runs: Sequence[Run], wanted: str) -> SharedAxis:
    shared = _shared(judged, runs, CHOICES[wanted])
    if len(shared.runs) < 2:
        raise LogDoctorError(
            f"--axis {wanted}: fewer than two runs can be placed on it; {'; '.join(shared.left_out)}. "
            'Choose another axis, or give --steps-per-epoch (for one run in logdoctor.toml under [runs."NAME"])'
        )
    return shared


def _shared(judged: Sequence[Run], runs: Sequence[Run], unit: str) -> SharedAxis:
    placed = tuple(run for run in judged if has_axis(run, unit))
    missing = [run for run in runs if not any(run is other for other in placed)]
    return SharedAxis(unit, placed, tuple(_reason(run, unit) for run in missing))


def _reason(run: Run, unit: str) -> str:
    if not _judged(run):
        return f"{run.name} has no loss"
    lacks = {"epoch": "does not tell its epochs", "step": "does not tell its steps", "hour": "does not tell the time"}
    return f"{run.name} {lacks.get(unit, 'has no place')}"


def _judged(run: Run) -> list[Curve]:
    curves = (run.train, run.val, run.val_metric)
    return [curve for curve in curves if curve is not None and curve.finite.any()]


def has_axis(run: Run, unit: str) -> bool:
    """Whether any curve that the run is judged by can be placed."""
    return any(on_axis(curve, run, unit) is not None for curve in _judged(run))


def on_axis(curve: Curve, run: Run, unit: str) -> Curve | None:
    """The curve with x in `unit`, ascending, values without a place left out; None where the log does not tell it."""
    x = _position(curve, run, unit)
    order = np.argsort(x, kind="stable")
    order = order[np.isfinite(x[order])]
    if len(order) < len(x) / 2 or not len(order):
        return None
    arrays = {name: getattr(curve, name)[order] for name in ("value", "step", "wall_time", "source", "line")}
    return replace(curve, x=x[order], **arrays)


def _position(curve: Curve, run: Run, unit: str) -> Floats:
    if unit == "index":
        return np.arange(1.0, len(curve) + 1)
    if unit == "step":
        return curve.x if run.axis.unit == "step" else curve.step
    if unit == "hour":
        return (curve.wall_time - _began(run)) / 3600
    return curve.x if run.axis.unit == "epoch" else np.full(len(curve), np.nan)


def _began(run: Run) -> float:
    """The first wall time of the run, POSIX seconds; NaN without any."""
    times = [float(np.nanmin(c.wall_time)) for c in run.curves if np.isfinite(c.wall_time).any()]
    return min(times, default=float("nan"))
