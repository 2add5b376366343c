"""The table that a log is printing: its header as met last, and the rows below it."""

from __future__ import annotations

from logdoctor_parsers.line_shapes import matrix_reading, row_reading
from logdoctor_parsers.printed_tables import Header, Matrix, header_in_two_rows, header_of
from logdoctor_parsers.readings import Reading


class TableUnderWay:
    """Knows the last header; nothing before the first one is a row."""

    def __init__(self) -> None:
        self._header: Header | Matrix | None = None
        self._above = ""

    def begin(self, header: Header | Matrix | None) -> bool:
        """Go on with the table of a header, if there is one; whether there is."""
        self._header = header or self._header
        return header is not None

    def begin_at(self, text: str) -> bool:
        """The same where a line is a header."""
        return self.begin(header_of(text))

    def begin_below(self, text: str) -> None:
        """The same where a line and the last one given are a header together."""
        self.begin(header_in_two_rows(self._above, text))
        self._above = text

    def row(self, text: str) -> tuple[Reading, list[str]]:
        """What a row of the table means, and its numbers; without fields where the line is none."""
        if self._header is None:
            return Reading(), []
        if isinstance(self._header, Matrix):
            name, cells = self._header.row(text)
            return matrix_reading(name, self._header.splits, cells)
        made, found = row_reading(self._header, self._header.row(text))
        if made.fields and (role := self._header.role(text)):
            made = made.with_split(role)
        return made, found
