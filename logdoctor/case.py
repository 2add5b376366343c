"""Everything the analyzers look at for one run, computed once and shared."""

from __future__ import annotations

from dataclasses import dataclass

from logdoctor.run import Run
from logdoctor.segments import Schedule


@dataclass(frozen=True)
class Case:
    """A run and what is derived from it for judging."""

    run: Run
    schedule: Schedule
    now: float = float("nan")
