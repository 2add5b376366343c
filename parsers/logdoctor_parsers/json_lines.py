"""One JSON object a line: wandb, MMDetection, MMEngine, Detectron2, LLaMA-Factory, DETR/MAE and home-made loggers.

Bare `NaN` and `Infinity` are accepted, numbers may be strings, nested objects are flattened with `/`; of
`{"num", "mean", "std"}` the mean is kept.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog, first_problems
from logdoctor_parsers.delimited import physical_lines
from logdoctor_parsers.json_document import read_document
from logdoctor_parsers.json_stream import LineIndex, key_offset
from logdoctor_parsers.names import words
from logdoctor_parsers.positions import EPOCH, STEP
from logdoctor_parsers.records import (
    NAME_OF_LONG,
    VALUE_OF_LONG,
    Records,
    names_loss,
    names_quality,
    number,
    tabulate,
    tells_metric,
)
from logdoctor_parsers.text import decode

_DECODER = json.JSONDecoder()
_STATISTICS = {"num", "count", "mean", "median", "std", "min", "max", "sum"}
NOWHERE: Mapping[str, int] = MappingProxyType({})
ONE_EPOCH = "JSON document of one epoch"
_OF_AN_EPOCH = re.compile(r"epoch[_-]?\d+\.json$", re.IGNORECASE)
_BEFORE = re.compile(r"^(?:DLLL|:::[A-Z]+|[A-Z]+:[\w.]+:) *(?=\{\")")  # what a logger puts before each object
_LONGEST_LIST = 16  # COCO's twelve figures; longer lists are data, not metrics


@dataclass(frozen=True)
class JsonLines:
    """JSON objects, one a line, or the rows of a JSON document."""

    name: str = "json-lines"
    description: str = "JSON lines of metrics: wandb, MMDetection, MMEngine, Detectron2, LLaMA-Factory, …"

    def sniff(self, file: LogFile) -> Match:
        try:
            head = file.head
        except (OSError, EOFError):
            return Match.NO
        lines = [_BEFORE.sub("", line) for line in physical_lines(head) if line.strip()]
        if not lines or not lines[0].lstrip().startswith(("{", "[")):
            return Match.NO
        if not _one_a_line(lines):
            rows = (
                []
                if b'"log_history"' in head or b'"cell_type"' in head
                else read_document("\n".join(lines), alone=_is_of_an_epoch(file))[0]
            )
            match = rows_of_training([row.part.value for row in rows])
            return Match.SURE if match and _is_of_an_epoch(file) else match
        objects = [item for line in lines for item in read_objects(line)[0]]
        return rows_of_training(objects) if 2 * len(objects) >= len(lines) - 1 else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        content = file.read()
        lines = physical_lines(content)
        if not _one_a_line(_BEFORE.sub("", line) for line in lines if line.strip()):
            return self._parse_document(decode(content)[0], alone=_is_of_an_epoch(file))
        complete = lines[-1] == ""
        records, broken, data, ending = Records(), [], 0, Ending()
        for line_number, line in enumerate(lines[: len(lines) - complete], 1):
            objects, rest = read_objects(_BEFORE.sub("", line))
            data += sum(put_object(records, item, line_number) for item in objects) > 0
            if rest and line_number == len(lines):
                ending = Ending("torn", line_number, "the last line is cut off")
            elif rest:
                broken.append((line_number, f"no JSON object: {rest.strip()[:60]}"))
        table, facts = tabulate(records)
        return ParsedLog(
            self.name,
            table,
            facts,
            first_problems(broken),
            lines=len(lines) - complete,
            data=data,
            unreadable=len(broken),
            ending=ending,
        )

    def _parse_document(self, text: str, *, alone: bool) -> ParsedLog:
        rows, complete = read_document(text, alone=alone)
        lines, records, data = LineIndex(text), Records(), 0
        for row in rows:
            places = {key: lines.line(key_offset(text, row.part, key)) for key in row.part.value}
            data += put_object(records, row.part.value, lines.line(row.part.start), places)
            if row.epoch is not None and "epoch" not in row.part.value:
                records.put("epoch", row.epoch)
            if row.role:
                records.put_text("split", row.role)
        table, facts = tabulate(records)
        ending = Ending() if complete else Ending("torn", lines.last, "the file is cut off")
        dialect = ONE_EPOCH if alone else "JSON document"
        return ParsedLog(self.name, table, facts, lines=lines.last, data=data, ending=ending, dialect=dialect)


def _is_of_an_epoch(file: LogFile) -> bool:
    """Whether a file is called after its epoch, `metrics_epoch_3.json`: a row of a log, one of many files."""
    return _OF_AN_EPOCH.search(file.path.name) is not None


def _one_a_line(lines: Iterable[str]) -> bool:
    """Whether the first line that holds text holds a whole object."""
    return bool(read_objects(next(iter(lines), ""))[0])


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


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """A row of NVIDIA's DLLogger, `{"step": [epoch, iteration], "data": {…}}`, as others would write it."""
    step, data = item.get("step"), item.get("data")
    if not isinstance(step, list) or not isinstance(data, dict):
        return item
    own = {key: value for key, value in item.items() if key not in ("step", "data", "elapsedtime")}
    return {**own, **data, **dict(zip(("epoch", "iteration"), step, strict=False))}


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
        parsed = number(value)
        yield key, value if parsed is None else parsed
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


def put_object(records: Records, item: dict[str, Any], line: int, places: Mapping[str, int] = NOWHERE) -> bool:
    """Add one object as a row; whether it held a number. `places`: lines of members that do not stand at `line`."""
    records.begin(line)
    found = False
    for key, value in flatten(_unwrapped(item)):
        if isinstance(value, str):
            records.put_text(key, value)
        else:
            records.put(key, value, places.get(key, line))
            found = True
    return found


def rows_of_training(objects: list[dict[str, Any]]) -> Match:
    """Whether objects are rows of a training log: metrics beside a counter, or losses."""
    told = losses = counters = 0
    for item in map(_named, map(_unwrapped, objects)):
        scalars = {key: value for key, value in item.items() if not isinstance(value, list)}
        keys = [key for key, value in flatten(scalars) if not isinstance(value, str)]
        names = ["_".join(words(key)) for key in keys]
        if "_wandb" not in item and any(names_loss(key) or names_quality(key) for key in keys):
            told += 1
            losses += any(map(names_loss, keys))
            counters += any(name in EPOCH or name in STEP for name in names)
    if counters > 1:
        return Match.SURE
    return Match.MAYBE if counters or (losses > 1 and 2 * told >= len(objects)) else Match.NO


def _named(item: dict[str, Any]) -> dict[str, Any]:
    """A row that holds one number and its name (`{"key": "loss", "value": 0.5}`) as others would write it."""
    name = next((item[key] for key in NAME_OF_LONG if isinstance(item.get(key), str)), "")
    value = next((key for key in VALUE_OF_LONG if key in item), "")
    return {**item, name: item[value]} if value and tells_metric(name) else item


PARSER = JsonLines()
