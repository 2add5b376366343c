from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, sentence
from logdoctor.case import Case, amount
from logdoctor.finding import CannotJudgeError, Finding, Severity
from logdoctor.run import Floats, Run


@dataclass(frozen=True)
class Pace:
    """How a run went by the epoch, and from what batch and rate: what it takes to compare it with another.

    `size`: of the data set, `first` and `half`: the train loss (`tag`) in the first epoch and half-way down,
    `trend`: its level at the epochs `x`; `draft`: a finding that says nothing yet.
    """

    name: str
    batch: float
    rate: float | None
    adaptive: bool
    size: float | None
    tag: str
    first: float
    half: float | None
    x: Floats
    trend: Floats
    draft: Finding

    def reaches(self, level: float) -> float | None:
        """The epoch in which the smoothed train loss first was as low; None if it never was."""
        reached = np.flatnonzero(self.trend <= level)
        return float(self.x[reached[0]]) if len(reached) else None


@dataclass(frozen=True)
class LinearScaling:
    """The learning rate does not fit the batch size.

    What it says
        A large batch was started at its full rate without warm-up; or (where another run of the same data is in the
        report) the batch is a multiple of that run's, but the rate was not raised with it, and it learned slower.

    Why it matters
        A larger batch makes fewer updates an epoch: at the old rate an epoch brings less. At the scaled rate the first
        epochs are unstable unless the rate is warmed up.

    How it decides
        Batch size (times accumulation and devices) and rate as the log states them. Two runs are of the same data
        where steps per epoch times batch agree. Slower: more epochs until half of the other run's fall was reached.

    Limits
        large_batch: images per update from which warm-up matters.
        min_ratio: batches at least this many times as large are compared.
        rate_share: a rate below this share of the scaled one was not scaled.
        slower: times the epochs until the half-way level.

    What fools it
        Adam-like optimizers (the square root fits them better), batch normalisation on small batches per device.

    Reference
        Goyal et al. 2017 (arXiv:1706.02677): rate × k for batch × k, warmed up over five epochs.
    """

    name: ClassVar[str] = "linear-scaling"

    large_batch: float = limit(2048, "images per update", "up to there Goyal et al. saw no trouble without warm-up")
    min_ratio: float = limit(2.0, "times the batch", "below that the rate hardly matters")
    rate_share: float = limit(0.67, "share of the scaled rate", "halfway between scaled and not, for batch × 2")
    slower: float = limit(1.3, "times the epochs", "less is within the scatter between seeds")

    def analyze(self, case: Case) -> Finding | None:
        batch = effective_batch(case.run)
        if batch is None:
            raise CannotJudgeError("the batch size is not in the log")
        if case.schedule.origin != "logged" or case.adaptive or batch < self.large_batch:
            return None
        if case.schedule.warm_up_epochs > 0 or case.schedule.kind == "one-cycle":
            return None
        return self._finding(
            case,
            f"batch of {amount(batch)} images started at the full learning rate, without warm-up",
            "Large batches at their full rate are unstable while the weights still change fast. Warm the rate up over "
            "the first 5 epochs, linearly from a fraction of it.",
            {"batch_size": batch},
        )

    def compare(self, mine: Pace, other: Pace) -> Finding | None:
        """Judge a run against one of the same data with a smaller batch; None where they do not compare."""
        if mine.rate is None or other.rate is None or other.half is None or not _same_data(mine, other):
            return None
        ratio, rates = mine.batch / other.batch, mine.rate / other.rate
        if ratio < self.min_ratio or mine.adaptive or rates > self.rate_share * ratio:
            return None
        reached, reference = mine.reaches(other.half), other.reaches(other.half)
        if reference is None or (reached is not None and reached < self.slower * reference):
            return None
        when = "never" if reached is None else f"at epoch {amount(reached)}"
        wanted = other.rate * ratio
        return replace(
            mine.draft,
            message=f"batch ×{ratio:.3g} of {other.name!r} at ×{rates:.3g} of its learning rate: "
            f"its half-way level was reached {when} instead of epoch {amount(reference)}",
            advice="Fewer updates an epoch at the same rate move the weights less. Scale the rate with the batch: "
            f"{wanted:.3g} instead of {mine.rate:.3g}, with 5 epochs of warm-up.",
            numbers={"batch_ratio": ratio, "rate_ratio": rates, "half_way": reached, "half_way_reference": reference},
        )

    def pace(self, case: Case) -> Pace | None:
        """What comparing the run takes; None where its batch, its epochs or its train loss are not in the log."""
        batch, train = effective_batch(case.run), case.train
        if batch is None or case.unit != "epoch" or train is None:
            return None
        half = train.first - 0.5 * case.total_drop if len(train) > 2 else None
        draft = self._finding(case, "", "", {})
        return Pace(
            case.run.name, batch, first_rate(case), case.adaptive, _dataset_size(case), train.curve.tag, train.first,
            half, train.x, case.trend, draft,
        )  # fmt: skip

    def _finding(self, case: Case, message: str, remedy: str, numbers: dict[str, float | None]) -> Finding:
        clauses = doubts(case)
        return Finding(
            self.name, Severity.INFO, message, remedy, case.span(0.0, case.length), case.lines(0.0, case.length),
            not clauses, numbers, sentence(clauses) or "The same batch at the scaled rate that learns no faster.",
        )  # fmt: skip


def effective_batch(run: Run) -> float | None:
    """Images per optimizer update: batch × accumulation × devices, as the log states them."""
    batch = _number(run, "batch_size")
    accumulation = _number(run, "iter_size") or _number(run, "accumulation") or 1.0
    return None if batch is None else batch * accumulation * (_number(run, "devices") or 1.0)


def _number(run: Run, name: str) -> float | None:
    value = run.fact(name)
    return float(value) if isinstance(value, int | float) and value > 0 else None


def first_rate(case: Case) -> float | None:
    """The rate after warm-up: the highest logged one, else the base rate the log states."""
    if case.run.lr is not None and case.run.lr.finite.any():
        return float(np.max(case.run.lr.value[case.run.lr.finite]))
    return _number(case.run, "base_lr")


def _dataset_size(case: Case) -> float | None:
    batch, steps = effective_batch(case.run), case.run.axis.steps_per_epoch
    return _number(case.run, "dataset_size") or (batch * steps if batch and steps else None)


def _same_data(a: Pace, b: Pace) -> bool:
    """Whether steps per epoch × batch, or the stated data set size, agree within 3 %, and the losses are alike."""
    alike = a.tag == b.tag and 0.7 < a.first / b.first < 1.4
    return bool(a.size and b.size and alike and abs(a.size / b.size - 1) < 0.03)
