"""Was the training loss still falling when the run ended?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from logdoctor.curves.fits import Fall
from logdoctor.curves.flatness import late_fall, tail_fall, tail_points
from logdoctor.curves.noise import noise
from logdoctor.run import Floats
from logdoctor.stretches import Stretch
from logdoctor.tracks import Track

END_SHARE = 0.2  # of the run
SHARE = 0.02  # of the total drop
NOISY = 0.05  # of the total drop: scatter of the train loss that may hide a fall
MIN_VALIDATIONS = 3  # within the last learning-rate segment
MIN_T, MIN_T_AFTER_DROP = 2.0, 3.0  # after a drop the loss usually falls at once and is flat soon
MIN_T_BENT = 0.5  # of the fall of a parabola through the late points
MIN_T_POOLED = 2.5  # the validation loss is another set: it may fall a little longer than the train loss


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
    shows: the two are then pooled.
    """
    x, trend = last.x, last.flatness.trend
    earliest = float(x[0]) + (width if after_drop and len(x) > 2 else 0.0)
    start = max((1 - END_SHARE) * length + width / 2, earliest)
    if last.sigma > NOISY * total > 0 and val is not None:
        pooled = _pooled(last, val, start, total)
        if pooled is not None:
            return _state(pooled.size, pooled.t, start, MIN_T_POOLED)
    fall = float(np.interp(start, x, trend) - trend[-1]) / total if total > 0 else 0.0
    fall *= 1 + width / 2 / max(length - start, width / 2)  # the fall within the last half bin goes on as before
    t = tail_fall(x, last.y, last.sigma).t
    state = _state(fall, t, start, MIN_T_AFTER_DROP if after_drop else MIN_T)
    if state.falling and _settled(last, (1 - END_SHARE) * length):
        return replace(state, falling=False)
    return state


def _state(fall: float, t: float, start: float, needed: float) -> EndState:
    borderline = SHARE / 2 < fall < 2 * SHARE or (fall > SHARE and t < 2 * needed)
    return EndState(fall > SHARE and t > needed, fall, start, t, borderline)


def _settled(last: Stretch, start: float) -> bool:
    """Whether a parabola through the late points hardly falls from `start` on, though a line through them may.

    The trend of a quiet curve takes a lucky last point for a fall; that of a noisy one is smooth, and a bend towards
    the flat is spread over the end.
    """
    bent = late_fall(last.x, last.y, last.sigma, start)
    return bent is not None and bent.size < MIN_T_BENT * bent.error


def _pooled(last: Stretch, val: Track, start: float, total: float) -> Fall | None:
    """The fall from `start` on as a share of the total drop, from train and validation loss weighted by their errors.

    None where the validation loss rises (it no longer tells of the train loss), or is no better known.
    """
    inside = (val.x > last.x[0] - 1e-9) & (val.x <= last.segment.end + 1e-9)
    val_total = val.first - float(val.y.min())
    if inside.sum() < MIN_VALIDATIONS or val_total <= 0:
        return None
    train_fall = _late_share(last.x, last.y, last.sigma, start, total)
    val_fall = _late_share(val.x[inside], val.y[inside], noise(val.y[inside]), start, val_total)
    if val_fall.t < -MIN_T or not 0 < val_fall.error < train_fall.error:
        return None
    weights = [1 / found.error**2 for found in (train_fall, val_fall)]
    size = (weights[0] * train_fall.size + weights[1] * val_fall.size) / sum(weights)
    return Fall(size, sum(weights) ** -0.5)


def _late_share(x: Floats, y: Floats, sigma: float, start: float, total: float) -> Fall:
    """How far the line through the tail of the points falls from `start` to the end, as a share of `total`."""
    fall = tail_fall(x, y, sigma)
    scale = float(x[-1] - start) / float(x[-1] - x[-tail_points(len(x))]) / total
    return Fall(fall.size * scale, fall.error * scale)
