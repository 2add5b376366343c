from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.finding import Finding, Severity


@dataclass(frozen=True)
class SlowLearning:
    """The training loss falls all along, steadily, and has come only a small part of the way.

    What it says
        How even the fall is, and how little of the loss it has removed.

    Why it matters
        A rate that is too small wastes the whole run and often ends in a worse place than a proper one.

    How it decides
        At a constant rate the last third of the run still brought a good part of what the first third brought, the
        last fifth a good part of a fifth, the curve is quiet (never unstable), and the loss has lost less than about
        half of its start.

    Limits
        min_epochs: length of the run.
        min_evenness: fall of the last third over that of the first.
        min_end_share: share of the total drop in the last fifth (a straight line: 0.2).
        max_drop: share of the start that the loss has lost.
        min_drop: less than that is `not-learning`.
        max_noise: σ as a share of the total drop: a noisy run is not too slow.

    What fools it
        Losses with a large constant part; a late start after a long plateau; a run that was meant to be short.

    Reference
        Smith 2017 (arXiv:1506.01186), the learning-rate range test.
    """

    name: ClassVar[str] = "slow-learning"

    min_epochs: float = limit(10.0, "epochs", "early on every loss falls evenly")
    min_evenness: float = limit(0.4, "ratio", "an exponential fall that is done has less than 0.05")
    min_end_share: float = limit(0.1, "share of the total drop", "half of what a straight line brings")
    max_drop: float = limit(0.45, "share of the start", "a loss that has halved has learned something")
    min_drop: float = limit(0.01, "share of the start", "less is not learning at all")
    max_noise: float = limit(0.05, "share of the total drop", "at a small rate curves are quiet")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(8)
        total, start = case.total_drop, abs(train.first)
        if case.departure.diverged or len(case.stretches) > 1 or case.length < case.epochs(self.min_epochs):
            return None
        drop = total / start if start > 0 else 0.0
        quiet = case.stretches[-1].sigma < self.max_noise * total
        if not (self.min_drop < drop < self.max_drop and quiet and case.end.falling):
            return None
        evenness = _evenness(case)
        if evenness < self.min_evenness or case.end.fall < self.min_end_share:
            return None
        clauses = doubts(case, borderline=evenness < 1.5 * self.min_evenness)
        return Finding(
            self.name,
            Severity.WARNING,
            f"{train.name} falls evenly and slowly: from {train.shown(train.first)} to "
            f"{train.shown(case.stretches[-1].level)} in {case.lasting(case.length)}, the last fifth brought "
            f"{percent(case.end.fall)} of that and nothing was ever unstable",
            f"The learning rate is too small{_rates(case)}. Raise it by 3 to 10, or find the largest stable one with a "
            "range test of a few hundred steps.",
            case.span(0.0, case.length),
            case.lines(0.0, case.length),
            not clauses,
            {"evenness": evenness, "drop_of_start": drop, "end_share": case.end.fall},
            sentence(clauses) or "A run at three times the rate that learns no faster.",
        )


def _evenness(case: Case) -> float:
    """Fall of the trend over the last third of the points over that of the first."""
    third = len(case.trend) // 3
    first = float(case.trend[0] - case.trend[third])
    return float(case.trend[-third - 1] - case.trend[-1]) / first if first > 0 else 0.0


def _rates(case: Case) -> str:
    rate = case.run.fact("base_lr", case.run.fact("lr"))
    return f" ({rate:g})" if isinstance(rate, int | float) else ""
