"""Did a loss become non-finite, or leave its level for good?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logdoctor.finding import Evidence
from logdoctor.run import Curve, Floats
from logdoctor_parsers.names import direction

CAFFE_LARGEST = 87.3365  # −log(FLT_MIN): what Caffe's softmax loss prints when it has overflowed
MIN_HEALTHY_POINTS = 3
RISE = 0.3  # of the loss's own scale, above the start
END_SHARE = 0.1


@dataclass(frozen=True)
class Break:
    """The first non-finite value of a loss: which curve, where."""

    curve: Curve
    index: int

    @property
    def x(self) -> float:
        return float(self.curve.x[self.index])

    @property
    def evidence(self) -> Evidence:
        return self.curve.evidence(self.index, f"{self.curve.tag} = {self.curve.value[self.index]:g}")


@dataclass(frozen=True)
class Departure:
    """`non_finite`: the first non-finite loss. `diverged`: the loss left its level for good, from `since` on.

    `start` and `end`: the first logged value and the level it ended at (NaN where there is none).
    """

    non_finite: Break | None = None
    diverged: bool = False
    since: float | None = None
    start: float = float("nan")
    end: float = float("nan")
    curve: Curve | None = None


def find_departure(losses: Sequence[Curve], val: Curve | None) -> Departure:
    """Judge all loss curves for non-finite values, and the first (the train loss) for its final level."""
    broken = first_break(losses)
    if not losses:
        return Departure()
    curve = losses[0]
    healthy = curve.finite & (curve.x < broken.x if broken else True)
    values, x = curve.value[healthy], curve.x[healthy]
    if broken and len(values) < MIN_HEALTHY_POINTS:
        return Departure(broken, True, broken.x, *_ends(values), curve)
    start, end = _ends(values)
    bound = start + RISE * max(abs(start), start - float(values.min())) if len(values) else float("nan")
    risen = end > bound and not (broken is None and _val_fell(val))
    since = _left_at(x, values, bound) if risen else None
    return Departure(broken, risen, since, start, end, curve)


def first_break(losses: Sequence[Curve]) -> Break | None:
    """The earliest non-finite value among the curves; Caffe's overflow value, when a loss stays there, counts too."""
    found = []
    for curve in losses:
        bad = ~curve.finite | (stuck_at_largest(curve.value) if curve.metric == "loss" else False)
        if bad.any():
            found.append(Break(curve, int(np.argmax(bad))))
    return min(found, key=lambda item: item.x, default=None)


def stuck_at_largest(values: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a loss stands at Caffe's overflow value; nowhere unless it ends there."""
    stuck = np.abs(values - CAFFE_LARGEST) < 1e-3
    return stuck if len(values) and stuck[-1] else np.zeros(len(values), dtype=bool)


def _ends(values: Floats) -> tuple[float, float]:
    """First value, and median of the last 10 %."""
    if not len(values):
        return float("nan"), float("nan")
    return float(values[0]), float(np.median(values[-max(1, round(END_SHARE * len(values))) :]))


def _val_fell(val: Curve | None) -> bool:
    """Whether the validation loss ended below its start: then a higher train loss is a matter of order or load."""
    if val is None or direction(val.metric) >= 0 or val.finite.sum() < 2:
        return False
    start, end = _ends(val.value[val.finite])
    return end < start


def _left_at(x: Floats, values: Floats, bound: float) -> float:
    """Last x at or below `bound`: from there on the loss stayed above (but for the noise of the last points)."""
    settled = max(1, round(END_SHARE * len(values)))
    below = np.flatnonzero(values[:-settled] <= bound)
    return float(x[below[-1]]) if len(below) else float(x[0])
