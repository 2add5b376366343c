"""Numbers that are always given, whether or not anything is wrong, and the state a run is in."""

from __future__ import annotations

import math

import numpy as np

from logdoctor.case import Case
from logdoctor.forecast import forecast
from logdoctor.progress import ended_early, expected_end, plan, running, silent


def measure(case: Case) -> dict[str, float | None]:
    """The measures of a run; None where the log does not hold what is needed. Positions are in axis units."""
    best = case.best
    end = _finite(case.length)
    return {
        "epochs": _epochs(case),
        "best_epoch": best[0] if best else None,
        "best_value": best[1] if best else None,
        "epochs_after_best": end - best[0] if best and end is not None else None,
        "epochs_flat": sum(stop - start for start, stop in case.flat_spans) if case.train else None,
        "epochs_wasted": _wasted(case),
        "noise": _finite(case.train.noise) if case.train else None,
        "final_loss": case.train.sign * case.stretches[-1].level if case.train else None,
        "total_drop": _finite(case.total_drop),
        "gap": _gap(case),
        **_forecast(case),
        **_time(case),
        **_outlook(case),
    }


def state(case: Case) -> str:
    """finished, interrupted, running, stalled or unknown (the log states neither an end nor a plan)."""
    kind = case.run.closing.kind
    if kind in ("finished", "early-stopping"):
        return "finished"
    if kind == "crashed":
        return "interrupted"
    if running(case):
        return "running"
    early = ended_early(case)
    if kind in ("torn", "stopped"):
        return "interrupted"
    if early is None:
        return "unknown"
    return "finished" if not early else "stalled" if silent(case) else "interrupted"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _epochs(case: Case) -> float | None:
    """Epochs trained; None where the length of an epoch is unknown."""
    if not case.epochs_known or not math.isfinite(case.length):
        return None
    return case.length / case.epochs(1.0)


def _gap(case: Case) -> float | None:
    """Validation loss minus train loss over the last tenth of the run (at least one point each)."""
    if case.train is None or case.val is None or case.train.curve.metric != case.val.curve.metric:
        return None
    since = 0.9 * case.length
    val, train = (
        np.mean(track.y[track.x > since]) if (track.x > since).any() else track.y[-1]
        for track in (case.val, case.train)
    )
    return case.val.sign * float(val - train)


def _wasted(case: Case) -> float | None:
    """Axis units in which the train loss was flat, or after which validation was never better again."""
    if case.train is None and case.best is None:
        return None
    spans = [*case.flat_spans, *([(case.best[0], case.length)] if case.best else [])]
    if not spans and case.departure.diverged:
        return None  # nothing is known of when it was lost
    wasted, until = 0.0, -math.inf
    for start, end in sorted(spans):
        wasted += max(0.0, end - max(start, until))
        until = max(until, end)
    return wasted


def _outlook(case: Case) -> dict[str, float | None]:
    """How much of the plan is done, as a share; when it will be, POSIX seconds, if the run is still going."""
    planned = plan(case)
    return {
        "progress": min(1.0, planned.done / planned.total) if planned else None,
        "expected_end": _finite(expected_end(case)) if running(case) else None,
    }


def _forecast(case: Case) -> dict[str, float | None]:
    """Gain of half as many epochs again as a share of the total drop, its interval, and the loss they would lead to."""
    found = forecast(case)
    if found is None or case.train is None:
        return {"forecast_length": None, "forecast_gain": None, "forecast_gain_low": None, "forecast_gain_high": None,
                "forecast_loss": None}  # fmt: skip
    total = case.total_drop
    loss = case.train.sign * (case.stretches[-1].level - found.gain)
    never_negative = case.train.sign > 0 and bool((case.train.y >= 0).all())
    return {
        "forecast_length": found.length,
        "forecast_gain": found.gain / total,
        "forecast_gain_low": found.low / total,
        "forecast_gain_high": found.high / total,
        "forecast_loss": max(0.0, loss) if never_negative else loss,
    }


def _time(case: Case) -> dict[str, float | None]:
    """Hours trained (pauses between attempts included), hours after the best point, epochs and steps an hour."""
    timed = [curve for curve in case.run.curves if np.isfinite(curve.wall_time).sum() > 1]
    if not timed:
        return {"hours": None, "hours_after_best": None, "epochs_per_hour": None, "steps_per_second": None}
    curve = max(timed, key=len)
    known = np.isfinite(curve.wall_time)
    x, seconds, step = curve.x[known], curve.wall_time[known], curve.step[known]
    hours = float(seconds.max() - seconds.min()) / 3600
    rate = float(x.max() - x.min()) / hours if hours > 0 else None
    best = case.best
    steps = float(np.nanmax(step) - np.nanmin(step)) if np.isfinite(step).any() else None
    return {
        "hours": hours,
        "hours_after_best": (case.length - best[0]) / rate if best and rate else None,
        "epochs_per_hour": rate / case.epochs(1.0) if rate and case.epochs_known else None,
        "steps_per_second": steps / hours / 3600 if steps is not None and hours > 0 else None,
    }
