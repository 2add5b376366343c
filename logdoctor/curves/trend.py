"""The level a falling loss has reached: estimates that may only fall, so that noise does not look like progress."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from logdoctor.curves.noise import robust_sigma
from logdoctor.curves.smoothing import without_spikes

Floats = npt.NDArray[np.float64]

NOISY = 0.05  # of the scale: above it isotonic regression takes noise at the end for a fall
SMOOTHED_SHARE = 0.1
DECAY_TIMES = 8
REWEIGHTINGS = 4
FAR_SIGMAS = 5.0  # above the trend: a spike
LEAST_SCATTER = 1e-3  # of the height: what a curve without any noise is granted


def falling_trend(x: Floats, y: Floats, count: Floats, sigma: float, scale: float) -> Floats:
    """The non-increasing trend of one learning-rate segment, shape (n,).

    Quiet curves (scatter `sigma` under 5 % of `scale`, the fall one cares about): isotonic regression after light
    smoothing, which follows any shape. Noisy ones: a sum of decaying exponentials and a falling line, fitted robustly
    with `count` points a bin as weights, which cannot bend to a lucky last point. An infinite `scale` always follows
    the shape: right where drops of the rate may hide in the curve.
    """
    smoothed = moving_mean(without_spikes(y), SMOOTHED_SHARE)
    fit, usable = robust_isotonic(smoothed)
    if len(y) >= 6 and sigma > NOISY * scale:
        return decay(x, y, np.where(usable, count, 1e-9))
    return fit


def moving_mean(y: Floats, share: float) -> Floats:
    """Centred mean over `share` of the points (an odd number); the ends are held."""
    width = max(1, round(share * len(y))) // 2 * 2 + 1
    padded = np.pad(y, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")


def robust_isotonic(y: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Isotonic regression without the points far above it (a spike must not lift what follows), and which it used."""
    usable = np.ones(len(y), dtype=bool)
    fit = isotonic(y, usable.astype(np.float64))
    for _ in range(REWEIGHTINGS):
        near = y - fit <= FAR_SIGMAS * max(robust_sigma(y - fit), LEAST_SCATTER * float(np.ptp(y)))
        if np.array_equal(near, usable):
            break
        usable = near
        fit = isotonic(y, np.where(usable, 1.0, 1e-9))
    return fit, usable


def isotonic(y: Floats, weight: Floats) -> Floats:
    """The non-increasing sequence nearest to `y` in weighted least squares (pool adjacent violators)."""
    sums: list[float] = []
    weights: list[float] = []
    sizes: list[int] = []
    for value, amount in zip(y.tolist(), weight.tolist(), strict=True):
        sums.append(value * amount)
        weights.append(amount)
        sizes.append(1)
        while len(sums) > 1 and sums[-2] * weights[-1] < sums[-1] * weights[-2]:
            for column in (sums, weights):
                column[-2:] = [column[-2] + column[-1]]
            sizes[-2:] = [sizes[-2] + sizes[-1]]
    return np.repeat(np.array(sums) / np.array(weights), sizes)


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
