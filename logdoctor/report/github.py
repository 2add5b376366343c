"""For GitHub Actions: annotations in the log, and a job summary with charts drawn by GitHub itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Evidence, Finding, Severity
from logdoctor.gate import GateResult
from logdoctor.report.changes import result_words
from logdoctor.report.escape import plain
from logdoctor.report.markdown import detailed_runs, render
from logdoctor.report.mermaid import chart

SUMMARY_BYTES = 1_000_000  # GitHub refuses a step's summary above 1 MiB
CHARTS = 30  # GitHub draws each in a frame of its own, which takes the browser a while
ANNOTATIONS = 10  # GitHub shows so many of each kind for a step
GATE_SEVERITY = {"worse": Severity.ERROR, "unknown": Severity.WARNING}
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def workflow_commands(report: Report, workspace: str = "") -> str:
    """Workflow commands, one line a finding, worst first; of each severity as many as GitHub shows.

    What has become worse than --fail-if-worse allows comes first. Absolute paths in `workspace`, the checkout, are
    told from there, or GitHub would not find the file.
    """
    gates = report.changes.gates if report.changes else ()
    lines = []
    for severity, command in COMMANDS.items():
        found = [_gate(result, workspace) for result in gates if GATE_SEVERITY.get(result.outcome) == severity]
        found += [_annotation(d, f, workspace) for d in report.runs for f in d.findings if f.severity == severity]
        lines += [f"::{command} {annotation}" for annotation in found[:ANNOTATIONS]]
    return "".join(f"{line}\n" for line in lines)


def _annotation(diagnosis: Diagnosis, finding: Finding, workspace: str) -> str:
    title = f"{diagnosis.run.name}: {finding.analyzer}{'' if finding.firm else ' (tentative)'}"
    place = finding.evidence[0] if finding.evidence else None
    return _properties(title, place, workspace) + _data(f"{finding.message}. {finding.advice}")


def _gate(result: GateResult, workspace: str) -> str:
    title = f"{result.run or 'baseline'}: {result.gate.text}"
    told = (
        f"worse than the baseline allows: {result_words(result)}" if result.outcome == "worse" else result_words(result)
    )
    return _properties(title, result.evidence, workspace) + _data(told)


def _properties(title: str, place: Evidence | None, workspace: str) -> str:
    properties = {"title": title}
    if place is not None:
        properties = {"file": _within(place.source, workspace), "line": str(max(1, place.line))} | properties
    return ",".join(f"{key}={_property(value)}" for key, value in properties.items()) + "::"


def _within(path: str, workspace: str) -> str:
    """A path relative to the checkout, if it is absolute and lies in it."""
    place = PurePath(path)
    inside = workspace and place.is_absolute() and place.is_relative_to(workspace)
    return place.relative_to(workspace).as_posix() if inside else path


def _data(text: str) -> str:
    return plain(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def job_summary(report: Report, limit: int = SUMMARY_BYTES) -> str:
    """The report as Markdown with charts instead of images, in at most `limit` bytes: detail is dropped to fit."""
    report = replace(report, runs=tuple(replace(diagnosis, plots=()) for diagnosis in report.runs))  # no image is seen
    detailed = detailed_runs(report)
    charted = {id(diagnosis) for diagnosis in detailed[:CHARTS]}
    left = len(detailed) - len(charted)
    note = f"Charts are drawn for the {CHARTS} worst runs; those of {left} more are left out here." if left else ""

    def text(most: int) -> str:
        return render(report, lambda diagnosis: chart(diagnosis) if id(diagnosis) in charted else "", most, note)

    most = len(detailed)
    while most and len(text(most).encode("utf-8", "replace")) > limit:
        most //= 2
    return _cut(text(most), limit)


def _cut(text: str, limit: int) -> str:
    """Whole lines only, with a note; for reports whose mere table is too long."""
    content = text.encode("utf-8", "replace")
    if len(content) <= limit:
        return text
    note = "\n\nThe rest is left out here for want of room.\n"
    kept = content[: limit - len(note)].decode("utf-8", "ignore")
    return kept[: kept.rfind("\n")] + note
