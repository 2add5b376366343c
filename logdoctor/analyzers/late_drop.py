from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, drop_line, sentence
from logdoctor.case import LATE_EPOCHS, Case
from logdoctor.finding import CannotJudgeError, Finding, Severity
from logdoctor.segments import Drop
from logdoctor.stretches import LATE_SHARE, Stretch

SHOWN_DROPS = 12  # a schedule of more is no line of configuration any more


@dataclass(frozen=True)
class LateDrop:
    """The learning rate was dropped long after the training loss went flat.

    What it says
        For each late drop: since when the loss had been flat, and how long the run waited.

    Why it matters
        The epochs in between brought under 2 % of the progress; dropping earlier gives the same result sooner.

    How it decides
        In the segment before the drop the trend (a fit that may only fall) is followed back: flat is where less than
        2 % of the drop so far was left to gain. The wait is late from five epochs and half of the segment on, if a
        straight line through these did not fall either. The verdict is firm where 1 % and 5 % left say the same, or
        where no fall beyond the limit can hide in the scatter (two standard errors).

    Limits
        max_fall: fall of that line as a share of the drop so far.
        min_confidence: of an inferred drop, below which nothing is said about its timing.

    What fools it
        Noise as large as the steps; a temporary plateau. Drops of a ReduceLROnPlateau come `patience` epochs late on
        purpose. Rates on Adam matter less: the verdict is then tentative.

    Reference
        Goyal et al. 2017 (arXiv:1706.02677) drop at 30, 60, 80 of 90 epochs; field practice is every 10 to 20.
    """

    name: ClassVar[str] = "late-drop"

    max_fall: float = limit(0.05, "share of the drop so far", "what the strict and the lenient limit of flat agree on")
    min_confidence: float = limit(0.9, "probability", "a drop that may not exist cannot be late")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(4)
        if not case.schedule.drops:
            raise CannotJudgeError("no drop of the learning rate in the log")
        sure = [d for d in case.schedule.drops if d.timing == "late" and d.confidence >= self.min_confidence]
        late = [drop for drop in sure if self._waited(case, drop, train.first)]
        if case.departure.diverged or not late:
            return None
        return self._finding(case, train.name, late)

    def _waited(self, case: Case, drop: Drop, start: float) -> bool:
        """Whether a straight line through the second half of the segment, or its last five epochs, hardly falls."""
        before = _before(case, drop)
        if before is None:
            return False
        return before.fall_since(drop.at - _wait(case, before)).size < self.max_fall * (start - before.level)

    def _borderline(self, case: Case, drop: Drop) -> bool:
        """Whether the limits of 1 % and 5 % disagree, where a fall above the limit may also hide in the scatter."""
        before = _before(case, drop)
        if before is None:
            return True
        flatness, wait = before.flatness, _wait(case, before)
        fall = before.fall_since(drop.at - wait)
        most = self.max_fall * (case.needs_train().first - before.level)
        if fall.size + 2 * fall.error < most and flatness.low is not None and drop.at - flatness.low >= wait - 1e-9:
            return False
        strict = flatness.high
        return flatness.borderline or strict is None or drop.at - strict < LATE_SHARE * before.segment.length

    def _finding(self, case: Case, name: str, late: list[Drop]) -> Finding:
        waits = [drop.at - (drop.flat_since or drop.at) for drop in late]
        worst = late[waits.index(max(waits))]
        clauses = doubts(case, schedule=True, borderline=self._borderline(case, worst))
        lost = f"; {len(late)} late drops cost {case.lasting(sum(waits))} in all" if len(late) > 1 else ""
        since = worst.flat_since or worst.at
        return Finding(
            self.name,
            Severity.WARNING,
            f"learning rate dropped at {case.place(worst.at)}, {case.lasting(max(waits))} after the {name} "
            f"went flat ({case.place(since)}){lost}",
            _advice(case),
            case.span(since, worst.at),
            case.lines(since, worst.at),
            not clauses,
            {"flat_since": since, "drop_at": worst.at, "epochs_flat": sum(waits), "late_drops": float(len(late))},
            sentence(clauses) or "A run that drops earlier and ends higher.",
        )


def _wait(case: Case, segment: Stretch) -> float:
    """How long the loss must have been flat before a drop for it to be late, in axis units."""
    return max(LATE_EPOCHS * case.epoch_or_bin, LATE_SHARE * segment.segment.length)


def _before(case: Case, drop: Drop) -> Stretch | None:
    """The segment that ends with the drop."""
    return next((s for s in case.stretches if abs(s.segment.end - drop.at) < 1e-6), None)


def _advice(case: Case) -> str:
    """When each late drop would have done: two epochs (or 5 % of the segment) after the loss went flat."""
    spared, marks = 0.0, []
    for drop in case.schedule.drops:
        wait = 0.0
        if drop.timing == "late" and drop.flat_since is not None:
            wait = max(0.0, drop.at - drop.flat_since - max(case.epochs(2.0), 0.05 * drop.since_last))
        spared += wait
        marks.append(drop.at - spared)
    if case.schedule.kind == "plateau-driven":
        return "The scheduler waited too long. Lower its `patience` to about a third, with the same factor."
    few = len(marks) <= SHOWN_DROPS
    line = (
        drop_line(case, *marks) if few else "whenever the loss has been flat for two epochs, instead of at fixed places"
    )
    return (
        "Once the loss was flat the old rate brought nothing more. Drop sooner, for the same result "
        f"{case.lasting(spared)} earlier: {line}."
    )
