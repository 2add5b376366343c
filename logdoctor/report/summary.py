"""What every renderer says first about a run and about the whole report, in the same words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Finding, Severity
from logdoctor.report import numbers, shown
from logdoctor.report.json_report import epochs_per_drop_list
from logdoctor.run import Curve, Run

TOLD_STATES = ("running", "stalled")  # the others are findings or nothing new
WHOLE_RUN = 0.9  # a finding over more of the run than this needs no place in a short verdict


@dataclass(frozen=True)
class Row:
    """A run's line in the summary table, as text without markup."""

    name: str
    severity: int
    verdict: str
    best: str
    value_best: str
    value_now: str
    per_drop: str
    wasted: str
    last_seen: str


def needs_you(diagnosis: Diagnosis) -> bool:
    """Whether a person should look at the run: a warning, an error, or an analyzer that crashed."""
    return diagnosis.worst >= Severity.WARNING or bool(diagnosis.failed)


def row(diagnosis: Diagnosis, findings: int = 3) -> Row:
    """The summary of one run; the verdict names at most `findings` findings."""
    run, measures = diagnosis.run, diagnosis.measures
    curve = run.val or run.val_metric
    best, best_point = measures.get("best_epoch"), shown.best_point(diagnosis)
    return Row(
        name=run.name,
        severity=diagnosis.worst,
        verdict=verdict(diagnosis, findings),
        best=numbers.place(best) if run.axis.unit == "epoch" else numbers.position(best, run.axis.unit),
        value_best=numbers.figure(best_point[1] if best_point else measures.get("best_value"), 4),
        value_now=numbers.figure(_last(curve), 4),
        per_drop=_per_drop(diagnosis),
        wasted=_with_unit(measures.get("epochs_wasted"), run),
        last_seen=last_seen(diagnosis),
    )


def verdict(diagnosis: Diagnosis, findings: int = 3) -> str:
    """The findings' names, worst first, with their place: `overfitting (epoch 20–40), late-drop`."""
    shown = told_first(diagnosis)
    words = [_short(finding, diagnosis.run) for finding in shown[:findings]]
    if len(shown) > findings:
        words.append(f"{len(shown) - findings} more")
    if diagnosis.failed:
        words.append(f"{len(diagnosis.failed)} analyzer{'s' * (len(diagnosis.failed) > 1)} crashed")
    return ", ".join(words) or nothing_found(diagnosis)


def told_first(diagnosis: Diagnosis) -> list[Finding]:
    """The findings of a short verdict, worst first: warnings and errors; without any, what else there is."""
    loud = [finding for finding in diagnosis.findings if finding.severity > Severity.INFO]
    return sorted(loud or diagnosis.findings, key=lambda finding: -finding.severity)


def nothing_found(diagnosis: Diagnosis) -> str:
    """What to say of a run without findings: never that all is well where the loss could not be read."""
    return "nothing found" if judged(diagnosis) else "not judged: no loss found"


def judged(diagnosis: Diagnosis) -> bool:
    """Whether there was a curve to judge by."""
    run = diagnosis.run
    return run.train is not None or run.val is not None or bool(diagnosis.findings)


def _short(finding: Finding, run: Run) -> str:
    where = short_place(finding, run)
    return short_name(finding) + (f" ({where})" if where else "")


def short_name(finding: Finding) -> str:
    """A finding's name, `?` where it is tentative, and why a run ended: `interrupted: out of memory`."""
    reason = finding.numbers.get("reason")
    return f"{finding.analyzer}{'' if finding.firm else '?'}" + (f": {reason}" if isinstance(reason, str) else "")


def short_place(finding: Finding, run: Run) -> str:
    """Where a finding lies; empty where it speaks of nearly the whole run, or of no place."""
    start, end = finding.span.start, finding.span.end
    where = "" if end - start > WHOLE_RUN * run.end else numbers.stretch(finding.span)
    return "" if where == numbers.NOTHING else where


