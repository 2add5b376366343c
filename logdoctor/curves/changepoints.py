"""Evidence for a sudden change at one place of a curve: a lower learning rate leaves a step, a kink, and less motion.

Everything is asked of points (x, y), shape (n,), x ascending in epochs, about a place c: points up to c belong to the
time before. `floor` is the smallest scatter to believe in, in units of y. Each answer is None where too few points lie
on a side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor.curves.noise import MAD_TO_SIGMA

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST = 3  # points a side
GROWTH = 1.3  # scatter that grows by more is a disturbance, no calming: one common scatter is used


@dataclass(frozen=True)
class Break:
    """Two straight lines against one smooth curve.

    `support`: log of the likelihood ratio; `gap`: by how many σ the second line begins below the end of the first.
    """

    support: float
    gap: float


@dataclass(frozen=True)
class Slowing:
    """A curve that falls epoch by epoch and suddenly hardly moves.

    `ratio`: log of the smallest of three falls before over the largest motion of three epochs after; `surprise`: log of
    how much more the decay so far would still have moved.
    """

    ratio: float
    surprise: float


def break_at(x: Floats, y: Floats, c: float, width: float, floor: float) -> Break | None:
    """Two lines with scatters of their own against one parabola (in x or in log x) over `width` on either side."""
    before, after = _sides(x, c, width)
    if min(len(before), len(after)) < LEAST:
        return None
    line_before, line_after = np.polyfit(x[before], y[before], 1), np.polyfit(x[after], y[after], 1)
    sigma_before = _scatter(y[before] - np.polyval(line_before, x[before]), 2, floor)
    sigma_after = _scatter(y[after] - np.polyval(line_after, x[after]), 2, floor)
    if sigma_after > GROWTH * sigma_before:
        pooled = len(before) * sigma_before**2 + len(after) * sigma_after**2
        sigma_before = sigma_after = math.sqrt(pooled / (len(before) + len(after)))
    both = np.concatenate((before, after))
    sigma_smooth = _scatter(_smooth_residual(x[both], y[both]), 3, floor)
    support = len(both) * math.log(sigma_smooth)
    support -= len(before) * math.log(sigma_before) + len(after) * math.log(sigma_after)
    first = x[after[0]]
    gap = float(np.polyval(line_before, first) - np.polyval(line_after, first)) / sigma_before
    return Break(support, gap)


def turning(x: Floats, y: Floats, c: float, low: float, high: float, floor: float) -> float | None:
    """Log-likelihood, up to a constant, of two lines in (low, high] that part at c, for comparing places.

    The first point after c may be of the transition: then it lies anywhere between the two lines, and counts for how
    far it lies outside, in units of the scatter before.
    """
    inside = (x > low - 1e-9) & (x <= high + 1e-9)
    before, after = np.flatnonzero(inside & (x <= c + 1e-9)), np.flatnonzero(inside & (x > c + 1e-9))
    if min(len(before), len(after) - 1) < LEAST:
        return None
    first, after = after[0], after[1:]
    line_before, line_after = np.polyfit(x[before], y[before], 1), np.polyfit(x[after], y[after], 1)
    sigma_before = _scatter(y[before] - np.polyval(line_before, x[before]), 2, floor)
    sigma_after = _scatter(y[after] - np.polyval(line_after, x[after]), 2, floor)
    below, above = float(np.polyval(line_after, x[first])), float(np.polyval(line_before, x[first]))
    settled = -math.log(sigma_after) - ((float(y[first]) - below) / sigma_after) ** 2 / 2
    outside = max(min(below, above) - float(y[first]), float(y[first]) - max(below, above), 0.0) / sigma_before
    passing = -math.log(max(abs(above - below), sigma_before)) - outside**2 / 2
    return max(settled, passing) - len(before) * math.log(sigma_before) - len(after) * math.log(sigma_after)


def first_surprise(x: Floats, y: Floats, c: float, width: float, floor: float) -> float | None:
    """By how many prediction σ the first point after c lies below the line before it (a rise counts as level)."""
    before, after = _sides(x, c, width)
    if len(before) < LEAST + 1 or len(after) < LEAST - 1:
        return None
    u, v = x[before], y[before]
    slope, level = np.polyfit(u, v, 1)
    slope, level = (0.0, float(v.mean())) if slope > 0 else (slope, level)
    sigma = _scatter(v - (slope * u + level), 2, floor)
    first = after[0]
    leverage = 1 / len(u) + (x[first] - u.mean()) ** 2 / float(np.sum((u - u.mean()) ** 2))
    return float((slope * x[first] + level - y[first]) / (sigma * math.sqrt(1 + leverage)))


def calming(x: Floats, y: Floats, c: float, width: float, floor: float) -> float | None:
    """Log of how much more the curve moved per epoch before c than after the epoch that follows c."""
    steps = np.diff(x)
    moved = steps > 0
    motion = np.log(np.abs(np.diff(y)[moved]) / steps[moved] + floor)
    end = x[1:][moved]
    before = motion[(end <= c + 1e-9) & (end > c - width)]
    after = motion[(end > c + 1 + 1e-9) & (end <= c + 1 + width)]
    return float(before.mean() - after.mean()) if min(len(before), len(after)) >= LEAST else None


def quieting(x: Floats, y: Floats, c: float, width: float, floor: float) -> float | None:
    """Log of the scatter (from second differences, so no trend counts) before c over that after c."""
    before, after = _sides(x, c, width)
    if min(len(before), len(after)) <= LEAST:
        return None
    return math.log((_jitter(y[before]) + floor) / (_jitter(y[after]) + floor))


def _jitter(y: Floats) -> float:
    return float(np.median(np.abs(y[2:] - 2 * y[1:-1] + y[:-2]))) * MAD_TO_SIGMA / math.sqrt(6)


def clearance(x: Floats, y: Floats, c: float) -> float | None:
    """By how much the lowest of the five points up to c lies above the highest of the four after it."""
    before, after = _sides(x, c, 5.0)[0], _sides(x, c, 4.0)[1]
    return float(y[before].min() - y[after].max()) if min(len(before), len(after)) >= LEAST else None


def slowing(x: Floats, y: Floats, c: float, floor: float) -> Slowing | None:
    """Falls of the epochs up to c against the motion of the epochs from c + 1 on."""
    steps = np.diff(x)
    moved = steps > 0
    fall, end = -np.diff(y)[moved] / steps[moved], x[1:][moved]
    before, after = np.flatnonzero(end <= c + 1e-9)[-5:], np.flatnonzero(end > c + 1 + 1e-9)[:4]
    if min(len(before), len(after)) < LEAST:
        return None
    logs = np.log(np.maximum(fall[before], floor))
    decay = np.polyfit(end[before], logs, 1)[0] if len(before) > LEAST else (logs[-1] - logs[0]) / 2
    ahead = float(end[after].mean() - end[before[-2:]].mean())
    expected = float(np.median(logs[-2:])) + min(float(decay), 0.0) * ahead
    smallest = max(float(fall[before[-3:]].min()), floor)
    largest = float(np.abs(fall[after[:3]]).max()) + floor
    return Slowing(math.log(smallest / largest), expected - math.log(float(np.abs(fall[after]).mean()) + floor))


def _sides(x: Floats, c: float, width: float) -> tuple[Ints, Ints]:
    before = np.flatnonzero((x <= c + 1e-9) & (x > c - width - 1e-9))
    after = np.flatnonzero((x > c + 1e-9) & (x <= c + width + 1e-9))
    return before, after


def _scatter(residual: Floats, parameters: int, floor: float) -> float:
    return math.sqrt(float(residual @ residual) / max(len(residual) - parameters, 1) + floor**2)


def _smooth_residual(x: Floats, y: Floats) -> Floats:
    """What a parabola in x, or in log x if that fits better, leaves."""
    residuals = []
    for u in (x, np.log(np.maximum(x, 0.5))):
        scaled = (u - u.mean()) / (float(np.ptp(u)) + 1e-12)
        residuals.append(y - np.polyval(np.polyfit(scaled, y, 2), scaled))
    return min(residuals, key=lambda residual: float(residual @ residual))
