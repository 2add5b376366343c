from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from logdoctor.analyzers.contract import limit
from logdoctor.case import Case
from logdoctor.finding import Finding, Severity


@dataclass(frozen=True)
class TooShort:
    """The run is too short for a firm verdict.

    What it says
        How long it is, and from which epoch on a verdict is possible.

    Why it matters
        The first epochs say little: a deeper net can look slower early and win by morning.

    How it decides
        Fewer epochs than the limit; where epochs are unknown, fewer points of the training loss.

    Limits
        min_epochs: epochs (points, where epochs are unknown) for a firm verdict.

    What fools it
        Epochs of very different size: one pass over a huge data set can be a whole training.

    Reference
        Field practice: look at the loss at about ten epochs.
    """

    name: ClassVar[str] = "too-short"

    min_epochs: float = limit(10.0, "epochs", "before that curves of good and bad runs look alike")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(1)
        if case.epochs_known:
            enough = case.length >= case.epochs(self.min_epochs)
            said, wanted = case.lasting(case.length), case.place(case.epochs(self.min_epochs))
        else:
            enough = len(train) >= self.min_epochs
            said, wanted = f"{len(train)} points of the train loss", f"{self.min_epochs:.0f} points"
        if enough:
            return None
        return Finding(
            self.name,
            Severity.INFO,
            f"only {said}: all verdicts are tentative, a firm one is possible from {wanted} on",
            "The first epochs say little of the end. Do not rank or stop runs on this; look again at about ten epochs.",
            case.span(0.0, case.length),
            case.lines(case.length),
            numbers={"length": case.length, "points": float(len(train))},
        )
