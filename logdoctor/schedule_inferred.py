"""Drops of a learning rate that was not logged, inferred from the losses alone: never certain, precision before recall.

A drop shows in two curves at one epoch. The train loss steps down, and validation (measured at fixed weights) calms
down, as the noise of the weights shrinks with the rate. A drop that comes while the loss still falls fast shows as a
kink instead: both curves, falling by about as much each epoch, suddenly hardly move. Schedules that decay all the time
calm the curves gradually and give neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from logdoctor.curves.changepoints import break_at, calming, first_surprise, quieting, slowing
from logdoctor.segments import Drop, Schedule, Segment

Floats = npt.NDArray[np.float64]
Points = tuple[Floats, Floats]

MIN_POINTS = 8  # of a curve
MAX_DROPS = 4
TRAIN_GAP = 0.25  # σ: the line of the train loss after the drop starts this far below the end of the line before
TRAIN_SURPRISE = 1.2  # prediction σ: the first epoch after the drop lies this far below the line before it
VAL_CALMING = 1.1  # log: validation moves three times less per epoch
VAL_QUIETING = 1.0  # log: validation scatters 2.7 times less
VAL_SUPPORT = 0.25  # log-likelihood ratio per epoch in favour of a break of the validation curve
WEAKEST = 0.6  # of what is asked: no single sign may be weaker
TOGETHER = 1.75  # mean of the signs as multiples of what is asked, each counted at most MOST times
MOST = 2.5
KINK = 1.4  # log: each of the falls before is four times each of those after, in both curves
KINK_SURPRISE = 0.5  # log: sum over both curves of the motion that the decay so far would still have brought
ALONE_SURPRISE, ALONE_GAP = 3.0, 3.0  # σ: what the train loss must show where there is no validation
SMALLEST_SCATTER = 0.002  # of a curve's whole fall: scatter below is rounding
SMALLEST_MOTION = 2e-4  # of a curve's whole fall, per epoch
CERTAINTY = 0.95  # the highest confidence in an inferred drop


@dataclass(frozen=True)
class _Candidate:
    """A place and how strong its signs are, as a multiple of what is asked."""

    at: float
    strength: float


def infer_drops(train: Points, val: Points | None) -> list[Drop]:
    """Drops in (x, y) of the train loss, x counting epochs completed, helped by validation (lower is better).

    Each has an interval and a confidence of at most 0.95; factor and rates are unknown. Empty where a curve is too
    short, and where nothing stands out.
    """
    curves = [_finite(points) for points in (train, val) if points is not None]
    if len(curves[0][0]) < MIN_POINTS:
        return []
    evidence = _Evidence(curves[0], curves[1] if len(curves) > 1 and len(curves[1][0]) >= MIN_POINTS else None)
    places = np.arange(np.ceil(evidence.start) + 3, evidence.end - 1)
    found = [candidate for c in places if (candidate := evidence.candidate(float(c))) is not None]
    chosen = _far_apart(found, max(4.0, 0.08 * evidence.end))
    starts = [0.0, *(candidate.at for candidate in chosen)]
    return [evidence.drop(candidate, last) for candidate, last in zip(chosen, starts, strict=False)]


def inferred_schedule(drops: Sequence[Drop], end: float) -> Schedule:
    """A schedule of unknown rates with inferred drops; `unknown` without any."""
    if not drops:
        return Schedule(segments=(Segment(0.0, end, None),))
    bounds = [0.0, *(drop.at for drop in drops), end]
    segments = tuple(Segment(a, b, None) for a, b in pairwise(bounds))
    milestones = {"milestones": [drop.at for drop in drops]}
    return Schedule("multistep", "inferred", parameters=milestones, drops=tuple(drops), segments=segments)


def _finite(points: Points) -> Points:
    keep = np.isfinite(points[0]) & np.isfinite(points[1])
    return points[0][keep], points[1][keep]


def _far_apart(found: Sequence[_Candidate], least: float) -> list[_Candidate]:
    """The strongest candidates, none within `least` of a stronger one, in order of place."""
    chosen: list[_Candidate] = []
    for candidate in sorted(found, key=lambda candidate: -candidate.strength):
        if len(chosen) < MAX_DROPS and all(abs(candidate.at - other.at) >= least for other in chosen):
            chosen.append(candidate)
    return sorted(chosen, key=lambda candidate: candidate.at)


@dataclass(frozen=True)
class _Evidence:
    """Both curves of a run and what they say about a place."""

    train: Points
    val: Points | None

    @property
    def start(self) -> float:
        return float(self.train[0][0])

    @property
    def end(self) -> float:
        return float(self.train[0][-1])

    @property
    def width(self) -> float:
        """Epochs looked at on either side."""
        return max(5.0, 0.2 * self.end)

    @property
    def near(self) -> float:
        """Epochs looked at where only the neighbourhood counts."""
        return min(self.width, 12.0)

    def candidate(self, c: float) -> _Candidate | None:
        """The place c, if it shows a step with calming, a kink, or (without validation) a clear step."""
        if self.val is None:
            strength = _all_of(self._train_signs(c, ALONE_GAP, ALONE_SURPRISE), weakest=1.0, together=1.0)
        else:
            signs = self._train_signs(c, TRAIN_GAP, TRAIN_SURPRISE) + self._val_signs(c, *self.val)
            strength = max(_all_of(signs, WEAKEST, TOGETHER), _all_of(self._kink_signs(c, *self.val), 1.0, 1.0))
        return _Candidate(c, strength) if strength > 0 else None

    def _train_signs(self, c: float, gap: float, surprise: float) -> list[float | None]:
        x, y = self.train
        scatter = SMALLEST_SCATTER * _fall(y)
        broken = break_at(x, y, c, self.width, scatter)
        surprised = first_surprise(x, y, c, self.near, scatter)
        return [_share(broken.gap if broken else None, gap), _share(surprised, surprise)]

    def _val_signs(self, c: float, x: Floats, y: Floats) -> list[float | None]:
        scatter, motion = SMALLEST_SCATTER * _fall(y), SMALLEST_MOTION * _fall(y)
        broken = break_at(x, y, c, self.width, scatter)
        return [
            _share(broken.support if broken else None, VAL_SUPPORT * 2 * self.width),
            _share(calming(x, y, c, max(6.0, 0.25 * self.end), motion), VAL_CALMING),
            _share(quieting(x, y, c, self.near, scatter), VAL_QUIETING),
        ]

    def _kink_signs(self, c: float, u: Floats, v: Floats) -> list[float | None]:
        slow = [slowing(x, y, c, SMALLEST_MOTION / 2 * _fall(y)) for x, y in (self.train, (u, v))]
        if slow[0] is None or slow[1] is None:
            return [None]
        ratio = min(slow[0].ratio, slow[1].ratio)
        return [_share(ratio, KINK), _share(slow[0].surprise + slow[1].surprise, KINK_SURPRISE)]

    def drop(self, candidate: _Candidate, last: float) -> Drop:
        low, high = self._interval(candidate.at)
        confidence = min(CERTAINTY, 0.5 + 0.2 * candidate.strength)
        return Drop(candidate.at, None, None, None, None, candidate.at - last, low, high, round(confidence, 2))

    def _interval(self, c: float) -> tuple[float, float]:
        """The places about c whose break is nearly as well supported (likelihood ratio within e²).

        At least from two epochs before c, as the loss needs an epoch or two to come down, to one after.
        """
        near = c + np.arange(-np.floor(self.width), np.floor(self.width) + 1)
        support = np.array([self._support(float(place)) for place in near])
        good = near[support >= support[len(near) // 2] - 2.0]
        apart = np.flatnonzero(np.diff(good) > 1)
        blocks = np.split(good, apart + 1)
        own = next(block for block in blocks if c in block)
        return float(min(own[0], c - 2)), float(max(own[-1], c + 1))

    def _support(self, c: float) -> float:
        curves = [self.train] if self.val is None else [self.train, self.val]
        breaks = [break_at(x, y, c, self.width, SMALLEST_SCATTER * _fall(y)) for x, y in curves]
        return sum(found.support if found is not None else 0.0 for found in breaks)


def _fall(y: Floats) -> float:
    """The whole fall of a curve, from the highest of its first three points."""
    return max(float(y[:3].max() - y.min()), 1e-12)


def _share(value: float | None, asked: float) -> float | None:
    return None if value is None else float(np.clip(value / asked, -1.0, MOST))


def _all_of(signs: Sequence[float | None], weakest: float, together: float) -> float:
    """The mean of the signs if all are there, none is weaker than `weakest` and their mean is `together`; else 0."""
    known = [sign for sign in signs if sign is not None]
    if len(known) < len(signs) or min(known) < weakest or np.mean(known) < together:
        return 0.0
    return float(np.mean(known))
