"""Delimiter-separated logs: lines, cells, finding the header, judging whether it describes training.

Shared by `keras_csv` and `csv_table`, which divide the headers between them by `in_keras_order`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from logdoctor_parsers.byte_lines import ByteLines
from logdoctor_parsers.cell_columns import told_by
from logdoctor_parsers.contract import LogFile, Match
from logdoctor_parsers.names import canonical, words
from logdoctor_parsers.positions import EPOCH, ROLE, STEP, TIME
from logdoctor_parsers.record_table import names_loss, names_quality
from logdoctor_parsers.records import number
from logdoctor_parsers.text import decode, is_binary, is_wrapped, mark_zeros

DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 20
_PREAMBLE = 10
MOST_COLUMNS = 20_000  # far more than any training log has; time and memory grow with each
_NO_NAME = re.compile(r"=\s*[-+.\d]|:\s+[-+.\d]|[{}]")


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


def byte_lines(content: bytes) -> tuple[ByteLines, bool]:
    """The same lines kept as bytes, and whether the last one has no end."""
    if b"\r\n" in content:
        content = content.replace(b"\r\n", b"\n")
    unclear = b"\r" in content or b"\0" in content or b"\n" not in content or is_wrapped(content)
    if unclear or not content.isascii():
        content = "\n".join(physical_lines(content)).encode()
    return ByteLines(content), not content.endswith(b"\n") and bool(content)


def split_cells(line: str, delimiter: str) -> list[str]:
    """The stripped cells of one line, quotes removed."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a stray control character beside a quote
        cells = line.split(delimiter)
    return [cell.strip() for cell in cells]


def find_header(lines: Sequence[str]) -> Header | None:
    """The first line of cells that are names, followed by lines of as many cells with numbers (or by nothing)."""
    lines = lines[: _PREAMBLE + _SAMPLE_ROWS]
    for index, line in enumerate(lines[:_PREAMBLE]):
        text = line.strip().lstrip("#").strip() if line.lstrip().startswith("#") else line
        if not text.strip():
            continue
        for delimiter in DELIMITERS:
            header = Header(tuple(split_cells(text, delimiter)), delimiter, index + 1)
            if are_names(header.names) and _fits(header, lines[index + 1 : index + 1 + _SAMPLE_ROWS]):
                return header
        if not line.lstrip().startswith("#"):
            return None
    return None


def are_names(cells: tuple[str, ...]) -> bool:
    """Whether cells can be the names of a table's columns."""
    named = [cell for cell in cells if cell]
    return (
        1 < len(cells) <= MOST_COLUMNS
        and len(set(named)) == len(named) >= max(1, len(cells) - 1)
        and all(number(cell) is None and len(cell) < 80 and not _NO_NAME.search(cell) for cell in named)
    )


def _fits(header: Header, following: Sequence[str]) -> bool:
    rows = [split_cells(line, header.delimiter) for line in following if line.strip()]
    if not rows:
        return True
    width = len(header.names)
    fitting = [
        row
        for row in rows
        if len(row) == width and any(isinstance(told_by(cell, header.delimiter), float) for cell in row)
    ]
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


def why_no_header(lines: Sequence[str]) -> str:
    """The words for a file in which no header was found."""
    columns = 1 + max((line.count(delimiter) for line in lines[:_PREAMBLE] for delimiter in DELIMITERS), default=0)
    if columns > MOST_COLUMNS:
        return f"a table of {columns:,} columns is no training log; up to {MOST_COLUMNS:,} are read"
    return "no header line with column names found"
