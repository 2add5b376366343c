"""What a picture of a run shows, whatever draws it: which curves, on which scales and range, with which marks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor.curves.smoothing import smooth
from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Finding
from logdoctor.report import numbers
from logdoctor.report.scales import Floats
from logdoctor.run import Curve, Run
from logdoctor.segments import Drop

FEW_TRAIN, FEW_VAL = 12, 60  # up to here a curve is drawn as it is, with a marker at every value
EXPLODING = 1e8  # largest over smallest value from which a mean says nothing but the largest
LOG_RATES = 8.0  # largest over smallest rate from which the rate has a log scale
MANY_RESTARTS = 12  # beyond, each is a short tick
SPIKE_REACH = 0.05  # of the run: a spike is told by the bin it lies in
CALM = 0.025  # of a segment: a smooth curve for the eye follows nothing shorter
LANES = 8  # findings shown below the losses


def shown_curves(run: Run) -> list[Curve]:
    """The curves judged by; where there is none, the main validation metric."""
    judged = [curve for curve in (run.train, run.val) if curve is not None and len(curve)]
    return judged or [curve for curve in (run.val_metric,) if curve is not None and len(curve)]


def by_metric(run: Run) -> list[list[Curve]]:
    """The curves shown, those of one metric together: a loss and an accuracy need two scales."""
    groups: dict[str, list[Curve]] = {}
    for curve in shown_curves(run):
        groups.setdefault(curve.metric, []).append(curve)
    return list(groups.values())


def x_range(run: Run) -> tuple[float, float]:
    """From zero, where the run begins near it, to its end."""
    curves = shown_curves(run)
    start = min((float(curve.x[0]) for curve in curves), default=0.0)
    end = max((float(curve.x[-1]) for curve in curves), default=1.0)
    start = 0.0 if 0 <= start < 0.2 * end else start
    margin = 0.01 * (end - start) or 0.5
    return start - margin, end + margin


def needs_smoothing(curve: Curve, *, is_train: bool) -> bool:
    """Whether a curve is drawn faint with a smooth one over it, rather than as it is."""
    return curve.points > (FEW_TRAIN if is_train else FEW_VAL)


def smoothed(curve: Curve, breaks: Sequence[float]) -> Floats:
    """The smooth curve, shape (n,); of values that explode or vanish, through their logarithms."""
    if curve.thinned and curve.thinned.smooth is not None:
        return curve.thinned.smooth
    values = curve.value[curve.finite]
    if len(values) and values.min() > 0 and values.max() > EXPLODING * values.min():
        return np.asarray(np.exp(smooth(curve.x, np.log(np.where(curve.finite, curve.value, np.nan)), breaks, CALM)))
    return smooth(curve.x, curve.value, breaks, CALM)


def varying_rate(run: Run) -> Curve | None:
    """The learning rate, if it is logged and not constant."""
    rate = run.lr
    if rate is None:
        return None
    values = rate.value[rate.finite]
    varies = len(values) > 1 and np.ptp(rate.x[rate.finite]) > 0 and bool(np.ptp(values) > 1e-6 * np.abs(values).max())
    return rate if varies else None


def rate_helps_log(rate: Curve) -> bool:
    values = rate.value[rate.finite]
    return bool((values > 0).all() and values.max() / values.min() >= LOG_RATES)


def rate_steps(rate: Curve, drops: Sequence[Drop]) -> str:
    """How two logged rates are joined: by a step at the later one (`post`) or the earlier one (`pre`), or a `line`.

    A step stands at the later one if logs state the rate of what comes next.
    """
    values = rate.value[rate.finite]
    if len(np.unique(values)) > len(values) / 2:
        return "line"
    for drop in drops:
        before = np.flatnonzero((rate.x <= drop.at + 1e-9) & rate.finite)
        if len(before) and drop.lr_from is not None and drop.lr_to is not None:
            last = rate.value[before[-1]]
            return "post" if abs(last - drop.lr_to) < abs(last - drop.lr_from) else "pre"
    return "pre"


def lanes(diagnosis: Diagnosis) -> list[Finding]:
    """Findings that name a place, worst first."""
    placed = [finding for finding in diagnosis.findings if np.isfinite([finding.span.start, finding.span.end]).all()]
    return sorted(placed, key=lambda finding: -finding.severity)[:LANES]


def restarts(run: Run) -> list[float]:
    """Where on the axis each attempt after the first begins in the curve judged by."""
    if run.restarts is not None:
        return list(run.restarts)
    curve, rows = run.train or run.val, run.rows
    if curve is None or rows is None or run.attempts < 2:
        return []
    again = np.flatnonzero(rows.attempt > 0)
    attempt = {(int(rows.source[i]), int(rows.line[i])): int(rows.attempt[i]) for i in again}
    first: dict[int, float] = {}
    for source, line, x in zip(curve.source, curve.line, curve.x, strict=True):
        number = attempt.get((int(source), int(line)))
        if number is not None:
            first.setdefault(number, float(x))
    return sorted(first.values())


def best_point(diagnosis: Diagnosis) -> tuple[float, float] | None:
    """Where validation was best, on the curve as drawn: the value logged there, or the level of a smoothed one."""
    best, level = diagnosis.measures.get("best_epoch"), diagnosis.measures.get("best_value")
    val = diagnosis.run.val
    if val is None or best is None or level is None or not np.isfinite([best, level]).all():
        return None
    if needs_smoothing(val, is_train=False) or not val.finite.any():
        return best, level
    nearest = int(np.argmin(np.where(val.finite, np.abs(val.x - best), np.inf)))
    return best, float(val.value[nearest])


def spike_point(diagnosis: Diagnosis) -> tuple[float, float] | None:
    """Where the logged value stands that `loss-spike` calls the peak; None where it is no single value near there."""
    train = diagnosis.run.train
    spike = next((finding for finding in diagnosis.findings if finding.analyzer == "loss-spike"), None)
    peak = spike.numbers.get("peak") if spike else None
    if train is None or spike is None or not isinstance(peak, int | float):
        return None
    near = train.finite & (np.abs(train.x - spike.span.start) <= SPIKE_REACH * diagnosis.run.end)
    off = np.where(near, np.abs(train.value - peak), np.inf)
    nearest = int(np.argmin(off))
    return (float(train.x[nearest]), float(train.value[nearest])) if off[nearest] <= 0.01 * abs(peak) else None


def drop_label(drop: Drop) -> str:
    """Factor, place and verdict: `×0.1 @20, late`."""
    what = "drop" if drop.factor is None else numbers.multiple(drop.factor)
    verdict = "" if drop.timing == "unclear" else f", {drop.timing}"
    return f"{what} @{numbers.place(drop.at)}{verdict}"
