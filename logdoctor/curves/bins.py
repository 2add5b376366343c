"""Bringing a series to one value per bin of the axis (an epoch, a stretch of steps)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Binned:
    """One value per bin that holds a finite point: right edge, value and number of points, shape (n,) each."""

    x: Floats
    y: Floats
    count: Floats

    def __len__(self) -> int:
        return len(self.x)


def bin_values(x: Floats, y: Floats, width: float, *, running: bool = False) -> Binned:
    """Mean of the finite values in each bin ((k−1)·width, k·width]; bins without any are left out.

    `running`: the values are running means that start anew in each bin, so the last one stands for the bin.
    A series that starts at exactly 0 counts from 0: its point on an edge is the first of the next bin.
    """
    finite = np.isfinite(y) & np.isfinite(x)
    x, y = x[finite], y[finite]
    if not len(x):
        empty = np.empty(0)
        return Binned(empty, empty, empty)
    at = x / width
    from_zero = x[0] == 0 and width > typical_gap(x) > 0
    edge = np.floor(at + 1e-6) + 1 if from_zero else np.ceil(at - 1e-6)
    index = np.maximum(edge, 1).astype(np.int64)
    bins, start, count = np.unique(index, return_index=True, return_counts=True)
    value = y[start + count - 1] if running else np.add.reduceat(y, start) / count
    return Binned(np.minimum(bins * width, max(x[-1], width)), value, count.astype(np.float64))


def typical_gap(x: Floats) -> float:
    """The median distance between neighbours, 0 for fewer than two points."""
    return float(np.median(np.diff(x))) if len(x) > 1 else 0.0
