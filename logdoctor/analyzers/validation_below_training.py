from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.finding import Finding, Severity


@dataclass(frozen=True)
class ValidationBelowTraining:
    """The validation loss lies below the training loss.

    What it says
        In how many of the last validations it did.

    Why it matters
        Usually harmless (dropout, augmentation, a mean over the epoch), now and then a sign of leaked data or of a
        validation set that is too easy.

    How it decides
        Over the last third of the run each validation is compared with the trend of the training loss at its place.

    Limits
        min_share: share of these validations that lie below.
        firm_points: validations in the last third for a firm verdict.

    What fools it
        The logged training loss lags by half an epoch while it falls steeply.

    Reference
        Keras FAQ, "Why is my training loss much higher than my testing loss?".
    """

    name: ClassVar[str] = "validation-below-training"

    min_share: float = limit(0.66, "share of the validations", "two in three cannot be chance on a flat stretch")
    firm_points: float = limit(5.0, "validations", "with fewer in the last third the verdict is tentative")

    def analyze(self, case: Case) -> Finding | None:
        train, val = case.needs_same_loss()
        if case.departure.diverged:
            return None
        third = val.x > case.length * 2 / 3
        last = case.stretches[-1]
        if not third.any():
            return None
        level = np.interp(val.x[third], train.x, case.trend)
        share = float(np.mean(val.y[third] < level))
        if share <= self.min_share:
            return None
        certain = abs(float(np.mean(level - val.y[third]))) > 2 * val.noise and third.sum() >= self.firm_points
        clauses = doubts(case, borderline=not certain)
        return Finding(
            self.name,
            Severity.INFO,
            f"validation loss ({np.median(val.y[third]):.4g}) below the train loss ({last.level:.4g}) in "
            f"{percent(share)} of the last third",
            "Expected with dropout, augmentation, label smoothing or mixup, which act in training only. Without any of "
            "them look for training examples in the validation set and for an easier validation set.",
            case.span(case.length * 2 / 3, case.length),
            tuple(dict.fromkeys((val.curve.at(case.length), *case.lines(case.length)))),
            not clauses,
            {"share": share},
            sentence(clauses) or "The train loss evaluated without dropout and augmentation.",
        )
