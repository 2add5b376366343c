"""Delimiter-separated logs: finding the header, judging whether it describes training, reading the rows.

Shared by `keras_csv` and `csv_table`, which divide the headers between them by `in_keras_order`.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from logdoctor_parsers.contract import Ending, Fact, LogFile, Match, ParsedLog, Problem, Table, first_problems
from logdoctor_parsers.names import canonical, words
from logdoctor_parsers.positions import EPOCH, ROLE, STEP, TIME
from logdoctor_parsers.records import MISSING, Records, names_loss, names_quality, number
from logdoctor_parsers.text import decode, is_binary, mark_zeros

DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 20
_PREAMBLE = 10
MOST_COLUMNS = 20_000  # far more than any training log has; time and memory grow with each
_PRECISE = 12  # characters after which a cut number is still right to nine digits
_JUMP = 10.0  # times the largest number of a column: a last one above it has lost its exponent
_WHOLE_EXPONENT = re.compile(r"[eE][-+]?\d{2,3}$|^[-+]?(?:nan|inf)", re.IGNORECASE)
_NO_NAME = re.compile(r"=\s*[-+.\d]|:\s+[-+.\d]|[{}]")
_DECIMAL_COMMA = re.compile(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")


@dataclass(frozen=True)
class Header:
    """Column names as logged (stripped), the delimiter and the line they stand at."""

    names: tuple[str, ...]
    delimiter: str
    line: int

    @cached_property
    def named(self) -> frozenset[str]:
        """The names that are not empty."""
        return frozenset(self.names) - {""}


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


def physical_lines(content: bytes) -> list[str]:
    """The text lines, without line ends (`\\n`, `\\r\\n`, `\\r\\r\\n`, old Mac `\\r`).

    An empty last item says that the text ends with a line end.
    """
    text = decode(content)[0]
    if "\0" in text:
        text = mark_zeros(text)
    if "\n" not in text:
        return text.split("\r")
    return [line.rstrip("\r") for line in text.split("\n")] if "\r" in text else text.split("\n")


def split_cells(line: str, delimiter: str) -> list[str]:
    """The stripped cells of one line, quotes removed."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a stray control character beside a quote
        cells = line.split(delimiter)
    return [cell.strip() for cell in cells]


def find_header(lines: list[str]) -> Header | None:
    """The first line of cells that are names, followed by lines of as many cells with numbers (or by nothing)."""
    for index, line in enumerate(lines[:_PREAMBLE]):
        text = line.strip().lstrip("#").strip() if line.lstrip().startswith("#") else line
        if not text.strip():
            continue
        for delimiter in DELIMITERS:
            header = Header(tuple(split_cells(text, delimiter)), delimiter, index + 1)
            if _are_names(header.names) and _fits(header, lines[index + 1 : index + 1 + _SAMPLE_ROWS]):
                return header
        if not line.lstrip().startswith("#"):
            return None
    return None


def _are_names(cells: tuple[str, ...]) -> bool:
    named = [cell for cell in cells if cell]
    return (
        1 < len(cells) <= MOST_COLUMNS
        and len(set(named)) == len(named) >= max(1, len(cells) - 1)
        and all(number(cell) is None and len(cell) < 80 and not _NO_NAME.search(cell) for cell in named)
    )


def _fits(header: Header, following: list[str]) -> bool:
    rows = [split_cells(line, header.delimiter) for line in following if line.strip()]
    if not rows:
        return True
    width = len(header.names)
    fitting = [row for row in rows if len(row) == width and any(number(cell) is not None for cell in row)]
    return rows[0] in fitting or 2 * len(fitting) >= len(rows) or (len(rows) == 1 and len(rows[0]) <= width)


def in_keras_order(header: Header) -> bool:
    """Whether Keras' CSVLogger would write this header: `epoch`, then the keys of `logs` sorted, among them `loss`."""
    first, *keys = header.names
    bases = {key.removeprefix("val_") for key in keys}
    return (
        first == "epoch"
        and "loss" in keys
        and header.delimiter != "|"
        and (keys == sorted(keys) or keys == sorted(bases) + sorted("val_" + base for base in bases))
        and not any(canonical(base).split for base in bases)
    )


