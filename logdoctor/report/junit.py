"""JUnit XML, as Jenkins and GitLab read it: a suite for each run, a case for each finding."""

from __future__ import annotations

from xml.etree import ElementTree

from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Finding, Severity
from logdoctor.report.escape import plain


def to_junit(report: Report, threshold: Severity = Severity.WARNING) -> bytes:
    """The report as JUnit XML in UTF-8: firm findings at or above `threshold` fail, all others pass.

    Every run has a case of its own (`examined`), so that a run without findings is seen to have been looked at. What
    could not be judged, and files not read, are skipped cases; analyzers that crashed are errors.
    """
    root = ElementTree.Element("testsuites", name="logdoctor")
    for diagnosis in report.runs:
        _suite(root, diagnosis, threshold)
    if report.unread:
        suite = ElementTree.SubElement(root, "testsuite", name="files not read")
        for unread in report.unread:
            _case(suite, "files not read", unread.path, "skipped", message=unread.reason)
        _count(suite)
    _count(root)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(root: ElementTree.Element, diagnosis: Diagnosis, threshold: Severity) -> None:
    name = diagnosis.run.name
    suite = ElementTree.SubElement(root, "testsuite", name=plain(name))
    _case(suite, name, "examined")
    for finding in diagnosis.findings:
        fails = finding.firm and finding.severity >= threshold
        case = _case(suite, name, finding.analyzer, "failure" if fails else "system-out", **_attributes(finding, fails))
        case[0].text = plain_lines(finding)
        if finding.evidence:
            case.set("file", plain(finding.evidence[0].source))
            case.set("line", str(finding.evidence[0].line))
    for failed in diagnosis.failed:
        _case(suite, name, failed.analyzer, "error", message=failed.error, type="crash")
    for skipped in diagnosis.skipped:
        _case(suite, name, skipped.analyzer, "skipped", message=skipped.reason)
    _count(suite)


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
