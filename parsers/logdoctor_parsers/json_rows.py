"""The rows of a file of JSON objects, one a line: lines of a form seen often are read as columns, the others singly."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import numpy as np

from logdoctor_parsers.byte_lines import ByteLines
from logdoctor_parsers.cell_columns import CellColumn, read_column
from logdoctor_parsers.contract import Ending, Ints
from logdoctor_parsers.line_columns import Gap, LineColumns, LineFormat
from logdoctor_parsers.names import words
from logdoctor_parsers.positions import EPOCH, STEP, TIME
from logdoctor_parsers.records import Records, number

NOWHERE: Mapping[str, int] = MappingProxyType({})
BEFORE = re.compile(r"^(?:DLLL|:::[A-Z]+|[A-Z]+:[\w.]+:) *(?=\{\")")  # what a logger puts before each object

_COUNTERS, _TIMES = {*EPOCH, *STEP}, {*TIME}
_DECODER = json.JSONDecoder()
_STATISTICS = {"num", "count", "mean", "median", "std", "min", "max", "sum"}
_LONGEST_LIST = 16  # COCO's twelve figures; longer lists are data, not metrics
_TOKEN = re.compile(  # a string that is no key, a key, a number
    r'"((?:[^"\\]|\\.)*+)"(?!\s*+:)|"(?:[^"\\]|\\.)*+"|(-?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Infinity)|NaN)'
)
_FIRST, _BLOCK = 64, 8192  # lines read singly to learn their forms, lines read together
_OFTEN = 16  # lines of a form after which it is read as columns
_MOST_FORMS = 16  # read as columns; files with more have texts that differ in each line
_IN_VAIN = 500  # lines read singly since the last form was learned, after which no more is to be expected


_Put = tuple[int, Callable[[], None]]


@dataclass(frozen=True)
class Form:
    """Lines that differ in their numbers and strings alone: what rows keep of these, the keys by place in the line."""

    columns: LineFormat
    numbers: Mapping[int, str]
    strings: Mapping[int, str]

    @classmethod
    def of(cls, line: str) -> Form | None:
        """The form of a line that is one object; None where numbers are left out (lists, mostly, of varying length)."""
        gaps, marked, at = [], "", 0
        for place, token in enumerate(token for token in _TOKEN.finditer(line) if token.lastindex):
            quoted = token.lastindex == 1
            before = line[at : token.start() + quoted]
            gaps.append(Gap(before.encode(), string=token[1].encode() if quoted else None))
            marked += f"{before}~{place}" if quoted else f"{before}{place}"
            at = token.end() - quoted
        told = list(flatten(unwrapped(_DECODER.decode(marked + line[at:]))))
        numbers = {int(value): key for key, value in told if not isinstance(value, str)}
        strings = {int(value[1:]): key for key, value in told if isinstance(value, str)}
        if len(numbers) < sum(gap.string is None for gap in gaps):
            return None
        return cls(LineFormat(tuple(gaps), line[at:].encode(), json=True), numbers, strings)


@dataclass
class JsonRows:
    """What the lines of a file hold. `data`: lines with numbers; `broken`: those that hold what is no object."""

    lines: ByteLines
    unterminated: bool
    records: Records = field(default_factory=Records)
    broken: list[tuple[int, str]] = field(default_factory=list)
    data: int = 0
    ending: Ending = field(default_factory=Ending)
    _seen: Counter[str] = field(default_factory=Counter)
    _in_vain: int = 0
    _forms: dict[str, Form] = field(default_factory=dict)

    def read(self) -> JsonRows:
        """Read all lines."""
        low = 0
        while low < len(self.lines):
            high = min(low + (_BLOCK if low else _FIRST), len(self.lines))
            self._read_block(low, high)
            low = high
        self.broken.sort()
        return self

    def _read_block(self, low: int, high: int) -> None:
        count = np.zeros(high - low, np.int64)  # of the objects in each line
        columns: list[tuple[Form, LineColumns]] = []
        for form in self._forms.values():
            found = form.columns.read(self.lines, low, high, form.numbers)
            columns.append((form, found.only(count[found.index] == 0)))
            count[columns[-1][1].index] = 1
        singly = {place: self._read_line(low + place) for place in np.flatnonzero(count == 0).tolist()}
        for place, objects in singly.items():
            count[place] = len(objects)
        rows = self.records.begin_many(np.repeat(np.arange(low + 1, high + 1), count)) + np.cumsum(count) - count
        puts = [put for form, found in columns for put in self._column_puts(form, found, rows[found.index])]
        for place, objects in singly.items():
            puts.append((int(rows[place]), partial(self._put_objects, objects, int(rows[place]), low + place + 1)))
        for _, put in sorted(puts, key=itemgetter(0)):
            put()

    def _put_objects(self, objects: Sequence[dict[str, Any]], row: int, line: int) -> None:
        puts = [put_object(self.records, item, line, row=row + n) for n, item in enumerate(objects)]
        self.data += any(puts)

    def _column_puts(self, form: Form, found: LineColumns, rows: Ints) -> Iterator[_Put]:
        """What records the numbers and texts of one form, and the first row of each: keys keep their order."""
        numbered = rows if form.numbers else rows[:0]
        for place in [*form.numbers, *form.strings] if len(rows) else ():
            if key := form.numbers.get(place):
                column = CellColumn(rows, found.values[place], rows[:0], ())
            else:
                key = form.strings[place]
                column = read_column(self.lines, rows, *found.spans[place], _told)
                numbered = np.union1d(numbered, column.place)
            if len(at := column.place):
                yield int(at[0]), partial(self.records.put_column, key, at, column.value)
            if len(at := column.other):
                yield int(at[0]), partial(self.records.put_texts, key, at, column.texts)
        self.data += len(numbered)

    def _read_line(self, place: int) -> list[dict[str, Any]]:
        """The objects of one line; what is none is noted."""
        raw = self.lines[place]
        objects, rest = read_objects(BEFORE.sub("", raw))
        if rest and self.unterminated and place == len(self.lines) - 1:
            self.ending = Ending("torn", place + 1, "the last line is cut off")
        elif rest:
            self.broken.append((place + 1, f"no JSON object: {rest.strip()[:60]}"))
        elif len(objects) == 1:
            self._learn(raw)
        return objects

    def _learn(self, line: str) -> None:
        """Count a line's form; one seen often is read as columns from the next block on."""
        if self._in_vain > _IN_VAIN or len(self._forms) >= _MOST_FORMS or not line.startswith("{"):
            return
        self._in_vain += 1
        skeleton = _TOKEN.sub(lambda token: ('""', "0")[token.lastindex - 1] if token.lastindex else token[0], line)
        self._seen[skeleton] += 1
        if self._seen[skeleton] == _OFTEN and (form := Form.of(line)) is not None:
            self._forms[skeleton] = form
            self._in_vain = 0


