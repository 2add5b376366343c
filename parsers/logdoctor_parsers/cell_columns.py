"""Lines of a delimited table → columns of numbers and texts, all lines of a block at once.

Only lines whose cells are certain are taken: as many as the header names, each quoted as a whole or not at all, no `#`
that may begin a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from logdoctor_parsers.byte_lines import ByteLines, Bytes
from logdoctor_parsers.contract import Floats, Ints
from logdoctor_parsers.decimals import Mask, numbers_at
from logdoctor_parsers.records import MISSING, number

_DECIMAL_COMMA = re.compile(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")
_LINE_FEED, _CARRIAGE_RETURN, _QUOTE, _COMMENT, _BLANK = b'\n\r"# '

Tell = Callable[[str], float | str | None]  # the number that a text says, or a text; None where it says nothing


@dataclass(frozen=True)
class Cells:
    """The cells of some lines of a block: `index` says of which (shape (lines,)), `start` and `end` where each stands
    in the text, without quotes and blanks, shape (lines, columns)."""

    index: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True)
class CellColumn:
    """What stands in a column: numbers, shape (n,), and texts; `place` and `other` say at which lines of the block."""

    place: Ints
    value: Floats
    other: Ints
    texts: Sequence[str]

    def only(self, kept: Mask) -> CellColumn:
        """What stands in those lines of the block (shape (lines,)) that are kept."""
        mine, others = kept[self.place], kept[self.other]
        if mine.all() and others.all():
            return self
        texts = [text for text, stays in zip(self.texts, others.tolist(), strict=True) if stays]
        return CellColumn(self.place[mine], self.value[mine], self.other[others], texts)


def cells_of(lines: ByteLines, low: int, high: int, delimiter: str, width: int) -> Cells:
    """The cells of those lines from `low` to `high` that have `width` of them for certain."""
    first, last = int(lines.starts[low]), int(lines.ends[high - 1]) + 1
    octets = lines.buffer[first:last]
    border = np.flatnonzero((octets == ord(delimiter)) | (octets == _LINE_FEED))
    counts = np.diff(np.searchsorted(border, lines.ends[low:high] - first, side="right"), prepend=0)
    fits = counts == width
    for odd in (_COMMENT, _CARRIAGE_RETURN):
        fits[_lines_with(octets, odd, lines.ends[low:high] - first)] = False
    if not fits.all():
        border = border[np.repeat(fits, counts)]
    end = border.reshape(-1, width) + first
    start = np.empty_like(end)
    start[:, 0] = lines.starts[low:high][fits]
    start[:, 1:] = end[:, :-1] + 1
    cells = Cells(np.flatnonzero(fits), start, end)
    if (quotes := _lines_with(octets, _QUOTE, lines.ends[low:high] - first)).size:
        cells = _without_quotes(lines.buffer, cells, np.bincount(quotes, minlength=high - low))
    if (octets == _BLANK).any():
        _strip(lines.buffer, cells.start, cells.end)
    return cells


def _lines_with(octets: Bytes, wanted: int, ends: Ints) -> Ints:
    """The line of each place where an octet stands."""
    return np.searchsorted(ends, np.flatnonzero(octets == wanted))


def _without_quotes(buffer: Bytes, cells: Cells, quotes: Ints) -> Cells:
    """The cells without the quotes around them; lines with other quotes are left out."""
    quoted = (cells.end - cells.start > 1) & (buffer[cells.start] == _QUOTE) & (buffer[cells.end - 1] == _QUOTE)
    fits = quotes[cells.index] == 2 * quoted.sum(axis=1)
    return Cells(cells.index[fits], (cells.start + quoted)[fits], (cells.end - quoted)[fits])


def _strip(buffer: Bytes, start: Ints, end: Ints) -> None:
    """Moves starts and ends to what blanks surround."""
    while (blank := (buffer[start] == _BLANK) & (start < end)).any():
        start += blank
    while (blank := (buffer[end - 1] == _BLANK) & (start < end)).any():
        end -= blank


def read_column(
    lines: ByteLines, place: Ints, start: Ints, end: Ints, tell: Tell, pointed: ByteLines | None = None
) -> CellColumn:
    """What the texts from `start` to `end` say, shape (n,) each; `tell` is asked where one is no plain number.

    `pointed`: the text with points for commas, where these may be decimal ones.
    """
    numbers = numbers_at(lines, start)
    value, plain = numbers.value, numbers.found & (numbers.end == end)
    if pointed is not None and not plain.all():
        odd = np.flatnonzero(~plain)
        value[odd], plain[odd] = _decimal_commas(pointed, start[odd], end[odd])
    if plain.all():
        return CellColumn(place, value, place[:0], ())
    texts = texts_of(lines, start[~plain], end[~plain])
    return _with_odd(CellColumn(place[plain], value[plain], place[~plain], texts), tell)


def _with_odd(column: CellColumn, tell: Tell) -> CellColumn:
    """A column with the numbers among its texts in their place, and without the texts that say nothing."""
    known = {text: tell(text) for text in set(column.texts)}
    if len(known) == 1 and all(isinstance(each, str) for each in known.values()):
        return replace(column, texts=list(map(str, known.values())) * len(column.texts))
    told = [known[text] for text in column.texts]
    more = np.array([isinstance(each, float) for each in told], np.bool_)
    named = np.array([isinstance(each, str) for each in told], np.bool_)
    place = np.concatenate((column.place, column.other[more]))
    value = np.concatenate((column.value, [each for each in told if isinstance(each, float)]))
    order = np.argsort(place) if more.any() else slice(None)
    texts = [each for each in told if isinstance(each, str)]
    return CellColumn(place[order], value[order], column.other[named], texts)


def _decimal_commas(pointed: ByteLines, start: Ints, end: Ints) -> tuple[Floats, Mask]:
    """The numbers that cells say with a decimal comma, digits before it, and whether they are any."""
    numbers = numbers_at(pointed, start)
    first = pointed.buffer[start + (pointed.buffer[start] == ord("-"))]
    digit = (first >= ord("0")) & (first <= ord("9"))
    return numbers.value, numbers.found & (numbers.end == end) & digit


def told_by(cell: str, delimiter: str) -> float | str | None:
    """The number a cell says, else its text; None where it says that nothing is known."""
    cell = cell.strip()
    value = number(cell) if cell else None
    if value is None and delimiter != "," and _DECIMAL_COMMA.match(cell):
        value = float(cell.replace(",", "."))
    if value is not None:
        return value
    return None if cell.lower() in MISSING else cell


def texts_of(lines: ByteLines, start: Ints, end: Ints) -> list[str]:
    """The text between each start and end."""
    data = lines.data
    return [data[low:high].decode() for low, high in zip(start.tolist(), end.tolist(), strict=True)]


def numbered(columns: Sequence[CellColumn], lines: int) -> Mask:
    """Whether each line of a block has a number in any column; shape (lines,)."""
    found = np.zeros(lines, np.bool_)
    for column in columns:
        found[column.place] = True
    return found
