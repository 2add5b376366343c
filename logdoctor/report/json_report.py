"""`report.json`: the whole report as strict JSON, for programs. Its schema is a documented interface."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from statistics import median
from typing import Any

import numpy as np

import logdoctor
from logdoctor.checkpoints import last_checkpoint, nearest_checkpoint
from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Evidence, Finding
from logdoctor.report.changes_json import changes_entry
from logdoctor.report.comparison_json import comparison_entry, standings_entry
from logdoctor.run import Axis, Curve, Run
from logdoctor.segments import Drop, Schedule

SCHEMA = 1


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain dictionaries and lists; NaN is None, infinities are "inf" and "-inf"."""
    return {
        "schema": SCHEMA,
        "logdoctor": logdoctor.__version__,
        "runs": [_run(diagnosis) for diagnosis in report.runs],
        "comparisons": [plain_value(comparison_entry(comparison)) for comparison in report.comparisons],
        **({"comparison": plain_value(standings_entry(report.side_by_side))} if report.side_by_side else {}),
        "unread": [{"path": unread.path, "reason": unread.reason} for unread in report.unread],
        **_where_told(report),
    }


def _where_told(report: Report) -> dict[str, Any]:
    """What only some reports have: findings ignored, runs left out by --since, changes, a plot of all runs."""
    ignored = [(diagnosis.run.name, each) for diagnosis in report.runs for each in diagnosis.ignored]
    told = {
        "ignored": [{"run": name, **_finding(each.finding), "reason": each.reason} for name, each in ignored],
        "older": list(report.older),
        "changes": plain_value(changes_entry(report.changes)) if report.changes else None,
        "overview": report.overview.as_posix() if report.overview else None,
    }
    return {key: value for key, value in told.items() if value}


def dumps(report: Report) -> bytes:
    """The report as JSON in UTF-8; file names that are not valid text keep their bytes as `\\udcxx` escapes."""
    text = json.dumps(to_json(report), ensure_ascii=False, allow_nan=False, indent=1)
    return (text + "\n").encode("utf-8", "backslashreplace")


