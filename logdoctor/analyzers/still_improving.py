from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, percent, sentence
from logdoctor.case import Case, amount
from logdoctor.finding import Finding, Severity


@dataclass(frozen=True)
class StillImproving:
    """The run stopped while the training loss was still falling.

    What it says
        The last fifth of the run still brought a noticeable part of all progress.

    Why it matters
        The result is not what the model can do; comparing it with a finished run misleads.

    How it decides
        The fall of the trend over the last 20 % of the run (within the last learning-rate segment, without the first
        bin after a drop) is compared with the total drop. A straight line through the second half must fall
        significantly, and a parabola through the late points too: a curve that fell and then settled shows the line
        only.

    Limits
        min_share: share of the total drop the last 20 % must have brought.

    What fools it
        A drop of an unlogged rate shortly before the end. Schedules that anneal the rate to nothing (cosine, one-cycle,
        linear) fall to the end by design, and more epochs at rate zero bring nothing: below 5 % of the peak rate the
        run counts as finished.

    Reference
        Google's Deep Learning Tuning Playbook, "How long to train": best point at the very end → train longer.
    """

    name: ClassVar[str] = "still-improving"

    min_share: float = limit(0.02, "share of the total drop", "less is within what a plateau creeps")

    def analyze(self, case: Case) -> Finding | None:
        train = case.needs_train(4)
        if case.departure.diverged or case.annealed or not case.end.falling or case.end.fall < self.min_share:
            return None
        end = case.end
        length = case.length - end.start
        clauses = doubts(case, borderline=end.borderline)
        return Finding(
            self.name,
            Severity.INFO,
            f"{train.name} still improving at the end: the last {case.lasting(length)} of {amount(case.length)} "
            f"brought {percent(end.fall)} of the total drop",
            _advice(case),
            case.span(end.start, case.length),
            case.lines(end.start, case.length),
            not clauses,
            {"share_gained": end.fall, "slope_t": end.t},
            sentence(clauses) or "A run continued at the same rate that gains nothing.",
        )


def _advice(case: Case) -> str:
    best = case.best
    if best is not None and best[0] < 0.9 * case.length:
        return (
            f"The {case.needs_val().name} was best at {case.place(best[0])} and does not follow any more: longer "
            "training fits the training data only. Regularise or stop earlier instead."
        )
    return (
        "The run was stopped before it was done. Train on from the last checkpoint for about half as many "
        f"{case.run.axis.words} again ({amount(round(1.5 * case.length))} in total)."
    )
