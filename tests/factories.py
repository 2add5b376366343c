"""Runs and diagnoses built by hand, for tests of what comes after the analyzers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Evidence, Finding, Severity, Span
from logdoctor.run import Axis, Closing, Curve, Run, Source
from logdoctor.segments import Drop, Schedule


def curve(
    value: npt.ArrayLike,
    *,
    tag: str = "loss",
    metric: str = "loss",
    split: str = "train",
    x: npt.ArrayLike | None = None,
) -> Curve:
    """A curve over x = 1, 2, … with line numbers from 2 on, as a CSV with a header has them."""
    values = np.asarray(value, np.float64)
    at = np.arange(1.0, len(values) + 1) if x is None else np.asarray(x, np.float64)
    unknown = np.full(len(values), np.nan)
    lines = np.arange(2, len(values) + 2)
    return Curve(
        tag,
        metric,
        split,
        at,
        values,
        unknown,
        unknown,
        np.zeros(len(values), np.int64),
        lines,
        ("runs/a.csv",),
    )


def falling(
    n: int = 40, *, start: float = 2.0, end: float = 0.4, noise: float = 0.0, seed: int = 0
) -> npt.NDArray[np.float64]:
    """An exponential fall from `start` towards `end` with white noise, shape (n,)."""
    shape = np.exp(-5.0 * np.arange(n) / n)
    return np.asarray(end + (start - end) * shape + noise * np.random.default_rng(seed).standard_normal(n))


def run(name: str = "a", *curves: Curve, unit: str = "epoch", **changes: Any) -> Run:
    """A run judged by the first train, val and lr curve given; without any, by a quiet fall of 40 epochs."""
    given = curves or (curve(falling()),)

    def first(**wanted: str) -> Curve | None:
        return next((c for c in given if all(getattr(c, key) == value for key, value in wanted.items())), None)

    parts: dict[str, Any] = {
        "sources": (Source("runs/a.csv", "csv", len(given[0]) + 1, len(given[0]), 0),),
        "axis": Axis(unit),
        "curves": given,
        "train": first(metric="loss", split="train"),
        "val": first(metric="loss", split="val"),
        "lr": first(metric="lr"),
        "val_metric": None,
        "facts": {},
        "problems": (),
        "closing": Closing("open", Evidence("runs/a.csv", len(given[0]) + 1)),
    }
    return Run(name, **(parts | changes))


def finding(analyzer: str = "overfitting", severity: Severity = Severity.WARNING, **changes: Any) -> Finding:
    """A finding from epoch 20 to 40 that rests on two lines."""
    parts: dict[str, Any] = {
        "message": "Validation loss rose from 0.52 to 0.61 since epoch 20 while train loss went on falling.",
        "advice": "The network learns its training data by heart. Stop at epoch 20, or add data.",
        "span": Span(20.0, 40.0, "epoch"),
        "evidence": (Evidence("runs/a.csv", 21, "val_loss 0.52"), Evidence("runs/a.csv", 41)),
    }
    return Finding(analyzer, severity, **(parts | changes))


def diagnosis(of: Run | None = None, *findings: Finding, **changes: Any) -> Diagnosis:
    """What is said of a run, with the given findings and measures of best epoch and value."""
    parts: dict[str, Any] = {
        "schedule": Schedule("constant", "logged"),
        "state": "finished",
        "measures": {"best_epoch": 20.0, "best_value": 0.52},
        "findings": findings,
        "skipped": (),
        "failed": (),
    }
    return Diagnosis(of if of is not None else run(), **(parts | changes))


def drops(*at: float, factor: float | None = 0.1, timing: Sequence[str] = (), lr: float = 0.1) -> tuple[Drop, ...]:
    """Drops of one factor at the given places, the first counted from 0."""
    made = []
    for index, (before, here) in enumerate(zip((0.0, *at), at, strict=False)):
        rate = None if factor is None else lr * factor**index
        below = None if factor is None or rate is None else rate * factor
        made.append(
            Drop(
                here,
                None,
                factor,
                rate,
                below,
                here - before,
                here,
                here,
                timing=timing[index] if timing else "unclear",
            )
        )
    return tuple(made)
