"""Reads a printed text log it has never seen: line shapes, counters, roles, records over several lines, evaluations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from logdoctor_parsers.contract import Fact, Floats, Problem, Table, TableBuilder
from logdoctor_parsers.dialects import PATTERNS
from logdoctor_parsers.keys import Kind, kind_of, name_of
from logdoctor_parsers.pairs import WITHOUT_SPLIT, Field, Reading, read_shape
from logdoctor_parsers.prefix import strip
from logdoctor_parsers.printed_tables import Header, header_of
from logdoctor_parsers.shapes import number, numbers, split
from logdoctor_parsers.shapes import shape as shape_key
from logdoctor_parsers.text import TextLines
from logdoctor_parsers.text_facts import facts_in

MAX_SHAPES = 20_000        # more than any log repeats; beyond, lines are free text and not worth keeping
MAX_LINE = 20_000          # characters; longer lines are dumps
MIN_REPEATS = 3            # lines of one shape that make a curve where the log gives no counter at all
_TIMED = re.compile(r"[\s\d\[(]|[IWEF]\d|INFO|DEBUG|WARN|[Rr]ank")
_BAR = re.compile(r"(?P<before>.*?)\d+%\|[^|]*\|\s*(?P<n>[\d.]+\w?)/(?P<total>[\d.]+\w?)\s*\[(?P<inside>[^\]]*)\](?P<after>.*)")
_SPEED = re.compile(r"\d(?:it/s|s/it)|\?it/s|\d+/\d+ \[\d+:\d")
_POSTFIX = re.compile(r"(?:it/s|s/it|/s)\b,?\s*(.*)|<\S+,\s*(.*)")
_RUN_SUMMARY = re.compile(r"\btrain_runtime\b")   # means over the whole run, printed at its end
_SECTION = re.compile(r"\s*[A-Z_.]{2,}:\s*$")   # of a configuration
_START = re.compile(
    r"\*{3,} Running training|\bNamespace\(|^nohup: ignoring|\b[Rr]esum(?:e|ed|ing)\b.*(?:from|training|epoch|checkpoint)"
    r"|=> creating model|\b[Ss]tart(?:ing)? (?:to )?[Tt]rain|[Tt]raining [Ss]tart"
)


class _Row(NamedTuple):
    """One data line: where it stands, and its numbers as texts."""

    line: int
    epoch: str
    count: str
    wall_time: float
    numbers: Sequence[str]


@dataclass
class _Track:
    """All lines of one reading. `bar`: printed by a progress bar."""

    reading: Reading
    bar: bool
    rows: list[_Row] = field(default_factory=list)
    reached: float = -1.0   # the furthest an evaluation came


@dataclass(frozen=True)
class _Shape:
    """What a line shape is: a reading, or a table's header. `facts`: it may state settings; `section` of a configuration;
    `start`: the log says that a process (re)starts."""

    reading: Reading
    header: Header | None = None
    facts: bool = False
    section: bool = False
    start: bool = False


@dataclass(frozen=True)
class ReadText:
    """What the reader found; `last_data` is the last physical line that gave a number, `torn` whether it was cut."""

    table: Table
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    starts: tuple[int, ...]
    data: int
    unreadable: int
    last_data: int
    torn: bool


def read_text(lines: TextLines) -> ReadText:
    """Read all lines."""
    reader = _Reader()
    last = len(lines) - 1
    for place, (line_number, raw) in enumerate(lines):
        reader.take(line_number, raw, cut=lines.unterminated and place == last)
    return reader.finish()


class _Reader:
    """The state while reading: the epoch and split announced, the evaluation under way, the table being printed."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._readings: dict[Reading, Reading] = {}   # one object for equal readings: identity is cheap to look up
        self._variants: dict[tuple[int, str], Reading] = {}
        self._tracks: dict[tuple[int, bool], _Track] = {}
        self._facts: list[Fact] = []
        self._planned: dict[str, float] = {}
        self._problems: list[Problem] = []
        self._starts: list[int] = []
        self._epoch = self._count = self._announced = self._role = self._evaluating = ""
        self._pending: tuple[_Track, _Row] | None = None
        self._table: Header | None = None
        self._last_text = ""
        self._copies = self._lines = self._last_data = 0
        self._in_settings = self._torn = False

    # ------------------------------------------------------------------ lines
    def take(self, line: int, raw: str, *, cut: bool = False) -> None:
        """Read one line; `cut`: it is the file's last and has no end."""
        if len(raw) > MAX_LINE or not raw or raw.isspace():
            return
        text, wall_time = strip(raw) if _TIMED.match(raw) else (raw, float("nan"))
        bar = False
        if "%|" in text:
            described = text[: text.index("%|")].rstrip("0123456789").rstrip(": ")
            if self._table is not None and self._take_row(line, described, wall_time, True):
                return
            if (header := header_of(described)) is not None:
                self._table = header
                return
            text, bar, step = self._unbar(text)
            if not text or text.isspace():
                return
            if step:
                self._count = self._announced = step
        if self._table is not None and self._take_row(line, text, wall_time, bar):
            return
        parts = split(text)
        shape = self._shape(parts, text)
        if shape.header is not None:
            self._table = shape.header
        if cut:
            parts, shape = self._without_torn_end(parts, shape)
            if self._torn and shape.reading.progress:   # the evaluation never came to its end
                return
        if shape.reading.fields:
            self._take_data(line, text, wall_time, shape.reading, parts[1::2], bar)
        else:
            self._take_other(line, text, shape, parts[1::2])

    def _unbar(self, text: str) -> tuple[str, bool, str]:
        """A progress bar's line: what the bar says (true) or the message printed behind it (false), and a step it gives."""
        match = _BAR.match(text)
        if match is None:
            return ("", True, "") if _SPEED.search(text) else (text, False, "")
        if "[" in match["inside"] or _SPEED.search(match["after"]):
            return "", True, ""   # two bars over each other
        if any(character.isdigit() for character in match["after"]):
            message, _ = strip(match["after"].strip())
            planned = self._planned.get("max_iter")
            step = match["n"] if planned is not None and match["total"] == f"{planned:.0f}" else ""
            return message, False, step
        postfix = _POSTFIX.search(match["inside"])
        said = (postfix[1] or postfix[2] or "") if postfix else ""
        return f"{match['before'].rstrip(': ')} [{match['n']}/{match['total']}] {said}", True, ""

    def _shape(self, parts: list[str], text: str) -> _Shape:
        key = shape_key(parts)
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            shape = _shape_of(parts, text)
            same = self._readings.setdefault(shape.reading, shape.reading)
            shape = self._shapes[key] = replace(shape, reading=same)
        return shape

    def _take_other(self, line: int, text: str, shape: _Shape, found: Sequence[str]) -> None:
        """A line without values: facts, the start of a process, or the header of what follows."""
        reading = shape.reading
        if shape.facts and (facts := facts_in(text, line)):
            self._facts += facts
            self._planned.update({fact.name: fact.value for fact in facts if fact.name == "max_iter"})
        self._in_settings = shape.facts or shape.section or (self._in_settings and text[:1].isspace())
        if shape.start and (not self._starts or self._starts[-1] < self._last_data):
            self._starts.append(line)
        if reading.epoch >= 0:
            self._new_epoch(found[reading.epoch])
            self._announced = ""
            self._plan(reading, found, line)
        if reading.step >= 0 or (reading.count >= 0 and not reading.in_epoch):
            self._count = self._announced = found[reading.step if reading.step >= 0 else reading.count]
        if reading.role:
            self._role = reading.role

    def _new_epoch(self, epoch: str) -> None:
        if epoch != self._epoch:
            self._epoch, self._role = epoch, ""

    def _plan(self, reading: Reading, found: Sequence[str], line: int) -> None:
        """Totals printed beside counters are plans: `Epoch 3/90`, `iteration 20/5000`."""
        for name, index in (("epochs", reading.epochs), ("max_iter", -1 if reading.in_epoch or self._epoch else reading.total)):
            if index >= 0 and not reading.progress:
                total = number(found[index])
                if self._planned.get(name) != total and total > 0:
                    self._planned[name] = total
                    self._facts.append(Fact(name, int(total), line))

    # ------------------------------------------------------------------ values
    def _take_data(self, line: int, text: str, wall_time: float, reading: Reading, found: Sequence[str], bar: bool) -> None:
        if not reading.counted and self._is_setting(reading):
            return
        if (reading.count >= 0 or reading.step >= 0) and text == self._last_text:
            self._copies += 1
            return
        self._last_text = text
        if reading.epoch >= 0:
            self._new_epoch(found[reading.epoch])
        if reading.counted:
            if not bar:
                self._plan(reading, found, line)
            self._role = "" if reading.count >= 0 or reading.role else self._role
        reading = self._placed(reading)
        count = found[reading.count] if reading.count >= 0 else self._announced or ("" if self._epoch else self._count)
        row = _Row(line, self._epoch, count, wall_time, found)
        self._lines += 1
        self._last_data = line
        self._in_settings = False
        track = self._track(reading, bar)
        if reading.progress or (bar and reading.count >= 0):
            self._progress(track, row)
            return
        if (reading.count >= 0 or reading.step >= 0) and reading.role not in ("val", "test"):
            self._count, self._announced = found[reading.step] if reading.step >= 0 else count, ""
        self._flush({f.metric for f in reading.fields} if reading.role in ("val", "test") else set())
        track.rows.append(row)

    def _is_setting(self, reading: Reading) -> bool:
        """A lone value that belongs to a dump of settings: a rate before any epoch, or between other settings."""
        if all(f.metric in WITHOUT_SPLIT for f in reading.fields):
            return self._in_settings or not (self._epoch or self._count)
        return self._in_settings and not reading.role

    def _placed(self, reading: Reading) -> Reading:
        """The reading with the split its context gives."""
        if reading.summary and not reading.role:
            return self._with_split(reading, self._evaluating or "val")
        if reading.role:
            self._evaluating = reading.role if reading.role in ("val", "test") else ""
            return reading
        if not reading.counted and self._role:
            return self._with_split(reading, self._role)
        return self._with_split(reading, "train") if reading.count >= 0 or reading.step >= 0 else reading

    def _with_split(self, reading: Reading, split: str) -> Reading:
        found = self._variants.get((id(reading), split))
        if found is None:
            made = reading.with_split(split)
            found = self._variants[id(reading), split] = self._readings.setdefault(made, made)
        return found

    def _track(self, reading: Reading, bar: bool) -> _Track:
        key = (id(reading), bar)
        found = self._tracks.get(key)
        if found is None:
            found = self._tracks[key] = _Track(reading, bar)
        return found

    def _progress(self, track: _Track, row: _Row) -> None:
        """One of many lines of an evaluation or a bar: the last one counts."""
        if self._pending is not None:
            before, last = self._pending
            index = track.reading.count
            if before is not track or number(row.numbers[index]) <= number(last.numbers[index]):
                self._flush(set())
        self._pending = (track, row)

    def _flush(self, summarised: set[str]) -> None:
        """An evaluation is over: keep its last line, without what a summary line tells too."""
        if self._pending is None:
            return
        (track, row), self._pending = self._pending, None
        if track.reading.role not in ("val", "test"):
            summarised = set()
        track.reached = max(track.reached, number(row.numbers[track.reading.count]))
        fields = [f for f in track.reading.fields if f.metric not in summarised]
        averaged = {f.tag[:-6] for f in fields if f.tag.endswith(" (avg)")}
        kept = [f.index for f in fields if f.tag not in averaged] if not track.bar else [f.index for f in fields]
        if kept:
            made = track.reading.only(kept)
            self._track(self._readings.setdefault(made, made), track.bar).rows.append(row)

    def _take_row(self, line: int, text: str, wall_time: float, bar: bool) -> bool:
        """A row of the printed table under way; false where the line is none."""
        assert self._table is not None
        cells = self._table.row(text)
        if not cells:
            return False
        made, found = _row_reading(self._table, cells)
        reading = self._readings.setdefault(made, made)
        if not reading.fields:
            return False
        self._take_data(line, text, wall_time, reading, found, bar)
        return True

    # ------------------------------------------------------------------ the end
    def _without_torn_end(self, parts: list[str], shape: _Shape) -> tuple[list[str], _Shape]:
        """The last line has no end: where it is cut, its last number may be cut too and does not count."""
        texts = shape_key(parts)
        alike = [rows for rows in (t.rows for t in self._tracks.values()) if rows and len(rows[-1].numbers) == len(texts) - 1]
        complete = any(key == texts for key in list(self._shapes)[:-1]) and not texts[-1]
        if complete and alike and len(parts[-2]) >= min(len(row.numbers[-1]) for row in alike[-1][-5:]):
            return parts, shape
        joined = "\0".join(texts)
        self._torn = any(len(key) >= len(texts) and "\0".join(key).startswith(joined) and (key != texts or not texts[-1]) for key in self._shapes
                         if self._shapes[key].reading.fields and key is not texts) and (not complete or bool(alike))  # fmt: skip
        if self._torn and not texts[-1] and len(parts) > 2:
            kept = [f.index for f in shape.reading.fields if f.index < len(texts) - 2]
            return parts, replace(shape, reading=shape.reading.only(kept))
        return parts, shape

    def finish(self) -> ReadText:
        """Build the table."""
        if self._pending is not None:
            track, row = self._pending
            if not track.bar and number(row.numbers[track.reading.count]) < 0.9 * track.reached:
                self._problems.append(Problem(row.line, "the log ends inside an evaluation: its running values are left out"))
                self._pending = None
        self._flush(set())
        if self._copies:
            self._problems.append(Problem(0, f"{self._copies} lines repeat the line before word for word (another handler or rank): read once"))
        tracks = _without_bars(list(self._tracks.values()))
        tracks = [track for track in tracks if len(track.rows) >= MIN_REPEATS or any(_stands(row, track.reading) for row in track.rows)]
        table = _table_of(tracks)
        return ReadText(
            table, tuple(self._facts), tuple(self._problems), tuple(self._starts), self._lines, 0, self._last_data, self._torn
        )


