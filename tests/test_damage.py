"""Every parser of tables, JSON, Keras output and notebooks survives any bytes, also those of another format."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor_parsers import Match, Parser
from logdoctor_parsers.csv_table import PARSER as CSV
from logdoctor_parsers.json_lines import PARSER as JSON_LINES
from logdoctor_parsers.keras_console import PARSER as KERAS_CONSOLE
from logdoctor_parsers.keras_csv import PARSER as KERAS_CSV
from logdoctor_parsers.keras_history import PARSER as KERAS_HISTORY
from logdoctor_parsers.notebook import PARSER as NOTEBOOK
from logdoctor_parsers.trainer_state import PARSER as TRAINER_STATE
from tests.parsed import log_file

PARSERS = (CSV, JSON_LINES, KERAS_CONSOLE, KERAS_CSV, KERAS_HISTORY, NOTEBOOK, TRAINER_STATE)
PIECES = st.sampled_from([
    b"epoch,loss\n", b"0,1.5\n", b",,\n", b"\r", b"\n", b'{"step": 1, "loss": 0.5}\n', b'{"log_history": [', b"]}",
    b"Epoch 1/2\n", b"4/4 - 1s - loss: 2.5\n", b'{"cells": [{"cell_type": 1}]}', b"\x80\x04", b"\xff\xfe",
    b'{"loss": [1, 2]', b"\x00", b'"', b"nan", b"\x08",
    b"\x93NUMPY\x01\x00v\x00{'descr': '|O'", b"{'loss': [1.0, 2.0, 3.0]}", b"\xe8\xae\xad", b"[[[[", b"1e999,", b"{}{}",
])  # fmt: skip


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=12))
def test_any_bytes(parser: Parser, pieces: list[bytes]) -> None:
    file = log_file(b"".join(pieces))
    assert parser.sniff(file) in set(Match)
    log = parser.parse(file)
    assert len(log.table) == 0 or log.table.line.min() >= 1
