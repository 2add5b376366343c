"""`logdoctor explain`: an analyzer's docstring with its limits, as a page."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

from logdoctor.diagnosis import all_analyzers
from logdoctor.errors import LogDoctorError
from logdoctor.options import did_you_mean


def explanation(name: str | None) -> str:
    """The page of one analyzer, or the list of all. Errors: LogDoctorError for an unknown name."""
    analyzers: dict[str, Any] = {analyzer.name: analyzer for analyzer in all_analyzers()}
    if name is None:
        width = max(map(len, analyzers), default=0)
        return "\n".join(f"{key:{width}}  {summary(analyzer)}" for key, analyzer in analyzers.items())
    if name not in analyzers:
        raise LogDoctorError(f"no analyzer is called {name!r}{did_you_mean(name, analyzers)}")
    return (
        f"{name}\n\n{inspect.getdoc(type(analyzers[name]))}\n\nSettings in logdoctor.toml\n{settings(analyzers[name])}"
    )


def summary(analyzer: Any) -> str:
    """The first line of an analyzer's page."""
    return (inspect.getdoc(type(analyzer)) or "").partition("\n")[0]


def settings(analyzer: Any) -> str:
    """Each limit with its default, unit and reason."""
    lines = [
        f"  {f.name} = {getattr(analyzer, f.name):g}  # {f.metadata.get('unit', '')}: {f.metadata.get('reason', '')}"
        for f in fields(analyzer)
    ]
    return "\n".join([f"[limits.{analyzer.name}]", *lines]) if lines else "  none"