def _shape_of(parts: list[str], text: str) -> _Shape:
    texts, example = parts[::2], parts[1::2]
    start = bool(_START.search(text))
    if not example:
        return _Shape(read_shape(texts, example), header_of(text), bool(facts_in(text, 0)), bool(_SECTION.match(text)), start)
    for pattern in PATTERNS:
        if (reading := pattern.reading(text)) is not None:
            return _Shape(reading)
    reading = read_shape(texts, example)
    if reading.fields and not _RUN_SUMMARY.search(text):
        return _Shape(reading)
    reading = replace(reading, fields=())
    return _Shape(reading, facts=bool(facts_in(text, 0)), start=start)


def _row_reading(header: Header, cells: Iterable) -> tuple[Reading, list[str]]:  # type: ignore[type-arg]
    """A table row as a reading and its numbers."""
    found: list[str] = []
    fields: list[Field] = []
    epoch = epochs = count = -1
    counter = ""
    for cell in cells:
        name = header.names[cell.column]
        kind = kind_of(name)
        if kind is Kind.EPOCH and epoch < 0:
            epoch = len(found)
            if cell.total:
                found.append(cell.value)
                epochs = len(found)
                found.append(cell.total)
                continue
        elif kind is Kind.COUNTER and count < 0:
            count, counter = len(found), name.lower()
        elif kind in (Kind.METRIC, Kind.VALUE):
            said = name_of(name)
            fields.append(Field(len(found), name, said.metric, said.split or ("val" if header.classes else "")))
        found.append(cell.value)
    return Reading(tuple(fields), epoch, epochs, count, -1, -1, counter, counter.startswith("batch"), known=True), found


