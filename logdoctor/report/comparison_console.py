"""The comparison in the terminal: a table of the runs, best first, and a sentence for each pair."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from logdoctor.compare import SideBySide
from logdoctor.report import comparison_table as tables
from logdoctor.report.console import PIPED_WIDTH
from logdoctor.report.escape import inert, plain

SHOWN_PAIRS = 10


def print_comparison(side: SideBySide, folder: Path) -> None:
    """Print to standard output: with colours on a terminal that wants them, wide where it is piped."""
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    with console.capture() as shown:
        show(side, console)
    print(inert(shown.get()), end="")
    print(f"Report: {plain(str(folder / 'report.md'))}")


def show(side: SideBySide, console: Console) -> None:
    """Print the standings, the settings that differ in their seed, and what is to say of each pair."""
    console.print(Text(f"best {side.split or 'logged'} {side.metric} so far", style="dim"))
    console.print(_table(tables.standings_header(side), [*tables.standings(side), *tables.seed_rows(side)], console))
    console.print(_table(*tables.settings(side), console))
    for comparison in side.main[:SHOWN_PAIRS]:
        style = "bold yellow" if comparison.late_overtaker else ""
        console.print(Text(plain(f"{comparison.message}."), style=style))
    if len(side.main) > SHOWN_PAIRS:
        console.print(Text(f"… {len(side.main) - SHOWN_PAIRS} more pairs are in the report.", style="dim"))
    for note in side.notes:
        console.print(Text(plain(note), style="dim"))


def _table(header: list[str], rows: list[list[str]], console: Console) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    shown.add_column(header[0], overflow="ellipsis", no_wrap=True, max_width=max(12, console.width // 3))
    for title in header[1:]:
        shown.add_column(title, justify="right")
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    return shown
