"""The train loss, one learning-rate segment at a time, and what that says of each drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from logdoctor.curves.fits import Fall, fit_fall
from logdoctor.curves.flatness import FALLING, FLAT, Flatness, judge_flatness, tail_fall
from logdoctor.curves.noise import noise
from logdoctor.curves.spikes import find_spikes
from logdoctor.curves.trend import falling_trend
from logdoctor.run import Floats
from logdoctor.segments import Drop, Segment
from logdoctor.tracks import Track

LATE_SHARE = 0.5  # of the segment
NOISE_BINS = 12  # the least that tell a scatter
MIN_AFTER_SPIKE = 4  # bins
MIN_WITNESS = 3  # points of the validation loss in a segment


@dataclass(frozen=True)
class Stretch:
    """One learning-rate segment of the train loss: bins x, y (n,), scatter σ, and whether it ended flat."""

    segment: Segment
    x: Floats
    y: Floats
    sigma: float
    flatness: Flatness

    @property
    def flat_length(self) -> float:
        return self.flatness.length(self.segment.end)

    @property
    def level(self) -> float:
        """The loss at its end."""
        return float(self.flatness.trend[-1])

    def fall_since(self, since: float) -> Fall:
        """The fall of a straight line from `since` to the end."""
        inside = self.x >= since - 1e-9
        return fit_fall(self.x[inside], self.y[inside], self.sigma)

    def last_fall(self, share: float) -> Fall:
        """The fall of a straight line through the last `share` of the points, at least four where there are as many."""
        points = max(min(len(self.x), 4), round(share * len(self.x)))
        return fit_fall(self.x[-points:], self.y[-points:], self.sigma)

    def largest_change(self, since: float) -> float:
        """The most a straight line from `since` to the end can have fallen or risen, two standard errors included."""
        fall = self.fall_since(since)
        return max(fall.size + 2 * fall.error, -fall.size)


def since_last_spike(stretch: Stretch) -> Stretch:
    """The stretch from where its last spike was over, its trend fitted anew; itself without one, or too short then."""
    over = [spike.back for spike in find_spikes(stretch.y) if spike.back is not None]
    if not over or len(stretch.y) - over[-1] < MIN_AFTER_SPIKE:
        return stretch
    x, y = stretch.x[over[-1] :], stretch.y[over[-1] :]
    sigma = min(stretch.sigma, noise(y))
    trend = falling_trend(x, y, np.ones_like(x), sigma, float(np.ptp(y)))
    flatness = replace(stretch.flatness, trend=trend)
    return replace(stretch, x=x, y=y, sigma=sigma, flatness=flatness)


def judge_stretches(
    train: Track, segments: Sequence[Segment], min_flat: float, val: Track | None = None
) -> tuple[Stretch, ...]:
    """A stretch for every segment that holds bins, in order; at least one. `min_flat`: in axis units."""
    whole = Segment(0.0, float(train.x[-1]), None)
    owner = _owners(train, segments or (whole,))
    found = []
    for index, segment in enumerate(segments or (whole,)):
        inside = owner == index
        if inside.any():
            x, y, count = train.x[inside], train.y[inside], train.count[inside]
            sigma = _scatter(train, np.flatnonzero(inside))
            flatness = judge_flatness(
                x, y, count, start=train.first, sigma=sigma, min_length=min_flat, after_drop=index > 0,
                witness=_witness(val, segment),
            )  # fmt: skip
            found.append(Stretch(segment, x, y, sigma, flatness))
    return tuple(found)


def _witness(val: Track | None, segment: Segment) -> Fall | None:
    """The fall of the validation loss over the tail of a segment, as a share of its own drop so far, if known."""
    if val is None:
        return None
    inside = np.flatnonzero((val.x > segment.start + 1e-9) & (val.x <= segment.end + 1e-9))
    if len(inside) < MIN_WITNESS:
        return None
    so_far = val.first - float(val.y[: inside[-1] + 1].min())
    fall = tail_fall(val.x[inside], val.y[inside], _scatter(val, inside))
    return Fall(fall.size / so_far, fall.error / so_far) if so_far > 0 else None


def _scatter(track: Track, bins: npt.NDArray[np.int64]) -> float:
    """σ between the bins of a segment; short ones borrow from their neighbours, for few points give any answer."""
    more = max(0, NOISE_BINS - len(bins)) // 2 + 1
    return noise(track.y[max(0, bins[0] - more) : bins[-1] + 1 + more])


def _owners(train: Track, segments: Sequence[Segment]) -> npt.NDArray[np.int64]:
    """The segment each bin belongs to, by the bin's middle."""
    inner = np.array([segment.end for segment in segments[:-1]])
    return np.searchsorted(inner, train.x - train.width / 2, side="left").astype(np.int64)


def judge_drops(
    drops: Sequence[Drop], stretches: Sequence[Stretch], total: float, late_after: float
) -> tuple[Drop, ...]:
    """Every drop with `flat_since`, `gain` and `timing`. `total`: drop of the run; `late_after`: axis units."""
    before = {round(stretch.segment.end, 6): stretch for stretch in stretches}
    ends = [*(drop.at for drop in drops), stretches[-1].segment.end] if stretches else []
    judged = []
    for drop, end in zip(drops, ends[1:], strict=bool(stretches)):
        old, new = before.get(round(drop.at, 6)), before.get(round(end, 6))
        if old is None or not total > 0:
            judged.append(drop)
            continue
        gain = (old.level - new.level) / total if new is not None else None
        timing = _timing(old, late_after)
        judged.append(replace(drop, flat_since=old.flatness.since, gain=gain, timing=timing))
    return tuple(judged) if stretches else tuple(drops)


def _timing(stretch: Stretch, late_after: float) -> str:
    """early: still falling; late: flat for at least `late_after` and half of the segment; good: between."""
    if stretch.flatness.answer == FALLING:
        return "early"
    if stretch.flatness.answer != FLAT:
        return "unclear"
    late = stretch.flat_length >= max(late_after, LATE_SHARE * stretch.segment.length) - 1e-9
    return "late" if late else "good"
