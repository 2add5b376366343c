"""A logged learning rate as levels: stretches that print the same value, and where between two lines it changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SAME = 1e-5  # relative: what float32 and a sum of rounding errors can do to one and the same rate


class Level(NamedTuple):
    """One rate, from its first to its last logged x, over `points` logged values."""

    value: float
    first: float
    last: float
    points: int


@dataclass(frozen=True)
class Grid:
    """Where rates were logged: `unit` of x, the usual `interval` between two lines, and whether x counts what was done
    before the line's own update (`before`: a first line at 0) or up to and including it."""

    unit: str
    interval: float
    before: bool


@dataclass(frozen=True)
class Change:
    """A jump of the rate at `at`, the last x trained at the old rate."""

    at: float
    before: float
    after: float


@dataclass(frozen=True)
class Shape:
    """A kind of schedule with its parameters; `changes` are the jumps of a piecewise constant one."""

    kind: str
    parameters: Mapping[str, float | str | list[float]] = field(default_factory=dict)
    warm_up: float = 0.0
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Rates:
    """A logged rate: values at x (shape (n,) each), the unit of their last digit, their levels, and the run's end."""

    x: Floats
    value: Floats
    resolution: Floats
    levels: tuple[Level, ...]
    grid: Grid
    end: float

    @cached_property
    def heights(self) -> Floats:
        """The rate of each level."""
        return np.array([level.value for level in self.levels])

    @cached_property
    def places(self) -> list[float]:
        """For each change of level the last x trained at the old rate."""
        return places(self.levels, self.grid)

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """For each change of level the last line before and the first line after it."""
        return [(a.last, b.first) for a, b in pairwise(self.levels)]

    @property
    def digit(self) -> float:
        """The unit of the last digit of the larger half of the rates."""
        return float(np.median(self.resolution[self.value >= np.median(self.value)]))

    def between(self, first: int, last: int) -> Rates:
        """The part from level `first` to level `last`, both included."""
        keep = (self.x >= self.levels[first].first) & (self.x <= self.levels[last].last)
        part = self.levels[first : last + 1]
        return replace(self, x=self.x[keep], value=self.value[keep], resolution=self.resolution[keep], levels=part)


def read_rates(x: Floats, values: Floats, unit: str, end: float) -> tuple[Rates, int]:
    """Rates logged at ascending x (shape (n,), finite) as levels without flips, and the number of flips removed."""
    value = clean(values)
    grid = grid_of(x, unit)
    found, flips = without_flips(levels(x, value), grid)
    return Rates(x, value, resolution(value), tuple(found), grid, max(end, float(x[-1]))), flips


def clean(values: Floats) -> Floats:
    """Rates without the dust of float32 and of products of factors: 0.0010000000475 → 0.001, shape (n,)."""
    single = values.astype(np.float32).astype(np.float64)
    digits = 7 if np.array_equal(single, values) else 12
    return np.array([float(f"{value:.{digits}g}") for value in values])


def resolution(values: Floats) -> Floats:
    """The unit of the last digit each rate was printed with, shape (n,): the finer of fixed decimals and of fixed
    significant digits, as far as all values agree with either."""
    decimals = next((n for n in range(9) if np.allclose(values, np.round(values, n), rtol=1e-9, atol=1e-12)), 15)
    digits = next((n for n in range(1, 9) if _rounded(values, n)), 12)
    return np.where(values > 0, np.minimum(10.0**-decimals, _last_digit(values, digits)), 10.0**-decimals)


def _last_digit(values: Floats, digits: int) -> Floats:
    """The unit of the last of so many significant digits."""
    return np.asarray(10.0 ** (np.floor(np.log10(np.maximum(values, 1e-300))) - digits + 1))


def _rounded(values: Floats, digits: int) -> bool:
    """Whether so many significant digits say all there is to say."""
    unit = _last_digit(np.abs(values), digits)
    return bool(np.all(np.abs(np.round(values / unit) * unit - values) <= 1e-9 * np.abs(values)))


def grid_of(x: Floats, unit: str) -> Grid:
    """How densely the rate was logged (x ascending)."""
    steps = np.diff(x)
    interval = float(np.median(steps[steps > 0])) if np.any(steps > 0) else math.inf
    return Grid(unit, interval, bool(len(x) and x[0] < 0.5 * interval))


