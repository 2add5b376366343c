"""JUnit XML, as Jenkins and GitLab read it: a suite for each run, a case for each finding."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Evidence, Finding, Severity
from logdoctor.gate import GateResult
from logdoctor.report.changes import result_words
from logdoctor.report.escape import plain


def to_junit(report: Report, threshold: Severity = Severity.WARNING) -> bytes:
    """The report as JUnit XML in UTF-8: firm findings at or above `threshold` fail, all others pass.

    Every run has a case of its own (`examined`), so that a run without findings is seen to have been looked at. What
    --fail-if-worse demands is a case of each run it was judged in. What could not be judged, findings ignored, and
    files not read, are skipped cases; analyzers that crashed are errors.
    """
    root = ElementTree.Element("testsuites", name="logdoctor")
    gates = report.changes.gates if report.changes else ()
    for diagnosis in report.runs:
        _suite(root, diagnosis, threshold, [gate for gate in gates if gate.run == diagnosis.run.name])
    _not_compared(root, [gate for gate in gates if not gate.run])
    if report.unread:
        suite = ElementTree.SubElement(root, "testsuite", name="files not read")
        for unread in report.unread:
            _case(suite, "files not read", unread.path, "skipped", message=unread.reason)
        _count(suite)
    _count(root)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _not_compared(root: ElementTree.Element, gates: Sequence[GateResult]) -> None:
    if gates:
        suite = ElementTree.SubElement(root, "testsuite", name="baseline")
        for result in gates:
            _gate(suite, "baseline", result)
        _count(suite)


def _suite(
    root: ElementTree.Element, diagnosis: Diagnosis, threshold: Severity, gates: Sequence[GateResult] = ()
) -> None:
    name = diagnosis.run.name
    suite = ElementTree.SubElement(root, "testsuite", name=plain(name))
    _case(suite, name, "examined")
    for finding in diagnosis.findings:
        fails = finding.firm and finding.severity >= threshold
        case = _case(suite, name, finding.analyzer, "failure" if fails else "system-out", **_attributes(finding, fails))
        case[0].text = plain_lines(finding)
        if finding.evidence:
            _at(case, finding.evidence[0])
    for result in gates:
        _gate(suite, name, result)
    for failed in diagnosis.failed:
        _case(suite, name, failed.analyzer, "error", message=failed.error, type="crash")
    for skipped in diagnosis.skipped:
        _case(suite, name, skipped.analyzer, "skipped", message=skipped.reason)
    for each in diagnosis.ignored:
        _case(suite, name, each.finding.analyzer, "skipped", message=f"ignored: {each.reason or 'no reason given'}")
    _count(suite)


def _gate(suite: ElementTree.Element, run: str, result: GateResult) -> None:
    """A demand of --fail-if-worse: passed, failed, or skipped where there was nothing to compare with."""
    outcome = {"kept": "system-out", "worse": "failure"}.get(result.outcome, "skipped")
    told = result.reason or ("" if result.outcome == "absent" else result_words(result))
    attributes = {} if outcome == "system-out" else {"message": told or "not logged, neither then nor now"}
    case = _case(suite, run, f"no worse than the baseline: {result.gate.text}", outcome, **attributes)
    case[0].text = plain(told)
    if result.evidence:
        _at(case, result.evidence)


def _at(case: ElementTree.Element, place: Evidence) -> None:
    case.set("file", plain(place.source))
    case.set("line", str(place.line))


def _attributes(finding: Finding, fails: bool) -> dict[str, str]:
    return {"message": finding.message, "type": finding.severity.word} if fails else {}


def plain_lines(finding: Finding) -> str:
    """A finding as lines of text: message, advice, evidence."""
    doubt = "" if finding.firm else " (tentative)"
    lines = [f"{finding.severity.word}{doubt}: {finding.message}", finding.advice]
    lines += [f"{place} {place.text}".rstrip() for place in finding.evidence]
    return "\n".join(plain(line) for line in lines if line)


def _case(suite: ElementTree.Element, run: str, name: str, outcome: str = "", **attributes: str) -> ElementTree.Element:
    case = ElementTree.SubElement(suite, "testcase", classname=plain(run), name=plain(name), time="0")
    if outcome:
        ElementTree.SubElement(case, outcome, {key: plain(value) for key, value in attributes.items()})
    return case


def _count(element: ElementTree.Element) -> None:
    """Set the totals that readers expect on a suite or on all of them."""
    element.set("tests", str(len(list(element.iter("testcase")))))
    for name, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(len(list(element.iter(outcome)))))
    element.set("time", "0")
