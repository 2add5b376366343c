"""Jupyter notebooks: the text outputs of each cell, handed to the parser that recognises them.

Lines are those of the .ipynb file itself, where each string of an output stands on its own line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np

from logdoctor_parsers.contract import (
    Checkpoint,
    Ending,
    Fact,
    LogFile,
    Match,
    ParsedLog,
    Parser,
    Problem,
    TableBuilder,
)
from logdoctor_parsers.json_stream import LineIndex
from logdoctor_parsers.text import decode

_NOTEBOOK = re.compile(rb'^\s*\{\s*"(?:cells|metadata|nbformat)"')
_FEWEST_LINES = 3  # lines with numbers below which an unsure parser's find is taken for a chance hit


@dataclass(frozen=True)
class Output:
    """The text a cell printed and, for each of its lines, the line of the notebook file."""

    text: str
    lines: list[int]


@dataclass(frozen=True)
class Notebook:
    """Saved notebooks whose outputs hold a training log."""

    name: str = "notebook"
    description: str = "Jupyter notebooks: the logs printed in their outputs"

    def sniff(self, file: LogFile) -> Match:
        try:
            head = file.head
        except (OSError, EOFError):
            return Match.NO
        named = ".ipynb" in file.path.suffixes[-2:]
        return Match.SURE if named or (_NOTEBOOK.match(head) and b'"cell_type"' in head) else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        text = decode(file.read())[0]
        lines = text.count("\n") + (not text.endswith("\n"))
        try:
            cells = json.loads(text)["cells"]
        except (ValueError, KeyError, TypeError, RecursionError):
            problems = (Problem(0, "no complete notebook: the file is cut off or damaged"),)
            return ParsedLog(self.name, TableBuilder().build(), problems=problems, lines=lines, ending=Ending("torn"))
        read = [(output, log) for output in _outputs(text, cells) if (log := _parse_output(file, output)) is not None]
        return _joined(self.name, read, lines)


def _outputs(text: str, cells: list[Any]) -> Iterator[Output]:
    """One text a cell, in file order."""
    index, position = LineIndex(text), 0
    for cell in cells:
        parts: list[str] = []
        numbers: list[int] = []
        for piece in _pieces(cell):
            position = max(position, text.find(_as_written(text, piece, position), position))
            parts.append(piece)
            numbers.extend([index.line(position)] * piece.count("\n"))
        if parts:
            yield Output("".join(parts), [*numbers, index.line(position)])


def _pieces(cell: Any) -> Iterator[str]:
    """The strings of a cell's stream outputs and plain-text results."""
    for output in cell.get("outputs", []) if isinstance(cell, dict) else []:
        text = output.get("text") or (output.get("data") or {}).get("text/plain") or []
        yield from ([text] if isinstance(text, str) else [piece for piece in text if isinstance(piece, str)])


def _as_written(text: str, piece: str, position: int) -> str:
    """A string as it stands in the file: non-ASCII characters plain (as Jupyter writes) or escaped."""
    plain = json.dumps(piece, ensure_ascii=False)
    return plain if piece.isascii() or text.find(plain, position) >= 0 else json.dumps(piece)


def _parse_output(file: LogFile, output: Output) -> ParsedLog | None:
    """What one of the other parsers reads in a cell's output, or None."""
    part = LogFile(file.path.with_suffix(".txt"), f"{file.name}.txt", output.text.encode())
    match, parser = max(((parser.sniff(part), parser) for parser in _other_parsers()), key=itemgetter(0))
    if match is Match.NO:
        return None
    log = parser.parse(part)
    enough = len(np.unique(log.table.line)) >= (1 if match is Match.SURE else _FEWEST_LINES)
    return log if len(log.table) and enough else None


def _other_parsers() -> Sequence[Parser]:
    from logdoctor_parsers import PARSERS  # the list holds this parser too: imported late

    return [parser for parser in PARSERS if not isinstance(parser, Notebook)]


def _joined(name: str, read: list[tuple[Output, ParsedLog]], lines: int) -> ParsedLog:
    """One log of all cells' logs, with the notebook's own line numbers."""
    builder = TableBuilder()
    facts: list[Fact] = []
    problems: list[Problem] = []
    starts: list[int] = []
    checkpoints: list[Checkpoint] = []
    for output, log in read:
        place = np.array([0, *output.lines])
        table = log.table
        numbers = place[np.clip(table.line, 0, len(place) - 1)]
        for code, series in enumerate(table.series):
            own = table.code == code
            builder.extend(
                series.tag,
                table.value[own],
                numbers[own],
                step=table.step[own],
                epoch=table.epoch[own],
                batch=table.batch[own],
                batches=table.batches[own],
                wall_time=table.wall_time[own],
                metric=series.metric,
                split=series.split,
            )
        line = [int(number) for number in place]
        facts += [Fact(fact.name, fact.value, line[min(fact.line, len(line) - 1)]) for fact in log.facts]
        problems += [Problem(line[min(each.line, len(line) - 1)], each.message) for each in log.problems]
        starts += [line[min(start, len(line) - 1)] for start in log.starts]
        checkpoints += [replace(each, line=line[min(each.line, len(line) - 1)]) for each in log.checkpoints]
    last = read[-1][1].ending if read else Ending()
    return ParsedLog(
        name,
        builder.build(),
        tuple(facts),
        tuple(problems),
        lines=lines,
        data=sum(log.data for _, log in read),
        unreadable=sum(log.unreadable for _, log in read),
        starts=tuple(starts),
        ending=Ending(last.kind, 0, last.message) if last.kind != "torn" else Ending(),
        tail=read[-1][1].tail if read else (),
        checkpoints=tuple(checkpoints),
        dialect=", ".join(dict.fromkeys(log.format for _, log in read)),
    )


PARSER = Notebook()
