"""Two curves on one axis: who leads over a stretch, where the lead changed hands last, where it is about to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from logdoctor.curves.fits import fit_line
from logdoctor.curves.noise import noise
from logdoctor.curves.smoothing import smooth

Floats = npt.NDArray[np.float64]

MIN_POINTS = 4  # common to both curves: with fewer no leader is named
LEAD_SIGMAS = 2.5  # of the difference, not of its mean: two seeds of one setting differ by about the scatter, all along
LEAD_SHARE = 0.02  # of the height
INNER = (5.0, 95.0)  # percentiles the height is taken between, so that the first fall does not count
EARLY, END = 0.25, 0.10  # of the common range
FEW_POINTS = 32  # common points: with fewer the scatter is taken over the whole range, else over the half in question
SMALL_SAMPLE = 3.0  # points: an estimate from n of them may be that much / n too small
TREND_SHARE = 1 / 3  # of the common range, over which a closing gap is measured
TREND_POINTS = 8
TREND_T = 4.0  # standard errors a closing gap's slope must have
# How many times as long as a straight line says a gap takes that decays exponentially towards a lead of the other side:
# nearly closed; as far to go as that lead will be; eight times as far. The time is (1 + 1/r)·ln(1 + r) for ratio r.
SLOWING = (1.0, 1.4, 2.5)
HORIZON = 0.5  # of the common range: a crossing farther ahead than this is not foretold


@dataclass(frozen=True)
class Crossing:
    """Where the lead changes hands, with its interval, in units of x."""

    at: float
    low: float
    high: float


@dataclass(frozen=True)
class Contest:
    """Two curves, lower is better, at the x both have: shape (n,) each. Signs: +1 the first leads, -1 the second."""

    x: Floats
    first: Floats
    second: Floats

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def lead(self) -> Floats:
        """By how much the first is ahead at each x; negative where it is behind."""
        return self.second - self.first

    @cached_property
    def level(self) -> Floats:
        """The lead without its scatter."""
        return smooth(self.x, self.lead)

    @cached_property
    def height(self) -> float:
        """Between which levels both curves run, apart from the first fall and single outliers."""
        low, high = np.percentile(np.concatenate((self.first, self.second)), INNER)
        return float(high - low)

    @property
    def early(self) -> slice:
        """The first quarter of the common range, at least three points."""
        within = np.searchsorted(self.x, self.x[0] + EARLY * (self.x[-1] - self.x[0]), side="right")
        return slice(0, max(3, int(within)))

    @property
    def end(self) -> slice:
        """The last tenth of the common range, at least three points."""
        return slice(len(self) - max(3, round(END * len(self))), len(self))

    def sigma(self, part: slice) -> float:
        """σ of the lead's scatter in the half of the range where `part` lies; 0 where it cannot be told."""
        half = len(self) // 2
        mine = self.lead[:half] if part.stop <= half else self.lead[half:]
        mine = mine if len(self) >= FEW_POINTS else self.lead
        found = noise(mine) * (1 + SMALL_SAMPLE / len(mine))
        return found if np.isfinite(found) else 0.0

    def least(self, part: slice) -> float:
        """The least lead that counts in `part`: above the scatter and worth a look."""
        return max(LEAD_SIGMAS * self.sigma(part), LEAD_SHARE * self.height)

    def leader(self, part: slice) -> int:
        """Who is clearly ahead in at least half of `part`; 0 for nobody."""
        if len(self) < MIN_POINTS:
            return 0
        middle = float(np.median(self.lead[part]))
        return int(np.sign(middle)) if abs(middle) > self.least(part) else 0

    def last_crossing(self) -> Crossing | None:
        """Where the leader at the end took the lead for the last time; None without one, or if it led all along.

        The interval reaches from where the other was last ahead by one σ, more than the scatter of the level itself, to
        where the leader first was.
        """
        winner = self.leader(self.end)
        if not winner:
            return None
        ahead = winner * self.level
        margin = self.least(self.end) / LEAD_SIGMAS
        behind = np.flatnonzero(ahead < -margin)
        if not len(behind):
            return None
        last = int(np.flatnonzero(ahead <= 0)[-1])
        if last + 1 == len(self):
            return None
        share = -ahead[last] / (ahead[last + 1] - ahead[last])
        at = self.x[last] + share * (self.x[last + 1] - self.x[last])
        clear = np.flatnonzero(ahead[last + 1 :] > margin)
        high = self.x[last + 1 + clear[0]] if len(clear) else self.x[-1]
        return Crossing(float(at), float(self.x[behind[-1]]), float(high))

    def expected_crossing(self) -> Crossing | None:
        """Where the one behind will pass if the gap goes on closing as it did lately; None where that is not in sight.

        A straight line through the last third says when; `SLOWING` turns that into an estimate and an interval.
        """
        front = self.leader(self.end)
        count = max(TREND_POINTS, round(TREND_SHARE * len(self)))
        if not front or count > len(self):
            return None
        x, gap = self.x[-count:], front * self.lead[-count:]
        line, lately = fit_line(x, gap), fit_line(x[count // 2 :], gap[count // 2 :])
        if -line.t < TREND_T or lately.slope >= 0:
            return None
        left = float(np.median(front * self.lead[self.end]))
        rate, fastest = min(-line.slope, -lately.slope), max(-line.slope, -lately.slope) + 2 * line.slope_error
        if left / rate > HORIZON * (self.x[-1] - self.x[0]):
            return None
        straight, likely, slow = (factor * left for factor in SLOWING)
        since, end = float(np.median(self.x[self.end])), float(self.x[-1])
        at, low, high = since + likely / rate, since + straight / fastest, since + slow / rate
        return Crossing(max(at, end), max(low, end), max(high, end))


def meet(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> Contest | None:
    """Two curves (x, y), finite and ascending in x, at the points of the sparser one in their common range.

    The other is read off between its neighbours. None where the ranges do not overlap.
    """
    low = max(first[0][0], second[0][0])
    high = min(first[0][-1], second[0][-1])
    grids = [x[(x >= low) & (x <= high)] for x, _ in (first, second)]
    grid = min(grids, key=len)
    if not len(grid):
        return None
    return Contest(grid, np.interp(grid, *first), np.interp(grid, *second))
