"""`logdoctor explain`: an analyzer's docstring with its limits, as a page."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from importlib import resources
from typing import Any

from logdoctor.analyzers.late_overtaker import LateOvertaker
from logdoctor.errors import LogDoctorError
from logdoctor.judging import all_analyzers
from logdoctor.options import did_you_mean


def explanation(name: str | None) -> str:
    """The page of one analyzer, or the list of all. Errors: LogDoctorError for an unknown name."""
    known: tuple[Any, ...] = (*all_analyzers(), LateOvertaker())
    analyzers = {analyzer.name: analyzer for analyzer in known}
    if name is None:
        width = max(map(len, analyzers), default=0)
        return "\n".join(f"{key:{width}}  {summary(analyzer)}" for key, analyzer in analyzers.items())
    if name not in analyzers:
        raise LogDoctorError(f"no analyzer is called {name!r}{did_you_mean(name, analyzers)}")
    page = inspect.getdoc(type(analyzers[name]))
    return f"{name}\n\n{page}\n\nMeasured\n{measured(name)}\n\nSettings in logdoctor.toml\n{settings(analyzers[name])}"


def summary(analyzer: Any) -> str:
    """The first line of an analyzer's page."""
    return (inspect.getdoc(type(analyzer)) or "").partition("\n")[0]


def measured(name: str) -> str:
    """How often a finding was right, on real runs whose truth is known."""
    figures = figures_of_findings().get(name)
    if figures is None:
        return "  Not measured by labelled runs: tested on synthetic curves."
    return (
        f"  On {figures['logs_with']} logs of labelled real runs that show it: precision {figures['precision']:.3f}, "
        f"recall {figures['recall']:.3f}."
    )


def figures_of_findings() -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of logs of each finding, as last measured (`measured.json`)."""
    text = resources.files("logdoctor").joinpath("measured.json").read_text("utf-8")
    found: dict[str, dict[str, float]] = json.loads(text)["findings"]
    return found


def settings(analyzer: Any) -> str:
    """Each limit with its default, unit and reason."""
    lines = [
        f"  {f.name} = {getattr(analyzer, f.name):g}  # {f.metadata.get('unit', '')}: {f.metadata.get('reason', '')}"
        for f in fields(analyzer)
    ]
    return "\n".join([f"[limits.{analyzer.name}]", *lines]) if lines else "  none"
