"""The learning-rate schedule of a run: from the logged rate, and from what the log states about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from logdoctor.run import Axis, Curve, RunFact
from logdoctor.schedule_config import config_lines
from logdoctor.schedule_levels import Change, Shape, read_rates
from logdoctor.schedule_shape import recognise_shape
from logdoctor.schedule_stated import stated_shape
from logdoctor.segments import Drop, Schedule, Segment

PIECEWISE = ("step", "multistep")


def recognise(lr: Curve | None, axis: Axis, end: float, facts: Mapping[str, RunFact]) -> Schedule:
    """The schedule a run followed until `end` (x): kind, parameters, config lines, drops and segments.

    A policy stated in the log (Caffe prints its solver) gives exact drops where the logged rate agrees with it; where
    they disagree the logged rate is believed. Without a rate and without a policy the kind is `unknown`. Drops keep
    `timing`, `gain` and `flat_since` at their defaults: they are judged from the loss elsewhere.
    """
    logged = _finite(lr)
    stated = stated_shape(facts, axis, end, logged)
    if stated is not None:
        return _schedule(stated, axis, end, logged)
    if logged is None:
        return Schedule(segments=(Segment(0.0, end, None),))
    rates, flips = read_rates(logged.x, logged.value, axis.unit, end)
    shape = recognise_shape(rates)
    if shape.kind in PIECEWISE and _driven_by_plateau(facts):
        shape = replace(shape, kind="plateau-driven")
    if flips:
        shape = replace(shape, parameters={**shape.parameters, "flips": float(flips)})
    return _schedule(shape, axis, rates.end, logged)


def _finite(lr: Curve | None) -> Curve | None:
    """The finite, non-negative rates, one a place (the last), in order of x."""
    if lr is None:
        return None
    keep = np.flatnonzero(lr.finite & (lr.value >= 0) & np.isfinite(lr.x))
    keep = keep[np.argsort(lr.x[keep], kind="stable")]
    keep = keep[np.append(np.diff(lr.x[keep]) > 0, True)] if len(keep) else keep
    if not len(keep):
        return None
    columns = {name: getattr(lr, name)[keep] for name in ("x", "value", "step", "wall_time", "source", "line")}
    return replace(lr, **columns)


def _driven_by_plateau(facts: Mapping[str, RunFact]) -> bool:
    """Whether the log says that a plateau of the loss sets the rate (ReduceLROnPlateau, Caffe's `plateau` policy)."""
    return any("plateau" in str(fact.value).lower() or "plateau" in name.lower() for name, fact in facts.items())


def _schedule(shape: Shape, axis: Axis, end: float, logged: Curve | None) -> Schedule:
    changes = [change for change in shape.changes if change.at < end]
    warm_up = float(f"{shape.warm_up:.4g}")
    return Schedule(
        kind=shape.kind,
        origin="logged",
        warm_up_epochs=warm_up,
        parameters=shape.parameters,
        config=config_lines(shape, axis),
        drops=_drops(changes, axis, logged),
        segments=_segments(shape, changes, end),
    )


def _drops(changes: Sequence[Change], axis: Axis, logged: Curve | None) -> tuple[Drop, ...]:
    falls = [change for change in changes if change.after < change.before]
    starts = [0.0, *(fall.at for fall in falls)]
    return tuple(
        Drop(
            at=fall.at,
            step=_step_at(fall.at, axis, logged),
            factor=float(f"{fall.after / fall.before:.4g}") if fall.after > 0 else None,  # zero: rounded away on print
            lr_from=fall.before,
            lr_to=fall.after,
            since_last=fall.at - last,
            low=fall.at,
            high=fall.at,
        )
        for fall, last in zip(falls, starts, strict=False)
    )


def _step_at(at: float, axis: Axis, logged: Curve | None) -> float | None:
    """Optimizer updates done at x, from the epoch's length or between logged steps; None where neither is known."""
    if axis.unit == "step":
        return at
    if axis.unit == "epoch" and axis.steps_per_epoch:
        return float(round(at * axis.steps_per_epoch))
    if logged is None or np.isfinite(logged.step).sum() < 2:
        return None
    known = np.isfinite(logged.step)
    return float(round(np.interp(at, logged.x[known], logged.step[known])))


def _segments(shape: Shape, changes: Sequence[Change], end: float) -> tuple[Segment, ...]:
    """Stretches of one rate from 0 to the end; a warm-up counts into the first, a smooth schedule is one stretch."""
    if not changes:
        rate = shape.parameters.get("base") if shape.kind == "constant" else None
        return (Segment(0.0, end, rate if isinstance(rate, float) else None),)
    starts = [0.0, *(change.at for change in changes)]
    rates = [changes[0].before, *(change.after for change in changes)]
    ends = [*starts[1:], end]
    return tuple(Segment(a, b, rate) for a, b, rate in zip(starts, ends, rates, strict=True))
