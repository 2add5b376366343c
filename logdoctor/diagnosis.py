"""What is said of a run and of all runs: the verdicts as they go to every kind of report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logdoctor.finding import Failed, Finding, Ignored, Skipped
from logdoctor.run import Run
from logdoctor.segments import Schedule

if TYPE_CHECKING:
    import pandas as pd

    from logdoctor.analyzers.linear_scaling import Pace
    from logdoctor.changes import Changes
    from logdoctor.compare import Comparison, SideBySide


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What is said of one run. `state`: finished, interrupted, running, stalled, unknown."""

    run: Run
    schedule: Schedule
    state: str
    measures: Mapping[str, float | None]
    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[Failed, ...] = ()
    plots: tuple[Path, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    flat_spans: tuple[tuple[float, float], ...] = ()  # stretches of the axis in which the train loss was flat
    pace: Pace | None = field(default=None, repr=False)  # what it takes to compare the run with another
    drawn: Path | None = None  # a plot made while the run was at hand, not yet in its place

    @property
    def worst(self) -> int:
        """The highest severity among the findings, 0 without any."""
        return max((finding.severity for finding in self.findings), default=0)

    def to_frame(self) -> pd.DataFrame:
        """The common DataFrame of this run."""
        return Report((self,)).to_frame()

    def __repr__(self) -> str:
        from logdoctor.report.summary import verdict

        return f"<Diagnosis of {self.run.name}: {verdict(self)}>"

    def _repr_markdown_(self) -> str:
        from logdoctor.report.section import heading, section

        return section(heading(1, self), self)

    def _repr_html_(self) -> str:
        from logdoctor.report.notebook import run_html

        return run_html(self)


@dataclass(frozen=True)
class Unread:
    """A file that gave no run, and why."""

    path: str
    reason: str


@dataclass(frozen=True, repr=False)
class Report:
    """All runs, worst first, every file not read, and the names of runs that wrote nothing since `Options.since`."""

    runs: tuple[Diagnosis, ...]
    unread: tuple[Unread, ...] = ()
    older: tuple[str, ...] = ()
    changes: Changes | None = None  # since `Options.baseline`
    side_by_side: SideBySide | None = None  # filled in by `logdoctor.compare`
    overview: Path | None = None  # a plot of all runs, if one was drawn

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for run in self.runs for finding in run.findings)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Each pair of runs in each series they share, if the runs were compared."""
        return () if self.side_by_side is None else self.side_by_side.comparisons

    def to_json(self) -> dict[str, Any]:
        """The content of report.json."""
        from logdoctor.report.json_report import to_json

        return to_json(self)

    def to_markdown(self) -> str:
        """The content of report.md, without plots."""
        from logdoctor.report.markdown import to_markdown

        return to_markdown(self)

    def to_frame(self) -> pd.DataFrame:
        """The common DataFrame of all runs."""
        from logdoctor.frame import to_frame
        from logdoctor.rows import RunRows

        runs = [diagnosis.run for diagnosis in self.runs]
        return to_frame(RunRows(r.name, r.rows, tuple(s.path for s in r.sources)) for r in runs if r.rows is not None)

    def __repr__(self) -> str:
        from logdoctor.report.summary import headline

        return f"<Report: {headline(self)}>"

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        from logdoctor.report.notebook import report_html

        return report_html(self)
