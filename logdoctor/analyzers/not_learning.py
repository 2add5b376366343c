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
    """The training loss never moved.

    What it says
        The loss ended where it started; where it stands at ln C, the model predicts all C classes alike.

    Why it matters
        Nothing was learned at all: more epochs will not help, something is broken.

    How it decides
        The smoothed training loss moved less than 1 % of its start over the whole run, or less than 3 % and stands
        at ln C within 0.4 % (C = 2 … 20, or a number data sets often have); a validation loss that fell clearly
        contradicts.

    Limits
        max_range: smoothed range as a share of the start.
        max_range_chance, chance_share: the same for a loss that stands at ln C.
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
    val_fall: float = limit(0.03, "share of the start", "three times what the training loss may move")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(4)
        start = train.first
        if case.departure.diverged or start <= 0 or not train.is_loss:
            return None
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
