"""Parsers of training logs: each reads one format into one common table.

`PARSERS` is the list, in the order in which a `MAYBE` wins. Third-party parsers join by the entry point group
`logdoctor.parsers`.
"""

from __future__ import annotations

from logdoctor_parsers.caffe import PARSER as CAFFE
from logdoctor_parsers.caffe_table import PARSER as CAFFE_TABLE
from logdoctor_parsers.contract import (
    COLUMNS,
    AmbiguousFormatError,
    Checkpoint,
    Ending,
    Fact,
    LogFile,
    Match,
    ParsedLog,
    Parser,
    Problem,
    Series,
    Table,
    choose,
)
from logdoctor_parsers.csv_table import PARSER as CSV
from logdoctor_parsers.json_lines import PARSER as JSON_LINES
from logdoctor_parsers.keras_console import PARSER as KERAS_CONSOLE
from logdoctor_parsers.keras_csv import PARSER as KERAS_CSV
from logdoctor_parsers.keras_history import PARSER as KERAS_HISTORY
from logdoctor_parsers.notebook import PARSER as NOTEBOOK
from logdoctor_parsers.pytorch import PARSER as PYTORCH
from logdoctor_parsers.table_builder import TableBuilder
from logdoctor_parsers.tensorboard import PARSER as TENSORBOARD
from logdoctor_parsers.trainer_state import PARSER as TRAINER_STATE

PARSERS: tuple[Parser, ...] = (
    TENSORBOARD,
    CAFFE,
    CAFFE_TABLE,
    NOTEBOOK,
    TRAINER_STATE,
    KERAS_CSV,
    CSV,
    JSON_LINES,
    KERAS_CONSOLE,
    KERAS_HISTORY,
    PYTORCH,
)

__all__ = [
    "COLUMNS",
    "PARSERS",
    "AmbiguousFormatError",
    "Checkpoint",
    "Ending",
    "Fact",
    "LogFile",
    "Match",
    "ParsedLog",
    "Parser",
    "Problem",
    "Series",
    "Table",
    "TableBuilder",
    "choose",
]
