"""What more epochs at the last rate would bring: an estimate from the end of the train loss, with an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from logdoctor.case import Case
from logdoctor.stretches import Stretch

FURTHER = 0.5  # of the run: the length asked about
WINDOW = 0.2  # of the run: the two stretches before the end whose falls are compared
ERRORS = 1.5  # standard errors of the level added to either side; covers 19 of 20 continued training runs
LEAST = 0.01  # of the total drop: no interval is narrower on either side


@dataclass(frozen=True)
class Forecast:
    """Gain of `length` more axis units at the last rate, in units of the loss: estimate and interval."""

    length: float
    gain: float
    low: float
    high: float


def forecast(case: Case) -> Forecast | None:
    """The forecast for half of the run again; None where nothing was learned, or the end is too short to tell.

    Let d₁, d₂ be the falls of the trend over two equal windows before the end. The estimate goes on by the same ratio
    (an exponential fall), the upper end of the interval as a power law does, whose fall per epoch shrinks as 1/x.
    """
    if case.train is None or case.departure.diverged or not case.total_drop > 0:
        return None
    last = case.stretches[-1]
    start = max(float(last.x[0]), (1 - 2 * WINDOW) * case.length)
    window = (case.length - start) / 2
    if len(last.x) < 4 or window <= 0:
        return None
    length = FURTHER * case.length
    first, second = _falls(last, start, case.length - window)
    ratio = min(second / first, 1.0) if first > 0 else 1.0
    exponential = second * _geometric_sum(ratio, length / window)
    power = second * math.log(1 + FURTHER) / -math.log1p(-window / case.length)
    margin = ERRORS * _level_error(last) + LEAST * case.total_drop
    return Forecast(length, exponential, min(exponential, 0.0) - margin, max(power, exponential) + margin)


def _falls(last: Stretch, start: float, middle: float) -> tuple[float, float]:
    """Falls of the trend from `start` to `middle` and from there to the end."""
    trend = last.flatness.trend
    at_start, at_middle = (float(np.interp(x, last.x, trend)) for x in (start, middle))
    return at_start - at_middle, at_middle - float(trend[-1])


def _geometric_sum(ratio: float, terms: float) -> float:
    """ratio + ratio² + … over a number of terms that need not be whole."""
    return terms if ratio > 0.999 else ratio * (1 - ratio**terms) / (1 - ratio)


def _level_error(last: Stretch) -> float:
    """Standard error of a difference of two levels, each a mean over a tenth of the segment."""
    return 2 * last.sigma / math.sqrt(max(2.0, 0.1 * len(last.x)))
