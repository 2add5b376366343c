"""A loss curve brought to one value per epoch (or per stretch of steps), ready to be judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from logdoctor.curves.bins import Binned, bin_values
from logdoctor.curves.noise import noise
from logdoctor.run import Axis, Curve, Floats
from logdoctor_parsers.names import direction, words

MIN_BINS, MAX_BINS = 40, 400
BIN_POINTS = 4  # at least in bins shorter than an epoch; a validation, a mean over a whole set, is enough by itself
RUNNING_WORDS = {"avg", "average", "running", "mean", "smoothed"}


@dataclass(frozen=True)
class Track:
    """A curve and its bins, finite values only. `x`: right edges, `y`: values, `count`: points a bin; shape (n,).

    Lower is better in `y`: a metric such as accuracy is negated, and `shown` turns a level back. `running`: the values
    are running means within an epoch. `role`: train or validation.
    """

    curve: Curve
    bins: Binned
    width: float
    role: str
    running: bool = False
    sign: int = 1

    @property
    def x(self) -> Floats:
        return self.bins.x

    @property
    def y(self) -> Floats:
        return self.bins.y

    @property
    def count(self) -> Floats:
        return self.bins.count

    def __len__(self) -> int:
        return len(self.bins)

    @property
    def name(self) -> str:
        """What it is in words: `train loss`, `validation accuracy`."""
        return f"{self.role} {self.curve.metric}"

    @property
    def is_loss(self) -> bool:
        """Whether lower is better in the curve as logged."""
        return self.sign > 0

    def shown(self, level: float) -> str:
        """A level of `y` as the log would print it."""
        return f"{self.sign * level:.4g}"

    @cached_property
    def noise(self) -> float:
        """σ of the scatter between bins; NaN for fewer than three."""
        return noise(self.y)

    @cached_property
    def first(self) -> float:
        """The loss of the first epoch: the first bin, averaged with the next where it holds but a point or two.

        One batch logged at the very first step shows the untrained model, not the epoch.
        """
        return float(self.y[:2].mean() if self.count[0] < 3 <= len(self) and self.early_point else self.y[0])

    @property
    def early_point(self) -> bool:
        """Whether the first bin's points lie at its beginning."""
        return bool(self.curve.x[self.curve.finite][0] < 0.5 * self.width)


def track(curve: Curve | None, role: str, axis: Axis, cadence: float | None = None) -> Track | None:
    """Bins of an epoch each; where epochs are unknown of `cadence` (distance between validations), or about 150.

    Runs of under ten epochs get finer bins as far as there are points, runs of over 400 coarser ones. A validation
    before the first update tells of no epoch and is left out. None without a finite value.
    """
    if curve is None or not curve.finite.any():
        return None
    x, y = curve.x[curve.finite], curve.value[curve.finite]
    if role == "validation" and len(x) > 1 and x[0] <= 0 and axis.unit != "index":
        x, y = x[1:], y[1:]
    points = 1 if role == "validation" else BIN_POINTS
    width = _epoch_width(x, points) if axis.unit == "epoch" else _step_width(x, cadence)
    running = is_running(curve)
    sign = -1 if direction(curve.metric) > 0 else 1
    bins = bin_values(x, sign * y, width, running=running)
    return Track(curve, bins, width, role, running, sign)


def is_running(curve: Curve) -> bool:
    """Whether the tag says that the values are means over the epoch so far."""
    return bool(RUNNING_WORDS & set(words(curve.tag)))


def _epoch_width(x: Floats, points: int) -> float:
    epochs = max(float(x[-1]), 1e-9)
    if epochs >= 10:
        return float(math.ceil(epochs / MAX_BINS))
    a_bin = points if epochs >= 1 else max(1.0, points / 2)
    finer = min(len(x) / epochs / a_bin, MIN_BINS / epochs)
    return 1.0 / max(1, math.floor(finer))


def _step_width(x: Floats, cadence: float | None) -> float:
    gap = float(np.median(np.diff(x))) if len(x) > 1 else 1.0
    length = max(float(x[-1] - x[0]), gap)
    if cadence and 10 <= length / cadence <= MAX_BINS and cadence >= gap:
        return cadence
    return max(gap, length / 150, 1e-9)
