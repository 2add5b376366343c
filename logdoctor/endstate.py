"""Was the training loss still falling when the run ended?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.curves.fits import fit_line
from logdoctor.curves.noise import noise
from logdoctor.run import Floats

END_SHARE = 0.2  # of the run
SHARE = 0.02  # of the total drop
NOISY = 0.02  # of the total drop: from here on the fall must also be significant
TAIL_SHARE = 0.45  # of the last learning-rate segment, over which significance is asked
MIN_T = 1.5


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
    x: Floats, y: Floats, trend: Floats, length: float, width: float, total: float, after_drop: bool
) -> EndState:
    """Judge the end of the last learning-rate segment.

    x, y, trend: its bins, shape (n,); `length`: the run's; `width`: a bin's; `total`: the drop of the whole run.
    A bin's value lags its right edge by half a width. The first bin after a drop still holds the transition and is
    left out (`after_drop`).
    """
    earliest = x[0] + (width if after_drop and len(x) > 2 else 0.0)
    start = max((1 - END_SHARE) * length + width / 2, float(earliest))
    fall = float(np.interp(start, x, trend) - trend[-1]) / total if total > 0 else 0.0
    t = _tail_t(x, y)
    noisy = len(y) < 4 or noise(y) > NOISY * total
    falling = fall > SHARE and (t > MIN_T or not noisy)
    borderline = SHARE / 2 < fall < 2 * SHARE or (fall > SHARE and not falling)
    return EndState(falling, fall, start, t, borderline)


def _tail_t(x: Floats, y: Floats) -> float:
    n = max(min(len(y), 4), round(TAIL_SHARE * len(y)))
    return -fit_line(x[-n:], y[-n:]).t
