"""Findings that need two runs: those of analyzers that also compare a run with another of the same data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from logdoctor.analyzers.linear_scaling import LinearScaling, Pace
from logdoctor.finding import Finding

if TYPE_CHECKING:
    from logdoctor.analyzers.contract import Analyzer
    from logdoctor.case import Case
    from logdoctor.diagnosis import Diagnosis


def pace_of(case: Case, analyzers: Iterable[Analyzer]) -> Pace | None:
    """What it takes to compare a run with another; None where nobody does, or the log does not tell."""
    scaling = _scaling(analyzers)
    return None if scaling is None else scaling.pace(case)


def relate(diagnoses: Sequence[Diagnosis], analyzers: Iterable[Analyzer]) -> list[Diagnosis]:
    """The diagnoses, with what is to be said of a run in the light of one with a smaller batch added."""
    scaling = _scaling(analyzers)
    paces = sorted((d.pace for d in diagnoses if d.pace is not None), key=lambda pace: (pace.batch, pace.name))
    if scaling is None or len({pace.batch for pace in paces}) < 2:
        return list(diagnoses)
    return [_with(d, _first(scaling, d.pace, paces)) for d in diagnoses]


def _scaling(analyzers: Iterable[Analyzer]) -> LinearScaling | None:
    return next((a for a in analyzers if isinstance(a, LinearScaling)), None)


def _first(scaling: LinearScaling, mine: Pace | None, paces: Iterable[Pace]) -> Finding | None:
    """What the first comparable run shows; `paces`: smallest batch first."""
    if mine is None:
        return None
    smaller = takewhile(lambda other: other.batch * scaling.min_ratio <= mine.batch, paces)
    return next((finding for other in smaller if (finding := scaling.compare(mine, other))), None)


def _with(diagnosis: Diagnosis, finding: Finding | None) -> Diagnosis:
    if finding is None or any(f.analyzer == finding.analyzer for f in diagnosis.findings):
        return diagnosis
    return replace(diagnosis, findings=(*diagnosis.findings, finding))