def plain_value(value: Any) -> Any:
    """Any value of a report as what strict JSON can say."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain_value(item) for item in value]
    return value.as_posix() if isinstance(value, PurePath) else str(value)


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")


def _run(diagnosis: Diagnosis) -> dict[str, Any]:
    run = diagnosis.run
    return {
        "name": run.name,
        "formats": list(run.formats),
        "sources": [
            {"path": source.path, "lines": source.lines, "data": source.data, "unreadable": source.unreadable}
            for source in run.sources
        ],
        "state": diagnosis.state,
        "axis": {
            "unit": run.axis.unit,
            "steps_per_epoch": plain_value(run.axis.steps_per_epoch),
            "origin": run.axis.origin,
        },
        "optimizer": plain_value(run.fact("optimizer")),
        "attempts": run.attempts,
        "facts": {name: plain_value(fact.value) for name, fact in run.facts.items()},
        "fact_lines": {name: {"source": fact.source, "line": fact.line} for name, fact in run.facts.items()},
        "problems": [
            {"source": problem.source, "line": problem.line, "message": problem.message} for problem in run.problems
        ],
        "series": [_series(curve, run.axis) for curve in run.curves],
        "primary": _primary(run),
        "schedule": _schedule(diagnosis.schedule, run.axis),
        "measures": plain_value(diagnosis.measures),
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "skipped": [{"analyzer": skipped.analyzer, "reason": skipped.reason} for skipped in diagnosis.skipped],
        "failed": [{"analyzer": failed.analyzer, "error": failed.error} for failed in diagnosis.failed],
        **_checkpoints(diagnosis),
        "plots": [plot.as_posix() for plot in diagnosis.plots],
    }


def _series(curve: Curve, axis: Axis) -> dict[str, Any]:
    described = {
        "tag": curve.tag,
        "metric": curve.metric,
        "split": curve.split,
        "points": curve.points,
        "overlapping": curve.overlapping,
        "non_finite": curve.non_finite,
        **dict.fromkeys(("first", "last", "min", "min_at", "max", "max_at", "last_at", "last_step", "last_epoch")),
    }
    if not len(curve):
        return described
    described |= {"first": curve.value[0], "last": curve.value[-1], "last_at": curve.x[-1]}
    described |= {"last_step": curve.step[-1], "last_epoch": epochs(float(curve.x[-1]), axis)}
    if curve.finite.any():
        lowest, highest = curve.best(False), curve.best(True)
        described |= {"min": curve.value[lowest], "min_at": curve.x[lowest]}
        described |= {"max": curve.value[highest], "max_at": curve.x[highest]}
    return {key: plain_value(value) for key, value in described.items()}


def _primary(run: Run) -> dict[str, dict[str, str] | None]:
    curves = {"train": run.train, "val": run.val, "lr": run.lr}
    return {role: None if curve is None else {"tag": curve.tag, "split": curve.split} for role, curve in curves.items()}


def epochs(length: float, axis: Axis) -> float | None:
    """A length on the axis in epochs; None where the axis has none and steps per epoch are unknown."""
    if axis.unit == "epoch":
        return length
    return length / axis.steps_per_epoch if axis.unit == "step" and axis.steps_per_epoch else None


def epochs_per_drop_list(schedule: Schedule, axis: Axis) -> list[float]:
    """Epochs between drops, the first counted from the start; empty where epochs are unknown."""
    lengths = [epochs(length, axis) for length in schedule.lengths]
    return [length for length in lengths if length is not None]


def _steps_per_drop(schedule: Schedule, axis: Axis) -> float | None:
    if not schedule.drops:
        return None
    if axis.unit == "step":
        return schedule.per_drop
    steps = [drop.step for drop in schedule.drops]
    if all(step is not None and math.isfinite(step) for step in steps):
        return float(median(np.diff([0.0, *(step for step in steps if step is not None)]).tolist()))
    per_drop = schedule.per_drop
    known = axis.unit == "epoch" and axis.steps_per_epoch and per_drop is not None
    return per_drop * axis.steps_per_epoch if known and per_drop and axis.steps_per_epoch else None


def _schedule(schedule: Schedule, axis: Axis) -> dict[str, Any]:
    in_epochs = epochs_per_drop_list(schedule, axis)
    return {
        "kind": schedule.kind,
        "warm_up_epochs": plain_value(schedule.warm_up_epochs),
        "origin": schedule.origin,
        "parameters": plain_value(schedule.parameters),
        "config": plain_value(schedule.config),
        "drops": [_drop(drop) for drop in schedule.drops],
        "epochs_per_drop": plain_value(float(median(in_epochs))) if in_epochs else None,
        "epochs_per_drop_list": plain_value(in_epochs),
        "steps_per_drop": plain_value(_steps_per_drop(schedule, axis)),
    }


def _drop(drop: Drop) -> dict[str, Any]:
    keys = (
        "at",
        "step",
        "factor",
        "lr_from",
        "lr_to",
        "since_last",
        "flat_since",
        "gain",
        "timing",
        "low",
        "high",
        "confidence",
    )
    return {key: plain_value(getattr(drop, key)) for key in keys}


def _finding(finding: Finding) -> dict[str, Any]:
    span = finding.span
    return {
        "analyzer": finding.analyzer,
        "severity": finding.severity.word,
        "firm": finding.firm,
        "message": finding.message,
        "advice": finding.advice,
        "span": plain_value({"start": span.start, "end": span.end, "unit": span.unit}),
        "numbers": plain_value(finding.numbers),
        "evidence": [_place(place) for place in finding.evidence],
        "would_change": finding.would_change,
    }


def _place(evidence: Evidence) -> dict[str, Any]:
    return {"source": evidence.source, "line": evidence.line}


def _checkpoints(diagnosis: Diagnosis) -> dict[str, Any]:
    """What to go on from: the last checkpoint, and the one nearest the best epoch; only where the log names one."""
    best = diagnosis.measures.get("best_epoch")
    nearest = None if best is None else nearest_checkpoint(diagnosis.run, best)
    found = {"last": last_checkpoint(diagnosis.run), "nearest_best": nearest}
    told = {
        role: {
            "path": c.path or None,
            "text": c.text,
            "at": _number(c.x),
            "source": c.evidence.source,
            "line": c.evidence.line,
        }
        for role, c in found.items()
        if c is not None
    }
    return {"checkpoints": told} if told else {}
