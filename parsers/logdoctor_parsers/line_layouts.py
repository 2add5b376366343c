"""Lines of one format and one width → columns of numbers.

Where the digits of many lines stand in the same columns, these lines are rows of a matrix: one comparison tells whether
all of a line is as it should be, and a number is the same few bytes of every row. Widths that vary make several
layouts; lines of rare ones are left to the walk of `line_columns`, which finds the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.byte_lines import ByteLines, Bytes, gather
from logdoctor_parsers.contract import Floats, Ints
from logdoctor_parsers.decimals import EXACT_DIGITS, EXACT_POWER, LONGEST, POWERS, Mask, eight_digits, numbers_at
from logdoctor_parsers.line_columns import LineColumns, LineFormat

FEW = 16  # lines not worth a layout
MOST_LAYOUTS = 64  # of one format
MISSES = 4  # lines of a block that have no layout, or one of few lines; then the others are walked
AT_ONCE = 1 << 18  # bytes of lines looked at together, to stay in the processor's cache
NARROWEST, WIDEST = 8, 2000  # bytes of a line
PADDING = 8  # columns of blanks in which digits may begin
_NUMBER = re.compile(rb"(-?)(\d*)(?:\.(\d+))?(?:(?<=\d)[eE]([-+]?)(\d{1,4})(?!\d))?")
_CLOCK = re.compile(rb"\d(?:[\d:.,]*\d)?(?![\d:.,])")
_ANY_DIGIT = re.compile(rb"\d")
_DIGIT, _BLANK = ord("0"), ord(" ")


@dataclass(frozen=True)
class _Number:
    """The columns of a number's integer digits (blanks may lead), decimals and exponent; `blanks`: where those begin.

    `shrinks`: the exponent is negative.
    """

    blanks: int
    negative: bool
    whole: slice
    decimals: slice
    shrinks: bool
    exponent: slice

    def values(self, rows: Bytes) -> Floats | None:
        """The numbers of rows; None where they may not be exact."""
        decimals = _width(self.decimals)
        if _width(self.whole) + decimals > EXACT_DIGITS or _width(self.exponent) > 2:
            return None
        mantissa = _integers(rows, self.whole)
        if decimals:
            mantissa = mantissa * np.uint64(10**decimals) + _integers(rows, self.decimals)
        value: Floats = mantissa.astype(np.float64)
        if _width(self.exponent):
            exponent = _integers(rows, self.exponent).astype(np.int64)
            power = (-exponent if self.shrinks else exponent) - decimals
            size = np.abs(power)
            if size.max(initial=0) > EXACT_POWER:
                return None
            value = np.where(power < 0, value / POWERS[size], value * POWERS[size])
        elif decimals:
            value = value / POWERS[decimals]
        return -value if self.negative else value


@dataclass(frozen=True)
class _Layout:
    """What lines of one width have in common: in each column a byte, `least`, or one of the `reach` that follow it.

    `numbers` by place; None for a time of day. `padded`: columns of digits with blanks before them; `joined`: whether
    each but the first follows the one before.
    """

    least: Bytes
    reach: Bytes
    numbers: tuple[_Number | None, ...]
    padded: Ints
    joined: Mask

    def fitting(self, rows: Bytes) -> Mask:
        """Which rows, shape (n, width), have this layout. Blanks that pad become zeros, which change no number."""
        fits = np.ones(len(rows), np.bool_)
        if len(self.padded):
            part = rows[:, self.padded]
            blank = part == _BLANK
            if blank.any():
                fits = ~(blank[:, 1:] & ~blank[:, :-1] & self.joined).any(axis=1)
                part[blank] = _DIGIT
                rows[:, self.padded] = part
        beyond = (rows - self.least) > self.reach
        return fits & ~beyond.any(axis=1) if beyond.any() else fits


@dataclass
class LayoutReader:
    """Reads lines of one format; knows the layouts met so far by their width."""

    form: LineFormat
    _layouts: dict[int, list[_Layout]] = field(default_factory=dict)
    _misses: int = 0

    def read(self, lines: ByteLines, low: int, high: int, wanted: Collection[int]) -> LineColumns:
        """The lines from `low` to `high` that have the format, with the numbers `wanted`; as `LineFormat.read`."""
        high = max(low, min(high, lines.amid))
        starts = lines.starts[low:high]
        fits = np.zeros(high - low, np.bool_)
        values = {place: np.empty(high - low) for place in wanted}
        walked = np.ones(high - low, np.bool_)
        for index, layout, rows in self._laid_out(lines, starts, lines.ends[low:high] - starts):
            fits[index], walked[index] = True, False
            for place in wanted:
                number = layout.numbers[place]
                found = np.full(len(index), np.nan) if number is None else number.values(rows)
                if found is None and number is not None:
                    found = numbers_at(lines, _behind_blanks(lines, starts[index] + number.blanks)).value
                values[place][index] = found
        if walked.any():
            places = np.flatnonzero(walked)
            others = self.form.read_lines(lines, places + low, wanted)
            fits[places[others.index]] = True
            for place in wanted:
                values[place][places[others.index]] = others.values[place]
        return LineColumns(np.arange(high - low), values).only(fits)

    def _laid_out(self, lines: ByteLines, starts: Ints, widths: Ints) -> Iterator[tuple[Ints, _Layout, Bytes]]:
        """Lines of one layout, this, and their bytes, as many as have one that is worth it."""
        self._misses = 0
        counts = np.bincount(np.minimum(widths, WIDEST))[:WIDEST]
        counts[:NARROWEST] = 0
        for width in np.flatnonzero(counts >= FEW).tolist():
            index = np.flatnonzero(widths == width)
            at_once = max(FEW, AT_ONCE // width)
            for first in range(0, len(index), at_once):
                yield from self._of_width(lines, starts, index[first : first + at_once], width)

    def _of_width(
        self, lines: ByteLines, starts: Ints, index: Ints, width: int
    ) -> Iterator[tuple[Ints, _Layout, Bytes]]:
        """The same for lines of one width."""
        known = self._layouts.setdefault(width, [])
        for number in range(len(known) + MISSES):
            if number == len(known) and not self._learn(lines, int(starts[index[0]]), width):
                return
            rows = gather(lines.buffer, starts[index], width)
            fits = known[number].fitting(rows)
            if fits.all():
                yield index, known[number], rows
                return
            if fits.any():
                yield index[fits], known[number], rows[fits]
            self._misses += int(np.count_nonzero(fits) < FEW)
            index = index[~fits]
            if len(index) < FEW:
                return

    def _learn(self, lines: ByteLines, start: int, width: int) -> bool:
        """Keep the layout of a line; false where it has none, or too few others had those that were kept."""
        if self._misses >= MISSES or sum(map(len, self._layouts.values())) >= MOST_LAYOUTS:
            return False
        layout = _layout_of(self.form, lines.data[start : start + width])
        if layout is None:
            self._misses += 1
            return False
        self._layouts[width].append(layout)
        return True


def _behind_blanks(lines: ByteLines, at: Ints) -> Ints:
    blank = lines.buffer[at] == _BLANK
    while blank.any():
        at = at + blank
        blank = lines.buffer[at] == _BLANK
    return at


def _width(columns: slice) -> int:
    return int(columns.stop - columns.start)


def _integers(rows: Bytes, columns: slice) -> npt.NDArray[np.uint64]:
    """What the digits in some columns, at most 15, make in each row."""
    value = np.zeros(len(rows), np.uint64)
    for start in range(columns.start, columns.stop, 8):
        count = min(8, columns.stop - start)
        offset = min(start, rows.shape[1] - 8)
        word = np.ndarray((len(rows),), "<u8", rows, offset, (rows.shape[1],))
        led = (word >> np.uint64(8 * (start - offset))) << np.uint64(64 - 8 * count)
        part = eight_digits(led & np.uint64(0x0F0F0F0F0F0F0F0F))
        value = part if start == columns.start else value * np.uint64(10**count) + part
    return value


def _layout_of(form: LineFormat, line: bytes) -> _Layout | None:
    """The layout of a line; None where it does not have the format, or a number is told in words."""
    matches = _matches(form, line)
    if matches is None:
        return None
    varying = [place for place, letter in enumerate(form.lead) if letter == _DIGIT]
    numbers: list[_Number | None] = []
    padded: list[int] = []
    for gap, (blanks, match) in zip(form.gaps, matches, strict=True):
        if gap.clock:
            varying += [match.start() + place for place, letter in enumerate(match[0]) if chr(letter).isdigit()]
            numbers.append(None)
            continue
        number = _number(match, blanks)
        if not _width(number.whole) + _width(number.decimals):
            return None
        for part in (number.whole, number.decimals, number.exponent):
            varying += range(part.start, part.stop)
        padded += range(number.whole.start, number.whole.stop - 1)
        numbers.append(number)
    least, reach = np.frombuffer(line, np.uint8).copy(), np.zeros(len(line), np.uint8)
    least[varying], reach[varying] = _DIGIT, 9
    columns = np.array(padded, np.int64)
    return _Layout(least, reach, tuple(numbers), columns, np.diff(columns) == 1)


def _matches(form: LineFormat, line: bytes) -> list[tuple[int, re.Match[bytes]]] | None:
    """The numbers of a line, each with the place at which blanks before it may become digits; None as above."""
    found = []
    at = len(form.lead)
    if _ANY_DIGIT.sub(b"0", line[:at]) != form.lead:
        return None
    for gap in form.gaps:
        if not line.startswith(gap.text, at):
            return None
        behind = at + len(gap.text)
        at = behind + len(line[behind:]) - len(line[behind:].lstrip(b" "))
        match = (_CLOCK if gap.clock else _NUMBER).match(line, at)
        if match is None or not 0 < match.end() - at < LONGEST or (gap.needs_blank and at == behind):
            return None
        found.append((behind + gap.needs_blank, match))
        at = match.end()
    return found if line[at:].rstrip(b" ") == form.tail else None


def _number(match: re.Match[bytes], blanks: int) -> _Number:
    """A number by its columns; digits may begin in the blanks before it, from `blanks` on."""
    whole, decimals, exponent = (
        slice(*match.span(group)) if match[group] is not None else slice(0, 0) for group in (2, 3, 5)
    )
    if whole.stop > whole.start and not match[1]:
        whole = slice(min(whole.start, max(blanks, whole.stop - PADDING)), whole.stop)
    return _Number(blanks, bool(match[1]), whole, decimals, match[4] == b"-", exponent)
