from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case
from logdoctor.curves.flatness import FALLING, FIRM_T
from logdoctor.finding import CannotJudgeError, Finding, Severity
from logdoctor.stretches import Stretch


@dataclass(frozen=True)
class EarlyDrop:
    """The learning rate was dropped while the training loss was still falling.

    What it says
        For each early drop: how much the last part of its segment was still bringing.

    Why it matters
        After a drop progress per epoch is slower: what the large rate would have brought in few epochs now takes many,
        or never comes.

    How it decides
        In the segment before the drop the trend is followed back from the drop: if at no point of its last fifth less
        than 2 % of the drop so far was left to gain, the segment was not flat. In noisy logs the fall must also be
        significant, or the validation loss show it. And a straight line through the last third of the segment must
        fall, by more than scatter makes of a flat one. The verdict is firm where not even 5 % left would be flat and
        that line falls by three standard errors.

    Limits
        min_fall: fall of that line as a share of the drop so far.
        min_confidence: of an inferred drop, below which nothing is said about its timing.

    What fools it
        Segments of two or three epochs, and noise as large as the fall: the verdict is then tentative. Dropping early
        can be meant (short budget).

    Reference
        Goyal et al. 2017 (arXiv:1706.02677); You et al. 2019 (arXiv:1908.01878) on why the large rate should last.
    """

    name: ClassVar[str] = "early-drop"

    min_fall: float = limit(0.05, "share of the drop so far", "what the strict and the lenient limit of flat agree on")
    min_confidence: float = limit(0.9, "probability", "a drop that may not exist cannot be early")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(4)
        if not case.schedule.drops:
            raise CannotJudgeError("no drop of the learning rate in the log")
        ends = {
            round(d.at, 6) for d in case.schedule.drops if d.timing == "early" and d.confidence >= self.min_confidence
        }
        falling = [s for s in case.stretches if round(s.segment.end, 6) in ends and s.flatness.answer == FALLING]
        early = [s for s in falling if s.last_fall(1 / 3).size > self.min_fall * (train.first - s.level)]
        if case.departure.diverged or not early:
            return None
        return self._finding(case, train.name, early)

    def _finding(self, case: Case, name: str, early: list[Stretch]) -> Finding:
        falls = [_last_fall(stretch) / case.total_drop for stretch in early]
        worst = early[int(np.argmax(falls))]
        at = worst.segment.end
        clauses = doubts(case, schedule=True, borderline=_borderline(worst))
        more = f" (and {len(early) - 1} more such drops)" if len(early) > 1 else ""
        return Finding(
            self.name,
            Severity.WARNING,
            f"learning rate dropped at {case.place(at)} while the {name} was still improving: the last third of "
            f"that segment brought {percent(max(falls))} of the total drop{more}",
            "The large rate had more to give. Hold it until the loss is flat for two or three epochs: "
            f"about {case.place(at + 0.5 * worst.segment.length)} instead of {case.place(at)}.",
            case.span(worst.segment.start, at),
            case.lines(worst.segment.start, at),
            not clauses,
            {"drop_at": at, "share_in_last_third": max(falls), "early_drops": float(len(early))},
            sentence(clauses) or "The same rate held for half the segment more that gains nothing.",
        )


def _borderline(stretch: Stretch) -> bool:
    """Whether 5 % left would be flat already, or the last third does not fall for certain."""
    return stretch.flatness.low is not None or stretch.last_fall(1 / 3).t < FIRM_T


def _last_fall(stretch: Stretch) -> float:
    start = stretch.segment.end - stretch.segment.length / 3
    return float(np.interp(start, stretch.x, stretch.flatness.trend)) - stretch.level
