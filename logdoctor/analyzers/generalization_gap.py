from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.curves.noise import noise
from logdoctor.finding import Finding, Severity

EARLY = 0.1  # of the first epoch: a loss logged within it is that before training


@dataclass(frozen=True)
class GeneralizationGap:
    """The validation loss is much higher than the training loss.

    What it says
        The gap at the end as a share of what the training loss has fallen since its start.

    Why it matters
        A gap without a rise is no overfitting in the strict sense, but it says where the next gain is: in data and
        regularisation rather than in more epochs.

    How it decides
        Median of the last tenth of the validation loss minus the trend of the training loss at the end, against the
        fall from the initial loss, and against the scatter of the validation loss. Where only epoch means are logged
        the initial loss lies above the first of them: it is estimated from the fall between the first two, rather too
        low, and more of a gap is asked for.

    Limits
        min_share: gap as a share of the fall since the start, where the loss before training is in the log.
        min_share_estimated: the same where it is estimated.
        noise_sigmas: gap in σ of the validation loss in the second half of the run.

    What fools it
        The training loss in the log is a mean over the epoch with dropout and augmentation on; evaluated without
        them it would be lower or higher; with batch normalisation the two modes can differ by as much as a gap. A
        validation set that is harder by nature.

    Reference
        Goodfellow, Bengio, Courville 2016, "Deep Learning", section 5.2.
    """

    name: ClassVar[str] = "generalization-gap"

    min_share: float = limit(0.20, "share of the fall since the start", "smaller gaps are usual and harmless")
    min_share_estimated: float = limit(0.25, "share of the fall since the start", "the estimated start lies too low")
    noise_sigmas: float = limit(4.0, "σ", "a loss that swings by as much as the gap shows no gap")

    def analyze(self, case: Case) -> Finding | None:
        train, val = case.needs_same_loss()
        fall = max(case.initial, train.first) - case.stretches[-1].level
        if case.departure.diverged or fall <= 0:
            return None
        level = float(np.median(val.y[-max(1, len(val) // 10) :]))
        gap = level - case.stretches[-1].level
        logged = train.curve.x[train.curve.finite][0] < EARLY * train.width
        least = fall * (self.min_share if logged else self.min_share_estimated)
        if gap < least or gap < self.noise_sigmas * noise(val.y[len(val) // 2 :]):
            return None
        clauses = doubts(case, borderline=gap < 1.3 * least)
        return Finding(
            self.name,
            Severity.INFO,
            f"validation loss ends at {level:.4g}, {gap:.3g} above the train loss: {percent(gap / fall)} of what the "
            "train loss has fallen",
            "The next gain is in generalisation, if both losses are the same function (no label smoothing or auxiliary "
            "terms in one only). More or augmented data, weight decay, dropout, a smaller model.",
            case.span(0.9 * case.length, case.length),
            tuple(dict.fromkeys((val.curve.at(case.length), *case.lines(case.length)))),
            not clauses,
            {"gap": gap, "share": gap / fall},
            sentence(clauses) or "The train loss evaluated without dropout and augmentation.",
        )
