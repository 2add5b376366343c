"""Is a stretch of a falling loss flat? Three answers, from effect (share of the drop so far) and significance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor.curves.fits import fit_line
from logdoctor.curves.noise import noise
from logdoctor.curves.trend import falling_trend

Floats = npt.NDArray[np.float64]

FLAT, FALLING, UNCLEAR = "flat", "falling", "cannot tell"

SHARE = 0.02  # of the drop so far: what is left to gain in a flat stretch
STRICT, LENIENT = 0.01, 0.05  # where these two disagree with SHARE the answer is borderline
MIN_FLAT_SHARE = 0.2  # of the stretch
NOISY = 0.02  # of the drop so far: from here on a fall must also be significant
TAIL_SHARE = 0.45  # of the stretch, over which significance is asked
MIN_T = 1.5
PLAIN_FALL = 0.10  # of the drop so far over the tail: never called flat for want of significance


@dataclass(frozen=True)
class Flatness:
    """How a stretch ended.

    `answer`: flat, falling or cannot tell (too short, or nothing had been learned). `since`: first x from which less
    than 2 % of the drop so far was left to gain, None if not flat; `low` and `high`: the same at 5 % and 1 %.
    `borderline`: 1 % and 5 % give another answer. `trend`: shape (n,).
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


def judge_flatness(x: Floats, y: Floats, count: Floats, start_level: float, min_length: float) -> Flatness:
    """Judge one learning-rate segment.

    x, y, count: bins of the segment, shape (n,); `start_level`: the loss at the start of the run; `min_length`: the
    shortest flat stretch that counts (axis units), beside 20 % of the segment.
    """
    if len(y) < 2:
        return Flatness(UNCLEAR, None, None, None, True, y.copy())
    trend = falling_trend(x, y, count, start_level - float(np.median(y[-max(1, len(y) // 5) :])))
    so_far = start_level - float(trend[-1])
    if so_far <= 0:
        return Flatness(UNCLEAR, None, None, None, True, trend)
    needed = max(min_length, MIN_FLAT_SHARE * float(x[-1] - x[0]))
    points = [_flat_since(x, trend, share * so_far, needed) for share in (LENIENT, SHARE, STRICT)]
    low, since, high = points
    if since is None and not _significant_fall(x, y, so_far):
        since = float(x[-_tail(len(x))])
    answer = FALLING if since is None else FLAT
    borderline = any((point is None) != (since is None) for point in points) or len(y) < 4
    return Flatness(answer, since, low, high, borderline, trend)


def _flat_since(x: Floats, trend: Floats, left: float, needed: float) -> float | None:
    """First x from which the trend falls by less than `left`; None where that is less than `needed` before the end."""
    since = float(x[int(np.argmax(trend - trend[-1] < left))])
    return since if x[-1] - since >= needed - 1e-9 else None


def _tail(n: int) -> int:
    return max(min(n, 4), round(TAIL_SHARE * n))


def _significant_fall(x: Floats, y: Floats, so_far: float) -> bool:
    """Whether the tail of a noisy stretch falls by more than its scatter explains (quiet ones: always)."""
    if len(y) < 4 or not noise(y) > NOISY * so_far:
        return True
    tail = slice(-_tail(len(x)), None)
    line = fit_line(x[tail], y[tail])
    fall = -line.slope * float(x[-1] - x[tail][0])
    return -line.t > MIN_T or fall > PLAIN_FALL * so_far
