"""One run's part of `report.md`: verdict, plot, findings, drops, and folded away what is only looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Evidence, Finding
from logdoctor.report import numbers
from logdoctor.report.escape import block, code, marked, plain, prose
from logdoctor.report.summary import judged, nothing_found, row
from logdoctor.run import Axis, Run, RunProblem
from logdoctor.segments import Drop, Schedule

SHOWN_EVIDENCE = 4
SHOWN_DROPS = 12
SHOWN_TAIL = 12
SHOWN_READING = 6
ON_AXIS = ("epochs_after_best", "epochs_flat")  # measures that are lengths in the axis' unit, whatever their names say
_SENTENCE_END = re.compile(r"(?<=[.!]) (?=[A-Z])")
MEASURE_NAMES = {"hours": "time", "hours_after_best": "time after best"}
CRASHED = ("crashed", "stopped", "torn")


def heading(number: int, diagnosis: Diagnosis) -> str:
    """The section's title as plain text; the number makes its anchor unique."""
    return f"{number}. {plain(diagnosis.run.name, 80)}"


def section(title: str, diagnosis: Diagnosis, picture: str = "") -> str:
    """The whole section; `picture` is Markdown."""
    number, name = title.split(". ", 1)
    blocks = [f"## {number}. {code(name)}", _sentence(diagnosis), _facts_line(diagnosis), picture]
    blocks += [_finding(finding, told=index == 0) for index, finding in enumerate(diagnosis.findings)]
    blocks += [_tail(diagnosis.run), _drops(diagnosis), _reading(diagnosis.run), _not_examined(diagnosis)]
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
    if diagnosis.findings:
        worst, *others = diagnosis.findings
        also = f" Also: {', '.join(finding.analyzer for finding in others)}." if others else ""
        return f"**{prose(worst.message).rstrip('.')}.**{also}"
    return f"**{nothing_found(diagnosis).capitalize()}{' that needs you' * judged(diagnosis)}.**"


def _facts_line(diagnosis: Diagnosis) -> str:
    """The run in one line: length, losses, schedule, time, format."""
    run, line = diagnosis.run, row(diagnosis)
    parts = [numbers.amount(run.end, run.axis)]
    if run.train is not None and run.train.finite.any():
        values = run.train.value[run.train.finite]
        parts.append(
            f"train {code(run.train.tag)} {numbers.figure(float(values[0]))} → {numbers.figure(float(values[-1]))}"
        )
    judged_by = run.val or run.val_metric
    if judged_by is not None:
        best = "" if line.value_best == numbers.NOTHING else f" best {line.value_best},"
        parts.append(f"val {code(judged_by.tag)}{best} last {line.value_now}")
    parts.append(_schedule_words(diagnosis.schedule))
    parts += [numbers.duration(diagnosis.measures.get("hours"))]
    parts.append(", ".join(run.formats))
    parts += [f"{run.attempts} attempts"] if run.attempts > 1 else []
    return " · ".join(part for part in parts if part and part != numbers.NOTHING)


def _schedule_words(schedule: Schedule) -> str:
    if schedule.kind == "unknown" and not schedule.drops:
        return ""
    guess = " (inferred from the loss)" if schedule.origin == "inferred" else ""
    count = len(schedule.drops)
    return f"learning rate {schedule.kind}" + (f", {count} drop{'s' * (count > 1)}" if count else "") + guess


def images(diagnosis: Diagnosis) -> str:
    """The run's plots, relative to the report."""
    name = plain(diagnosis.run.name, 80).replace("[", "(").replace("]", ")").replace("\\", "/").replace("`", "'")
    return "\n\n".join(f"![Curves of {prose(name)}]({quote(plot.as_posix())})" for plot in diagnosis.plots)


def _finding(finding: Finding, *, told: bool) -> str:
    """A list item: what (unless `told` above) and where, evidence, cause and remedy, what would change it."""
    doubt = "" if finding.firm else ", tentative"
    where = numbers.stretch(finding.span)
    title = f"**{finding.analyzer}** ({finding.severity.word}{doubt}{', ' + where if where != numbers.NOTHING else ''})"
    lines = [f"- {title}" if told else f"- {title}: {prose(finding.message)}"]
    if finding.evidence:
        lines.append(f"  - Evidence: {_places(finding.evidence)}")
    lines += [f"  - {step}" for step in _advice(finding.advice)]
    if finding.would_change:
        label = "" if finding.would_change.startswith("Tentative") else "What would change this: "
        lines.append(f"  - {label}{marked(finding.would_change)}")
    return "\n".join(lines)


