"""What changed since a baseline, at the top of the page."""

from __future__ import annotations

from logdoctor.changes import Changes
from logdoctor.report.changes import HEADER, TEXT_COLUMNS, cells, gate_lines, names_of, summary, told
from logdoctor.report.html_elements import Html, code, element, folded, table


def changes_section(changes: Changes) -> Html:
    """The sentence, what gates found, new and gone runs; the table of changed runs folded away."""
    rows = [[code(name, 80), *rest] for name, *rest in map(cells, told(changes))]
    listed = [element("li", line.strip()) for line in (*gate_lines(changes.gates), *names_of(changes))]
    return element(
        "section",
        element("p", element("b", summary(changes))),
        element("ul", *listed, class_="notes") if listed else "",
        folded(f"{len(rows)} runs that changed", table(HEADER, rows, TEXT_COLUMNS), class_="more", open=len(rows) <= 5)
        if rows
        else "",
        id="changes",
    )
