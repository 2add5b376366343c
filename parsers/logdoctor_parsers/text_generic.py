"""Reads a printed text log it has never seen: line shapes, counters, roles, records over several lines, evaluations.

`line_shapes` says what a line means, `text_context` what the lines before it add, `text_tracks` keeps what it tells.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from logdoctor_parsers.bars import bar_in
from logdoctor_parsers.collected import Columns, Row, without_other_ranks
from logdoctor_parsers.contract import Fact, Problem, Table
from logdoctor_parsers.known_shapes import KnownReadings, KnownShapes
from logdoctor_parsers.languages import PUNCTUATION
from logdoctor_parsers.leftover import Leftover
from logdoctor_parsers.line_shapes import Shape
from logdoctor_parsers.prefix import rank_of, strip
from logdoctor_parsers.readings import Reading
from logdoctor_parsers.runs import Block, is_plain
from logdoctor_parsers.shapes import number, split
from logdoctor_parsers.shapes import shape as texts_of
from logdoctor_parsers.table_under_way import TableUnderWay
from logdoctor_parsers.text import TextLines
from logdoctor_parsers.text_context import Context
from logdoctor_parsers.text_tracks import Tracks
from logdoctor_parsers.tracks import table_of

MAX_LABELS = 2000  # lines searched for labels
MIN_LABELS = 3  # different ones that show a counter
MAX_LINE = 20_000  # characters; longer lines are dumps
WORTH = 8  # lines of a frequent shape in a row that are read together
HIGHEST_RANK = 1 << 30
_PREFIXED = re.compile(r"[\s\d\[(]|[IWEF]\d|INFO|DEBUG|WARN|[Rr]ank|[A-Z][a-z]{2} [ \d]\d |[\w.-]+-\d+ +\|")
_WRAPPED = re.compile(r" {12,}\S")  # a message that goes on below its first line
_NO_TEXT = re.compile(r"[\x01-\x06\x0e-\x1a\x1c-\x1f\x7f]")  # with what is no character: bytes that are no text
_LABEL = re.compile(r"\s*(\d{1,3}): +(?=[\[{:A-Za-z])")
_BEGUN_EXPONENT = ("e", "e-", "e+", "E", "E-", "E+")  # behind the last digit of a line that is cut


@dataclass(frozen=True)
class ReadText:
    """What the reader found; `last_data` is the last physical line that gave a number, `torn` whether it was cut.

    `leftover`: lines that look like data and gave nothing. `singly`: the lines (counted from 0) read one by one, which
    may tell other things.
    """

    table: Table
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    starts: tuple[int, ...]
    data: int
    last_data: int
    torn: bool
    leftover: Leftover
    singly: Sequence[int]


def read_text(lines: TextLines, *, states: bool = False) -> ReadText:
    """Read all lines; `states`: they hold progress bars in all their states."""
    reader = _Reader(_are_numbered(lines.texts), states)
    last = len(lines) - 1
    place, singly = 0, []
    while place <= last:
        singly.append(place)
        raw = lines.texts[place]
        if len(raw) <= MAX_LINE and raw and not raw.isspace():
            reader.take(lines.numbers[place], raw, cut=lines.unterminated and place == last)
        place += 1 + reader.take_alike(lines, place + 1, last)
    return reader.finish(singly)


def _are_numbered(texts: Sequence[str]) -> bool:
    """Whether `12: ` at the start of lines counts them (it grows) rather than telling the rank that printed them."""
    labels = [int(match[1]) for text in texts[:MAX_LABELS] if (match := _LABEL.match(text)) is not None]
    return len(set(labels)) >= MIN_LABELS and all(a <= b for a, b in itertools.pairwise(labels))


def _is_open(text: str) -> bool:
    """Whether a quote or a bracket is still open at the end of a line."""
    brackets = any(text.count(opening) > text.count(closing) for opening, closing in ("{}", "[]", "()"))
    return brackets or any(text.count(quote) % 2 for quote in "'\"")


class _Line(NamedTuple):
    """A line as the reader handles it.

    `bar`: the words of a progress bar; `partial`: one not at its end; `cut`: the file ends inside the line.
    """

    number: int
    text: str
    wall_time: float
    rank: int = -1
    bar: bool = False
    partial: bool = False
    cut: bool = False


class _Reader:
    """The state while reading: what lines said so far, the table being printed, the rows."""

    def __init__(self, numbered: bool, states: bool) -> None:
        self._numbered, self._states = numbered, states
        self._readings = KnownReadings()
        self._shapes = KnownShapes(self._readings)
        self._context = Context(self._readings)
        self._tracks = Tracks(self._readings, self._context)
        self._leftover = Leftover()
        self._alike: tuple[Shape, str, str] | None = None  # the line just read, if more like it may follow
        self._table = TableUnderWay()
        self._last_said = ("", -1)
        self._copies = self._data = self._last_data = self._line = 0
        self._torn = self._repeats = False
        self._lowest_rank, self._of_others = HIGHEST_RANK, 0

    # lines ------------------------------------------------------------------------------------------------------
    def take(self, number: int, raw: str, *, cut: bool = False) -> None:
        """Read one line; `cut`: it is the file's last and has no end."""
        self._line = number
        self._alike = None
        if not raw.isascii():
            if "\ufffd" in raw and _NO_TEXT.search(raw):
                self._leftover.add(number, raw)
                return
            raw = raw.translate(PUNCTUATION)
        prefixed = self._has_prefix(raw)
        text, wall_time = strip(raw) if prefixed else (raw, float("nan"))
        rank = rank_of(raw) if prefixed and text is not raw else -1
        line = _Line(number, text, wall_time, rank, cut=cut)
        if not cut and (known := self._shapes.fitting(text)) is not None:
            shape, found = known
            self._take_data(line, shape.reading, found)
            if is_plain(shape.reading):
                self._alike = (shape, raw, text)
        elif "%|" not in text:
            self._take_text(line)
        elif (unbarred := self._behind_bar(line)) is not None:
            self._take_text(unbarred)

    def take_alike(self, lines: TextLines, start: int, last: int) -> int:
        """Read the lines from `start` that continue the one just read in its shape; returns how many."""
        context = self._context
        if self._alike is None or context.role or context.announced or self._tracks.pending is not None:
            return 0
        shape, raw, text = self._alike
        if (blocks := shape.blocks(raw, text)) is None:
            return 0
        block = blocks.at(lines, start - 1, last)
        run = block.run(start - 1)
        count = int(run.stop - run.start) - 1
        if count < WORTH:
            return 0
        self._keep(block, slice(run.start + 1, run.stop), lines, shape, len(raw) - len(text))
        return count

    def _keep(self, block: Block, run: slice, lines: TextLines, shape: Shape, prefix: int) -> None:
        """Lines of one shape, behind prefixes of `prefix` characters, become rows of their track."""
        context = self._context
        reading = context.placed(shape.reading)
        places, size = block.places[run].tolist(), run.stop - run.start
        values = {place: column[run] for place, column in block.columns.values.items()}
        line = np.array(lines.numbers[places[0] : places[-1] + 1], np.int64)
        before = number(context.epoch or "nan")
        epoch = values[reading.epoch] if reading.epoch >= 0 else np.full(size, before)
        for change in np.flatnonzero(np.append(before, epoch[:-1]) != epoch).tolist():
            if reading.epoch >= 0:
                context.enter(shape.numbers(lines.texts[places[change]][prefix:])[reading.epoch], int(line[change]))
        if reading.count >= 0:
            count = values[reading.count]
        elif context.epoch:
            count = np.full(size, np.nan)
        else:
            count = np.append(number(context.count or "nan"), values[reading.step][:-1])
        text = lines.texts[places[-1]][prefix:]
        last = shape.numbers(text)
        ranks = values[reading.rank].astype(np.int64) if reading.rank >= 0 else np.full(size, -1)
        block_rows = Columns(reading, False, line, epoch, count, block.wall_time[run], ranks, values)
        self._tracks.of(reading, bar=False).append_block(block_rows, last)
        self._line = self._last_data = int(line[-1])
        self._data += size
        self._last_said = (text, -1)
        if reading.iterates:
            context.count = last[reading.step if reading.step >= 0 else reading.count]

    def _has_prefix(self, raw: str) -> bool:
        return _PREFIXED.match(raw) is not None and not (self._numbered and _LABEL.match(raw))

    def _behind_bar(self, line: _Line) -> _Line | None:
        """The line without its progress bar; None where nothing is left or the bar stood behind a table's row."""
        bar = bar_in(line.text)
        if bar is None:
            return line
        if bar.message:
            if float(bar.total if bar.total.isdigit() else "nan") == self._context.planned.get("max_iter"):
                self._context.count = self._context.announced = bar.n
            return line._replace(text=strip(bar.text)[0])
        line = line._replace(partial=bar.n != bar.total)
        described = line._replace(text=bar.described, bar=True)
        if self._take_row(described) or self._table.begin_at(described.text):
            return None
        return line._replace(text=bar.text, bar=True) if bar.text.strip() else None

    def _take_text(self, line: _Line) -> None:
        if self._take_row(line):
            return
        parts = split(line.text)
        shape = self._shapes.of(parts, line.text)
        self._table.begin(shape.header)
        reading = self._untorn(parts, shape) if line.cut else shape.reading
        if self._torn and reading.progress:  # the evaluation never came to its end
            return
        if reading.fields:
            self._take_data(line, reading, parts[1::2])
        elif not line.bar or "poch" in line.text:
            self._take_other(line, shape, parts[1::2])

    def _take_row(self, line: _Line) -> bool:
        """A row of the printed table under way; false where the line is none."""
        made, found = self._table.row(line.text)
        if made.fields:
            self._take_data(line, self._readings.same(made), found)
        return bool(made.fields)

    def _take_other(self, line: _Line, shape: Shape, found: Sequence[str]) -> None:
        """Facts, the start of a process, or the header of what follows."""
        if not found and shape.header is None and (line.text.count("|") > 2 or "  " in line.text.strip()):
            self._table.begin_below(line.text)
        self._repeats = shape.repeats
        if shape.unread:
            self._leftover.add(line.number, line.text)
        self._context.state(shape, line.text, line.number, self._last_data)
        self._context.announce(shape, found, line.number, bar=line.bar)

    def _take_data(self, line: _Line, reading: Reading, found: Sequence[str]) -> None:
        context = self._context
        if (not reading.counted and context.is_setting(reading)) or self._was_told(line, reading, found):
            return
        line = self._with_rank(line, reading, found)
        headed = context.only_evaluates(reading, found)
        if headed:
            of_split = self._readings.with_split(reading, context.role)
            reading = self._readings.same(replace(of_split, progress=True))
        if reading.epoch >= 0:
            context.enter(found[reading.epoch], line.number)
        if reading.counted:
            context.plan(reading, found, line.number, bar=line.bar)
            if reading.total >= 0 and not reading.evaluates:
                context.totals.add(number(found[reading.total]))
            if (reading.iterates or reading.role) and not headed:
                context.role = ""
        reading = context.placed(reading)
        goes_on = line.number == self._last_data + 1 and _WRAPPED.match(line.text) is not None
        count = context.announced or ("" if context.epoch and not goes_on else context.count)
        if reading.count >= 0:
            count = found[reading.count]
        row = Row(line.number, context.epoch, count, line.wall_time, found, line.rank)
        self._data += 1
        self._last_data = line.number
        context.in_settings = False
        if line.partial and self._states:  # a bar goes on showing the last evaluation
            trained = reading.only([f.index for f in reading.fields if f.split not in ("val", "test")])
            reading = self._readings.same(trained)
        if (line.bar and reading.count >= 0 and not self._states) or context.counts_evaluation(reading, found):
            if line.rank > self._lowest_rank:  # each rank counts for itself
                self._of_others += 1
            else:
                self._tracks.progress(self._tracks.of(reading, bar=line.bar), row)
            return
        self._tracks.end_evaluation(reading)
        if reading.iterates and not reading.evaluates:
            context.count, context.announced = found[reading.step] if reading.step >= 0 else count, ""
        self._tracks.of(reading, bar=line.bar).append(row)

    def _with_rank(self, line: _Line, reading: Reading, found: Sequence[str]) -> _Line:
        """The line with the rank that it names at its end, if any."""
        if reading.rank < 0:
            return line
        rank = int(number(found[reading.rank]))
        self._lowest_rank = min(rank, self._lowest_rank)
        return line._replace(rank=rank)

    def _was_told(self, line: _Line, reading: Reading, found: Sequence[str]) -> bool:
        """Whether a line says again what was read: a copy by a second handler, or the best round told at the end."""
        once = reading.iterates or (reading.evaluates and reading.epoch >= 0)
        if once and (line.text, line.rank) == self._last_said:
            self._copies += 1
            return True
        self._last_said = (line.text, line.rank)
        repeats, self._repeats = self._repeats, False
        return repeats and reading.count >= 0 and number(found[reading.count]) <= number(self._context.count or "nan")

    # the end ----------------------------------------------------------------------------------------------------
    def _untorn(self, parts: list[str], shape: Shape) -> Reading:
        """The last line has no end. Where it was cut its last number may be cut too: that one does not count."""
        texts = texts_of(parts)
        whole = shape.seen > 1 and not texts[-1]
        if texts[-1] in _BEGUN_EXPONENT and len(texts) > 1:
            self._torn, texts = True, (*texts[:-1], "")
        elif whole:
            self._torn = self._tracks.ends_short(len(texts) - 1, parts[-2])
        else:
            self._torn = self._shapes.goes_on(texts) or (not texts[-1] and _is_open("0".join(texts)))
        if not self._torn or texts[-1] or len(texts) < 2:
            return shape.reading
        return shape.reading.only(range(len(texts) - 2))

    def finish(self, singly: Sequence[int]) -> ReadText:
        """Build the table; `singly`: the lines that were read one by one."""
        problems = self._tracks.finish()
        if self._copies:
            message = f"{self._copies} lines repeat the line before word for word (another handler or rank): read once"
            problems.append(Problem(0, message))
        if self._torn:
            message = "the log ends inside this line: a number that may be cut is left out"
            problems.append(Problem(self._line, message))
        tracks, others = without_other_ranks([track.columns() for track in self._tracks.all()])
        others += self._of_others
        if others:
            message = (
                f"{others} lines in which other ranks tell of the same steps are left out: the lowest rank is read"
            )
            problems.append(Problem(0, message))
        table = table_of(tracks, self._context.labels, self._context.counts)
        return ReadText(
            table,
            tuple(self._context.facts),
            tuple(problems),
            tuple(self._context.starts),
            self._data if len(table) else 0,
            self._last_data,
            self._torn,
            self._leftover,
            singly,
        )
