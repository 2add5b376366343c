from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, drop_line, percent, sentence
from logdoctor.case import Case, amount
from logdoctor.curves.flatness import FLAT, LENIENT
from logdoctor.finding import Finding, Severity
from logdoctor.tracks import Track


@dataclass(frozen=True)
class Plateau:
    """The training loss was flat long before the end.

    What it says
        Since epoch N the training loss had nothing left to gain at this learning rate, and the run went on.

    Why it matters
        The epochs after N were paid for and brought nothing. Flat at a large rate usually means noise, not the
        bottom: a drop of the rate would have brought the next gain.

    How it decides
        Only the last learning-rate segment is looked at. Its trend (a fit that may only fall) is followed back from
        the end: flat is where less than 2 % of the total drop was left. In noisy logs a fall must also be larger
        than its standard error explains. The flat stretch must be long enough, in epochs and as a share of the run. The
        verdict is firm where 1 %, 2 % and 5 % left all call it flat for so long and no fall beyond 5 % can hide in it.

    Limits
        min_epochs: epochs the loss must have been flat.
        min_share: the same as a share of the run; the longer of the two counts.
        max_hidden_fall: upper bound (two standard errors) of the fall within the flat stretch; a rise counts alike.
        min_drop: what the loss must have fallen in all for a plateau to mean anything.

    What fools it
        A temporary plateau: deep nets can sit on one for 20 epochs and then fall. An unlogged drop of the rate makes
        two segments look like one. Losses that creep down by under 2 % forever are called flat.

    Reference
        Bengio 2012 (arXiv:1206.5533), section 3; dlib's `count_steps_without_decrease` judges by the same idea.
    """

    name: ClassVar[str] = "plateau"

    min_epochs: float = limit(10.0, "epochs", "shorter flat stretches are usual before a planned drop")
    min_share: float = limit(0.4, "share of the run", "under that the run was hardly too long")
    max_hidden_fall: float = limit(0.2, "share of the total drop", "more could hide in the scatter of the flat stretch")
    min_drop: float = limit(0.03, "share of the start", "a loss that never moved has no plateau: see not-learning")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(4)
        last = case.stretches[-1]
        since = last.flatness.since
        if case.departure.diverged or last.flatness.answer != FLAT or since is None:
            return None
        learned = case.total_drop >= self.min_drop * abs(train.first)
        hidden = last.largest_change(since) > self.max_hidden_fall * case.total_drop
        if last.flat_length < self._needed(case) - 1e-9 or not learned or hidden:
            return None
        return self._finding(case, train, since)

    def _needed(self, case: Case) -> float:
        """How long the loss must have been flat, in axis units."""
        return max(case.epochs(self.min_epochs), self.min_share * case.length)

    def _certain(self, case: Case) -> bool:
        """Whether 1 %, 2 % and 5 % left all call it flat for long enough, and no fall beyond 5 % can hide in it."""
        last, needed = case.stretches[-1], self._needed(case)
        ends = (last.flatness.low, last.flatness.since, last.flatness.high)
        starts = [start for start in ends if start is not None and last.segment.end - start >= needed - 1e-9]
        return len(starts) == len(ends) and last.largest_change(max(starts)) < LENIENT * case.total_drop

    def _finding(self, case: Case, train: Track, since: float) -> Finding:
        last = case.stretches[-1]
        flat, fall = last.flat_length, last.fall_since(since)
        brought, error = max(0.0, fall.size / case.total_drop), fall.error / case.total_drop
        clauses = doubts(case, borderline=last.flatness.borderline and not self._certain(case))
        return Finding(
            self.name,
            Severity.WARNING,
            f"{train.name} flat since {case.place(since)} of {amount(case.length)}: "
            f"the last {case.lasting(flat)} brought {percent(brought)} (± {percent(error)}) of the total drop",
            _advice(case, since),
            case.span(since, case.length),
            case.lines(since, case.length),
            not clauses,
            {"flat_since": since, "flat_length": flat, "share_gained": brought, "noise": train.noise},
            sentence(clauses) or "A fall of the loss at the same rate within half as many epochs again.",
        )


def _advice(case: Case, since: float) -> str:
    if case.schedule.drops or case.schedule.kind not in ("constant", "unknown"):
        return (
            f"At the last rate nothing was left to gain. Stop at about {case.place(since)}, "
            "or spend the time on a larger model, more data or less regularisation."
        )
    soon = since + max(case.epochs(2.0), 0.02 * case.length)
    return (
        "At this learning rate the loss has reached its noise floor. Drop the rate by ten at about "
        f"{case.place(soon)}: {drop_line(case, soon)}; if that brings nothing, stop there."
    )
