"""The tables Caffe's own tools make of a log: `parse_log.sh` (`foo.log.train`, `foo.log.test`), `parse_log.py` (CSV).

`#Iters Seconds TrainingLoss LearningRate` with columns of spaces, or `NumIters,Seconds,LearningRate,loss`. Seconds
count from the start of the run, so they are a series of their own and no wall time. `parse_log.py` prints each learning
rate one line late where it changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from logdoctor_parsers.caffe_scan import parse_number
from logdoctor_parsers.contract import Ending, LogFile, Match, ParsedLog, first_problems
from logdoctor_parsers.table_builder import TableBuilder

HEADER = re.compile(rb"\s*\S{0,16}Iters(?:\s+|,)Seconds\b.*")  # `#Iters Seconds`, `NumIters,Seconds`; damaged `##Iters`
SPLITS = {"TrainingLoss": "train", "TestAccuracy": "test", "TestLoss": "test"}


@dataclass(frozen=True)
class CaffeTableParser:
    """Reads the tables of `parse_log.sh` and `parse_log.py`; column or file ending tell the split."""

    name: str = "caffe-table"
    description: str = "Tables made of Caffe logs by parse_log.sh (.train, .test) and parse_log.py (CSV)"

    def sniff(self, file: LogFile) -> Match:
        """SURE where the first line is one of the two headers."""
        return Match.SURE if HEADER.match(file.head) else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        """Everything in the file. Errors: OSError where it cannot be read."""
        content = file.read()
        lines = _lines(content)
        cut = len(lines) > 1 and not content.endswith((b"\n", b"\r"))  # both tools end every row they write
        separator = b"," if b"," in lines[0] else None
        columns = [cell.decode("utf-8", "replace").strip() for cell in lines[0].lstrip(b"# ").split(separator)]
        whole = lines[1:-1] if cut else lines[1:]
        rows = [(number, line.split(separator)) for number, line in enumerate(whole, 2) if line.strip()]
        readable = [_readable(cells, len(columns)) for _, cells in rows]
        good = [row for row, fine in zip(rows, readable, strict=True) if fine]
        what = f"does not hold the header's {len(columns)} numbers"
        bad = [(number, what) for (number, _), fine in zip(rows, readable, strict=True) if not fine]
        return ParsedLog(
            self.name,
            _table(columns, good, _split(file.name)).build(),
            problems=first_problems(bad),
            lines=len(lines),
            data=len(good),
            unreadable=len(bad),
            ending=Ending("torn", len(lines), "the last line is cut off") if cut else Ending(),
        )


PARSER = CaffeTableParser()


def _lines(content: bytes) -> list[bytes]:
    """The lines as an editor counts them; the carriage returns of Windows and old Macs are no part of them."""
    ends = b"\n" if b"\n" in content else b"\r"
    lines = content.split(ends)
    return [line.rstrip(b"\r") for line in (lines[:-1] if len(lines) > 1 and not lines[-1] else lines)]


def _readable(cells: list[bytes], width: int) -> bool:
    """Whether a row has an iteration, then numbers or nothing (parse_log.py leaves out what the log left out)."""
    filled = [cell for cell in cells if cell.strip()]
    return len(cells) == width and bool(cells[0].strip()) and all(parse_number(cell) is not None for cell in filled)


def _split(name: str) -> str:
    """`.train` and `.test` are the endings both tools use."""
    return next((split for split in ("train", "test") if name.endswith(f".{split}")), "")


def _table(columns: list[str], rows: list[tuple[int, list[bytes]]], split: str) -> TableBuilder:
    builder = TableBuilder()
    step = [parse_number(cells[0]) for _, cells in rows]
    for index, column in enumerate(columns[1:], 1):
        told = [row for row, (_, cells) in enumerate(rows) if cells[index].strip()]
        if not told:
            continue
        rate, seconds = column == "LearningRate", column == "Seconds"
        builder.extend(
            column,
            np.array([parse_number(rows[row][1][index]) for row in told], np.float64),
            np.array([rows[row][0] for row in told], np.int64),
            step=np.array([step[row] for row in told], np.float64),
            metric="seconds" if seconds else None,
            split="" if rate or seconds else SPLITS.get(column, split),
        )
    return builder
