"""CSV and TSV tables of other trainers: Lightning, timm, Ultralytics YOLO, Chainer, pandas dumps, hand-written ones.

One row holds what was logged at one moment, under the header's names. Cells may be empty: Lightning writes training,
validation and learning rate in rows of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from logdoctor_parsers.contract import LogFile, Match, ParsedLog
from logdoctor_parsers.delimited import (
    Header,
    describes_training,
    header_of,
    in_keras_order,
    parsed,
    read_rows,
)
from logdoctor_parsers.records import tabulate


@dataclass(frozen=True)
class CsvTable:
    """Any delimited table whose header names metrics of training."""

    name: str = "csv"
    description: str = "CSV/TSV tables of metrics: Lightning, timm, YOLO, pandas, hand-written"

    def sniff(self, file: LogFile) -> Match:
        header = header_of(file)
        if header is None or in_keras_order(header):
            return Match.NO
        return describes_training(header)

    def parse(self, file: LogFile) -> ParsedLog:
        found, header = read_rows(file)
        table, facts = tabulate(found.records)
        return parsed(self.name, found, table, facts, _dialect(header))


def _dialect(header: Header) -> str:
    names = set(header.names)
    if any(name.startswith("metrics/") for name in names):
        return "Ultralytics YOLO results"
    if {"epoch", "step"} <= names:
        return "Lightning metrics"
    return "table"


PARSER = CsvTable()
