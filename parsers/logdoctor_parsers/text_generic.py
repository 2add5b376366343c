"""Reads a printed text log it has never seen: line shapes, counters, roles, records over several lines, evaluations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from logdoctor_parsers.bars import bar_in
from logdoctor_parsers.contract import Fact, Problem, Table
from logdoctor_parsers.dialects import PATTERNS
from logdoctor_parsers.keys import Kind, kind_of, name_of
from logdoctor_parsers.pairs import AVERAGE, WITHOUT_SPLIT, Field, Reading, read_shape
from logdoctor_parsers.prefix import strip
from logdoctor_parsers.printed_tables import Cell, Header, header_of
from logdoctor_parsers.shapes import number, regex_of, split
from logdoctor_parsers.shapes import shape as texts_of
from logdoctor_parsers.text import TextLines
from logdoctor_parsers.text_facts import facts_in
from logdoctor_parsers.tracks import Row, Track, table_of

MAX_SHAPES = 20_000  # more than any log repeats; beyond, lines are free text and not worth keeping
MAX_LINE = 20_000  # characters; longer lines are dumps
FREQUENT = 4  # lines of a shape after which its pattern is worth compiling
RECENT = 6  # patterns tried before a line is split
_TIMED = re.compile(r"[\s\d\[(]|[IWEF]\d|INFO|DEBUG|WARN|[Rr]ank")
_RUN_SUMMARY = re.compile(r"\btrain_runtime\b")  # means over the whole run, printed at its end
_SECTION = re.compile(r"\s*[A-Z_.]{2,}:\s*$")  # of a configuration
_START = re.compile(
    r"\*{3,} Running training|\bNamespace\(|^nohup: ignoring"
    r"|\b[Rr]esum(?:e|ed|ing)\b.*(?:from|training|epoch|checkpoint)"
    r"|=> creating model|\b[Ss]tart(?:ing)? (?:to )?[Tt]rain|[Tt]raining [Ss]tart"
)


@dataclass(frozen=True)
class ReadText:
    """What the reader found; `last_data` is the last physical line that gave a number, `torn` whether it was cut."""

    table: Table
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    starts: tuple[int, ...]
    data: int
    last_data: int
    torn: bool


def read_text(lines: TextLines) -> ReadText:
    """Read all lines."""
    reader = _Reader()
    last = len(lines) - 1
    for place, (line, raw) in enumerate(lines):
        if len(raw) <= MAX_LINE and raw and not raw.isspace():
            reader.take(line, raw, cut=lines.unterminated and place == last)
    return reader.finish()


@dataclass
class _Shape:
    """What a line shape is: a reading, or a table's header.

    `facts`: it may state settings; `section` of a configuration; `start`: a process (re)starts. `seen` counts its
    lines, `regex` reads them once they are frequent.
    """

    reading: Reading
    header: Header | None = None
    facts: bool = False
    section: bool = False
    start: bool = False
    seen: int = 0
    regex: re.Pattern[str] | None = None


class _Line(NamedTuple):
    """A line as the reader handles it. `bar`: the words of a progress bar. `cut`: the file ends inside it."""

    number: int
    text: str
    wall_time: float
    bar: bool = False
    cut: bool = False


class _Reader:
    """The state while reading: the epoch and split announced, the evaluation under way, the table being printed."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._recent: list[_Shape] = []
        self._readings: dict[Reading, Reading] = {}  # one object for equal readings: identity is cheap to look up
        self._variants: dict[tuple[int, str], Reading] = {}
        self._tracks: dict[tuple[int, bool], Track] = {}
        self._facts: list[Fact] = []
        self._planned: dict[str, float] = {}
        self._problems: list[Problem] = []
        self._starts: list[int] = []
        self._epoch = self._count = self._announced = self._role = self._evaluating = ""
        self._pending: tuple[Track, Row] | None = None
        self._table: Header | None = None
        self._last_text = ""
        self._copies = self._data = self._last_data = self._line = 0
        self._in_settings = self._torn = False

    # lines ------------------------------------------------------------------------------------------------------
    def take(self, number: int, raw: str, *, cut: bool = False) -> None:
        """Read one line; `cut`: it is the file's last and has no end."""
        self._line = number
        text, wall_time = strip(raw) if _TIMED.match(raw) else (raw, float("nan"))
        if not cut:
            for place, shape in enumerate(self._recent):
                if shape.regex is not None and (match := shape.regex.match(text)) is not None:
                    if place:
                        self._recent.insert(0, self._recent.pop(place))
                    self._take_data(_Line(number, text, wall_time), shape.reading, match.groups())
                    return
        line = _Line(number, text, wall_time, cut=cut)
        if "%|" not in text:
            self._take_text(line)
        elif (unbarred := self._behind_bar(line)) is not None:
            self._take_text(unbarred)

    def _behind_bar(self, line: _Line) -> _Line | None:
        """The line without its progress bar; None where nothing is left or the bar stood behind a table's row."""
        bar = bar_in(line.text)
        if bar is None:
            return line
        if bar.message:
            if float(bar.total if bar.total.isdigit() else "nan") == self._planned.get("max_iter"):
                self._count = self._announced = bar.n
            return line._replace(text=strip(bar.text)[0])
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

    def _shape(self, parts: list[str], text: str) -> _Shape:
        key = texts_of(parts)
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            shape = self._shapes[key] = _shape_of(parts, text)
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
        if self._table is None or not (cells := self._table.row(line.text)):
            return False
        made, found = _row_reading(self._table, cells)
        if made.fields:
            self._take_data(line, self._same(made), found)
        return bool(made.fields)

    # lines without values ---------------------------------------------------------------------------------------
    def _take_other(self, line: _Line, shape: _Shape, found: Sequence[str]) -> None:
        """Facts, the start of a process, or the header of what follows."""
        reading = shape.reading
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
        if reading.iterates and not reading.in_epoch:
            self._count = self._announced = found[reading.step if reading.step >= 0 else reading.count]
        if reading.role:
            self._role = reading.role

    def _enter(self, epoch: str) -> None:
        """An epoch is named; a new one ends the validity of announced splits."""
        if epoch != self._epoch:
            self._epoch, self._role = epoch, ""

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
        if not reading.counted and self._is_setting(reading):
            return
        if reading.iterates and line.text == self._last_text:  # a second handler, or another rank
            self._copies += 1
            return
        self._last_text = line.text
        if reading.epoch >= 0:
            self._enter(found[reading.epoch])
        if reading.counted:
            self._plan(reading, found, line)
            if reading.iterates or reading.role:
                self._role = ""
        reading = self._placed(reading)
        count = found[reading.count] if reading.count >= 0 else self._announced or ("" if self._epoch else self._count)
        row = Row(line.number, self._epoch, count, line.wall_time, found)
        self._data += 1
        self._last_data = line.number
        self._in_settings = False
        if reading.progress or (line.bar and reading.count >= 0):
            self._progress(self._track(reading, line.bar), row)
            return
        if reading.iterates and not reading.evaluates:
            self._count, self._announced = found[reading.step] if reading.step >= 0 else count, ""
        if self._pending is not None:
            self._end_evaluation({f.metric for f in reading.fields} if reading.evaluates else set())
        self._track(reading, line.bar).rows.append(row)

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
            index = track.reading.count
            if before is not track or number(row.numbers[index]) <= number(last.numbers[index]):
                self._end_evaluation(set())
        self._pending = (track, row)

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
            self._track(self._same(replace(track.reading, fields=fields)), track.bar).rows.append(row)

    # the end ----------------------------------------------------------------------------------------------------
    def _untorn(self, parts: list[str], shape: _Shape) -> Reading:
        """The last line has no end. Where it was cut its last number may be cut too: that one does not count."""
        texts = texts_of(parts)
        whole = shape.seen > 1 and not texts[-1]
        if whole:
            before = [
                t.rows[-1].numbers[-1]
                for t in self._tracks.values()
                if t.rows and len(t.rows[-1].numbers) == len(texts) - 1
            ]
            self._torn = bool(before) and len(parts[-2]) < min(map(len, before))
        else:
            begun = "\0".join(texts)
            self._torn = any(
                key != texts and "\0".join(key).startswith(begun) for key, s in self._shapes.items() if s.reading.fields
            )
        if not self._torn or texts[-1] or len(texts) < 2:
            return shape.reading
        return shape.reading.only(range(len(texts) - 2))

    def finish(self) -> ReadText:
        """Build the table."""
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
        table = table_of(list(self._tracks.values()))
        return ReadText(
            table,
            tuple(self._facts),
            tuple(self._problems),
            tuple(self._starts),
            self._data,
            self._last_data,
            self._torn,
        )


