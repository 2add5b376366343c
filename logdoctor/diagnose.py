"""From runs to a report: runs every analyzer on every run; one that crashes costs only itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from logdoctor.finding import Failed, Finding, Skipped
from logdoctor.run import Run
from logdoctor.segments import Schedule


@dataclass(frozen=True)
class Diagnosis:
    """What is said of one run. `state`: finished, interrupted, running, stalled, unknown. `plots` relative to the report."""

    run: Run
    schedule: Schedule
    state: str
    measures: Mapping[str, float | None]
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    failed: tuple[Failed, ...]
    plots: tuple[Path, ...] = ()
    flat_spans: tuple[tuple[float, float], ...] = ()   # stretches of the axis in which the train loss was flat

    @property
    def worst(self) -> int:
        """The highest severity among the findings, 0 without any."""
        return max((finding.severity for finding in self.findings), default=0)


@dataclass(frozen=True)
class Unread:
    """A file that gave no run, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Report:
    """All runs, worst first, and every file not read."""

    runs: tuple[Diagnosis, ...]
    unread: tuple[Unread, ...] = ()
    comparisons: tuple[object, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for run in self.runs for finding in run.findings)
