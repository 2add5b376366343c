"""Whether Caffe's smoothed loss is damaged for good.

Caffe updates its mean over the last `average_loss` iterations in float32, by adding the newest and subtracting the
oldest. A huge spike leaves its rounding error behind for ever, and so does one NaN, however well the net does later.
"""

from __future__ import annotations

import numpy as np

from logdoctor_parsers.caffe_scan import Mask
from logdoctor_parsers.contract import Floats

PEAK = 1e4  # a peak this many times the batches' level costs float32 a figure that Caffe prints
MIN_TAIL = 10  # points behind the damage, before the mean is called damaged
NEIGHBOURS = 5  # points on either side among whose batches a sound mean lies
OFF_SHARE = 0.9  # share of those points at which a damaged mean lies outside


def damaged_at(step: Floats, mean: Floats, batch: Floats, window: float) -> int | None:
    """The index of the spike or NaN from which the mean never recovers, None for a sound mean.

    Shape (n,) each, one process, in order: iteration, smoothed loss, loss of the mini-batch at that iteration.
    `window` is average_loss, in iterations. What comes later than that behind the spike is not to feel it any more.
    """
    broken = ~np.isfinite(mean)
    where = int(broken.argmax()) if broken.any() else int(np.abs(mean).argmax())
    tail = step > step[where] + window
    later = batch[tail]
    if len(later) < MIN_TAIL or not np.isfinite(later).all() or len(np.unique(later)) < MIN_TAIL:
        return None
    if broken.any():
        return where if broken[tail].all() else None
    if abs(mean[where]) <= PEAK * np.median(np.abs(later)):
        return None
    reach = max(NEIGHBOURS, round(window / float(np.median(np.diff(step[tail])))))
    return where if np.mean(_outside(mean[tail], later, reach)) >= OFF_SHARE else None


def _outside(mean: Floats, batch: Floats, reach: int) -> Mask:
    """Where the mean lies outside the range of the batches `reach` points around, by more than that range."""
    padded = np.pad(batch, reach, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    low, high = around.min(axis=1), around.max(axis=1)
    return np.asarray((mean < 2 * low - high) | (mean > 2 * high - low))
