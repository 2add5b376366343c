"""Findings that need two runs: those of analyzers that also compare a run with another of the same data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from logdoctor.analyzers.linear_scaling import LinearScaling, effective_batch
from logdoctor.case import Case
from logdoctor.finding import Finding

if TYPE_CHECKING:
    from logdoctor.analyzers.contract import Analyzer
    from logdoctor.diagnosis import Diagnosis


def relate(diagnoses: Sequence[Diagnosis], analyzers: Iterable[Analyzer], now: float) -> list[Diagnosis]:
    """The diagnoses, with what is to be said of a run in the light of one with a smaller batch added."""
    scaling = next((a for a in analyzers if isinstance(a, LinearScaling)), None)
    batches = [effective_batch(d.run) for d in diagnoses]
    if scaling is None or len({b for b in batches if b}) < 2:
        return list(diagnoses)
    cases = {i: Case.of(d.run, now) for i, d in enumerate(diagnoses) if batches[i]}
    order = sorted(cases, key=lambda i: batches[i] or 0.0)
    found = {i: _first(scaling, cases[i], [cases[k] for k in order if k != i]) for i in cases}
    return [_with(d, found.get(i)) for i, d in enumerate(diagnoses)]


def _first(scaling: LinearScaling, case: Case, smaller: Iterable[Case]) -> Finding | None:
    """What the first comparable run (smallest batch first) shows."""
    return next((finding for other in smaller if (finding := scaling.compare(case, other))), None)


def _with(diagnosis: Diagnosis, finding: Finding | None) -> Diagnosis:
    if finding is None or any(f.analyzer == finding.analyzer for f in diagnosis.findings):
        return diagnosis
    return replace(diagnosis, findings=(*diagnosis.findings, finding))
