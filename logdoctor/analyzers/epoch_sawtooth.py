from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.finding import CannotJudgeError, Finding, Severity
from logdoctor.run import Curve, Floats
from logdoctor.tracks import Track, is_running

BINS = 10


@dataclass(frozen=True)
class Pattern:
    """The mean course of the loss within an epoch: `explained` share of the variance, `ramp` from lowest to highest."""

    explained: float
    ramp: float
    level: float
    epochs: int


@dataclass(frozen=True)
class EpochSawtooth:
    """The training loss repeats a pattern within every epoch.

    What it says
        How much of the loss's variance the position within the epoch explains, and how high the ramp is.

    Why it matters
        The data are not shuffled: the model is pulled to and fro, and batch statistics are wrong.

    How it decides
        Over the last two thirds of the run each logged value is compared with its epoch's mean (interpolated, so that
        the trend does not count); the position within the epoch, in up to ten bins, must explain a large part of the
        variance, and the ramp must be high against the total drop and against the level.

    Limits
        min_explained: share of the variance.
        min_ramp: height of the mean pattern as a share of the total drop.
        min_ramp_level: the same as a share of the loss.
        min_epochs, min_points: epochs judged, and logged values an epoch.

    What fools it
        A few epochs in which the loss falls steeply; data that are passed once, in order of difficulty.

    Reference
        Bottou 2012, "Stochastic gradient descent tricks": shuffle the examples every epoch.
    """

    name: ClassVar[str] = "epoch-sawtooth"

    min_explained: float = limit(0.3, "share of the variance", "random order explains next to nothing")
    min_ramp: float = limit(0.2, "share of the total drop", "smaller patterns do not hinder the training")
    min_ramp_level: float = limit(0.15, "share of the loss", "the same for a loss that has hardly fallen")
    min_epochs: float = limit(5.0, "epochs", "a pattern must repeat")
    min_points: float = limit(4.0, "values an epoch", "fewer do not show a course")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(3)
        if not case.epochs_known:
            raise CannotJudgeError("the length of an epoch is unknown")
        if case.departure.diverged:
            return None
        curve = _finest(case, train)
        late = curve.finite & (curve.x > case.length / 3)
        shift = 1e-6 if curve.x[0] == 0 else -1e-6  # a series that starts at 0 counts from 0
        epochs = curve.x[late] / case.epochs(1.0) + shift
        pattern = find_pattern(epochs, curve.value[late], self.min_epochs, self.min_points)
        high = (
            pattern.ramp > self.min_ramp * abs(case.total_drop) and pattern.ramp > self.min_ramp_level * pattern.level
        )
        if pattern.explained < self.min_explained or not high:
            return None
        clauses = doubts(case)
        return Finding(
            self.name,
            Severity.WARNING,
            f"the {train.name} repeats a pattern in every epoch: the position within it explains "
            f"{percent(pattern.explained)} of the variance, the ramp is {pattern.ramp:.3g} high",
            "The data come in the same order every epoch. Shuffle them (PyTorch: `DataLoader(..., shuffle=True)`; "
            "tf.data: `.shuffle(n)`, n the size of the data set; Caffe: shuffle before writing the LMDB).",
            case.span(case.length / 3, case.length),
            case.lines(case.length / 3, case.length),
            not clauses,
            {"explained": pattern.explained, "ramp": pattern.ramp, "epochs_judged": float(pattern.epochs)},
            sentence(clauses) or "The same pattern with shuffled data.",
        )


def _finest(case: Case, train: Track) -> Curve:
    """The telling of the train loss with the most points that is not a running mean: epoch means show no pattern."""
    same = (c for c in case.run.curves if c.metric == train.curve.metric and c.split == train.curve.split)
    return max((c for c in same if not is_running(c)), key=len, default=train.curve)


def find_pattern(epochs: Floats, y: Floats, min_epochs: float, min_points: float) -> Pattern:
    """The mean course within an epoch; `epochs`: position in epochs completed (n,). Errors: CannotJudgeError."""
    number = np.ceil(epochs)
    each, inverse, counts = np.unique(number, return_inverse=True, return_counts=True)
    if len(each) < min_epochs or len(y) < min_points * len(each):
        raise CannotJudgeError(f"{len(each)} epochs of {len(y) / max(len(each), 1):.1f} logged values are too few")
    means = np.bincount(inverse, y) / counts
    rest = y - np.interp(epochs, each - 0.5, means)
    bins = int(min(BINS, len(y) / len(each)))
    place = np.clip(((epochs - number + 1) * bins).astype(np.int64), 0, bins - 1)
    size = np.bincount(place, minlength=bins)
    course = np.bincount(place, rest, minlength=bins)[size > 0] / size[size > 0]
    between = float(size[size > 0] @ (course - rest.mean()) ** 2)
    total = float(((rest - rest.mean()) ** 2).sum())
    raw = between / total if total > 0 else 0.0
    explained = 1 - (1 - raw) * (len(y) - 1) / max(len(y) - len(course), 1)
    return Pattern(explained, float(np.ptp(course)), abs(float(np.median(y))), len(each))
