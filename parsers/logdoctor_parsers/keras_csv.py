"""CSV files of Keras' `CSVLogger` callback.

The header is `epoch`, then the keys of the epoch's `logs` sorted; one row an epoch, epochs count from 0. Values of the
validation set are prefixed `val_`, missing ones are `NA`. `append=True` continues a file without a new header, so that
`epoch` may fall back.
"""

from __future__ import annotations

from dataclasses import dataclass

from logdoctor_parsers.contract import LogFile, Match, ParsedLog
from logdoctor_parsers.delimited import header_of, in_keras_order
from logdoctor_parsers.delimited_rows import parsed, read_rows
from logdoctor_parsers.record_table import tabulate


@dataclass(frozen=True)
class KerasCsv:
    """Keras CSVLogger, any separator; a key without `val_` is the training set's."""

    name: str = "keras-csv"
    description: str = "CSV files of Keras' CSVLogger callback"

    def sniff(self, file: LogFile) -> Match:
        header = header_of(file)
        return Match.SURE if header is not None and in_keras_order(header) else Match.NO

    def parse(self, file: LogFile) -> ParsedLog:
        found, header = read_rows(file)
        table, facts = tabulate(found.records, bare_split="train")
        return parsed(self.name, found, table, facts, f"{len(header.names)} columns by {header.delimiter!r}")


PARSER = KerasCsv()
