"""Was the training loss still falling when the run ended?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.curves.fits import fit_line
from logdoctor.run import Floats
from logdoctor.stretches import Stretch

END_SHARE = 0.2  # of the run
SHARE = 0.02  # of the total drop
TAIL_SHARE = 0.45  # of the last learning-rate segment, over which significance is asked
MIN_T, MIN_T_AFTER_DROP = 1.5, 3.0  # after a drop the loss usually falls at once and is flat soon


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


def judge_end(last: Stretch, trend: Floats, length: float, width: float, total: float, after_drop: bool) -> EndState:
    """Judge the end of the last learning-rate segment.

    `trend`: its level at each bin, shape (n,); `length`: the run's; `width`: a bin's; `total`: the drop of the whole
    run. A bin's value lags its right edge by half a width. The first bin after a drop still holds the transition and
    is left out (`after_drop`).
    """
    x = last.x
    earliest = float(x[0]) + (width if after_drop and len(x) > 2 else 0.0)
    start = max((1 - END_SHARE) * length + width / 2, earliest)
    fall = float(np.interp(start, x, trend) - trend[-1]) / total if total > 0 else 0.0
    t = _tail_t(last)
    needed = MIN_T_AFTER_DROP if after_drop else MIN_T
    falling = fall > SHARE and t > needed
    borderline = SHARE / 2 < fall < 2 * SHARE or (fall > SHARE and t < 2 * needed)
    return EndState(falling, fall, start, t, borderline)


def _tail_t(last: Stretch) -> float:
    """How many standard errors the end falls: of the line's own residuals, or of the usual scatter if larger."""
    n = max(min(len(last.x), 4), round(TAIL_SHARE * len(last.x)))
    line = fit_line(last.x[-n:], last.y[-n:])
    error = max(line.slope_error, last.sigma / max(line.spread, 1e-12) ** 0.5)
    return -line.slope / error if error > 0 else float(np.copysign(np.inf, -line.slope))
