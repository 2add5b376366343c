from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from logdoctor.analyzers.wording import doubts, sentence
from logdoctor.case import Case
from logdoctor.departure import Departure
from logdoctor.finding import CannotJudgeError, Finding, Severity


@dataclass(frozen=True)
class Divergence:
    """The training loss left its level for good.

    What it says
        From where on the loss stayed above where it started, or that it became NaN before it had learned anything.

    Why it matters
        Everything after that point is lost; no later checkpoint is usable.

    How it decides
        The median of the last 10 % of the logged values lies above the first logged value by more than 30 % of the
        loss's own scale, and the validation loss, if any, did not end below its start. A loss that becomes non-finite
        within its first three values, or after such a rise, has diverged too; out of a quiet, falling curve it is
        `non-finite-loss` only.

    Limits
        None to set: the rise is defined once for all analyzers that must keep silent about a diverged run.

    What fools it
        A first value that is low by chance, losses whose terms are switched on later, a curriculum that gets harder.

    Reference
        Goyal et al. 2017 (arXiv:1706.02677) on warm-up; Pascanu et al. 2013 (arXiv:1211.5063) on clipping.
    """

    name: ClassVar[str] = "divergence"

    def analyze(self, case: Case) -> Finding | None:
        if not case.losses:
            raise CannotJudgeError("no loss in the log")
        departure = case.departure
        if not departure.diverged or departure.curve is None or departure.since is None:
            return None
        clauses = doubts(case) if not _extreme(departure) else []
        return Finding(
            self.name,
            Severity.ERROR,
            _message(case, departure),
            _advice(case, departure),
            case.span(departure.since, case.length),
            (departure.curve.at(departure.since), departure.curve.evidence(-1)),
            not clauses,
            {"since": departure.since, "start": departure.start, "end": departure.end},
            sentence(clauses) or "A loss that comes back below its start.",
        )


def _extreme(departure: Departure) -> bool:
    """Non-finite, or ten times above the start: no matter how short the run."""
    return departure.non_finite is not None or departure.end > 10 * abs(departure.start)


def _message(case: Case, departure: Departure) -> str:
    since = case.place(departure.since or 0.0)
    if departure.non_finite is not None and not departure.end > departure.start:
        return f"the loss diverged: non-finite from {since} on, before anything was learned"
    return (
        f"the loss diverged: {departure.start:.4g} at the start, {departure.end:.4g} at the end; "
        f"it has stayed above its start since {since}"
    )


def _advice(case: Case, departure: Departure) -> str:
    rate = _first_rate(case)
    smaller = f" ({rate / 10:.2g} instead of {rate:.2g})" if rate else ""
    if departure.since is not None and departure.since <= 0.2 * case.length:
        return (
            f"The rate is too large for the start. Divide it by ten{smaller}, or warm it up over 5 epochs; "
            "clip gradients at norm 1."
        )
    return (
        f"It trained well before. Restart from a checkpoint before {case.place(departure.since or 0.0)} with a rate "
        f"3 to 10 times smaller{smaller} and gradients clipped at norm 1."
    )


def _first_rate(case: Case) -> float | None:
    """The rate the run started with, from the log's settings or its first line; None where unknown."""
    stated = case.run.fact("base_lr", case.run.fact("lr"))
    if isinstance(stated, int | float) and math.isfinite(stated) and stated > 0:
        return float(stated)
    if case.run.lr is None:
        return None
    logged = case.run.lr.value[case.run.lr.finite & (case.run.lr.value > 0)]
    return float(logged[0]) if len(logged) else None
