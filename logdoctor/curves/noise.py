"""How much of a curve is scatter: estimates that a trend, a few spikes or a memory in the noise do not fool."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAD_TO_SIGMA = 1.4826  # of a normal distribution


def robust_sigma(values: Floats) -> float:
    """Standard deviation about the median, from the median absolute deviation; NaN for no values."""
    if not len(values):
        return float("nan")
    return float(MAD_TO_SIGMA * np.median(np.abs(values - np.median(values))))


def noise(values: Floats, max_lag: int = 3) -> float:
    """σ of the scatter of an evenly spaced curve, NaN for fewer than three finite values.

    Second differences y[i−k] − 2y[i] + y[i+k] remove any straight trend; their median ignores spikes. Noise with a
    memory hides from neighbours (k = 1), so k up to `max_lag` is tried and the largest estimate taken, as far as
    the curve is long enough (8 points a lag) for curvature not to dominate.
    """
    y = values[np.isfinite(values)]
    if len(y) < 3:
        return float("nan")
    lags = range(1, min(max_lag, max(1, len(y) // 8)) + 1)
    return max(_second_difference_sigma(y, lag) for lag in lags)


def _second_difference_sigma(y: Floats, lag: int) -> float:
    bend = y[2 * lag :] - 2 * y[lag:-lag] + y[: -2 * lag]
    return float(MAD_TO_SIGMA * np.median(np.abs(bend)) / np.sqrt(6))


def autocorrelation(residual: Floats) -> float:
    """Lag-one autocorrelation of residuals about a trend, in [0, 0.95]; 0 where fewer than eight are given."""
    if len(residual) < 8:
        return 0.0
    centred = residual - residual.mean()
    power = float(centred @ centred)
    return float(np.clip(centred[1:] @ centred[:-1] / power, 0.0, 0.95)) if power > 0 else 0.0


def memory_factor(residual: Floats) -> float:
    """How much larger the error of a mean is than for independent residuals: √((1+ρ)/(1−ρ))."""
    memory = autocorrelation(residual)
    return float(((1 + memory) / (1 - memory)) ** 0.5)
