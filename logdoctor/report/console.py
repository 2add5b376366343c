"""The summary in the terminal: one line a run, worst first."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from logdoctor.diagnosis import Diagnosis, Report
from logdoctor.finding import Severity
from logdoctor.report import morning
from logdoctor.report.changes import lines
from logdoctor.report.escape import inert, plain
from logdoctor.report.scales import Floats, helps_log, limits
from logdoctor.report.summary import TOLD_STATES, headline, ignored, judged, needs_you, row

BLOCKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 16
SHOWN_QUIET = 40  # runs that need nobody are listed up to here
NARROW, WIDE = 70, 120  # columns of the terminal from which the losses, and the rest of the table, have room
PIPED_WIDTH = 160
MORNING_STATES, SHOWN_MORNING = ("interrupted", "stalled", "running"), 8
STYLES = {
    Severity.ERROR: ("✗", "bold red"),
    Severity.WARNING: ("!", "yellow"),
    Severity.INFO: ("i", "cyan"),
    0: ("✓", "green"),
}


def print_report(report: Report, folder: Path) -> None:
    """Print the summary to standard output: with colours on a terminal that wants them, wide where it is piped."""
    piped = not sys.stdout.isatty()
    console = Console(width=PIPED_WIDTH if piped else None, highlight=False)
    with console.capture() as shown:  # written by `print`, whose errors the command line knows how to end with
        show(report, console, wrap=not piped)
    print(inert(shown.get()), end="")
    if report.runs:
        print(f"Report: {plain(str(folder / 'report.md'))}")


def show(report: Report, console: Console, *, wrap: bool = True) -> None:
    """Print the table of runs, worst first, and the headline last, where the eye is when the command ends.

    `wrap`: break long lines. Where programs read along none is broken: one that began with part of a file's name could
    be a command to GitHub Actions.
    """
    shown = [diagnosis for diagnosis in report.runs if needs_you(diagnosis)]
    quiet = [diagnosis for diagnosis in report.runs if not needs_you(diagnosis)]
    if len(report.runs) <= SHOWN_QUIET:
        shown, quiet = [*shown, *quiet], []
    if shown:
        console.print(_table(shown, console.width))
    _show_morning(shown, console, wrap)
    if quiet:
        console.print(Text(f"{len(quiet)} more runs need nobody; they are in the report."))
    if report.unread:
        _show_unread(report, console, wrap)
    if report.changes:
        _show_lines(lines(report.changes), console, wrap)
    if told := ignored(report):
        _show_lines([plain(told)], console, wrap)
    console.print(Text(headline(report), style="bold"))


def _show_lines(texts: list[str], console: Console, wrap: bool) -> None:
    for text in texts:
        console.print(Text(text), soft_wrap=not wrap)


def _table(diagnoses: list[Diagnosis], width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim", expand=False)
    table.add_column("", no_wrap=True)
    table.add_column("run", overflow="ellipsis", no_wrap=True, max_width=max(12, width // 3))
    table.add_column("verdict", overflow="fold", ratio=1 if width < NARROW else None)
    if width >= NARROW:
        table.add_column("loss", no_wrap=True, min_width=SPARK_WIDTH)
    if width >= WIDE:
        for title in ("best epoch", "val best", "val now", "epochs/drop"):
            table.add_column(title, justify="right", no_wrap=True)
    for diagnosis in diagnoses:
        table.add_row(*_cells(diagnosis, width))
    return table


def _cells(diagnosis: Diagnosis, width: int) -> list[Text]:
    line = row(diagnosis)
    mark, style = STYLES[line.severity] if judged(diagnosis) else ("?", "magenta")
    state = f"; {diagnosis.state}" if diagnosis.state in TOLD_STATES else ""
    verdict = Text(line.verdict + state, style if needs_you(diagnosis) else "")
    cells = [Text(mark, style), Text(plain(line.name)), verdict]
    if width >= NARROW:
        cells.append(Text(_loss_sparkline(diagnosis), "blue"))
    if width >= WIDE:
        cells += [Text(value) for value in (line.best, line.value_best, line.value_now, line.per_drop)]
    return cells


def _loss_sparkline(diagnosis: Diagnosis) -> str:
    curve = diagnosis.run.train or diagnosis.run.val
    return "" if curve is None else sparkline(curve.x, curve.value)


def sparkline(x: Floats, y: Floats, width: int = SPARK_WIDTH) -> str:
    """A curve as `width` blocks, the median of each stretch of x; `×` where it is not finite, space where empty."""
    if not len(x):
        return ""
    log = helps_log(y)
    low, high = limits(y, log=log)
    span = float(x[-1] - x[0])
    cells = (
        np.minimum((width * (x - x[0]) / span).astype(np.int64), width - 1) if span > 0 else np.zeros(len(x), np.int64)
    )
    if len(x) < width:
        cells = np.arange(len(x))
    return "".join(_block(y[cells == cell], low, high, log) for cell in range(int(cells[-1]) + 1))


def _block(values: Floats, low: float, high: float, log: bool) -> str:
    if not len(values):
        return " "
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "×"
    middle = float(np.clip(np.median(finite), low, high))
    share = np.log(middle / low) / np.log(high / low) if log else (middle - low) / (high - low)
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]


def _show_morning(diagnoses: list[Diagnosis], console: Console, wrap: bool) -> None:
    """How runs ended that did not come to their end, what to restart them from, and until when others will go on."""
    waiting = [diagnosis for diagnosis in diagnoses if diagnosis.state in MORNING_STATES]
    for diagnosis in waiting[:SHOWN_MORNING]:
        for said in morning.sentences(diagnosis):
            text = f"{plain(diagnosis.run.name)}: {plain(said).replace('`', '')}"
            console.print(Text(text, style="dim"), soft_wrap=not wrap)
    if len(waiting) > SHOWN_MORNING:
        console.print(Text(f"… and {len(waiting) - SHOWN_MORNING} more that did not end; see the report", style="dim"))


def _show_unread(report: Report, console: Console, wrap: bool) -> None:
    for unread in report.unread[:10]:
        console.print(Text(f"not read: {plain(unread.path)}: {plain(unread.reason)}", style="dim"), soft_wrap=not wrap)
    if len(report.unread) > 10:
        console.print(Text(f"… and {len(report.unread) - 10} more files not read", style="dim"))
