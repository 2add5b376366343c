"""How far a run is: what it planned, what it did, and whether it is still being written."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from logdoctor.case import Case, amount
from logdoctor.run import Curve

PLANNED_STEPS = ("max_iter", "max_steps", "total_steps", "num_train_steps")
PLANNED_EPOCHS = ("epochs", "num_epochs", "max_epochs", "num_train_epochs")
MINUTE, DAY = 60.0, 86_400.0
RUNNING_INTERVALS = 5.0  # of the log's own rhythm: silence that is still usual
STALLED_INTERVALS = 20.0
MIN_MISSING = 0.005  # of the plan: the last few steps are often not logged


@dataclass(frozen=True)
class Plan:
    """`total` and `done` in `unit` (`epoch` or `step`); `grain`: the distance between two logged points."""

    total: float
    done: float
    unit: str
    grain: float

    @property
    def left(self) -> float:
        return self.total - self.done

    @property
    def words(self) -> str:
        return f"{self.unit} {amount(self.done)} of {amount(self.total)} planned"


def plan(case: Case) -> Plan | None:
    """What the log says was planned, against what it shows done; None where it states no plan in the run's units."""
    for names, unit in ((PLANNED_EPOCHS, "epoch"), (PLANNED_STEPS, "step")):
        total = next((number for name in names if (number := _number(case.run.fact(name))) is not None), None)
        done = _done(case, unit) if total is not None else None
        if total is not None and done is not None:
            return Plan(total, done[0], unit, done[1])
    return None


def _number(value: object) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    return float(value) if usable else None  # type: ignore[arg-type]


def _done(case: Case, unit: str) -> tuple[float, float] | None:
    """The last epoch or step of any curve, and the usual distance between points of the densest one."""
    reached = [(column, curve) for curve in case.run.curves if len(column := _column(case, curve, unit))]
    if not reached:
        return None
    dense = max((column for column, _curve in reached), key=len)
    grain = float(np.median(np.diff(dense))) if len(dense) > 1 else 0.0
    return max(float(column.max()) for column, _curve in reached), max(grain, 0.0)


def _column(case: Case, curve: Curve, unit: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if unit == case.unit:
        return curve.x
    return curve.step[np.isfinite(curve.step)] if unit == "step" else np.empty(0)


def rhythm(case: Case) -> float:
    """Seconds between two logged points, the largest usual interval among the curves with times; NaN without times."""
    gaps = [np.diff(curve.wall_time[np.isfinite(curve.wall_time)]) for curve in case.run.curves]
    usual = [float(np.median(gap[gap > 0])) for gap in gaps if (gap > 0).any()]
    return max(usual, default=float("nan"))


def last_written(case: Case) -> float:
    """POSIX seconds of the file's last change or of the last logged time; NaN without both.

    A file changed more than a day after the last time in it was copied or checked out: then the log's time counts.
    """
    times = [float(np.nanmax(c.wall_time)) for c in case.run.curves if np.isfinite(c.wall_time).any()]
    logged, modified = max(times, default=math.nan), case.run.closing.modified
    return logged if modified - logged > DAY or math.isnan(modified) else modified


def running(case: Case, intervals: float = RUNNING_INTERVALS) -> bool:
    """Whether the log was written to within `intervals` of its own rhythm (at least a minute) of now.

    False without times in the log: a fresh file may as well be a copy.
    """
    silence = case.now - last_written(case)
    usual = rhythm(case)
    return bool(math.isfinite(usual) and 0 <= silence <= max(MINUTE, intervals * usual))


def expected_end(case: Case) -> float:
    """When a run that goes on will have done its plan, POSIX seconds; NaN without a plan or times.

    From the pace of its last quarter: the first epochs warm caches up, and evaluations come later.
    """
    planned = plan(case)
    if planned is None or planned.left <= 0:
        return math.nan
    timed = [curve for curve in case.run.curves if np.isfinite(curve.wall_time).sum() > 1]
    if not timed:
        return math.nan
    curve = max(timed, key=len)
    known = np.isfinite(curve.wall_time)
    if planned.unit != case.unit:
        known &= np.isfinite(curve.step)
    done, seconds = (curve.x if planned.unit == case.unit else curve.step)[known], curve.wall_time[known]
    if len(done) < 2:
        return math.nan
    recent = slice(-max(2, len(done) // 4), None)
    gained, took = (float(column[-1] - column[0]) for column in (done[recent], seconds[recent]))
    return float(seconds[-1]) + planned.left * took / gained if gained > 0 and took > 0 else math.nan


def fresh(case: Case) -> bool:
    """Whether the file changed within the last minute: it may be a copy, or still being written."""
    return bool(0 <= case.now - case.run.closing.modified <= MINUTE)


def silent(case: Case, intervals: float = STALLED_INTERVALS) -> bool:
    """Whether the log was written to within a day, but not for `intervals` of its own rhythm (and ten minutes)."""
    silence = case.now - last_written(case)
    usual = rhythm(case)
    return bool(math.isfinite(usual) and max(10 * MINUTE, intervals * usual) < silence < DAY)


def ended_early(case: Case, min_missing: float = MIN_MISSING) -> bool | None:
    """Whether the run ended before its plan by more than a point and a share of it; None without a plan."""
    planned = plan(case)
    return None if planned is None else planned.left > max(min_missing * planned.total, planned.grain)
