"""One JSON object a line: wandb, MMDetection, MMEngine, Detectron2, LLaMA-Factory, DETR/MAE and home-made loggers.

Bare `NaN` and `Infinity` are accepted, numbers may be strings, nested objects are flattened with `/`; of
`{"num", "mean", "std"}` the mean is kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog, first_problems
from logdoctor_parsers.delimited import physical_lines
from logdoctor_parsers.names import words
from logdoctor_parsers.positions import EPOCH, STEP
from logdoctor_parsers.records import Records, names_loss, names_quality, number, tabulate

_DECODER = json.JSONDecoder()
_STATISTICS = {"num", "count", "mean", "median", "std", "min", "max", "sum"}
_LONGEST_LIST = 16  # COCO's twelve figures; longer lists are data, not metrics


@dataclass(frozen=True)
class JsonLines:
    """JSON objects, one a line."""

    name: str = "json-lines"
    description: str = "JSON lines of metrics: wandb, MMDetection, MMEngine, Detectron2, LLaMA-Factory, …"

    def sniff(self, file: LogFile) -> Match:
        try:
            head = file.head
        except (OSError, EOFError):
            return Match.NO
        lines = [line for line in physical_lines(head) if line.strip()]
        if not lines or not lines[0].lstrip().startswith("{"):
            return Match.NO
        objects = [item for line in lines for item in read_objects(line)[0]]
        if 2 * len(objects) < len(lines) - 1:
            return Match.NO
        return rows_of_training(objects)

    def parse(self, file: LogFile) -> ParsedLog:
        lines = physical_lines(file.read())
        complete = lines[-1] == ""
        records, broken, data, ending = Records(), [], 0, Ending()
        for line_number, line in enumerate(lines[: len(lines) - complete], 1):
            objects, rest = read_objects(line)
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


def read_objects(line: str) -> tuple[list[dict[str, Any]], str]:
    """The JSON objects of a line and the text that is none.

    A line may hold several: two processes appending at once, or one appending behind a line cut short.
    """
    objects: list[dict[str, Any]] = []
    position, rest = 0, ""
    while (start := line.find("{", position)) >= 0:
        rest += line[position:start]
        try:
            item, position = _DECODER.raw_decode(line, start)
            objects.append(item)
        except (json.JSONDecodeError, RecursionError):
            rest += "{"
            position = start + 1
    rest += line[position:]
    return objects, rest.strip(" \t,[]")


def flatten(item: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float | str]]:
    """(key, number or text) of a nested object, keys joined by `/`; booleans and nulls are left out."""
    for key, value in item.items():
        yield from _flatten_value(f"{prefix}{key}", value)


def _flatten_value(key: str, value: Any) -> Iterator[tuple[str, float | str]]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield key, float(value) if abs(value) < 1e308 or math.isinf(value) or math.isnan(value) else math.inf
    elif isinstance(value, str):
        parsed = number(value)
        yield key, value if parsed is None else parsed
    elif isinstance(value, dict):
        if value.keys() <= _STATISTICS and isinstance(value.get("mean"), int | float):
            yield key, float(value["mean"])
        else:
            yield from flatten(value, f"{key}/")
    elif isinstance(value, list) and len(value) <= _LONGEST_LIST and {type(each) for each in value} <= {int, float}:
        for index, each in enumerate(value):
            yield key if len(value) == 1 else f"{key}/{index}", float(each)


def put_object(records: Records, item: dict[str, Any], line: int) -> bool:
    """Add one object as a row; whether it held a number."""
    records.begin(line)
    found = False
    for key, value in flatten(item):
        if isinstance(value, str):
            records.put_text(key, value)
        else:
            records.put(key, value)
            found = True
    return found


def rows_of_training(objects: list[dict[str, Any]]) -> Match:
    """Whether objects are rows of a training log: numbers under names of metrics beside a counter."""
    losses = counters = 0
    for item in objects:
        keys = [key for key, value in flatten(item) if not isinstance(value, str)]
        names = ["_".join(words(key)) for key in keys]
        if any(names_loss(key) for key in keys) or any(names_quality(key) for key in keys):
            losses += 1
            counters += any(name in EPOCH or name in STEP for name in names)
    if counters:
        return Match.SURE
    return Match.MAYBE if losses > 1 and 2 * losses >= len(objects) else Match.NO


PARSER = JsonLines()
