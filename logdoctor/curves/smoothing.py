"""Smoothing for the eye: the automatic smoother of the plots, and TensorBoard's by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from logdoctor.curves.noise import robust_sigma

Floats = npt.NDArray[np.float64]

OUTLIER_SIGMAS = 4.0
MIN_SHARE, MAX_SHARE = 0.01, 0.25  # of a segment: the narrowest and the widest window tried


def smooth(x: Floats, y: Floats, breaks: Sequence[float] = (), min_share: float = MIN_SHARE) -> Floats:
    """A smooth curve through `y`, shape (n,), NaN where `y` is not finite; linear time.

    Local straight lines in a moving window, whose width generalised cross-validation chooses; single spikes are set
    aside first. Nothing is smoothed across `breaks` (learning-rate drops): x ≤ break belongs to the left side.
    `min_share`: of a segment, the narrowest window tried.
    """
    result = np.full(len(y), np.nan)
    finite = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    parts = np.split(finite, np.searchsorted(x[finite], sorted(breaks), side="right"))
    for part in parts:
        if len(part):
            result[part] = _smooth_segment(y[part], min_share)
    return result


def ema(values: Floats, weight: float) -> Floats:
    """TensorBoard's smoothing: exponential moving average with its debiasing, NaN-tolerant. `weight` in [0, 1)."""
    result = np.full(len(values), np.nan)
    last, norm = 0.0, 0.0
    for i in np.flatnonzero(np.isfinite(values)):
        last = weight * last + (1 - weight) * values[i]
        norm = weight * norm + (1 - weight)
        result[i] = last / norm
    return result


def without_spikes(y: Floats) -> Floats:
    """`y` with points far from the median of their neighbours (five points) replaced by that median."""
    if len(y) < 5:
        return y
    padded = np.concatenate((y[:1], y[:1], y, y[-1:], y[-1:]))
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    middle[[0, -1]] = y[[0, -1]]
    far = np.abs(y - middle) > OUTLIER_SIGMAS * robust_sigma(y - middle)
    return np.where(far, middle, y)


def moving_line(y: Floats, half: int) -> Floats:
    """Value at each point of the straight line fitted to the 2·half+1 points around it; windows shrink at the ends."""
    n = len(y)
    t = np.arange(n, dtype=np.float64)
    left, right = np.maximum(np.arange(n) - half, 0), np.minimum(np.arange(n) + half + 1, n)
    level = float(y.mean())
    s0 = (right - left).astype(np.float64)
    s1, s2, sy, sty = (_window_sums(v, left, right) for v in (t, t * t, y - level, t * (y - level)))
    mean_t, mean_y = s1 / s0, sy / s0
    spread = s2 - s0 * mean_t**2
    slope = np.divide(sty - s0 * mean_t * mean_y, spread, out=np.zeros(n), where=spread > 1e-9)
    return level + mean_y + slope * (t - mean_t)


def _window_sums(values: Floats, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> Floats:
    total = np.concatenate(([0.0], np.cumsum(values)))
    sums: Floats = total[right] - total[left]
    return sums


def _smooth_segment(y: Floats, min_share: float) -> Floats:
    n = len(y)
    if n < 5:
        return y.copy()
    clean = without_spikes(y)
    halves = sorted({max(1, round(h)) for h in np.geomspace(max(1, n * min_share / 2), max(2, MAX_SHARE * n / 2), 8)})
    fits = [moving_line(clean, half) for half in halves]
    costs = [_cross_validation(clean, fit, half) for fit, half in zip(fits, halves, strict=True)]
    return fits[int(np.argmin(costs))]


def _cross_validation(y: Floats, fit: Floats, half: int) -> float:
    """Generalised cross-validation: residual power over the squared share of freedom left."""
    freedom = 1 - min(0.95, 1.5 / (2 * half + 1))
    return float(np.mean((y - fit) ** 2)) / freedom**2
