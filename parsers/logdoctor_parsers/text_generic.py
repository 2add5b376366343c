"""Reads a printed text log it has never seen: line shapes, counters, roles, records over several lines, evaluations."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from logdoctor_parsers.bars import bar_in
from logdoctor_parsers.collected import Columns, Row, Track, without_other_ranks
from logdoctor_parsers.contract import Fact, Problem, Table
from logdoctor_parsers.languages import PUNCTUATION
from logdoctor_parsers.leftover import Leftover
from logdoctor_parsers.line_shapes import Shape, matrix_reading, row_reading, shape_of
from logdoctor_parsers.prefix import rank_of, strip
from logdoctor_parsers.printed_tables import Header, Matrix, header_in_two_rows, header_of
from logdoctor_parsers.readings import AVERAGE, WITHOUT_SPLIT, Reading
from logdoctor_parsers.runs import Block, is_plain
from logdoctor_parsers.shapes import number, regex_of, split
from logdoctor_parsers.shapes import shape as texts_of
from logdoctor_parsers.text import TextLines
from logdoctor_parsers.text_facts import facts_in
from logdoctor_parsers.tracks import table_of

MAX_SHAPES = 20_000  # more than any log repeats; beyond, lines are free text and not worth keeping
MAX_LABELS = 2000  # lines searched for labels
MIN_LABELS = 3  # different ones that show a counter
MAX_LINE = 20_000  # characters; longer lines are dumps
FREQUENT = 4  # lines of a shape after which its pattern is worth compiling
MANY = 32  # lines of a shape after which they are read a block at a time
WORTH = 8  # of them in a row at least
HIGHEST_RANK = 1 << 30
RECENT = 6  # patterns tried before a line is split
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
    """The state while reading: the epoch and split announced, the evaluation under way, the table being printed."""

    def __init__(self, numbered: bool, states: bool) -> None:
        self._numbered, self._states = numbered, states
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._recent: list[Shape] = []
        self._readings: dict[Reading, Reading] = {}  # one object for equal readings: identity is cheap to look up
        self._variants: dict[tuple[int, str], Reading] = {}
        self._tracks: dict[tuple[int, bool], Track] = {}
        self._facts: list[Fact] = []
        self._planned: dict[str, float] = {}
        self._totals: set[float] = set()  # at which training's own counters end
        self._problems: list[Problem] = []
        self._leftover = Leftover()
        self._alike: tuple[Shape, str, str] | None = None  # the line just read, if more like it may follow
        self._starts: list[int] = []
        self._labels: list[tuple[int, str]] = []  # lines at which a new epoch is named
        self._counts: list[tuple[int, str]] = []  # lines that do nothing but count
        self._epoch = self._count = self._announced = self._role = self._evaluating = self._above = ""
        self._pending: tuple[Track, Row] | None = None
        self._table: Header | Matrix | None = None
        self._last_said = ("", -1)
        self._copies = self._data = self._last_data = self._line = 0
        self._in_settings = self._torn = self._repeats = False
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
        if not cut:
            for place, shape in enumerate(self._recent):
                if shape.regex is not None and (match := shape.regex.match(text)) is not None:
                    if place:
                        self._recent.insert(0, self._recent.pop(place))
                    self._take_data(_Line(number, text, wall_time, rank), shape.reading, match.groups())
                    if is_plain(shape.reading):
                        self._alike = (shape, raw, text)
                    return
        line = _Line(number, text, wall_time, rank, cut=cut)
        if "%|" not in text:
            self._take_text(line)
        elif (unbarred := self._behind_bar(line)) is not None:
            self._take_text(unbarred)

    def take_alike(self, lines: TextLines, start: int, last: int) -> int:
        """Read the lines from `start` that continue the one just read in its shape; returns how many."""
        if self._alike is None or self._role or self._announced or self._pending is not None:
            return 0
        shape, raw, text = self._alike
        shape.seen += 1
        if shape.seen < MANY or shape.regex is None or (blocks := shape.blocks(raw, text)) is None:
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
        reading = self._placed(shape.reading)
        places, size = block.places[run].tolist(), run.stop - run.start
        values = {place: column[run] for place, column in block.columns.values.items()}
        line = np.array(lines.numbers[places[0] : places[-1] + 1], np.int64)
        epoch = values[reading.epoch] if reading.epoch >= 0 else np.full(size, number(self._epoch or "nan"))
        for change in np.flatnonzero(np.append(number(self._epoch or "nan"), epoch[:-1]) != epoch).tolist():
            if reading.epoch >= 0:
                self._line = int(line[change])
                self._enter(shape.numbers(lines.texts[places[change]][prefix:])[reading.epoch])
        if reading.count >= 0:
            count = values[reading.count]
        elif self._epoch:
            count = np.full(size, np.nan)
        else:
            count = np.append(number(self._count or "nan"), values[reading.step][:-1])
        text = lines.texts[places[-1]][prefix:]
        last = shape.numbers(text)
        ranks = values[reading.rank].astype(np.int64) if reading.rank >= 0 else np.full(size, -1)
        block_rows = Columns(reading, False, line, epoch, count, block.wall_time[run], ranks, values)
        self._track(reading, bar=False).append_block(block_rows, last)
        self._line = self._last_data = int(line[-1])
        self._data += size
        self._last_said = (text, -1)
        if reading.iterates:
            self._count = last[reading.step if reading.step >= 0 else reading.count]

    def _has_prefix(self, raw: str) -> bool:
        return _PREFIXED.match(raw) is not None and not (self._numbered and _LABEL.match(raw))

    def _behind_bar(self, line: _Line) -> _Line | None:
        """The line without its progress bar; None where nothing is left or the bar stood behind a table's row."""
        bar = bar_in(line.text)
        if bar is None:
            return line
        if bar.message:
            if float(bar.total if bar.total.isdigit() else "nan") == self._planned.get("max_iter"):
                self._count = self._announced = bar.n
            return line._replace(text=strip(bar.text)[0])
        line = line._replace(partial=bar.n != bar.total)
        described = line._replace(text=bar.described, bar=True)
        if self._take_row(described) or self._take_header(described):
            return None
        return line._replace(text=bar.text, bar=True) if bar.text.strip() else None

    def _take_text(self, line: _Line) -> None:
        if self._take_row(line):
            return
        parts = split(line.text)
        shape = self._shape(parts, line.text)
        self._table = shape.header or self._table
        reading = self._untorn(parts, shape) if line.cut else shape.reading
        if self._torn and reading.progress:  # the evaluation never came to its end
            return
        if reading.fields:
            self._take_data(line, reading, parts[1::2])
        elif not line.bar or "poch" in line.text:
            self._take_other(line, shape, parts[1::2])

    def _shape(self, parts: list[str], text: str) -> Shape:
        key = texts_of(parts)
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = shape_of(parts, text)
            shape.reading = self._same(shape.reading)
        shape.seen += 1
        if shape.seen >= FREQUENT and shape.reading.fields and "%|" not in text:
            shape.regex = shape.regex or regex_of(parts)
            self._recent = [shape, *(s for s in self._recent if s is not shape)][:RECENT]
        return shape

    def _same(self, reading: Reading) -> Reading:
        return self._readings.setdefault(reading, reading)

    def _take_header(self, line: _Line) -> bool:
        header = header_of(line.text)
        self._table = header or self._table
        return header is not None

    def _take_row(self, line: _Line) -> bool:
        """A row of the printed table under way; false where the line is none."""
        if self._table is None:
            return False
        if isinstance(self._table, Matrix):
            name, cells = self._table.row(line.text)
            made, found = matrix_reading(name, self._table.splits, cells)
        else:
            made, found = row_reading(self._table, self._table.row(line.text))
            if made.fields and (role := self._table.role(line.text)):
                made = made.with_split(role)
        if made.fields:
            self._take_data(line, self._same(made), found)
        return bool(made.fields)

    # lines without values ---------------------------------------------------------------------------------------
    def _take_other(self, line: _Line, shape: Shape, found: Sequence[str]) -> None:
        """Facts, the start of a process, or the header of what follows."""
        reading = shape.reading
        if not found and shape.header is None and (line.text.count("|") > 2 or "  " in line.text.strip()):
            self._table = header_in_two_rows(self._above, line.text) or self._table
            self._above = line.text
        self._repeats = shape.repeats
        if shape.unread:
            self._leftover.add(line.number, line.text)
        if shape.facts and (facts := facts_in(line.text, line.number)):
            self._facts += facts
            self._planned.update({fact.name: fact.value for fact in facts if fact.name == "max_iter"})
        self._in_settings = shape.facts or shape.section or (self._in_settings and line.text[:1].isspace())
        if shape.start and (not self._starts or self._starts[-1] < self._last_data):
            self._starts.append(line.number)
        if reading.epoch >= 0:
            self._enter(found[reading.epoch])
            self._announced = ""
            self._plan(reading, found, line)
        if reading.iterates and not reading.evaluates and not (reading.in_epoch and self._epoch):
            self._count = self._announced = found[reading.step if reading.step >= 0 else reading.count]
            self._counts.append((line.number, self._count))
        if reading.role:
            self._role = reading.role

    def _enter(self, epoch: str) -> None:
        """An epoch is named; a new one ends the validity of announced splits."""
        if epoch != self._epoch:
            self._epoch, self._role = epoch, ""
            self._labels.append((self._line, epoch))

    def _plan(self, reading: Reading, found: Sequence[str], line: _Line) -> None:
        """Totals printed beside counters are plans: `Epoch 3/90`, `iteration 20/5000`."""
        iterations = -1 if reading.in_epoch or self._epoch else reading.total
        for name, index in (("epochs", reading.epochs), ("max_iter", iterations)):
            total = number(found[index]) if index >= 0 and not reading.progress and not line.bar else 0
            if total > 0 and self._planned.get(name) != total:
                self._planned[name] = total
                self._facts.append(Fact(name, int(total), line.number))

    # lines with values ------------------------------------------------------------------------------------------
    def _take_data(self, line: _Line, reading: Reading, found: Sequence[str]) -> None:
        if (not reading.counted and self._is_setting(reading)) or self._was_told(line, reading, found):
            return
        line = self._with_rank(line, reading, found)
        headed = self._only_evaluates(reading, found)
        if headed:
            reading = self._same(replace(self._with_split(reading, self._role), progress=True))
        if reading.epoch >= 0:
            self._enter(found[reading.epoch])
        if reading.counted:
            self._plan(reading, found, line)
            if reading.total >= 0 and not reading.evaluates:
                self._totals.add(number(found[reading.total]))
            if (reading.iterates or reading.role) and not headed:
                self._role = ""
        reading = self._placed(reading)
        goes_on = line.number == self._last_data + 1 and _WRAPPED.match(line.text) is not None
        said = "" if self._epoch and not goes_on else self._count
        count = found[reading.count] if reading.count >= 0 else self._announced or said
        row = Row(line.number, self._epoch, count, line.wall_time, found, line.rank)
        self._data += 1
        self._last_data = line.number
        self._in_settings = False
        if line.partial and self._states:  # a bar goes on showing the last evaluation
            reading = self._same(reading.only([f.index for f in reading.fields if f.split not in ("val", "test")]))
        if (line.bar and reading.count >= 0 and not self._states) or self._counts_evaluation(reading, found):
            if line.rank > self._lowest_rank:  # each rank counts for itself
                self._of_others += 1
            else:
                self._progress(self._track(reading, line.bar), row)
            return
        if self._pending is not None:
            self._end_evaluation({f.metric for f in reading.fields} if reading.evaluates else set())
        if reading.iterates and not reading.evaluates:
            self._count, self._announced = found[reading.step] if reading.step >= 0 else count, ""
        self._track(reading, line.bar).append(row)

    def _with_rank(self, line: _Line, reading: Reading, found: Sequence[str]) -> _Line:
        """The line with the rank that it names at its end, if any."""
        if reading.rank < 0:
            return line
        rank = int(number(found[reading.rank]))
        self._lowest_rank = min(rank, self._lowest_rank)
        return line._replace(rank=rank)

    def _counts_evaluation(self, reading: Reading, found: Sequence[str]) -> bool:
        """Whether the line is one of many of a single evaluation: its counter runs to a total of its own."""
        if reading.progress:
            return True
        if not reading.evaluates or reading.total < 0 or any(f.split == "train" for f in reading.fields):
            return False
        return bool(self._epoch) or (bool(self._count) and number(found[reading.total]) not in self._totals)

    def _was_told(self, line: _Line, reading: Reading, found: Sequence[str]) -> bool:
        """Whether a line says again what was read: a copy by a second handler, or the best round told at the end."""
        once = reading.iterates or (reading.evaluates and reading.epoch >= 0)
        if once and (line.text, line.rank) == self._last_said:
            self._copies += 1
            return True
        self._last_said = (line.text, line.rank)
        repeats, self._repeats = self._repeats, False
        return repeats and reading.count >= 0 and number(found[reading.count]) <= number(self._count or "nan")

    def _only_evaluates(self, reading: Reading, found: Sequence[str]) -> bool:
        """Whether a line counts batches under the header of an evaluation: before any training, or to another total."""
        announced = self._role in ("val", "test") and not reading.role and reading.total >= 0
        return (
            announced
            and reading.epoch < 0
            and (not (self._epoch or self._count) or self._has_own_total(reading, found))
        )

    def _has_own_total(self, reading: Reading, found: Sequence[str]) -> bool:
        """Whether its counter runs to a total that none of training's does."""
        return bool(self._totals) and number(found[reading.total]) not in self._totals

    def _is_setting(self, reading: Reading) -> bool:
        """A lone value that belongs to a dump of settings: a rate before any epoch, or between other settings."""
        if all(f.metric in WITHOUT_SPLIT for f in reading.fields):
            return self._in_settings or not (self._epoch or self._count)
        return self._in_settings and not reading.role

    def _placed(self, reading: Reading) -> Reading:
        """The reading with the split its context gives; a line that counts iterations and names none is training."""
        if reading.summary and not reading.role:
            return self._with_split(reading, self._evaluating or "val")
        if reading.role:
            self._evaluating = reading.role if reading.evaluates else ""
            return reading
        if not reading.counted and self._role:
            return self._with_split(reading, self._role)
        return self._with_split(reading, "train") if reading.iterates else reading

    def _with_split(self, reading: Reading, split: str) -> Reading:
        found = self._variants.get((id(reading), split))
        if found is None:
            found = self._variants[id(reading), split] = self._same(reading.with_split(split))
        return found

    def _track(self, reading: Reading, bar: bool) -> Track:
        key = (id(reading), bar)
        found = self._tracks.get(key)
        if found is None:
            found = self._tracks[key] = Track(reading, bar)
        return found

    def _progress(self, track: Track, row: Row) -> None:
        """One of many lines of an evaluation or a bar: the last one counts."""
        if self._pending is not None:
            before, last = self._pending
            if before is not track or self._begins_anew(track, row, last):
                self._end_evaluation(set())
        self._pending = (track, row)

    def _begins_anew(self, track: Track, row: Row, last: Row) -> bool:
        """Whether a line's counter does not go on from that of the line before (a bar shows its last state twice)."""
        index = track.reading.count
        done, reached = number(row.numbers[index]), number(last.numbers[index])
        again = track.bar and done == reached and row.epoch == last.epoch
        return done <= reached and not again

    def _end_evaluation(self, summarised: set[str]) -> None:
        """Keep its last line: averages rather than values of the last batch, nothing that a summary line tells too."""
        if self._pending is None:
            return
        (track, row), self._pending = self._pending, None
        fields = track.reading.fields
        if track.evaluates:
            track.reached = max(track.reached, number(row.numbers[track.reading.count]))
            averaged = {f.tag.removesuffix(AVERAGE) for f in fields if f.tag.endswith(AVERAGE)}
            fields = tuple(f for f in fields if f.metric not in summarised and f.tag not in averaged)
        if fields:
            own = -1 if track.evaluates and not track.bar else track.reading.count  # of the evaluation, not of training
            reading = replace(track.reading, fields=fields, count=own, total=-1 if own < 0 else track.reading.total)
            self._track(self._same(reading), track.bar).append(
                row._replace(iteration=row.iteration if own >= 0 else "" if self._epoch else self._count)
            )

    # the end ----------------------------------------------------------------------------------------------------
    def _untorn(self, parts: list[str], shape: Shape) -> Reading:
        """The last line has no end. Where it was cut its last number may be cut too: that one does not count."""
        texts = texts_of(parts)
        whole = shape.seen > 1 and not texts[-1]
        if texts[-1] in _BEGUN_EXPONENT and len(texts) > 1:
            self._torn, texts = True, (*texts[:-1], "")
        elif whole:
            lasts = [track.last for track in self._tracks.values() if track.last]
            before = [last[-1] for last in lasts if len(last) == len(texts) - 1]
            self._torn = bool(before) and _extent(parts[-2]) < min(map(_extent, before))
        else:
            begun = "\0".join(texts)
            self._torn = any(
                key != texts and "\0".join(key).startswith(begun) for key, s in self._shapes.items() if s.reading.fields
            )
        if not self._torn or texts[-1] or len(texts) < 2:
            return shape.reading
        return shape.reading.only(range(len(texts) - 2))

    def finish(self, singly: Sequence[int]) -> ReadText:
        """Build the table; `singly`: the lines that were read one by one."""
        if self._pending is not None:
            track, row = self._pending
            if track.evaluates and number(row.numbers[track.reading.count]) < 0.9 * track.reached:
                self._problems.append(
                    Problem(row.line, "the log ends inside an evaluation: its running values are left out")
                )
                self._pending = None
        self._end_evaluation(set())
        if self._copies:
            message = f"{self._copies} lines repeat the line before word for word (another handler or rank): read once"
            self._problems.append(Problem(0, message))
        if self._torn:
            self._problems.append(
                Problem(self._line, "the log ends inside this line: a number that may be cut is left out")
            )
        tracks, others = without_other_ranks([track.columns() for track in self._tracks.values()])
        others += self._of_others
        if others:
            message = (
                f"{others} lines in which other ranks tell of the same steps are left out: the lowest rank is read"
            )
            self._problems.append(Problem(0, message))
        table = table_of(tracks, self._labels, self._counts)
        return ReadText(
            table,
            tuple(self._facts),
            tuple(self._problems),
            tuple(self._starts),
            self._data if len(table) else 0,
            self._last_data,
            self._torn,
            self._leftover,
            singly,
        )


def _extent(printed: str) -> tuple[int, int]:
    """How far a number is printed: decimals, else digits. `10.0951` is cut beside `5.70706`, though not shorter."""
    decimals = len(printed.partition(".")[2])
    return decimals, 0 if decimals else len(printed)
