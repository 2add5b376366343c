"""Jupyter notebooks: the text outputs of each cell, handed to the parser that recognises them.

Lines are those of the .ipynb file itself, where each string of an output stands on its own line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

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
    first_problems,
)
from logdoctor_parsers.notebook_outputs import Output, left_outputs, outputs
from logdoctor_parsers.table_builder import TableBuilder
from logdoctor_parsers.text import decode

_NOTEBOOK = re.compile(rb'^\s*\{\s*"(?:cells|metadata|nbformat)"')
_FEWEST_LINES = 3  # lines with numbers below which an unsure parser's find is taken for a chance hit


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
        found, lost = _outputs_of(text)
        read = [(output, log) for output in found if (log := _parse_output(file, output)) is not None]
        joined = _joined(self.name, read, lines)
        if not lost:
            return joined
        ending = joined.ending if text.rstrip().endswith("}") else Ending("torn", lines, lost[0].message)
        unreadable = joined.unreadable + len(lost) - 1
        return replace(joined, problems=(*lost, *joined.problems), unreadable=unreadable, ending=ending)


def _outputs_of(text: str) -> tuple[list[Output], tuple[Problem, ...]]:
    """All outputs; of a notebook that is no JSON what its lines hold, and what was lost."""
    try:
        return list(outputs(text, json.loads(text)["cells"])), ()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        last = text.rstrip("\n").count("\n") + 1
        place = min(error.lineno, last) if isinstance(error, json.JSONDecodeError) else 1
        left = f"of its lines (lines 1 to {last}) only whole outputs are read"
        found, lost = left_outputs(text)
        return found, (Problem(place, f"no whole notebook: cut off or damaged here; {left}"), *first_problems(lost))


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
