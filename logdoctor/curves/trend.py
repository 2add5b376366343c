"""The level a falling loss has reached: estimates that may only fall, so that noise cannot look like progress twice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from logdoctor.curves.noise import noise, robust_sigma
from logdoctor.curves.smoothing import moving_line, without_spikes

Floats = npt.NDArray[np.float64]

NOISY = 0.03  # of the scale: above it isotonic regression takes noise at the end for a fall
DECAY_TIMES = 8
REWEIGHTINGS = 4


def falling_trend(x: Floats, y: Floats, count: Floats, scale: float) -> Floats:
    """The non-increasing trend of one learning-rate segment, shape (n,).

    Quiet curves (noise under 3 % of `scale`, the fall one cares about): median of three, light smoothing, isotonic
    regression, which follows any shape. Noisy ones: a sum of decaying exponentials and a falling line, fitted
    robustly with `count` points a bin as weights, which cannot bend to a lucky last point.
    """
    if len(y) < 6 or not noise(y) > NOISY * scale:
        return isotonic(_lightly_smoothed(y))
    return decay(x, y, count)


def isotonic(y: Floats) -> Floats:
    """The non-increasing sequence nearest to `y` in least squares (pool adjacent violators)."""
    sums: list[float] = []
    sizes: list[int] = []
    for value in y:
        sums.append(float(value))
        sizes.append(1)
        while len(sums) > 1 and sums[-2] * sizes[-1] < sums[-1] * sizes[-2]:
            sums[-2:] = [sums[-2] + sums[-1]]
            sizes[-2:] = [sizes[-2] + sizes[-1]]
    return np.repeat(np.array(sums) / np.array(sizes), sizes)


def decay(x: Floats, y: Floats, count: Floats) -> Floats:
    """A sum of decaying exponentials, a falling line and a constant with non-negative weights, fitted robustly."""
    length = float(x[-1] - x[0])
    times = np.geomspace(length / len(x), 1.5 * length, DECAY_TIMES)
    shapes = [np.exp(-(x - x[0]) / time) for time in times]
    design = np.column_stack([*shapes, (x[-1] - x) / length, np.ones_like(x)])
    floor = float(y.min()) - 3 * float(np.ptp(y))
    weight = np.sqrt(count)
    fit = np.empty_like(y)
    for _ in range(REWEIGHTINGS):
        amounts, _residual = nnls(design * weight[:, None], (y - floor) * weight)
        fit = design @ amounts + floor
        weight = np.sqrt(count * _huber(y - fit))
    return fit


def _huber(residual: Floats) -> Floats:
    """Weights 1 up to 2 σ, falling as 1/|residual| beyond."""
    sigma = max(robust_sigma(residual), 1e-12)
    return np.minimum(1.0, 2 * sigma / np.maximum(np.abs(residual), 1e-12))


def _lightly_smoothed(y: Floats) -> Floats:
    """Spikes out and a moving line over 10 % of the points: enough not to follow single points."""
    return moving_line(without_spikes(y), max(1, round(0.05 * len(y)))) if len(y) >= 5 else y
