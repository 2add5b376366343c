"""One run's part of `report.md`: verdict, plot, findings, drops, and folded away what is only looked up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Evidence, Finding
from logdoctor.report import content, morning
from logdoctor.report.escape import block, code, marked, plain, prose
from logdoctor.run import Run, RunProblem


def heading(number: int, diagnosis: Diagnosis) -> str:
    """The section's title as plain text; the number makes its anchor unique."""
    return f"{number}. {plain(diagnosis.run.name, 80)}"


def section(title: str, diagnosis: Diagnosis, picture: str = "") -> str:
    """The whole section; `picture` is Markdown."""
    number, name = title.split(". ", 1)
    blocks = [f"## {number}. {code(name)}", _sentence(diagnosis), _facts_line(diagnosis), _morning(diagnosis)]
    blocks += [_tail(diagnosis), picture]
    blocks += [_finding(finding, told=index == 0) for index, finding in enumerate(diagnosis.findings)]
    blocks += [_drops(diagnosis), _reading(diagnosis.run), _not_examined(diagnosis)]
    blocks += [details("Measures and configuration", _looked_up(diagnosis))]
    return "\n\n".join(text for text in blocks if text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose first `left` columns are text and the rest numbers; cells are escaped already."""
    rule = ["---" if column < left else "---:" for column in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *rows))


def details(summary: str, body: str) -> str:
    """Text folded away under a one-line summary; nothing where there is no text."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>" if body else ""


def _sentence(diagnosis: Diagnosis) -> str:
    verdict, also = content.sentence(diagnosis)
    return f"**{prose(verdict)}**" + f" {also}" * bool(also)


def _facts_line(diagnosis: Diagnosis) -> str:
    """The run in one line."""
    return " · ".join(content.facts(diagnosis, code))


def images(diagnosis: Diagnosis) -> str:
    """The run's plots, relative to the report."""
    name = plain(diagnosis.run.name, 80).replace("[", "(").replace("]", ")").replace("\\", "/").replace("`", "'")
    return "\n\n".join(f"![Curves of {prose(name)}]({quote(plot.as_posix())})" for plot in diagnosis.plots)


def _finding(finding: Finding, *, told: bool) -> str:
    """A list item: what (unless `told` above) and where, evidence, cause and remedy, what would change it."""
    title = f"**{finding.analyzer}** ({content.how_sure(finding)})"
    lines = [f"- {title}" if told else f"- {title}: {prose(finding.message)}"]
    if finding.evidence:
        lines.append(f"  - Evidence: {_places(finding.evidence)}")
    lines += [f"  - {label}: {marked(text)}" for label, text in content.steps(finding.advice)]
    if finding.would_change:
        label, text = content.what_would_change(finding)
        lines.append(f"  - {label}: {marked(text)}" if label else f"  - {marked(text)}")
    return "\n".join(lines)


def _places(evidence: Sequence[Evidence]) -> str:
    shown = [
        code(str(place)) + (f" {code(place.text, 120)}" if place.text else "")
        for place in evidence[: content.SHOWN_EVIDENCE]
    ]
    more = len(evidence) - content.SHOWN_EVIDENCE
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _morning(diagnosis: Diagnosis) -> str:
    """Progress, and what to go on from."""
    return "\n".join(f"- {marked(line)}" for line in morning.told(diagnosis))


def _tail(diagnosis: Diagnosis) -> str:
    said, lines = morning.how_it_ended(diagnosis)
    return f"{said} {code(morning.where_it_ended(diagnosis))}:\n\n{block(lines)}" if lines else ""


def _drops(diagnosis: Diagnosis) -> str:
    drops, axis = diagnosis.schedule.drops, diagnosis.run.axis
    if not drops:
        return ""
    rows = table(content.drop_columns(axis), [content.drop_cells(drop, axis) for drop in drops])
    return rows if len(drops) <= content.SHOWN_DROPS else details(f"{len(drops)} learning-rate drops", rows)


def _reading(run: Run) -> str:
    """What could not be read, and what stitching kept and dropped."""
    lines = [f"- {_problem(problem)}" for problem in run.problems]
    lines += [f"- {marked(receipt)}" for receipt in run.receipts]
    shown, folded = "\n".join(lines[: content.SHOWN_READING]), "\n".join(lines[content.SHOWN_READING :])
    rest = details(f"{len(lines) - content.SHOWN_READING} more", folded)
    return "\n\n".join(part for part in ("Reading the log:", shown, rest) if part) if lines else ""


def _problem(problem: RunProblem) -> str:
    return f"{code(content.where(problem.source, problem.line))}: {marked(problem.message, 300)}"


def _not_examined(diagnosis: Diagnosis) -> str:
    """Analyzers that crashed, and those that could not judge, by reason."""
    crashed = [f"**{failed.analyzer}** crashed: {code(failed.error, 300)}" for failed in diagnosis.failed]
    reasons = [f"{', '.join(names)} ({prose(reason)})" for reason, names in content.not_examined(diagnosis.skipped)]
    return "\n\n".join([*crashed, *([f"Not examined: {'; '.join(reasons)}."] if reasons else [])])


def _looked_up(diagnosis: Diagnosis) -> str:
    """Measures, facts with their lines, files, and the schedule as configuration."""
    run = diagnosis.run
    measured = content.measures(diagnosis)
    stated = [[code(cell, cell=True) for cell in cells] for cells in content.stated(run)]
    files = [[code(path, cell=True), *cells] for path, *cells in content.files(run)]
    parts = [table(("measure", "value"), measured) if measured else ""]
    parts.append(table(content.FACT_COLUMNS, stated, left=3) if stated else "")
    parts.append(table(content.FILE_COLUMNS, files, left=2) if files else "")
    parts += [f"{name}: {code(line)}" for name, line in diagnosis.schedule.config.items()]
    return "\n\n".join(part for part in parts if part)
