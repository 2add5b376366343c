"""What a plot shows of a curve: limits that outliers cannot squash, log or not, thinning that keeps spikes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOG_RANGE = 30.0  # largest over smallest typical value from which a log scale reads better (about 1.5 decades)
INNER = (2.0, 98.0)  # percentiles that are always inside the picture
FEW = 30  # values; in so few a far first one is the beginning rather than an outlier
REACH, REACH_OF_FEW = 4.0, 20.0  # values this many inner heights outside are drawn as arrows on the edge
GAP_SHARE, GAP_STEPS = 0.05, 20.0  # of the range, and usual distances between values: a gap, not a step
MARGIN = 0.06  # of the height, left free above and below


def helps_log(values: Floats) -> bool:
    """Whether a log scale serves: all finite values positive, the typical ones over 1.5 decades apart."""
    finite = values[np.isfinite(values)]
    if len(finite) < 2 or finite.min() <= 0:
        return False
    low, high = np.percentile(finite, INNER)
    return bool(high / low > LOG_RANGE)


def limits(values: Floats, *, log: bool) -> tuple[float, float]:
    """Lower and upper limit of the y axis for these values; far outliers stay outside."""
    shown = values[np.isfinite(values) & ((values > 0) if log else True)]
    if not len(shown):
        return (0.1, 1.0) if log else (0.0, 1.0)
    shown = np.log10(shown) if log else shown
    inner_low = float(np.percentile(shown, INNER[0], method="higher"))
    inner_high = float(np.percentile(shown, INNER[1], method="lower"))
    inner_low, inner_high = min(inner_low, inner_high), max(inner_low, inner_high)
    reach = (REACH if len(shown) > FEW else REACH_OF_FEW) * (inner_high - inner_low)
    near = shown[(shown >= inner_low - reach) & (shown <= inner_high + reach)] if reach > 0 else shown
    low, high = float(near.min()), float(near.max())
    height = (high - low) or abs(high) or 1.0
    low, high = low - MARGIN * height, high + MARGIN * height
    return (10**low, 10**high) if log else (low, high)


def thin(x: Floats, y: Floats, columns: int) -> tuple[Floats, Floats]:
    """At most four points for each of `columns` pixel columns (see `thin_places`)."""
    chosen = thin_places(x, y, columns)
    return x[chosen], y[chosen]


def parted(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The points with a NaN in each wide gap: where nothing was logged no line is drawn."""
    steps = np.diff(x)
    if len(steps) < FEW or not (steps > 0).any():
        return x, y
    wide = np.flatnonzero((steps > GAP_SHARE * (x[-1] - x[0])) & (steps > GAP_STEPS * np.median(steps[steps > 0])))
    return np.insert(x, wide + 1, np.nan), np.insert(y, wide + 1, np.nan)


def thin_places(x: Floats, y: Floats, columns: int) -> Ints:
    """Which points to draw: of each of `columns` pixel columns first, lowest, highest, last, in order of x.

    Nothing a screen could show is lost, single spikes least of all. NaN is left out; x must be ascending.
    """
    kept = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    x, y = x[kept], y[kept]
    if len(x) <= 4 * columns or x[-1] <= x[0]:
        return kept
    column = np.minimum((columns * (x - x[0]) / (x[-1] - x[0])).astype(np.int64), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(starts[1:], len(x)) - 1
    order = np.lexsort((y, column))  # within a column by value: the first is the lowest, the last the highest
    return np.asarray(kept[np.unique(np.concatenate((starts, ends, order[starts], order[ends])))])
