"""Printed training logs: PyTorch's examples and frameworks, Hugging Face, MXNet, TensorFlow 1, darknet, home-made."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from logdoctor_parsers.checkpoints import checkpoints_in
from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog
from logdoctor_parsers.dialects import dialect_of
from logdoctor_parsers.names import ALIASES
from logdoctor_parsers.text import TextLines, decode, is_binary, lines_of
from logdoctor_parsers.text_ending import find_ending, last_lines
from logdoctor_parsers.text_generic import ReadText, read_text

_CODE = (".py", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".js", ".ts", ".java", ".go", ".rs", ".sh", ".tex", ".bib")
_DOCUMENTS = (".html", ".htm", ".xml", ".svg", ".css", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".prototxt", ".ipynb")
_RECORDS = (".json", ".jsonl", ".csv", ".pkl", ".npy", ".npz", ".pt", ".pth", ".png", ".jpg", ".pdf", ".zip")
_NOT_LOGS = _CODE + _DOCUMENTS + _RECORDS
_LATEX = re.compile(rb"This is \w*TeX|\\documentclass|LaTeX2e|Output written on")
_TELLING = re.compile(
    rb"(?i)(?:loss|acc|error|ppl|perplexity|entropy|reward|epoch|trl|\bstep|iter)[^\n]{0,40}?\d|avg, \d"
)
_WIDE = 64 * 1024 * 1024
MARKED_LINES = 2000  # searched for a dialect's mark
MIN_POINTS = 3  # of the longest series; with fewer, a progress bar's states are read too
MIN_LINES = 2  # data lines in a head that make a log


@dataclass(frozen=True)
class PyTorchParser:
    """Any text log whose lines name their numbers, and a few that do not."""

    name: str = "pytorch"
    description: str = (
        "printed text logs: PyTorch, Hugging Face, timm, MMEngine, Detectron2, Megatron, MXNet, TF1, darknet, home-made"
    )

    def sniff(self, file: LogFile) -> Match:
        """SURE for a dialect only one program prints; MAYBE where some lines tell values."""
        if self.surely(file):
            return Match.SURE
        if _is_other(file):
            return Match.NO
        if _is_log(_read(file.head)[1]):
            return Match.MAYBE
        return Match.MAYBE if _tells(file) else Match.NO

    def surely(self, file: LogFile) -> bool:
        """Whether `sniff` says SURE."""
        return not _is_other(file) and bool(dialect_of(decode(file.head)[0]))

    def parse(self, file: LogFile) -> ParsedLog:
        """Everything in the file. Errors: OSError where it cannot be read."""
        lines, found = _read(file.read())
        ending = find_ending(lines, found.last_data)
        if found.torn and ending.kind in ("open", "finished"):
            ending = Ending("torn", lines.physical, "the last line is cut")
        return ParsedLog(
            format=self.name,
            table=found.table,
            facts=found.facts,
            problems=found.problems,
            lines=lines.physical,
            data=found.data,
            unreadable=int(found.torn) + found.leftover.count,
            leftover=tuple(found.leftover.first),
            starts=found.starts,
            ending=ending,
            tail=last_lines(lines, ending),
            checkpoints=checkpoints_in(lines, found.singly),
            dialect=dialect_of("\n".join(lines.texts[:MARKED_LINES])),
        )


def _is_other(file: LogFile) -> bool:
    """Whether a file is no printed log by its name or its first bytes."""
    if file.path.suffix.lower() in _NOT_LOGS or _LATEX.search(file.head[:4096]) or is_binary(file.head):
        return True
    text = decode(file.head)[0].lstrip()
    return text[:1] in ("{", "[") and text[1:2] in ('"', "{", "\n")


def _read(data: bytes) -> tuple[TextLines, ReadText]:
    """A log's lines and what they say; the states that a progress bar overwrote count where there is little else."""
    lines = lines_of(data)
    found = read_text(lines)
    if (lines.overwritten or b"%|" in lines.texts.data) and np.bincount(
        found.table.code, minlength=1
    ).max() < MIN_POINTS:
        states = lines_of(data, states=True)
        more = read_text(states, states=True)
        if len(more.table) > len(found.table):
            return states, more
    return lines, found


def _is_log(found: ReadText) -> bool:
    """Whether lines tell a metric by a name of the field, or anything again and again; prose with numbers does not."""
    if found.data < MIN_LINES:
        return False
    points = np.bincount(found.table.code, minlength=len(found.table.series))
    metrics = {series.metric for series in found.table.series} - {"lr"}
    named = any(metric in ALIASES or metric.endswith("loss") for metric in metrics)
    return named or bool(points.max() >= MIN_POINTS)


def _tells(file: LogFile) -> bool:
    """Whether anything behind the head looks like a value: logs may begin with long dumps."""
    try:
        data = file.read(_WIDE)
    except (OSError, EOFError):
        return False
    return len(data) > len(file.head) and _TELLING.search(data, len(file.head)) is not None


PARSER = PyTorchParser()
