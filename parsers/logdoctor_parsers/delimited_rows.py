"""The rows of a delimited table under its header: most of them a block at a time, those that are not certain singly."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import itemgetter

import numpy as np

from logdoctor_parsers.byte_lines import ByteLines
from logdoctor_parsers.cell_columns import CellColumn, Cells, cells_of, numbered, read_column, texts_of, told_by
from logdoctor_parsers.contract import Ending, Fact, Ints, LogFile, ParsedLog, Problem, Table, first_problems
from logdoctor_parsers.decimals import Mask
from logdoctor_parsers.delimited import Header, are_names, byte_lines, find_header, split_cells, why_no_header
from logdoctor_parsers.names import words
from logdoctor_parsers.positions import ROLE, TIME
from logdoctor_parsers.records import Records, number

_FEW = 64  # lines read singly at the start and after another header: a block of so few costs more
_LINES, _CELLS = 8192, 1 << 21  # read together at most
_PRECISE = 12  # characters after which a cut number is still right to nine digits
_JUMP = 10.0  # times the largest number of a column: a last one above it has lost its exponent
_WHOLE_EXPONENT = re.compile(r"[eE][-+]?\d{2,3}$|^[-+]?(?:nan|inf)", re.IGNORECASE)

_Put = tuple[int, int, Callable[[], None]]  # the first row and the column of what is put, so that keys keep their order


@dataclass
class Delimited:
    """What `read_rows` found."""

    records: Records = field(default_factory=Records)
    problems: list[tuple[int, str]] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lines: int = 0
    data: int = 0
    ending: Ending = field(default_factory=Ending)


def read_rows(file: LogFile, header: Header | None = None) -> tuple[Delimited, Header]:
    """All rows of a file under its header, or the one given (without any: none, and a problem). Errors: OSError."""
    lines, unterminated = byte_lines(file.read())
    found = Delimited(lines=len(lines))
    header = header or find_header(lines)
    if header is None:
        found.notes.append(Problem(0, why_no_header(lines)))
        return found, Header((), ",", 0)
    _Rows(lines, unterminated, header, found).read()
    _note_texts(found, header)
    return found, header


@dataclass
class _Rows:
    """Reads the rows of `lines` into `found`; `header` is the one that holds for the next of them."""

    lines: ByteLines
    unterminated: bool
    header: Header
    found: Delimited
    last_cells: list[str] = field(default_factory=list)  # of the last column: what the end of the file is compared to

    def read(self) -> None:
        low, size, whole = self.header.line, _FEW, len(self.lines) - self.unterminated
        while low < whole:
            names, high = self.header.names, min(low + size, whole)
            low = self._read_singly(low, high) if high - low <= _FEW else self._read_block(low, high)
            most = max(_FEW, min(_LINES, _CELLS // len(names)))
            size = min(2 * size, most) if self.header.names == names else _FEW
        self._read_singly(max(low, whole), len(self.lines))

    def _read_singly(self, low: int, high: int) -> int:
        for place in range(low, high):
            if (cells := self._cells(place)) is not None:
                self._put_row(self.found.records.begin(place + 1), cells, self.header)
        return high

    def _cells(self, place: int) -> list[str] | None:
        """The cells of a line that is a row; what else it may be is noted."""
        line, number = self.lines[place], place + 1
        if not line.strip() or line.lstrip().startswith("#"):
            return None
        cells, names = split_cells(line, self.header.delimiter), self.header.names
        if (again := _header_again(cells, self.header, number)) is not None:
            self.header = again
            self.found.starts.append(number)
        elif self.unterminated and number == len(self.lines) and _is_cut(cells, self.header, self.last_cells):
            self.found.ending = Ending("torn", number, "the last line is cut off")
        else:
            if self.unterminated and len(cells) == len(names) and cells[-1]:
                self.last_cells.append(cells[-1])
            if len(cells) >= len(names) and not any(cells[len(names) :]):
                return cells
            message = f"{len(cells)} cells where the header names {len(names)} columns"
            self.found.problems.append((number, message))
        return None

    def _put_row(self, row: int, cells: Sequence[str], header: Header) -> None:
        said = [told_by(cell, header.delimiter) for cell in cells[: len(header.names)]]
        for name, value in zip(header.names, said, strict=True):
            if isinstance(value, float):
                self.found.records.put(name, value, row=row)
            elif value is not None:
                self.found.records.put_text(name, value, row)
        self.found.data += any(isinstance(value, float) for value in said)

    def _read_block(self, low: int, high: int) -> int:
        """The lines from `low` to `high`, or to the first that is another header; returns the place behind them."""
        header = self.header
        cells = cells_of(self.lines, low, high, header.delimiter, len(header.names))
        columns = self._columns(cells, low, high)
        certain = numbered(columns, high - low)
        singly: dict[int, Sequence[str]] = {}
        for place in np.flatnonzero(~certain).tolist():
            if (texts := self._cells(low + place)) is not None:
                singly[place] = texts
            if self.header.names != header.names:
                certain[place:] = False
                high = low + place + 1
                break
        if self.unterminated:
            kept = certain[cells.index]
            texts_at_end = texts_of(self.lines, cells.start[kept, -1], cells.end[kept, -1])
            self.last_cells += filter(None, map(str.strip, texts_at_end))
        named = dict(zip(header.names, (column.only(certain) for column in columns), strict=True))
        row = self._begin(low, certain, singly)
        puts: list[_Put] = [
            (first := int(row[place]), 0, partial(self._put_row, first, texts, header))
            for place, texts in singly.items()
        ]
        puts += self._column_puts(named, row)
        for _, _, put in sorted(puts, key=itemgetter(0, 1)):
            put()
        self.found.data += int(certain.sum())
        return high

    def _columns(self, cells: Cells, low: int, high: int) -> list[CellColumn]:
        start, end = int(self.lines.starts[low]), int(self.lines.ends[high - 1])
        commas = self.header.delimiter != "," and self.lines.data.find(b",", start, end) >= 0
        pointed, tell = self._pointed if commas else None, partial(told_by, delimiter=self.header.delimiter)
        columns = []
        for column in range(len(self.header.names)):
            filled = cells.start[:, column] < cells.end[:, column]
            spans = cells.start[filled, column], cells.end[filled, column]
            columns.append(read_column(self.lines, cells.index[filled], *spans, tell, pointed))
        return columns

    @cached_property
    def _pointed(self) -> ByteLines:
        return ByteLines(self.lines.data.replace(b",", b"."))

    def _begin(self, low: int, certain: Mask, singly: Iterable[int]) -> Ints:
        """Begin the rows of a block; the row of each of its lines that is one."""
        taken = certain.copy()
        taken[list(singly)] = True
        return self.found.records.begin_many(low + 1 + np.flatnonzero(taken)) + np.cumsum(taken) - 1

    def _column_puts(self, columns: Mapping[str, CellColumn], row: Ints) -> Iterator[_Put]:
        records = self.found.records
        for place, (name, column) in enumerate(columns.items()):
            if len(at := column.place):
                yield int(row[at[0]]), place, partial(records.put_column, name, row[at], column.value)
            if len(at := column.other):
                yield int(row[at[0]]), place, partial(records.put_texts, name, row[at], column.texts)


def _header_again(cells: list[str], header: Header, line: int) -> Header | None:
    """A header repeated, or replaced by another one, where a second process appended to the file."""
    if header.named.isdisjoint(cells):
        return None
    if tuple(cells) == header.names:
        return header
    if any(isinstance(told_by(cell, header.delimiter), float) for cell in cells):
        return None
    other = Header(tuple(cells), header.delimiter, line)
    return other if are_names(other.names) else None


def _is_cut(cells: list[str], header: Header, others: list[str]) -> bool:
    """Whether a last line without line end lost something: cells or, by the other cells of the last column, digits."""
    if len(cells) < len(header.names):
        return True
    shapes = _shapes(others)
    if len(shapes) == 1 and (len(others) > 3 or any(cell.endswith("0") for cell in others)):
        return shapes != _shapes(cells[-1:]) or shapes == {""}
    if _lacks_exponent(cells[-1], others):
        return True
    shortest = min(map(len, others), default=0)
    return len(cells[-1]) < shortest or (shortest < _PRECISE and bool(cells[-1]))


def _lacks_exponent(cell: str, others: list[str]) -> bool:
    """Whether `9.99e-05` may have lost its end: others have one, or the number is far above all others."""
    if any("e" in other.lower() for other in others) and not _WHOLE_EXPONENT.search(cell):
        return True
    values = [abs(value) for other in others if (value := number(other)) is not None]
    return abs(number(cell) or 0.0) > _JUMP * max(values, default=math.inf)


def _shapes(cells: Sequence[str]) -> set[str]:
    """What a fixed format keeps: `12.3400e-05` → `.dddde-dd`; empty for whole numbers, which tell nothing."""
    joined = re.sub(r"(?m)^[-+]?\d+", "", "\n".join(cells))
    return set(re.sub(r"\d", "d", joined).split("\n")) if cells else set()


def _note_texts(found: Delimited, header: Header) -> None:
    """Cells without a number, in a column of numbers: problems. Whole columns of text: one note each."""
    numeric, lines = set(found.records.keys), found.records.lines
    for name, texts in found.records.texts.items():
        if name in numeric:
            message = f"column {name!r}: {{!r}} is no number"
            found.problems.extend((lines[row], message.format(text)) for row, text in texts.items())
        elif "_".join(words(name)) not in TIME + ROLE:
            message = f"column {name!r} holds text in {len(texts)} rows, not numbers: left out"
            found.notes.append(Problem(header.line, message))
    found.problems.sort()


def parsed(name: str, found: Delimited, table: Table, facts: tuple[Fact, ...], dialect: str) -> ParsedLog:
    """The result both parsers return."""
    return ParsedLog(
        name,
        table,
        facts,
        first_problems(found.problems) + tuple(found.notes),
        lines=found.lines,
        data=found.data,
        unreadable=len(Counter(line for line, _ in found.problems)),
        starts=tuple(found.starts),
        ending=found.ending,
        dialect=dialect,
    )