def levels(x: Floats, values: Floats) -> list[Level]:
    """Stretches of one rate, in order of x."""
    if not len(values):
        return []
    same = np.abs(np.diff(values)) <= SAME * np.maximum(np.abs(values[1:]), np.abs(values[:-1]))
    starts = np.concatenate(([0], np.flatnonzero(~same) + 1))
    ends = np.concatenate((starts[1:], [len(values)]))
    columns = (values[starts], x[starts], x[ends - 1], ends - starts)
    return [Level(*level) for level in zip(*(column.tolist() for column in columns), strict=True)]


def without_flips(found: Sequence[Level], grid: Grid) -> tuple[list[Level], int]:
    """Levels without those that leave a rate for one epoch (one line) and come straight back to it, and their number.

    Two callbacks that set the rate in turn leave such marks. Upward ones go first, so that a rate that falls, comes
    back for an epoch and falls again counts from its first fall.
    """
    kept, removed = list(found), 0
    if not any(before.value == after.value for before, after in zip(found, found[2:], strict=False)):
        return kept, 0
    for upward in (True, False):
        index = 1
        while index < len(kept) - 1:
            if _is_flip(kept, index, upward, grid):
                before, after = kept[index - 1], kept[index + 1]
                joined = before._replace(last=after.last, points=before.points + kept[index].points + after.points)
                kept[index - 1 : index + 2] = [joined]
                removed += 1
                index = max(index - 1, 1)
            else:
                index += 1
    return kept, removed


def _is_flip(found: Sequence[Level], index: int, upward: bool, grid: Grid) -> bool:
    before, level, after = found[index - 1 : index + 2]
    short = level.points == 1 or (grid.unit == "epoch" and after.first - before.last <= 1.01 + grid.interval)
    long_beside = max(before.points, after.points) >= 4 * level.points
    return short and long_beside and before.value == after.value and (level.value > before.value) == upward


def places(found: Sequence[Level], grid: Grid) -> list[float]:
    """For each change the last x trained at the old rate.

    Between two lines stands at most an interval of choice. Schedules change at whole epochs: where one lies in the
    interval it is taken; in a wide interval the one that gives all levels the same length, else the roundest.
    """
    if _only_changes(found, grid):
        return [level.first for level in found[1:]]
    gaps = [(a.last, b.first) for a, b in pairwise(found)]
    unclear = len(gaps) > 1 and (grid.unit != "epoch" or any(len(_choices(*gap, grid)) > 1 for gap in gaps))
    if unclear and (length := common_length(gaps, grid)) is not None:
        return [length * (k + 1) for k in range(len(gaps))]
    return [_place(low, high, grid) for low, high in gaps]


def _only_changes(found: Sequence[Level], grid: Grid) -> bool:
    """A rate written only when it changes: each value once, with long silence between."""
    return 1 < len(found) <= 12 and all(level.points == 1 for level in found) and grid.interval > 1.5


def _place(low: float, high: float, grid: Grid) -> float:
    epochs = _choices(low, high, grid) if grid.unit == "epoch" else range(0)
    if not epochs:
        return high if grid.before else low
    return float(max(epochs, key=lambda epoch: (_roundness(epoch), epoch if grid.before else -epoch)))


def _choices(low: float, high: float, grid: Grid) -> range:
    """Whole epochs at which the rate can have changed between two lines; of two at both ends only the likelier."""
    first, last = math.ceil(low - 1e-6), math.floor(high + 1e-6)
    if last > first and last - first > high - low - 1e-6:
        return range(first + 1, last + 1) if grid.before else range(first, last)
    return range(first, last + 1)


def _roundness(number: int) -> int:
    return next((unit for unit in (100, 50, 20, 10, 5, 2) if number and number % unit == 0), 1)


def common_length(gaps: Sequence[tuple[float, float]], grid: Grid) -> float | None:
    """The length of equal levels, if changes within `gaps` can lie at 1, 2, 3 … times one length; else None."""
    slack = 1e-6 * gaps[-1][1]
    low = max(a / (k + 1) for k, (a, _) in enumerate(gaps)) - slack
    high = min(b / (k + 1) for k, (_, b) in enumerate(gaps)) + slack
    if low > high:
        return None
    first, last = math.ceil(low), math.floor(high)
    if first <= last and grid.unit != "index":
        whole = range(first, last + 1, max(1, (last - first) // 5000))
        return float(max(whole, key=lambda n: (_roundness(n), n if grid.before else -n)))
    return high - slack if grid.before else low + slack
