"""The bottom of a validation curve and the rise after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor.curves.fits import fit_line
from logdoctor.curves.noise import memory_factor, noise
from logdoctor.curves.smoothing import without_spikes
from logdoctor.curves.trend import moving_mean

Floats = npt.NDArray[np.float64]

SMOOTHED_SHARE = 0.1
END_SHARE = 0.1


@dataclass(frozen=True)
class Valley:
    """`index` and `level`: the lowest point of the smoothed curve. `end`: mean of the last 10 % of the points.

    `z`: the rise from level to end in standard errors; `t`: slope from the bottom on in its standard errors.
    """

    index: int
    level: float
    end: float
    z: float
    t: float

    @property
    def rise(self) -> float:
        return self.end - self.level


def lowest(y: Floats) -> tuple[int, float]:
    """Index and level of the minimum of the smoothed curve (single outliers set aside, mean over 10 %).

    The index is never that of an outlier upwards, whose value is no best one: the nearest other point stands for it.
    """
    cleaned = without_spikes(y)
    smoothed = moving_mean(cleaned, SMOOTHED_SHARE)
    index = int(np.argmin(smoothed))
    usual = np.flatnonzero(y <= cleaned)
    nearest = int(usual[np.argmin(np.abs(usual - index))])
    return nearest, float(smoothed[index])


def find_valley(x: Floats, y: Floats) -> Valley:
    """Bottom, end and significance of the rise; x, y of shape (n,), n ≥ 3."""
    index, level = lowest(y)
    last = max(1, round(END_SHARE * len(y)))
    end = float(np.mean(y[-last:]))
    error = noise(y) * (2 / last) ** 0.5 * memory_factor(y - moving_mean(y, 2 * SMOOTHED_SHARE))
    z = (end - level) / error if error > 0 else float(np.copysign(np.inf, end - level))
    t = fit_line(x[index:], y[index:]).t if len(y) - index >= 4 else 0.0
    return Valley(index, level, end, float(z), t)
