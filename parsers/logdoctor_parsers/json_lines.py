"""One JSON object a line: wandb, MMDetection, MMEngine, Detectron2, LLaMA-Factory, DETR/MAE and home-made loggers.

Bare `NaN` and `Infinity` are accepted, numbers may be strings, nested objects are flattened with `/`; of
`{"num", "mean", "std"}` the mean is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog, Problem, first_problems
from logdoctor_parsers.delimited import byte_lines, physical_lines
from logdoctor_parsers.json_document import read_document
from logdoctor_parsers.json_rows import BEFORE, JsonRows, flatten, put_object, read_objects, unwrapped
from logdoctor_parsers.json_stream import LineIndex, key_offset
from logdoctor_parsers.names import words
from logdoctor_parsers.positions import EPOCH, STEP
from logdoctor_parsers.record_table import (
    NAME_OF_LONG,
    VALUE_OF_LONG,
    names_loss,
    names_quality,
    tabulate,
    tells_metric,
)
from logdoctor_parsers.records import Records
from logdoctor_parsers.text import decode

ONE_EPOCH = "JSON document of one epoch"
_OF_AN_EPOCH = re.compile(r"epoch[_-]?\d+\.json$", re.IGNORECASE)


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
        lines = [BEFORE.sub("", line) for line in physical_lines(head) if line.strip()]
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
        if len(objects) == 1 and "_runtime" in objects[0]:  # the summary of a run of Weights & Biases
            return Match.NO
        return rows_of_training(objects) if 2 * len(objects) >= len(lines) - 1 else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        content = file.read()
        lines, unterminated = byte_lines(content)
        if not _one_a_line(BEFORE.sub("", line) for line in lines if line.strip()):
            return self._parse_document(decode(content)[0], alone=_is_of_an_epoch(file))
        rows = JsonRows(lines, unterminated).read()
        table, facts = tabulate(rows.records)
        return ParsedLog(
            self.name,
            table,
            facts,
            first_problems(rows.broken),
            lines=len(rows.lines),
            data=rows.data,
            unreadable=len(rows.broken),
            ending=rows.ending,
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
        ending, problems = Ending(), list[Problem]()
        if not complete:
            at = lines.line(max([row.part.end for row in rows], default=0))
            message = f"damaged or cut off: what else stands from here on (lines {at} to {lines.last}) is left out"
            ending, problems = Ending("torn", lines.last, "the file is cut off"), [Problem(at, message)]
        dialect = ONE_EPOCH if alone else "JSON document"
        return ParsedLog(
            self.name,
            table,
            facts,
            tuple(problems),
            lines=lines.last,
            data=data,
            unreadable=len(problems),
            ending=ending,
            dialect=dialect,
        )


def _is_of_an_epoch(file: LogFile) -> bool:
    """Whether a file is called after its epoch, `metrics_epoch_3.json`: a row of a log, one of many files."""
    return _OF_AN_EPOCH.search(file.path.name) is not None


def _one_a_line(lines: Iterable[str]) -> bool:
    """Whether the first line that holds text holds a whole object, and is not all there is: a document of rows."""
    first, *others = [*islice(lines, 2), ""][:2]
    return bool(read_objects(first)[0]) and (any(others) or not read_document(first)[0])


def rows_of_training(objects: list[dict[str, Any]]) -> Match:
    """Whether objects are rows of a training log: metrics beside a counter, or losses."""
    told = losses = counters = 0
    for item in map(_named, map(unwrapped, objects)):
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
