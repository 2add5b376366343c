"""Lines of one shape read a block at a time: prefix, values and time of day as columns, nothing worked out per line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from logdoctor_parsers.contract import Floats, Ints
from logdoctor_parsers.decimals import Mask
from logdoctor_parsers.line_columns import Gap, LineColumns, LineFormat
from logdoctor_parsers.line_layouts import LayoutReader
from logdoctor_parsers.prefix import PREFIX, posix, rank_of
from logdoctor_parsers.readings import Reading
from logdoctor_parsers.shapes import split
from logdoctor_parsers.text import TextLines

SMALLEST, LARGEST = 256, 8192  # lines of a block: as many as the last one held of the shape, twice over
DIGIT = re.compile(r"\d")
_SECONDS = np.array([36000, 3600, 0, 600, 60, 0, 10, 1])  # what each digit of `hh:mm:ss` is worth


@dataclass(frozen=True)
class PrefixedFormat:
    """The format of whole lines. `date` and `clock`: where they stand in a line; both empty where it has none."""

    columns: LineFormat
    date: slice
    clock: slice

    def wall_times(self, lines: TextLines, places: Ints) -> Floats:
        """POSIX seconds of the lines at `places`, shape (n,); NaN without a date."""
        if not self.clock.stop:
            return np.full(len(places), np.nan)
        dates, clocks = (lines.texts.cut(places, part.start, part.stop) for part in (self.date, self.clock))
        first = np.flatnonzero(np.append(True, dates[1:] != dates[:-1]))[: len(dates)]
        midnight = np.array([posix(date.decode(), "0:00:00") for date in dates[first].tolist()], np.float64)
        width = self.clock.stop - self.clock.start
        digits = clocks.view(np.uint8).reshape(len(clocks), width) - ord("0")
        second = digits @ _SECONDS[-width:]
        return np.asarray(np.repeat(midnight, np.diff(first, append=len(dates))) + second)


def prefixed_format(raw: str, text: str) -> PrefixedFormat | None:
    """The format of `raw`, of which `text` is left without its prefix; None where lines must be read one by one."""
    prefix = raw[: len(raw) - len(text)]
    if not raw.isascii() or not raw.endswith(text) or rank_of(raw) >= 0:
        return None
    match = PREFIX.match(prefix)
    columns = _line_format(prefix, text)
    if match is None or match["month"] or columns is None:
        return None
    date, clock = (slice(*match.span(name)) if match[name] else slice(0, 0) for name in ("date", "clock"))
    return PrefixedFormat(columns, date, clock)


def _line_format(prefix: str, text: str) -> LineFormat | None:
    """What lines like `text` behind a prefix like `prefix` have in common; None where it leaves numbers unclear."""
    parts = split(text)
    *before, tail = parts[::2]
    gaps = []
    for text_before, number, first in zip(before, parts[1::2], [True, *[False] * len(before)], strict=False):
        plain = text_before.rstrip()
        if "," in number or number.startswith("+") or (text_before != plain and text_before.rstrip(" ") != plain):
            return None
        padded = not first and text_before != plain
        gaps.append(Gap(plain.encode(), padded=padded, clock=":" in number))
    found = LineFormat(tuple(gaps), tail.rstrip().encode(), DIGIT.sub("0", prefix).encode())
    return found if found.is_sound else None


@dataclass(frozen=True)
class Block:
    """The lines of one format among those from `low` to `high`: where they are, and their columns, shape (n,) each.

    `run_end`: for each the first place behind it that is not read like it: another line, a copy, another total.
    """

    low: int
    high: int
    places: Ints
    run_end: Ints
    wall_time: Floats
    columns: LineColumns

    def run(self, place: int) -> slice:
        """Which of the lines follow one another from the one at `place` on (none, where it has another format)."""
        index = int(np.searchsorted(self.places, place))
        if index == len(self.places) or self.places[index] != place:
            return slice(index, index)
        return slice(index, index + int(self.run_end[index]) - place)


@dataclass
class Blocks:
    """Reads the blocks of one format as they are needed; what they hold says how large the next one is worth."""

    form: PrefixedFormat
    reading: Reading
    block: Block | None = None
    reader: LayoutReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = LayoutReader(self.form.columns)

    def at(self, lines: TextLines, place: int, last: int) -> Block:
        """The block with the line at `place`; the line `last` is in none."""
        block = self.block
        if block is None or not block.low <= place < block.high:
            size = min(max(2 * len(block.places) if block else 0, SMALLEST), LARGEST)
            block = self.block = self._block(lines, place, min(place + size, last))
        return block

    def _block(self, lines: TextLines, low: int, high: int) -> Block:
        columns = self.reader.read(lines.texts, low, high, self.reading.places)
        places = columns.index + low
        run_end = _run_ends(places, _begins(lines, places, columns, self.reading, len(self.form.columns.lead)))
        return Block(low, high, places, run_end, self.form.wall_times(lines, places), columns)


def _begins(lines: TextLines, places: Ints, columns: LineColumns, reading: Reading, prefix: int) -> Mask:
    """Whether each line but the first begins a run: it does not follow, or copies, the one before; its total is new."""
    totals = [place for place in (reading.epochs, reading.total) if place >= 0]
    begins = (np.diff(places) > 1) | _differ(columns, totals)
    if not reading.iterates:  # equal lines are no copies
        return begins
    for index in np.flatnonzero(~begins & ~_differ(columns, reading.places)).tolist():
        before, here = (lines.texts[int(place)][prefix:] for place in places[index : index + 2])
        begins[index] = before == here
    return begins


def _run_ends(places: Ints, begins: Mask) -> Ints:
    """For each line the place behind the last of its run."""
    lasts = np.append(np.flatnonzero(begins), len(places) - 1)[: len(places)]
    return np.repeat(places[lasts] + 1, np.diff(lasts, prepend=-1))


def _differ(columns: LineColumns, numbers: Sequence[int]) -> Mask:
    """Whether each line but the first differs from the one before in any of these numbers."""
    found = np.zeros(max(0, len(columns.index) - 1), np.bool_)
    for number in numbers:
        value = columns.values[number]
        found |= (value[1:] != value[:-1]) & ~(np.isnan(value[1:]) & np.isnan(value[:-1]))
    return found


def is_plain(reading: Reading) -> bool:
    """Whether lines of a reading are training's own: each gives its row, whatever stands around it."""
    return reading.counted and not (reading.evaluates or reading.progress or reading.summary)