def _stands(row: _Row, reading: Reading) -> bool:
    return bool(row.epoch or row.count or reading.counted)


def _without_bars(tracks: list[_Track]) -> list[_Track]:
    """What bars say counts only where no printed line tells the train loss."""
    def trains(track: _Track) -> bool:
        return bool(track.rows) and any("loss" in f.metric and f.split not in ("val", "test") for f in track.reading.fields)

    if any(trains(track) and not track.bar for track in tracks):
        return [track for track in tracks if not track.bar]
    return tracks


# ---------------------------------------------------------------------- table
def _table_of(tracks: Sequence[_Track]) -> Table:
    inner = _counters_within_epochs(tracks)
    trained = _Trained.of(tracks, inner)
    builder = TableBuilder()
    for track in tracks:
        if track.rows:
            _extend(builder, track, inner, trained)
    return builder.build()


@dataclass(frozen=True)
class _Trained:
    """Where training stood at each of its lines, in file order; shape (n,) each."""

    line: Floats
    epoch: Floats
    batch: Floats
    batches: Floats

    @classmethod
    def of(cls, tracks: Sequence[_Track], inner: set[str]) -> _Trained:
        """Collect the lines that count batches inside an epoch."""
        rows = [
            (row.line, number(row.epoch), number(row.count), number(row.numbers[t.reading.total]) if t.reading.total >= 0 else np.nan)
            for t in tracks if t.reading.count >= 0 and t.reading.role not in ("val", "test") and t.reading.counter in inner
            for row in t.rows if row.epoch
        ]  # fmt: skip
        return cls(*np.array(sorted(rows), np.float64).reshape(-1, 4).T)

    def inside(self, line: Floats, epoch: Floats) -> tuple[Floats, Floats]:
        """The position of lines at which an epoch was not over yet: training went on in the same epoch afterwards."""
        if len(self.line) < 2:
            return np.full(len(line), np.nan), np.full(len(line), np.nan)
        after = np.clip(np.searchsorted(self.line, line), 1, len(self.line) - 1)
        before = after - 1
        within = (self.line[after] > line) & (self.line[before] < line) & (self.batch[after] > self.batch[before])
        within &= (self.epoch[after] == self.epoch[before]) & (self.epoch[before] == epoch)
        return np.where(within, self.batch[before], np.nan), np.where(within, self.batches[before], np.nan)