def _per_drop(diagnosis: Diagnosis) -> str:
    schedule, run = diagnosis.schedule, diagnosis.run
    if not schedule.drops:
        return numbers.NOTHING
    lengths = epochs_per_drop_list(schedule, run.axis)
    mark = " (inferred)" if schedule.origin == "inferred" else ""
    if lengths:
        return numbers.place(float(np.median(lengths))) + mark
    return numbers.amount(schedule.per_drop, run.axis) + mark


def _with_unit(value: float | None, run: Run) -> str:
    return numbers.place(value) if run.axis.unit == "epoch" else numbers.amount(value, run.axis)


def _last(curve: Curve | None) -> float | None:
    if curve is None or not curve.finite.any():
        return None
    return float(curve.value[curve.finite][-1])


def last_seen(diagnosis: Diagnosis) -> str:
    """How far the run came, when that was logged, and its state: `epoch 52, 2026-11-21 03:14, running`."""
    run = diagnosis.run
    times = [float(np.nanmax(curve.wall_time)) for curve in run.curves if np.isfinite(curve.wall_time).any()]
    when = numbers.moment(max(times, default=float("nan")))
    parts = [numbers.position(run.end, run.axis.unit), when, _state(diagnosis)]
    return ", ".join(part for part in parts if part and part != numbers.NOTHING)


def _state(diagnosis: Diagnosis) -> str:
    """The state where it is news; of a run that goes on with how much of it is done."""
    if diagnosis.state not in TOLD_STATES:
        return ""
    done = diagnosis.measures.get("progress") if diagnosis.state == "running" else None
    return diagnosis.state if done is None else f"{diagnosis.state} ({numbers.share(done)})"


def headline(report: Report) -> str:
    """The whole report in a sentence: how many runs, how many need a person."""
    older = f"{len(report.older)} older run{'s' * (len(report.older) > 1)}" if report.older else ""
    if not report.runs:
        return f"No run wrote anything since then; {older} left out." if older else "No training run was found."
    errors = sum(diagnosis.worst == Severity.ERROR for diagnosis in report.runs)
    warnings = sum(diagnosis.worst == Severity.WARNING for diagnosis in report.runs)
    crashed = sum(bool(diagnosis.failed) for diagnosis in report.runs)
    blind = sum(not judged(diagnosis) for diagnosis in report.runs)
    groups = (
        (errors, "with errors"),
        (warnings, "with warnings"),
        (crashed, "with a crashed analyzer"),
        (blind, "not judged for want of a loss"),
    )
    parts = [f"{count} {words}" for count, words in groups if count]
    total = f"{len(report.runs)} run{'s' * (len(report.runs) > 1)}"
    left_out = f" {older} left out by --since." if older else ""
    return (f"{total}: {', '.join(parts)}." if parts else f"{total}, none needs you.") + left_out


def tally(report: Report) -> str:
    """In how many runs each finding was made, most severe first: `divergence 3, overfitting 12`."""
    return ", ".join(f"{name} {count}" for name, count, _ in counts(report))


def ignored(report: Report) -> str:
    """What the user ignores, with the reasons: `Ignored: 2 overfitting (small data), 1 plateau.`; empty without any."""
    told = Counter((each.finding.analyzer, each.reason) for diagnosis in report.runs for each in diagnosis.ignored)
    order = sorted(told, key=lambda one: (-told[one], one[0], not one[1], one[1]))
    named = [f"{told[one]} {one[0]}" + (f" ({one[1]})" if one[1] else "") for one in order]
    return f"Ignored: {', '.join(named)}." if named else ""


def counts(report: Report) -> list[tuple[str, int, int]]:
    """Name, number of runs and highest severity of each finding made, most severe first."""
    severity: dict[str, int] = {}
    count: Counter[str] = Counter()
    for diagnosis in report.runs:
        for finding in {finding.analyzer: finding for finding in diagnosis.findings}.values():
            count[finding.analyzer] += 1
            severity[finding.analyzer] = max(severity.get(finding.analyzer, 0), finding.severity)
    names = sorted(count, key=lambda name: (-severity[name], -count[name], name))
    return [(name, count[name], severity[name]) for name in names]