def _advice(advice: str) -> list[str]:
    """Cause and remedy as two steps, where the advice has two sentences."""
    cause, *remedy = _SENTENCE_END.split(plain(advice), maxsplit=1)
    steps = [("Why", cause), ("Do", remedy[0])] if remedy else [("Do", cause)]
    return [f"{label}: {marked(text)}" for label, text in steps if text]


def _places(evidence: Sequence[Evidence]) -> str:
    shown = [
        code(str(place)) + (f" {code(place.text, 120)}" if place.text else "") for place in evidence[:SHOWN_EVIDENCE]
    ]
    more = len(evidence) - SHOWN_EVIDENCE
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _tail(run: Run) -> str:
    """The last lines of a log that did not close by itself."""
    closing = run.closing
    if closing.kind not in CRASHED or not closing.tail:
        return ""
    return f"The log ends at {code(str(closing.evidence))}:\n\n{block(closing.tail[-SHOWN_TAIL:])}"


def _drops(diagnosis: Diagnosis) -> str:
    drops, axis = diagnosis.schedule.drops, diagnosis.run.axis
    if not drops:
        return ""
    header = ("drop after", "factor", f"{axis.words} since the last", "flat since", "gain", "verdict")
    rows = [_drop(drop, axis) for drop in drops]
    if len(rows) <= SHOWN_DROPS:
        return table(header, rows)
    return details(f"{len(rows)} learning-rate drops", table(header, rows))


def _drop(drop: Drop, axis: Axis) -> list[str]:
    sure = drop.low == drop.high
    interval = "" if sure else f" ({numbers.place(drop.low)}–{numbers.place(drop.high)})"
    where = numbers.position(drop.at, axis.unit) + interval
    flat = numbers.place(drop.flat_since)
    return [
        where,
        numbers.multiple(drop.factor),
        numbers.place(drop.since_last),
        flat,
        numbers.share(drop.gain),
        drop.timing,
    ]


def _reading(run: Run) -> str:
    """What could not be read, and what stitching kept and dropped."""
    lines = [f"- {_problem(problem)}" for problem in run.problems]
    lines += [f"- {marked(receipt)}" for receipt in run.receipts]
    shown, folded = "\n".join(lines[:SHOWN_READING]), "\n".join(lines[SHOWN_READING:])
    rest = details(f"{len(lines) - SHOWN_READING} more", folded)
    return "\n\n".join(part for part in ("Reading the log:", shown, rest) if part) if lines else ""


def _problem(problem: RunProblem) -> str:
    return f"{code(_where(problem.source, problem.line))}: {marked(problem.message, 300)}"


def _where(source: str, line: int) -> str:
    """`file:line`; line 0 stands for the whole file, or for no file at all."""
    return f"{source}:{line}" if line else source


def _not_examined(diagnosis: Diagnosis) -> str:
    """Analyzers that crashed, and those that could not judge, by reason."""
    crashed = [f"**{failed.analyzer}** crashed: {code(failed.error, 300)}" for failed in diagnosis.failed]
    by_reason: dict[str, list[str]] = {}
    for skipped in diagnosis.skipped:
        by_reason.setdefault(skipped.reason, []).append(skipped.analyzer)
    reasons = [f"{', '.join(names)} ({prose(reason)})" for reason, names in by_reason.items()]
    return "\n\n".join([*crashed, *([f"Not examined: {'; '.join(reasons)}."] if reasons else [])])


def _looked_up(diagnosis: Diagnosis) -> str:
    """Measures, facts with their lines, files, and the schedule as configuration."""
    axis = diagnosis.run.axis
    measures = [
        [MEASURE_NAMES.get(name, name.replace("_", " ")), _measure(name, value, axis)]
        for name, value in diagnosis.measures.items()
        if value is not None
    ]
    parts = [table(("measure", "value"), measures) if measures else ""]
    facts = [
        [
            code(name, cell=True),
            code(str(fact.value), 100, cell=True),
            code(_where(fact.source, fact.line), cell=True),
        ]
        for name, fact in diagnosis.run.facts.items()
    ]
    parts.append(table(("fact", "value", "stated at"), facts, left=3) if facts else "")
    files = [
        [
            code(source.path, cell=True),
            source.format,
            str(source.lines),
            str(source.data),
            str(source.unreadable),
        ]
        for source in diagnosis.run.sources
    ]
    parts.append(table(("file", "format", "lines", "with numbers", "not understood"), files, left=2) if files else "")
    parts += [f"{name}: {code(line)}" for name, line in diagnosis.schedule.config.items()]
    return "\n\n".join(part for part in parts if part)


def _measure(name: str, value: float, axis: Axis) -> str:
    if name == "best_epoch":
        return numbers.position(value, axis.unit)
    if name in ("hours", "hours_after_best"):
        return numbers.duration(value)
    return numbers.amount(value, axis) if name in ON_AXIS else numbers.figure(value, 4)
