"""Drops of a learning rate that was not logged, inferred from the losses alone: never certain, precision before recall.

A drop shows in two curves at one epoch. The train loss steps down, and validation (measured at fixed weights) calms
down, as the noise of the weights shrinks with the rate. Where single batches are logged the train loss hides its step:
validation alone must then step down clear of all it scattered before. A drop that comes while the loss still falls fast
shows as a kink instead: the curves, falling by about as much each epoch, suddenly hardly move. Schedules that decay all
the time calm the curves gradually and give none of these.

Who drops once drops again: after a sure drop weaker signs will do, and the same signs are looked for once more between
the drops, against the smaller scatter there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from logdoctor.curves.changepoints import break_at, calming, clearance, first_surprise, quieting, slowing, turning
from logdoctor.segments import Drop, Schedule, Segment

Floats = npt.NDArray[np.float64]
Points = tuple[Floats, Floats]
Sign = float | None  # a multiple of what is asked; None where it cannot be told

MIN_POINTS = 8  # of a curve
MIN_POINTS_BETWEEN = 6  # of a curve between drops
MAX_DROPS = 4
GAP = 0.25  # σ: the line of a loss after the drop starts this far below the end of the line before
SURPRISE = 1.2  # prediction σ: the first epoch after the drop lies this far below the line before it
VAL_CALMING = 1.1  # log: validation moves three times less per epoch
VAL_QUIETING = 1.0  # log: validation scatters 2.7 times less
VAL_SUPPORT = 0.25  # log-likelihood ratio per epoch in favour of a break of the validation curve
WEAKEST = 0.6  # of what is asked: no single sign may be weaker
TOGETHER = 1.75  # mean of the signs as multiples of what is asked, each counted at most MOST times
MOST = 2.5
FURTHER = 1.0  # the same mean, with the steps of both curves averaged, once a sure drop is found
CLEAR_GAP, CLEAR_SURPRISE = 1.5, 1.0  # σ: what validation must show on its own,
CLEARANCE = 0.05  # of its whole fall: all before the drop lie this far above all after it,
CLEAR_SUPPORT = 1.5  # times VAL_SUPPORT
KINK = 1.4  # log: each of the falls before is four times each of those after, in both curves
KINK_SURPRISE = 0.5  # log: sum over both curves of the motion that the decay so far would still have brought
VAL_KINK_SURPRISE = 1.0  # log: the same of validation on its own
ALONE_SURPRISE, ALONE_GAP = 3.0, 3.0  # σ: what the train loss must show where there is no validation
SMALLEST_SCATTER = 0.002  # of a curve's whole fall: scatter below is rounding
SMALLEST_MOTION = 2e-4  # of a curve's whole fall, per epoch
SMALLEST_FALL = 0.1  # of a curve's whole fall: between drops it is taken to have fallen by no less
PLACED_WITHIN = 2  # epochs about the strongest signs in which the drop is placed
CERTAINTY = 0.95  # the highest confidence in an inferred drop


@dataclass(frozen=True)
class _Candidate:
    """A place and how strong its signs are, as a multiple of what is asked."""

    at: float
    strength: float


@dataclass(frozen=True)
class _Curve:
    """Points of a loss, shape (n,) each, and by how much it fell."""

    x: Floats
    y: Floats
    fall: float

    @property
    def scatter(self) -> float:
        return SMALLEST_SCATTER * self.fall

    @property
    def motion(self) -> float:
        return SMALLEST_MOTION * self.fall

    def between(self, low: float, high: float) -> _Curve:
        inside = (self.x > low + 1e-9) & (self.x <= high + 1e-9)
        x, y = self.x[inside], self.y[inside]
        return _Curve(x, y, max(_fall(y), SMALLEST_FALL * self.fall))


def infer_drops(train: Points, val: Points | None) -> list[Drop]:
    """Drops in (x, y) of the train loss, x counting epochs completed, helped by validation (lower is better).

    Each has an interval and a confidence of at most 0.95; factor and rates are unknown. Empty where a curve is too
    short, and where nothing stands out.
    """
    curves = [_curve(points) for points in (train, val) if points is not None]
    if len(curves[0].x) < MIN_POINTS:
        return []
    with_val = len(curves) > 1 and len(curves[1].x) >= MIN_POINTS
    evidence = _Evidence(curves[0], curves[1] if with_val else None, float(curves[0].x[-1]))
    chosen = _search(evidence)
    chosen = evidence.placed(chosen)
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


def _curve(points: Points) -> _Curve:
    keep = np.isfinite(points[0]) & np.isfinite(points[1])
    x, y = points[0][keep], points[1][keep]
    return _Curve(x, y, _fall(y))


def _fall(y: Floats) -> float:
    """The whole fall of a curve, from the highest of its first three points."""
    return max(float(y[:3].max() - y.min()), 1e-12) if len(y) else 1e-12


def _search(evidence: _Evidence) -> list[_Candidate]:
    """Sure drops, then weaker ones beside them, then sure ones between all these; in order of place."""
    least = max(4.0, 0.08 * evidence.end)
    chosen = _joined([], evidence.candidates(evidence.sure), least)
    if not chosen or evidence.val is None:
        return chosen
    chosen = _joined(chosen, evidence.candidates(evidence.further), least)
    bounds = [0.0, *(candidate.at for candidate in chosen), np.inf]
    parts = [evidence.between(low, high) for low, high in pairwise(bounds)]
    return _joined(chosen, [c for part in parts if part is not None for c in part.candidates(part.sure)], least)


def _joined(chosen: list[_Candidate], found: Sequence[_Candidate], least: float) -> list[_Candidate]:
    """Those chosen and the strongest found, none within `least` of a stronger or chosen one, in order of place."""
    joined = list(chosen)
    for candidate in sorted(found, key=lambda candidate: -candidate.strength):
        if len(joined) < MAX_DROPS and all(abs(candidate.at - other.at) >= least for other in joined):
            joined.append(candidate)
    return sorted(joined, key=lambda candidate: candidate.at)


@dataclass(frozen=True)
class _Evidence:
    """Both curves of a run (or of a part of it) and what they say about a place. `end`: that of the run."""

    train: _Curve
    val: _Curve | None
    end: float

    @property
    def width(self) -> float:
        """Epochs looked at on either side."""
        return max(5.0, 0.2 * self.end)

    @property
    def near(self) -> float:
        """Epochs looked at where only the neighbourhood counts."""
        return min(self.width, 12.0)

    def between(self, low: float, high: float) -> _Evidence | None:
        """What the points between two drops say; None where they are too few."""
        curves = [curve.between(low, high) for curve in (self.train, self.val) if curve is not None]
        if min(len(curve.x) for curve in curves) < MIN_POINTS_BETWEEN:
            return None
        return _Evidence(curves[0], curves[1] if len(curves) > 1 else None, self.end)

    def candidates(self, strength: Callable[[float], float]) -> list[_Candidate]:
        """Every place where `strength` is positive."""
        x = self.train.x
        places = np.arange(np.ceil(x[0]) + 3, x[-1] - 1)
        judged = (_Candidate(float(c), strength(float(c))) for c in places)
        return [candidate for candidate in judged if candidate.strength > 0]

    def sure(self, c: float) -> float:
        """How clearly a step with calming, a step of validation, or a kink shows at c; 0 where none does.

        Without validation, a clear step of the train loss.
        """
        if self.val is None:
            return _all_of(self._step_signs(self.train, c, ALONE_GAP, ALONE_SURPRISE), weakest=1.0, together=1.0)
        calm = self._calm_signs(self.val, c)
        return max(
            _all_of(self._step_signs(self.train, c) + calm, WEAKEST, TOGETHER),
            _all_of(self._clear_signs(self.val, c), 1.0, 1.0),
            self._kink(self.val, c),
        )

    def further(self, c: float) -> float:
        """The same for a run that has dropped its rate already: a step of the mean of both curves, with calming."""
        if self.val is None:
            return 0.0
        steps = zip(self._step_signs(self.train, c), self._step_signs(self.val, c), strict=True)
        means = [None if a is None or b is None else (a + b) / 2 for a, b in steps]
        return _all_of(means + self._calm_signs(self.val, c), WEAKEST, FURTHER)

    def _step_signs(self, curve: _Curve, c: float, gap: float = GAP, surprise: float = SURPRISE) -> list[Sign]:
        broken = break_at(curve.x, curve.y, c, self.width, curve.scatter)
        surprised = first_surprise(curve.x, curve.y, c, self.near, curve.scatter)
        return [_share(broken.gap if broken else None, gap), _share(surprised, surprise)]

    def _calm_signs(self, val: _Curve, c: float) -> list[Sign]:
        quiet = quieting(val.x, val.y, c, self.near, val.scatter)
        return [self._support_sign(val, c, 1.0), self._calming_sign(val, c, 1.0), _share(quiet, VAL_QUIETING)]

    def _clear_signs(self, val: _Curve, c: float) -> list[Sign]:
        clear = _share(clearance(val.x, val.y, c), CLEARANCE * val.fall)
        if clear is None or clear < 1.0:
            return [None]  # as nearly everywhere: the rest need not be computed
        return [
            clear,
            *self._step_signs(val, c, CLEAR_GAP, CLEAR_SURPRISE),
            self._support_sign(val, c, CLEAR_SUPPORT),
            self._calming_sign(val, c, WEAKEST),
        ]

    def _support_sign(self, val: _Curve, c: float, times: float) -> Sign:
        broken = break_at(val.x, val.y, c, self.width, val.scatter)
        return _share(broken.support if broken else None, times * VAL_SUPPORT * 2 * self.width)

    def _calming_sign(self, val: _Curve, c: float, times: float) -> Sign:
        return _share(calming(val.x, val.y, c, max(6.0, 0.25 * self.end), val.motion), times * VAL_CALMING)

    def _kink(self, val: _Curve, c: float) -> float:
        """How clearly both curves, or validation on its own, cease to fall."""
        slow, val_slow = (slowing(curve.x, curve.y, c, curve.motion / 2) for curve in (self.train, val))
        if val_slow is None:
            return 0.0
        alone = [_share(val_slow.ratio, KINK), _share(val_slow.surprise, VAL_KINK_SURPRISE)]
        if slow is None:
            return _all_of(alone, 1.0, 1.0)
        surprise = slow.surprise + val_slow.surprise
        both = [_share(min(slow.ratio, val_slow.ratio), KINK), _share(surprise, KINK_SURPRISE)]
        return max(_all_of(alone, 1.0, 1.0), _all_of(both, 1.0, 1.0))

    def placed(self, chosen: Sequence[_Candidate]) -> list[_Candidate]:
        """Each candidate at the likeliest place within two epochs: its signs tell that it is there, hardly where."""
        starts = [0.0, *(candidate.at for candidate in chosen)]
        ends = [*(candidate.at for candidate in chosen[1:]), self.end]
        return [self._placed(c, low, high) for c, low, high in zip(chosen, starts, ends, strict=False)]

    def _placed(self, candidate: _Candidate, start: float, end: float) -> _Candidate:
        places = candidate.at + np.arange(-PLACED_WITHIN, PLACED_WITHIN + 1)
        low, high = max(start, candidate.at - self.near), min(end, candidate.at + self.near)
        curves = [self.train] if self.val is None else [self.train, self.val]
        likely = [[turning(c.x, c.y, float(at), low, high, c.scatter) for at in places] for c in curves]
        known = np.array([[np.nan if v is None else v for v in row] for row in likely]).sum(axis=0)
        return replace(candidate, at=float(places[np.nanargmax(known)])) if np.isfinite(known).any() else candidate

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
        breaks = [break_at(curve.x, curve.y, c, self.width, curve.scatter) for curve in curves]
        return sum(found.support if found is not None else 0.0 for found in breaks)


def _share(value: float | None, asked: float) -> Sign:
    return None if value is None else float(np.clip(value / asked, -1.0, MOST))


def _all_of(signs: Sequence[Sign], weakest: float, together: float) -> float:
    """The mean of the signs if all are there, none is weaker than `weakest` and their mean is `together`; else 0."""
    known = [sign for sign in signs if sign is not None]
    if len(known) < len(signs) or min(known) < weakest or np.mean(known) < together:
        return 0.0
    return float(np.mean(known))
