"""The comparison at the top of `report.md`: who leads when, the picture, best so far at equal places, schedules."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from logdoctor.compare import Comparison, SideBySide
from logdoctor.report import comparison_table as tables
from logdoctor.report.escape import code, marked, prose
from logdoctor.report.section import details, table

SHOWN_PAIRS, FOLDED_PAIRS = 6, 100  # the rest stands in report.json alone


def comparison_blocks(side: SideBySide, *, plots: bool = True) -> list[str]:
    """The comparison as blocks of Markdown."""
    rest = [c for c in side.comparisons if c not in side.main]
    what = f"{side.split or 'logged'} {side.metric}"
    return [
        "# Comparison",
        _pairs(side.main[:SHOWN_PAIRS]),
        f"![Curves of all runs]({quote(side.plot.as_posix())})" if plots and side.plot else "",
        f"Best {prose(what)} so far, at equal places, best run first:",
        _rows(tables.standings_header(side), tables.standings(side)),
        _seeds(side),
        _rows(*tables.settings(side)),
        "\n".join(f"- {marked(note)}" for note in side.notes),
        details("More pairs", _pairs(side.main[SHOWN_PAIRS:], FOLDED_PAIRS)),
        details("Other curves", _pairs(rest, FOLDED_PAIRS)),
    ]


def _pairs(comparisons: Sequence[Comparison], most: int = SHOWN_PAIRS) -> str:
    left = len(comparisons) - most
    more = [f"- … and {left} more in `report.json`"] if left > 0 else []
    return "\n".join([*(_pair(comparison) for comparison in comparisons[:most]), *more])


def _pair(comparison: Comparison) -> str:
    ahead = comparison.late_overtaker == comparison.leader_end
    mark = "" if comparison.late_overtaker is None else "**late overtaker** · " if ahead else "**catching up** · "
    return f"- {mark}{prose(comparison.message)}."


def _seeds(side: SideBySide) -> str:
    """Settings with several seeds: mean and spread."""
    if not side.seeds:
        return ""
    header = ["setting", *tables.standings_header(side)[1:-2]]
    rows = _rows(header, [row[: len(header)] for row in tables.seed_rows(side)])
    return f"Runs that differ in their seed, mean ± standard deviation:\n\n{rows}"


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is a name."""
    cells = [[code(name, 60, cell=True), *(prose(value) for value in values)] for name, *values in rows]
    return table(header, cells)
