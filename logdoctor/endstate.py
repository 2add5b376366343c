"""Was the training loss still falling when the run ended?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.curves.flatness import TAIL_SHARE, tail_fall
from logdoctor.stretches import Stretch
from logdoctor.tracks import Track

END_SHARE = 0.2  # of the run
SHARE = 0.02  # of the total drop
NOISY = 0.05  # of the total drop: scatter of the train loss that may hide a fall
VAL_SHARE, VAL_T = 0.05, 5.0  # of the validation loss's own drop, and standard errors
MIN_VALIDATIONS = 6
MIN_T, MIN_T_AFTER_DROP = 2.0, 3.0  # after a drop the loss usually falls at once and is flat soon


@dataclass(frozen=True)
class EndState:
    """`fall`: share of the total drop the last 20 % of the run brought. `falling`: over 2 %, and significant.

    `start`: where these 20 % begin (later, where the last learning-rate segment is shorter). `t`: the slope of the
    end in standard errors (positive: falling). `borderline`: the fall lies between 1 % and 4 %, or t decides.
    """

    falling: bool
    fall: float
    start: float
    t: float
    borderline: bool


def judge_end(
    last: Stretch, *, length: float, width: float, total: float, after_drop: bool, val: Track | None
) -> EndState:
    """Judge the end of the last learning-rate segment.

    `length`: the run's; `width`: a bin's; `total`: the drop of the whole run. A bin's value lags its right edge by
    half a width. The first bin after a drop still holds the transition and is left out (`after_drop`). Where single
    batches are logged their noise hides a fall that the validation loss, a mean over a whole set at fixed weights,
    shows plainly: it can stand in for significance.
    """
    x, trend = last.x, last.flatness.trend
    earliest = float(x[0]) + (width if after_drop and len(x) > 2 else 0.0)
    start = max((1 - END_SHARE) * length + width / 2, earliest)
    fall = float(np.interp(start, x, trend) - trend[-1]) / total if total > 0 else 0.0
    t = tail_fall(x, last.y, last.sigma).t
    needed = MIN_T_AFTER_DROP if after_drop else MIN_T
    backed = not after_drop and t > -MIN_T and last.sigma > NOISY * total and _falls_plainly(val, start)
    falling = fall > SHARE and (t > needed or backed)
    borderline = SHARE / 2 < fall < 2 * SHARE or (fall > SHARE and t < 2 * needed and not backed)
    return EndState(falling, fall, start, t, borderline)


def _falls_plainly(val: Track | None, start: float) -> bool:
    """Whether the validation loss still falls from `start` on, by much and beyond doubt."""
    if val is None or len(val) < MIN_VALIDATIONS:
        return False
    fall = tail_fall(val.x, val.y, val.noise)
    late = (float(val.x[-1]) - start) / (TAIL_SHARE * float(val.x[-1] - val.x[0]))
    return fall.size * late > VAL_SHARE * (val.first - float(val.y.min())) > 0 and fall.t > VAL_T