def _shape_of(parts: list[str], text: str) -> _Shape:
    """Work out what a new line shape is."""
    texts, example = parts[::2], parts[1::2]
    start = bool(_START.search(text))
    if not example:
        section = bool(_SECTION.match(text))
        return _Shape(read_shape(texts, example), header_of(text), bool(facts_in(text, 0)), section, start)
    for pattern in PATTERNS:
        if (reading := pattern.reading(text)) is not None:
            return _Shape(reading)
    reading = read_shape(texts, example)
    if reading.fields and not _RUN_SUMMARY.search(text):
        return _Shape(reading)
    return _Shape(replace(reading, fields=()), facts=bool(facts_in(text, 0)), start=start)


def _row_reading(header: Header, cells: Sequence[Cell]) -> tuple[Reading, list[str]]:
    """A table row as a reading and its numbers."""
    found: list[str] = []
    fields: list[Field] = []
    epoch = epochs = count = -1
    counter = ""
    for cell in cells:
        name = header.names[cell.column]
        kind = kind_of(name)
        place = len(found)
        found.append(cell.value)
        if kind is Kind.EPOCH and epoch < 0:
            epoch = place
            if cell.total:
                epochs = len(found)
                found.append(cell.total)
        elif kind is Kind.COUNTER and count < 0:
            count, counter = place, name.lower()
        elif kind in (Kind.METRIC, Kind.VALUE):
            said = name_of(name)
            fields.append(Field(place, name, said.metric, said.split or ("val" if header.classes else "")))
    in_epoch = counter.startswith("batch")
    return Reading(tuple(fields), epoch, epochs, count, -1, -1, counter, in_epoch, known=True), found
