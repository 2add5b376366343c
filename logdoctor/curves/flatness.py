"""Is a stretch of a falling loss flat? Three answers, from effect (share of the drop so far) and significance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor.curves.fits import Fall, fit_bent_fall, fit_fall
from logdoctor.curves.noise import memory_factor
from logdoctor.curves.trend import NOISY, falling_trend

Floats = npt.NDArray[np.float64]

FLAT, FALLING, UNCLEAR = "flat", "falling", "cannot tell"

SHARE = 0.02  # of the drop so far: what is left to gain in a flat stretch
STRICT, LENIENT = 0.01, 0.05  # where these two disagree with SHARE the answer is borderline
MIN_FLAT_SHARE = 0.2  # of the stretch
FIRM_T = 3.0  # standard errors of the tail: a less certain fall is borderline
TAIL_SHARE = 0.45  # of the stretch, over which significance is asked
# Of the points, through which a parabola is laid to see whether the end still falls; and the fewest that bear one.
BENT_SHARE, BENT_POINTS = 0.6, 6
# Of the drop so far: where the trend is less exact than this, the beginning of a lull is sought by significance.
UNSURE = 0.01
LULL_LEFT = 0.10  # of the drop so far: a lull does not reach back to where more was left
# Standard errors a fall must have to count, and share of the drop so far from which it counts without. After a drop
# the loss usually falls at once and is flat soon; in the first segment it falls unless shown otherwise.
AT_START, AFTER_DROP = (1.5, 0.07), (2.5, 0.10)


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
    x: Floats,
    y: Floats,
    count: Floats,
    *,
    start: float,
    sigma: float,
    min_length: float,
    after_drop: bool,
    witness: Fall | None = None,
) -> Flatness:
    """Judge one learning-rate segment.

    x, y, count: bins of the segment, shape (n,); `start`: the loss at the start of the run; `sigma`: scatter between
    bins; `min_length`: the shortest flat stretch that counts (axis units), beside 20 % of the segment; `after_drop`:
    whether the segment begins with a drop, after which the loss usually falls at once and is flat soon; `witness`: the
    fall of the validation loss over the tail of the segment, as a share of its own drop so far. It decides where the
    scatter hides whether the train loss falls, if it has less: a mean over a whole set at fixed weights often has.
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
    lull = _Lull(x, y, sigma, so_far, *(AFTER_DROP if after_drop else AT_START))
    earliest = int(np.argmax(trend - trend[-1] < LULL_LEFT * so_far))
    trend_error = sigma / np.sqrt(0.1 * len(x))
    if witness is not None and sigma > NOISY * so_far and lull.less_sure_than(witness):
        falls = witness.size > SHARE and witness.t > lull.min_t
        return Flatness(FALLING if falls else FLAT, None if falls else lull.hidden(earliest), low, high, True, trend)
    lull_since = lull.since(earliest)
    if lull_since is not None and (since is None or (lull_since < since and trend_error > UNSURE * so_far)):
        since, borderline = lull_since, True
    if since is None and low is not None and _settled(x, y, sigma, so_far):
        since, borderline = low, True
    if since is None:
        borderline = borderline or lull.tail.t < FIRM_T
    else:
        borderline = borderline or trend_error * memory_factor(y - trend) > UNSURE * so_far
    return Flatness(FALLING if since is None else FLAT, since, low, high, borderline, trend)


def tail_fall(x: Floats, y: Floats, sigma: float) -> Fall:
    """The fall over the last 45 % of the points (at least four)."""
    tail = slice(len(x) - tail_points(len(x)), None)
    return fit_fall(x[tail], y[tail], sigma)


def late_fall(x: Floats, y: Floats, sigma: float, start: float) -> Fall | None:
    """The fall from `start` to the end of a parabola through the last 60 % of the points; None with fewer than six."""
    points = max(BENT_POINTS, round(BENT_SHARE * len(x)))
    return None if len(x) < BENT_POINTS else fit_bent_fall(x[-points:], y[-points:], start, sigma)


def _settled(x: Floats, y: Floats, sigma: float, so_far: float) -> bool:
    """Whether the last fifth falls by less than 2 % of the drop so far, whatever the trend makes of its last points."""
    fall = late_fall(x, y, sigma, float(x[-1] - MIN_FLAT_SHARE * (x[-1] - x[0])))
    return fall is not None and fall.size < SHARE * so_far


def tail_points(n: int) -> int:
    """How many of n points are the tail."""
    return max(min(n, 4), round(TAIL_SHARE * n))


def _flat_since(x: Floats, trend: Floats, left: float, needed: float) -> float | None:
    """First x from which the trend falls by less than `left`; None where that is less than `needed` before the end."""
    since = float(x[int(np.argmax(trend - trend[-1] < left))])
    return since if x[-1] - since >= needed - 1e-9 else None


@dataclass(frozen=True)
class _Lull:
    """The stretch before the end in which a straight line falls by no more than the scatter σ explains.

    `min_t`: standard errors a fall must have to count; `plain`: share of the drop so far from which it counts without.
    """

    x: Floats
    y: Floats
    sigma: float
    so_far: float
    min_t: float
    plain: float

    @property
    def tail_start(self) -> int:
        """Index of the first point of the tail that is always looked at."""
        return len(self.x) - tail_points(len(self.x))

    @property
    def tail(self) -> Fall:
        return self._fall_from(self.tail_start)

    def since(self, earliest: int) -> float | None:
        """First x of the lull, not before index `earliest` unless the tail begins there; None if the tail falls."""
        first = self.tail_start
        if len(self.x) - first < 3 or self._falls_from(first):
            return None
        while first > earliest and not self._falls_from(first - 1):
            first -= 1
        return float(self.x[first])

    def less_sure_than(self, witness: Fall) -> bool:
        """Whether the tail's fall is within its error, and that is larger than the witness's."""
        tail = self.tail
        return abs(tail.t) <= self.min_t and witness.error * self.so_far < tail.error

    def hidden(self, earliest: int) -> float:
        """First x of the lull where the tail is known not to fall: as far back as no fall is significant."""
        first = self.tail_start
        while first > earliest and self._fall_from(first - 1).t <= self.min_t:
            first -= 1
        return float(self.x[first])

    def _fall_from(self, first: int) -> Fall:
        return fit_fall(self.x[first:], self.y[first:], self.sigma)

    def _falls_from(self, first: int) -> bool:
        fall = self._fall_from(first)
        return fall.size > self.plain * self.so_far or (fall.size > SHARE * self.so_far and fall.t > self.min_t)
