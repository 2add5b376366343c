"""The tables of the benchmarks in README.md, of which a run may measure only some rows."""

from __future__ import annotations

from pathlib import Path

BEGIN, END = "<!-- speed -->\n", "<!-- /speed -->"


def write(path: Path, block: str) -> None:
    """Put tables and footer between the markers; rows measured before and not now stay."""
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    old, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}{merged(old, block)}\n{END}{after}", "utf-8")


def merged(old: str, new: str) -> str:
    """The tables of `old` with the rows of `new` in their places, or behind them; what is no table is that of `new`."""
    tables = _tables(old)
    for header, rows in _tables(new).items():
        tables.setdefault(header, {}).update(rows)
    said = [line for line in new.splitlines() if line and not line.startswith("|")]
    parts = ["\n".join((header, *rows.values())) for header, rows in tables.items()]
    return "\n\n".join([*parts, *said])


def _tables(text: str) -> dict[str, dict[str, str]]:
    """By each table's header its lines by their first cell."""
    found: dict[str, dict[str, str]] = {}
    header = ""
    for line in text.splitlines():
        if not line.startswith("|"):
            header = ""
        elif not header:
            header = line
            found[header] = {}
        else:
            found[header][line.split("|")[1]] = line
    return found