def describes_training(header: Header) -> Match:
    """Whether the columns are those of a training log, not of a data set."""
    names = ["_".join(words(name)) for name in header.names]
    measured = [name for name in header.names if name]
    losses = sum(names_loss(name) for name in measured)
    known = sum(names_loss(name) or names_quality(name) for name in measured)
    if any(canonical(name).split == "train" and names_loss(name) for name in measured):
        return Match.SURE
    if any(name in EPOCH for name in names):
        return Match.SURE if known else Match.NO
    if any(name in STEP for name in names) or not header.names[0]:
        return Match.SURE if losses or 2 * known > len(measured) else Match.NO
    aside = sum(name in TIME + ROLE for name in names) + sum(canonical(name).metric == "lr" for name in measured)
    return Match.SURE if losses and known + aside == len(measured) else Match.NO


def header_of(file: LogFile) -> Header | None:
    """The header in the first 64 KiB, or None (binary files, text without a table)."""
    try:
        head = file.head
    except (OSError, EOFError):
        return None
    if is_binary(head):
        return None
    return find_header(physical_lines(head))


def read_rows(file: LogFile, header: Header | None = None) -> tuple[Delimited, Header]:
    """All rows of a file under its header, or the one given (without any: none, and a problem). Errors: OSError."""
    lines = physical_lines(file.read())
    header = header or find_header(lines)
    if header is None:
        problem = Problem(0, _why_no_header(lines))
        return Delimited(notes=[problem], lines=len(lines)), Header((), ",", 0)
    complete = lines[-1] == ""
    found = Delimited(lines=len(lines) - complete)
    current = header
    last_cells: list[str] = []
    for line_number, line in enumerate(lines[header.line : found.lines], header.line + 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = split_cells(line, current.delimiter)
        if (again := _header_again(cells, current, line_number)) is not None:
            current = again
            found.starts.append(line_number)
        elif line_number == len(lines) and _is_cut(cells, current, last_cells):
            found.ending = Ending("torn", line_number, "the last line is cut off")
        else:
            if len(cells) == len(current.names) and cells[-1]:
                last_cells.append(cells[-1])
            _read_row(found, current, cells, line_number)
    _note_texts(found, header)
    return found, header


def _why_no_header(lines: list[str]) -> str:
    columns = 1 + max(line.count(delimiter) for line in lines[:_PREAMBLE] for delimiter in DELIMITERS)
    if columns > MOST_COLUMNS:
        return f"a table of {columns:,} columns is no training log; up to {MOST_COLUMNS:,} are read"
    return "no header line with column names found"


def _header_again(cells: list[str], header: Header, line: int) -> Header | None:
    """A header repeated, or replaced by another one, where a second process appended to the file."""
    if header.named.isdisjoint(cells):
        return None
    if tuple(cells) == header.names:
        return header
    other = Header(tuple(cells), header.delimiter, line)
    return other if _are_names(other.names) else None


def _is_cut(cells: list[str], header: Header, others: list[str]) -> bool:
    """Whether a last line without line end lost something: cells or, by the other cells of the last column, digits."""
    if len(cells) < len(header.names):
        return True
    shapes = {_shape(cell) for cell in others}
    if len(shapes) == 1 and (len(others) > 3 or any(cell.endswith("0") for cell in others)):
        return shapes != {_shape(cells[-1])} or shapes == {""}
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


def _shape(cell: str) -> str:
    """What a fixed format keeps: `12.3400e-05` → `.dddde-dd`; empty for whole numbers, which tell nothing."""
    return re.sub(r"\d", "d", re.sub(r"^[-+]?\d+", "", cell))


def _read_row(found: Delimited, header: Header, cells: list[str], line: int) -> None:
    extra = cells[len(header.names) :]
    if len(cells) < len(header.names) or any(extra):
        message = f"{len(cells)} cells where the header names {len(header.names)} columns"
        found.problems.append((line, message))
        return
    found.records.begin(line)
    numbers = 0
    for name, cell in zip(header.names, cells, strict=False):
        if not cell:
            continue
        value = number(cell)
        if value is None and header.delimiter != "," and _DECIMAL_COMMA.match(cell):
            value = float(cell.replace(",", "."))
        if value is not None:
            found.records.put(name, value)
            numbers += 1
        elif cell.lower() not in MISSING:
            found.records.put_text(name, cell)
    found.data += numbers > 0


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
