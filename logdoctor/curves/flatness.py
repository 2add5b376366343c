"""Is a stretch of a falling loss flat? Three answers, from effect (share of the drop so far) and significance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor.curves.fits import fit_line
from logdoctor.curves.trend import falling_trend

Floats = npt.NDArray[np.float64]

FLAT, FALLING, UNCLEAR = "flat", "falling", "cannot tell"

SHARE = 0.02  # of the drop so far: what is left to gain in a flat stretch
STRICT, LENIENT = 0.01, 0.05  # where these two disagree with SHARE the answer is borderline
MIN_FLAT_SHARE = 0.2  # of the stretch
TAIL_SHARE = 0.45  # of the stretch, over which significance is asked
LULL_LEFT = 0.10  # of the drop so far: a lull does not reach back to where more was left
# Standard errors a fall must have to count, and share of the drop so far from which it counts without. After a drop
# the loss usually falls at once and is flat soon; in the first segment it falls unless shown otherwise.
AT_START, AFTER_DROP = (1.5, 0.07), (3.0, 0.10)


@dataclass(frozen=True)
class Flatness:
    """How a stretch ended.

    `answer`: flat, falling or cannot tell (too short, or nothing had been learned). `since`: first x from which less
    than 2 % of the drop so far was left to gain, None if not flat; `low` and `high`: the same at 5 % and 1 %.
    `borderline`: 1 % and 5 % give another answer, or it rests on significance alone. `trend`: shape (n,).
    """

    answer: str
    since: float | None
    low: float | None
    high: float | None
    borderline: bool
    trend: Floats

    def length(self, end: float) -> float:
        """Axis units flat before `end`."""
        return 0.0 if self.since is None else end - self.since


def judge_flatness(
    x: Floats, y: Floats, count: Floats, *, start: float, sigma: float, min_length: float, after_drop: bool
) -> Flatness:
    """Judge one learning-rate segment.

    x, y, count: bins of the segment, shape (n,); `start`: the loss at the start of the run; `sigma`: scatter between
    bins; `min_length`: the shortest flat stretch that counts (axis units), beside 20 % of the segment; `after_drop`:
    whether the segment begins with a drop, after which the loss usually falls at once and is flat soon.
    """
    if len(y) < 2:
        return Flatness(UNCLEAR, None, None, None, True, y.copy())
    trend = falling_trend(x, y, count, sigma, start - float(np.median(y[-max(1, len(y) // 5) :])))
    so_far = start - float(trend[-1])
    if so_far <= 0:
        return Flatness(UNCLEAR, None, None, None, True, trend)
    needed = max(min_length, MIN_FLAT_SHARE * float(x[-1] - x[0]))
    points = [_flat_since(x, trend, share * so_far, needed) for share in (LENIENT, SHARE, STRICT)]
    low, since, high = points
    borderline = any((point is None) != (since is None) for point in points) or len(y) < 4
    min_t, plain = AFTER_DROP if after_drop else AT_START
    lull = _lull_since(
        x, y, _Scale(sigma, so_far, min_t, plain), int(np.argmax(trend - trend[-1] < LULL_LEFT * so_far))
    )
    since = lull if since is None or (lull is not None and lull < since) else since
    return Flatness(FALLING if since is None else FLAT, since, low, high, borderline, trend)


def _flat_since(x: Floats, trend: Floats, left: float, needed: float) -> float | None:
    """First x from which the trend falls by less than `left`; None where that is less than `needed` before the end."""
    since = float(x[int(np.argmax(trend - trend[-1] < left))])
    return since if x[-1] - since >= needed - 1e-9 else None


@dataclass(frozen=True)
class _Scale:
    """What a fall is measured by: scatter σ, drop so far, and the limits of `AT_START` or `AFTER_DROP`."""

    sigma: float
    so_far: float
    min_t: float
    plain: float

    def falls(self, x: Floats, y: Floats) -> bool:
        """Whether a line through the points falls noticeably: significantly by over 2 %, or plainly."""
        line = fit_line(x, y)
        fall = -line.slope * float(x[-1] - x[0])
        error = max(line.slope_error, self.sigma / line.spread**0.5)
        return fall > self.plain * self.so_far or (fall > SHARE * self.so_far and -line.slope > self.min_t * error)


def _lull_since(x: Floats, y: Floats, scale: _Scale, earliest: int) -> float | None:
    """First x from which on a straight line to the end never falls by more than the scatter explains.

    Not before index `earliest`, unless the tail that is always looked at begins there.
    """
    first = len(x) - max(min(len(x), 4), round(TAIL_SHARE * len(x)))
    if len(x) - first < 3 or scale.falls(x[first:], y[first:]):
        return None
    while first > earliest and not scale.falls(x[first - 1 :], y[first - 1 :]):
        first -= 1
    return float(x[first])
