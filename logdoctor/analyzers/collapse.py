from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.not_learning import chance_classes
from logdoctor.analyzers.wording import doubts, sentence
from logdoctor.case import Case
from logdoctor.finding import Finding, Severity


@dataclass(frozen=True)
class Collapse:
    """The model had learned, and fell back to predicting all classes alike.

    What it says
        How low the loss had been, when it rose, and the chance level (ln C) it stands at since.

    Why it matters
        Everything learned is gone; such runs rarely come back by themselves.

    How it decides
        The loss ends at ln C (the cross-entropy of a uniform prediction over C classes), after a trend well below
        it, having started in its neighbourhood.

    Limits
        chance_share: distance from ln C at the end, and half of the scatter allowed there.
        start_share: distance of the first logged value from ln C.
        learned_share: share of ln C below which the loss must have been.

    What fools it
        Losses that are no cross-entropy and end near a logarithm by chance: the number of classes is a guess unless
        the log states it.

    Reference
        Karpathy 2019, "A recipe for training neural networks": −log(1/C) at initialisation.
    """

    name: ClassVar[str] = "collapse"

    chance_share: float = limit(0.02, "share of ln C", "a uniform prediction is exact; dropout adds little")
    start_share: float = limit(0.15, "share of ln C", "an epoch's mean is lower, an initialisation may be higher")
    learned_share: float = limit(0.7, "share of ln C", "a loss that low was no accident")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(8)
        last = train.y[-max(3, len(train) // 10) :]
        end = float(np.median(last))
        classes = chance_classes(end, self.chance_share) if end > 0 and train.is_loss else None
        if classes is None or np.ptp(last) > 2 * self.chance_share * end:
            return None
        chance = float(np.log(classes))
        start = float(train.curve.value[train.curve.finite][0])
        lowest = int(np.argmin(train.y))
        started_there = abs(start / chance - 1) < self.start_share
        if train.y[lowest] > self.learned_share * chance or not started_there:
            return None
        at = float(train.x[lowest])
        left = float(train.x[lowest + int(np.argmax(train.y[lowest:] > 0.9 * chance))])
        clauses = doubts(case)
        return Finding(
            self.name,
            Severity.ERROR,
            f"the model had learned (train loss {train.y[lowest]:.4g} at {case.place(at)}) and fell back to chance: "
            f"{end:.4g} = ln {classes} since {case.place(left)}",
            f"A step was too large for where the model was. Restart from a checkpoint before {case.place(left)} with a "
            "smaller rate and clipped gradients; look for dead activations and, in mixed precision, for an overflow "
            "that the loss scaler did not catch.",
            case.span(left, case.length),
            case.lines(at, left, case.length),
            not clauses,
            {"lowest": float(train.y[lowest]), "end": end, "classes": float(classes), "since": left},
            sentence(clauses) or "A loss that falls below its former level again.",
        )
