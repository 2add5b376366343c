"""`report.md`: the answer on the first screen, then the runs that need a person, then the rest.

GitHub-flavoured Markdown, no raw HTML but `<details>`; whatever comes from a log or a file name is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

from logdoctor.diagnosis import Diagnosis, Report, Unread
from logdoctor.finding import Severity
from logdoctor.report import changes, content, section
from logdoctor.report.comparison import comparison_blocks
from logdoctor.report.escape import code, marked, prose, shortened, slug
from logdoctor.report.summary import Row, headline, ignored, judged, needs_you, row, tally

DETAIL_FOR_ALL = 30  # with more runs, those that need nobody are a line in a table
SHOWN_UNREAD = 50
NAME_LETTERS = 60  # of a run in the table
MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️", 0: "✅"}
HEADER = (
    "run",
    "verdict",
    "best epoch",
    "val at best",
    "val now",
    "epochs per drop",
    "epochs wasted",
    "last seen",
)


def to_markdown(report: Report, *, plots: bool = True) -> str:
    """The report as Markdown; `plots`: with the images named in each diagnosis, relative to the report."""
    compared = comparison_blocks(report.side_by_side, plots=plots) if report.side_by_side else []
    if not plots:
        return _join([*compared, render(report, lambda diagnosis: "").rstrip()])
    return _join([*compared, render(report, section.images, overview=_overview(report)).rstrip()])


def render(report: Report, picture: Callable[[Diagnosis], str], most: int | None = None, overview: str = "") -> str:
    """The report with any `picture` (Markdown) in each run's section, and sections for `most` runs (None: all)."""
    blocks = ["# Training report", prose(headline(report)), *(changes.blocks(report.changes) if report.changes else [])]
    if not report.runs:
        advice = "" if report.older else marked(content.nothing_read(report))
        return _join([*blocks, advice, *_unread(report.unread)])
    urgent = [diagnosis for diagnosis in report.runs if needs_you(diagnosis)]
    rest = [diagnosis for diagnosis in report.runs if not needs_you(diagnosis)]
    few = len(report.runs) <= DETAIL_FOR_ALL
    detailed = detailed_runs(report)[:most]
    titles = {id(diagnosis): section.heading(index, diagnosis) for index, diagnosis in enumerate(detailed, 1)}
    blocks += [_counts(report), _table(report.runs if few else urgent, titles), overview]
    blocks += [changes.more(report.changes)] if report.changes else []
    blocks += ["`logdoctor explain NAME` says what a finding means and when it is wrong."] if report.findings else []
    blocks += [section.section(titles[id(diagnosis)], diagnosis, picture(diagnosis)) for diagnosis in detailed]
    if len(detailed) < len(detailed_runs(report)):
        blocks += [
            f"Details of {len(detailed_runs(report)) - len(detailed)} more runs are left out here for want of room."
        ]
    if not few and rest:
        blocks += [f"## Runs that need nobody ({len(rest)})", _table(rest, titles)]
    return _join([*blocks, *_unread(report.unread)])


def detailed_runs(report: Report) -> list[Diagnosis]:
    """The runs that get a section and a plot: all of a few, of many those that need a person."""
    if len(report.runs) <= DETAIL_FOR_ALL:
        return list(report.runs)
    return [diagnosis for diagnosis in report.runs if needs_you(diagnosis)]


def _join(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


def _counts(report: Report) -> str:
    lines = [f"Findings: {prose(found)}." if (found := tally(report)) else "", prose(ignored(report))]
    if report.unread:
        many = len(report.unread) > 1
        lines.append(f"[{len(report.unread)} file{'s' * many}](#files-not-read) could not be read.")
    return " ".join(line for line in lines if line)


def _overview(report: Report) -> str:
    """All runs in one picture, if one was drawn."""
    if report.overview is None:
        return ""
    told = (
        "Train solid, validation dashed, each on its own scale; ★ best epoch, shaded: train loss flat, dashed: drops."
    )
    return f"![All runs side by side, worst first]({quote(report.overview.as_posix())})\n\n{told}"


def _table(diagnoses: Sequence[Diagnosis], anchors: dict[int, str]) -> str:
    rows = [[_link(diagnosis, anchors), *_cells(diagnosis)] for diagnosis in diagnoses]
    return section.table(HEADER, rows, left=2) if rows else ""


def _link(diagnosis: Diagnosis, anchors: dict[int, str]) -> str:
    """The name, which leads to the run's section; where there is none, to its plot."""
    name = code(shortened(diagnosis.run.name, NAME_LETTERS), cell=True)
    if (heading := anchors.get(id(diagnosis))) is not None:
        return f"[{name}](#{slug(heading)})"
    return f"[{name}]({quote(diagnosis.plots[0].as_posix())})" if diagnosis.plots else name


def _cells(diagnosis: Diagnosis) -> list[str]:
    line: Row = row(diagnosis)
    mark = MARKS[line.severity] if judged(diagnosis) else "❔"
    values = (line.best, line.value_best, line.value_now, line.per_drop, line.wasted, line.last_seen)
    return [f"{mark} {prose(line.verdict)}", *(prose(value) for value in values)]


def _unread(unread: Sequence[Unread]) -> list[str]:
    """Files that gave no run, by reason."""
    if not unread:
        return []
    lines = []
    for reason, paths in content.by_reason(unread):
        names = ", ".join(code(path) for path in paths[:SHOWN_UNREAD])
        more = f" and {len(paths) - SHOWN_UNREAD} more" if len(paths) > SHOWN_UNREAD else ""
        lines.append(f"- {prose(reason)}: {names}{more}")
    return ["## Files not read", "\n".join(lines)]
