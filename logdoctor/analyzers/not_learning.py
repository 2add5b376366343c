from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case, amount
from logdoctor.curves.trend import moving_mean
from logdoctor.finding import Finding, Severity
from logdoctor.run import Floats

USUAL_CLASSES = np.array([*range(2, 21), 43, 47, 50, 80, 100, 101, 102, 200, 256, 365, 1000, 10_000, 21_841, 50_257])


@dataclass(frozen=True)
class NotLearning:
    """The training loss never moved, or only down to that of a uniform guess.

    What it says
        The loss ended where it started; where it stands at ln C, the model predicts all C classes alike.

    Why it matters
        Nothing was learned at all: more epochs will not help, something is broken.

    How it decides
        The smoothed training loss moved less than 1 % of its start over the whole run, or less than 3 % and stands
        at ln C within 0.4 % (C = 2 … 20, or a number data sets often have); a validation loss that fell clearly
        contradicts. Or: whatever the loss came down from (raw pixels, a bad start), it has stood at ln C within 2 %
        for half of the run, never went below, and the accuracy is that of guessing among C classes and has not risen.

    Limits
        max_range: smoothed range as a share of the start.
        max_range_chance, chance_share: the same for a loss that stands at ln C.
        chance_band, chance_accuracy: how near to ln C, and how far above 1/C (in units of p(1 - p)).
        val_fall: a validation loss that fell by this share shows that something was learned.

    What fools it
        A learning rate so small that the loss creeps; a long temporary plateau at the start; losses with a large
        constant part (regularisation) beside a small part that learns.

    Reference
        Karpathy 2019, "A recipe for training neural networks": verify the loss at initialisation.
    """

    name: ClassVar[str] = "not-learning"

    max_range: float = limit(0.01, "share of the start", "less is scatter in almost any task")
    max_range_chance: float = limit(0.03, "share of the start", "settling from the initialisation to ln C")
    chance_share: float = limit(0.004, "share of ln C", "a uniform prediction is exact; class imbalance shifts it")
    chance_band: float = limit(0.02, "share of ln C", "a dead network scatters about ln C with its class imbalance")
    chance_accuracy: float = limit(0.3, "p(1 - p) above p = 1/C", "0.575 for two classes, 0.127 for ten")
    val_fall: float = limit(0.03, "share of the start", "three times what the training loss may move")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(4)
        start = train.first
        if case.departure.diverged or start <= 0 or not train.is_loss:
            return None
        guessing = self._guessing(case)
        if guessing:
            return self._guess_found(case, *guessing)
        level = moving_mean(train.y, 0.25)
        moved = float(np.ptp(level)) / start
        classes = chance_classes(float(level[-1]), self.chance_share)
        if moved > (self.max_range_chance if classes else self.max_range) or self._val_learned(case):
            return None
        clauses = doubts(case)
        chance = f", ln {classes}: all {classes} classes predicted alike" if classes else ""
        return Finding(
            self.name,
            Severity.ERROR,
            f"the train loss never moved: {start:.4g} at the start, {level[-1]:.4g} after "
            f"{case.lasting(case.length)} (range {percent(moved)}{chance})",
            "Something is broken rather than slow. In this order: can it overfit one batch? Are labels and inputs "
            "paired, are gradients non-zero (dead ReLU, saturated sigmoid, frozen layers), is the loss on logits? Then "
            "change the learning rate by factors of ten in both directions.",
            case.span(0.0, case.length),
            case.lines(0.0, case.length),
            not clauses,
            {"range": moved, "start": start, "end": float(level[-1]), "classes": float(classes) if classes else None},
            sentence(clauses) or f"A fall of more than {amount(100 * self.max_range)} % within as many epochs again.",
        )

    def _guessing(self, case: Case) -> tuple[int, float] | None:
        """Classes and accuracy, where the loss has stood at ln C and the accuracy at 1/C for half of the run."""
        train = case.needs_train(4)
        late = train.y[len(train) // 2 :]
        classes = chance_classes(float(np.median(late)), self.chance_band)
        known = [curve for curve in case.run.curves if curve.metric == "accuracy" and curve.finite.any()]
        accuracy = min(known, key=lambda curve: curve.split == "train", default=None)
        if classes is None or accuracy is None or moving_mean(train.y, 0.25).min() < 0.97 * np.log(classes):
            return None
        values = accuracy.value[accuracy.finite] / (100.0 if np.nanmax(accuracy.value, initial=0.0) > 1.0 else 1.0)
        late_values = values[accuracy.x[accuracy.finite] >= 0.5 * case.length]
        if not len(late_values):
            return None
        share, p = float(np.mean(late_values)), 1.0 / classes
        allowed = self.chance_accuracy * p * (1 - p)
        return (classes, share) if share <= p + allowed and share - float(values[0]) <= allowed else None

    def _guess_found(self, case: Case, classes: int, share: float) -> Finding:
        level = float(np.median(case.needs_train().y[-max(1, len(case.needs_train()) // 2) :]))
        clauses = doubts(case)
        return Finding(
            self.name,
            Severity.ERROR,
            f"the model guesses: the train loss has stood at {level:.4g} = ln {classes} and the accuracy at "
            f"{percent(share)} for half of the run, as if all {classes} classes were alike",
            "The units are dead or saturated. Scale the inputs (raw pixels of 0 … 255 do this), start from a smaller "
            "learning rate or warm it up, check the initialisation; then see whether one batch can be overfitted.",
            case.span(0.5 * case.length, case.length),
            case.lines(0.5 * case.length, case.length),
            not clauses,
            {"classes": float(classes), "accuracy": share, "end": level},
            sentence(clauses) or "An accuracy above that of guessing.",
        )

    def _val_learned(self, case: Case) -> bool:
        if case.val is None or len(case.val) < 3 or case.val.first == 0:
            return False
        level: Floats = moving_mean(case.val.y, 0.25)
        return float(case.val.first - level.min()) > self.val_fall * abs(case.val.first)


def chance_classes(level: float, tolerance: float) -> int | None:
    """The usual number of classes whose uniform prediction has this cross-entropy (ln C); None if there is none.

    Any number would do: above twenty classes neighbouring ln C lie closer than the tolerance.
    """
    distance = np.abs(level / np.log(USUAL_CLASSES) - 1)
    nearest = int(np.argmin(distance))
    return int(USUAL_CLASSES[nearest]) if distance[nearest] < tolerance else None
