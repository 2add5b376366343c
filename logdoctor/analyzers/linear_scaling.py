from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from logdoctor.analyzers.contract import limit
from logdoctor.analyzers.wording import doubts, sentence
from logdoctor.case import Case, amount
from logdoctor.finding import CannotJudgeError, Finding, Severity
from logdoctor.run import Run


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

    def compare(self, case: Case, other: Case) -> Finding | None:
        """Judge `case` against a run of the same data with a smaller batch; None where they do not compare."""
        batch, reference = effective_batch(case.run), effective_batch(other.run)
        rate, base = first_rate(case), first_rate(other)
        if batch is None or reference is None or rate is None or base is None or not same_data(case, other):
            return None
        ratio = batch / reference
        if ratio < self.min_ratio or case.adaptive or rate > self.rate_share * ratio * base:
            return None
        mine, theirs = half_way(case, other), half_way(other, other)
        if theirs is None or (mine is not None and mine < self.slower * theirs):
            return None
        reached = "never" if mine is None else f"at {case.place(mine)}"
        return self._finding(
            case,
            f"batch ×{ratio:.3g} of {other.run.name!r} at ×{rate / base:.3g} of its learning rate: "
            f"its half-way level was reached {reached} instead of {other.place(theirs)}",
            "Fewer updates an epoch at the same rate move the weights less. Scale the rate with the batch: "
            f"{base * ratio:.3g} instead of {rate:.3g}, with 5 epochs of warm-up.",
            {"batch_ratio": ratio, "rate_ratio": rate / base, "half_way": mine, "half_way_reference": theirs},
        )

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


def same_data(a: Case, b: Case) -> bool:
    """Whether steps per epoch × batch, or the stated data set size, agree within 3 %, and the losses are alike."""
    sizes = [_dataset_size(case) for case in (a, b)]
    if a.train is None or b.train is None or not all(sizes) or a.unit != "epoch" or b.unit != "epoch":
        return False
    alike = a.train.curve.tag == b.train.curve.tag and 0.7 < a.train.first / b.train.first < 1.4
    return alike and abs(float(sizes[0] or 0) / float(sizes[1] or 1) - 1) < 0.03


def _dataset_size(case: Case) -> float | None:
    batch, steps = effective_batch(case.run), case.run.axis.steps_per_epoch
    return _number(case.run, "dataset_size") or (batch * steps if batch and steps else None)


def half_way(case: Case, reference: Case) -> float | None:
    """Where the smoothed train loss first reached half of the reference's fall; None if it never did."""
    level = reference.needs_train().first - 0.5 * reference.total_drop
    reached = np.flatnonzero(case.trend <= level)
    return float(case.needs_train().x[reached[0]]) if len(reached) else None