def _counters_within_epochs(tracks: Sequence[_Track]) -> set[str]:
    """The counters that start anew with each epoch (they count batches); others count over the whole run."""
    seen: dict[str, list[tuple[int, float, float]]] = {}
    sure: dict[str, bool] = {}
    for track in tracks:
        reading = track.reading
        if reading.count < 0 or reading.role in ("val", "test") or track.bar:
            continue
        rows = seen.setdefault(reading.counter, [])
        rows += [(row.line, number(row.epoch), number(row.count)) for row in track.rows if row.epoch]
        sure[reading.counter] = sure.get(reading.counter, False) or reading.in_epoch or (reading.total >= 0 and reading.epoch >= 0)
    return {counter for counter, rows in seen.items() if _starts_anew(sorted(rows), sure[counter])}


def _starts_anew(rows: Sequence[tuple[int, float, float]], otherwise: bool) -> bool:
    if len(rows) < 2:
        return otherwise
    _, epoch, count = np.array(rows).T
    new = np.diff(np.floor(epoch)) > 0
    if not new.any():
        return otherwise
    moved = np.diff(count)[new]
    return bool(np.mean(moved < 0) > 0.5 or np.all(np.diff(count) == 0))


def _extend(builder: TableBuilder, track: _Track, inner: set[str], trained: _Trained) -> None:
    """Add the rows of one reading, whole columns at a time."""
    reading, rows = track.reading, track.rows
    nan = np.full(len(rows), np.nan)
    line = [row.line for row in rows]
    epoch = _column([row.epoch for row in rows])
    wall_time = [row.wall_time for row in rows]
    own = reading.count >= 0
    within = own and (reading.in_epoch or reading.counter in inner)
    evaluates = reading.role in ("val", "test")
    count = _column([row.count for row in rows])
    total = _column([row.numbers[reading.total] for row in rows]) if own and reading.total >= 0 else nan
    if not own:   # a count announced by a line before
        within = _starts_anew(list(zip(line, epoch, count, strict=True)), False)
    step = nan if within or (own and evaluates and reading.in_epoch) else count
    if reading.step >= 0:
        step = _column([row.numbers[reading.step] for row in rows])
    batch, batches = (count, total) if within and not evaluates else (nan, nan)
    if evaluates and (not own or within or reading.in_epoch):
        batch, batches = trained.inside(np.array(line, np.float64), epoch)
    since_start = bool(np.all(np.isnan(epoch)))
    for f in reading.fields:
        values = numbers([row.numbers[f.index] for row in rows])
        metric = f"{f.metric}_since_start" if since_start and f.tag.endswith(" (avg)") and not evaluates else f.metric
        builder.extend(f.tag, values, line, step=step, epoch=epoch, batch=batch, batches=batches, wall_time=wall_time,
                       metric=metric, split=f.split)  # fmt: skip


def _column(texts: Sequence[str]) -> Floats:
    return np.array([number(text) if text else np.nan for text in texts], np.float64)
