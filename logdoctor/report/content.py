"""What a run's section says, as text without markup: the renderers differ in how they write it, not in what."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby

from logdoctor.diagnosis import Diagnosis, Report, Unread
from logdoctor.finding import Finding, Skipped
from logdoctor.report import numbers
from logdoctor.report.escape import plain
from logdoctor.report.summary import judged, nothing_found, row
from logdoctor.run import Axis, Run
from logdoctor.segments import Drop, Schedule

SHOWN_EVIDENCE = 4
SHOWN_DROPS = 12
SHOWN_READING = 6
DROP_COLUMNS = ("drop after", "factor", "{words} since the last", "flat since", "gain", "verdict")
FACT_COLUMNS = ("fact", "value", "stated at")
FILE_COLUMNS = ("file", "format", "lines", "with numbers", "not understood")
ON_AXIS = ("epochs_after_best", "epochs_flat", "epochs_wasted")  # lengths in the axis' unit, whatever they are called
MEASURE_NAMES = {"best_value": "best value, smoothed", "hours": "time", "hours_after_best": "time after best"}
NOTHING_READ = (
    "Nothing was judged, so nothing is known to be well. Give the folder or file the training wrote its log to. "
    "`logdoctor formats` lists what can be read, `logdoctor formats FILE` says how one file was recognised, and "
    "`--parser NAME` reads it as the format you name."
)
_SENTENCE_END = re.compile(r"(?<=[.!]) (?=[A-Z])")


def sentence(diagnosis: Diagnosis) -> tuple[str, str]:
    """The verdict in a sentence, and what else was found (empty: nothing)."""
    if diagnosis.findings:
        worst, *others = diagnosis.findings
        also = f"Also: {', '.join(finding.analyzer for finding in others)}." if others else ""
        return f"{_capitalised(plain(worst.message)).rstrip('.')}.", also
    return f"{nothing_found(diagnosis).capitalize()}{' that needs you' * judged(diagnosis)}.", ""


def _capitalised(text: str) -> str:
    """With a capital where a word begins the sentence, not a tag as logged."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


def facts(diagnosis: Diagnosis, code: Callable[[str], str]) -> list[str]:
    """The run in a few words each: length, losses, schedule, time, format; `code` writes a tag as logged."""
    run, line = diagnosis.run, row(diagnosis)
    parts = [numbers.amount(run.end, run.axis)]
    if run.train is not None and run.train.finite.any():
        values = run.train.value[run.train.finite]
        first, last = numbers.figure(float(values[0])), numbers.figure(float(values[-1]))
        parts.append(f"train {code(run.train.tag)} {first} → {last}")
    judged_by = run.val or run.val_metric
    if judged_by is not None:
        best = "" if line.value_best == numbers.NOTHING else f" best {line.value_best},"
        parts.append(f"val {code(judged_by.tag)}{best} last {line.value_now}")
    parts.append(_schedule_words(diagnosis.schedule))
    parts += [numbers.duration(diagnosis.measures.get("hours"))]
    parts.append(", ".join(run.formats))
    parts += [f"{run.attempts} attempts"] if run.attempts > 1 else []
    return [part for part in parts if part and part != numbers.NOTHING]


def ticked(tag: str) -> str:
    """A tag between backticks, for what writes these as code."""
    return f"`{tag.replace('`', chr(39))}`"


def _schedule_words(schedule: Schedule) -> str:
    if schedule.kind == "unknown" and not schedule.drops:
        return ""
    guess = " (inferred from the loss)" if schedule.origin == "inferred" else ""
    count = len(schedule.drops)
    return f"learning rate {schedule.kind}" + (f", {count} drop{'s' * (count > 1)}" if count else "") + guess


def how_sure(finding: Finding) -> str:
    """Severity, doubt and place of a finding: `warning, tentative, epoch 20–40`."""
    where = numbers.stretch(finding.span)
    parts = (finding.severity.word, "" if finding.firm else "tentative", where if where != numbers.NOTHING else "")
    return ", ".join(part for part in parts if part)


def steps(advice: str) -> list[tuple[str, str]]:
    """Cause and remedy as two labelled steps, where the advice has two sentences."""
    cause, *remedy = _SENTENCE_END.split(plain(advice), maxsplit=1)
    found = [("Why", cause), ("Do", remedy[0])] if remedy else [("Do", cause)]
    return [(label, text) for label, text in found if text]


def what_would_change(finding: Finding) -> tuple[str, str]:
    """A label (empty where the text says it itself) and the text."""
    return "" if finding.would_change.startswith("Tentative") else "What would change this", finding.would_change


def drop_columns(axis: Axis) -> list[str]:
    return [title.format(words=axis.words) for title in DROP_COLUMNS]


def drop_cells(drop: Drop, axis: Axis) -> list[str]:
    """A drop's row; the interval beside its place where it is not known exactly."""
    sure = drop.low == drop.high
    interval = "" if sure else f" ({numbers.place(drop.low)}–{numbers.place(drop.high)})"
    return [
        numbers.position(drop.at, axis.unit) + interval,
        numbers.multiple(drop.factor),
        numbers.place(drop.since_last),
        numbers.place(drop.flat_since),
        numbers.share(drop.gain),
        drop.timing,
    ]


def where(source: str, line: int) -> str:
    """`file:line`; line 0 stands for the whole file, or for no file at all."""
    return f"{source}:{line}" if line else source


def not_examined(skipped: tuple[Skipped, ...]) -> list[tuple[str, list[str]]]:
    """The analyzers that could not judge, by reason."""
    by_reason: dict[str, list[str]] = {}
    for one in skipped:
        by_reason.setdefault(one.reason, []).append(one.analyzer)
    return list(by_reason.items())


def measures(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """Names and values of the measures there are, with units."""
    axis = diagnosis.run.axis
    known = ((name, value) for name, value in diagnosis.measures.items() if value is not None)
    return [(MEASURE_NAMES.get(name, name.replace("_", " ")), _measure(name, value, axis)) for name, value in known]


def _measure(name: str, value: float, axis: Axis) -> str:
    if name == "best_epoch":
        return numbers.position(value, axis.unit)
    if name == "progress":
        return numbers.share(value)
    if name == "expected_end":
        return f"{numbers.moment(value)} UTC"
    if name in ("hours", "hours_after_best"):
        return numbers.duration(value)
    return numbers.amount(value, axis) if name in ON_AXIS else numbers.figure(value, 4)


def stated(run: Run) -> list[list[str]]:
    """What the log states of the run, its value, and the line it stands on."""
    return [[name, plain(str(fact.value), 100), where(fact.source, fact.line)] for name, fact in run.facts.items()]


def files(run: Run) -> list[list[str]]:
    """The files of a run and how many of their lines were of use."""
    counts = [(file, (file.lines, file.data, file.unreadable)) for file in run.sources]
    return [[file.path, file.format, *(str(count) for count in three)] for file, three in counts]


def nothing_read(report: Report) -> str:
    """What to do about a report without runs; backticks mark commands."""
    return NOTHING_READ if report.unread else f"No file was found there either. {NOTHING_READ}"


def by_reason(unread: Sequence[Unread]) -> list[tuple[str, list[str]]]:
    """The paths that gave no run, by reason."""
    ordered = sorted(unread, key=lambda item: item.reason)
    return [(reason, [item.path for item in group]) for reason, group in groupby(ordered, key=lambda item: item.reason)]