def _told(text: str) -> float | str:
    """The number that a string says, else the string."""
    value = number(text)
    return text if value is None else value


def read_objects(line: str) -> tuple[list[dict[str, Any]], str]:
    """The JSON objects of a line and the text that is none.

    A line may hold several: two processes appending at once, or one appending behind a line cut short (but an object
    behind a colon, comma or bracket belongs to the one cut).
    """
    objects: list[dict[str, Any]] = []
    position, rest = 0, ""
    while (start := line.find("{", position)) >= 0:
        rest += line[position:start]
        inside = bool(rest) and "{" in rest and rest.rstrip()[-1] in ":,[{"
        try:
            item, position = (None, start + 1) if inside else _DECODER.raw_decode(line, start)
        except (ValueError, RecursionError):
            item, position = None, start + 1
        if item is None:
            rest += "{"
        else:
            objects.append(item)
    rest += line[position:]
    return objects, rest.strip(" \t,[]")


def unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """A row in an envelope, `{"event": "train", "payload": {"step": 3, …}}`, or of NVIDIA's DLLogger,
    `{"step": [epoch, iteration], "data": {…}}`, as others would write it."""
    step, data = item.get("step"), item.get("data")
    if not isinstance(step, list) or not isinstance(data, dict):
        return _out_of_envelope(item)
    own = {key: value for key, value in item.items() if key not in ("step", "data", "elapsedtime")}
    return {**own, **data, **dict(zip(("epoch", "iteration"), step, strict=False))}


def _out_of_envelope(item: dict[str, Any]) -> dict[str, Any]:
    """The members of a row and of the object in it, where this alone has numbers (but for the time), and counters."""
    inside = [(key, value) for key, value in item.items() if isinstance(value, dict)]
    if len(inside) != 1 or not _told_in(inside[0][1]) & _COUNTERS or not _told_in(item) <= _TIMES:
        return item
    envelope = {key: value for key, value in item.items() if key != inside[0][0]}
    return item if envelope.keys() & inside[0][1].keys() else envelope | inside[0][1]


def _told_in(item: dict[str, Any]) -> set[str]:
    """The names of an object's numbers."""
    return {"_".join(words(key)) for key, value in item.items() if isinstance(value, int | float)}


def flatten(item: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float | str]]:
    """(key, number or text) of a nested object, keys joined by `/`; booleans and nulls are left out."""
    for key, value in item.items():
        yield from _flatten_value(f"{prefix}{key}", value)


def _flatten_value(key: str, value: Any) -> Iterator[tuple[str, float | str]]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield key, _float64(value)
    elif isinstance(value, str):
        yield key, _told(value)
    elif isinstance(value, dict):
        if value.keys() <= _STATISTICS and isinstance(value.get("mean"), int | float):
            yield key, _float64(value["mean"])
        else:
            yield from flatten(value, f"{key}/")
    elif isinstance(value, list) and len(value) <= _LONGEST_LIST and {type(each) for each in value} <= {int, float}:
        for index, each in enumerate(value):
            yield key if len(value) == 1 else f"{key}/{index}", _float64(each)


def _float64(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value > 0 else -math.inf


def put_object(
    records: Records, item: dict[str, Any], line: int, places: Mapping[str, int] = NOWHERE, row: int | None = None
) -> bool:
    """Add one object as a row (as `row`, where that is begun already); whether it held a number.

    `places`: lines of members that do not stand at `line`.
    """
    if row is None:
        row = records.begin(line)
    found = False
    for key, value in flatten(unwrapped(item)):
        if isinstance(value, str):
            records.put_text(key, value, row)
        else:
            records.put(key, value, places.get(key, line), row)
            found = True
    return found
