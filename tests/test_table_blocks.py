"""Tables read a block at a time say what they say read cell by cell, whatever stands in them."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor_parsers import ParsedLog, delimited_rows
from logdoctor_parsers.csv_table import PARSER
from logdoctor_parsers.keras_csv import PARSER as KERAS
from tests.parsed import column, log_file, values

plain = st.one_of(
    st.floats().map(repr),
    st.floats(0, 1).map("{:.4f}".format),
    st.integers(-(10**22), 10**22).map(str),
    st.sampled_from(["0.5", "1e-05", "1E+05", "nan", "inf", "-inf", "1e999", "-0", "007"]),
)
odd = st.sampled_from(
    ["", "", " 0.5 ", "  ", "\t0.5", ".5", "5.", "+0.25", "12.5%", "tensor(0.5)", "tensor(0.5", "1_000", "0x10", "NA", "n/a",
     "-", "--", ".", "e5", "1e", "nano", "oops", "-nan", "1.#INF", "1 2", "2024-01-01", "1,5", "-,5", ",5", "1,5e3", "1,2,3",
     '"0.5"', '"1,5"', '""', '"', '"a""b"', '" 0.5 "', ' "0.5"', '"0.5" ', "#", "# 1", "train", "loss", "step", "phase", "٣",
     "é", "0.5\xa0", "\r", "\x00", "1\x000", "1" * 50, "0." + "1" * 60, "1.5;2", "1|2"]
)  # fmt: skip
lines_of_their_own = st.sampled_from(
    ["", " ", "# comment", "step,loss,phase,val_loss", "step;loss;phase;val_loss", "loss,step,phase,lr", "1,2", "1,2,3,4,,",
     "1,2,3,4,5", "torn,", ",,,", ";;;", "\t\t\t", '"1","2","3","4"', '1,"2,3",4', "Traceback (most recent call last):"]
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, int]:
    """A table most of whose cells are plain, and where it is cut."""
    delimiter = draw(st.sampled_from(",,;\t"))
    columns = [draw(st.sampled_from([plain, plain, odd, plain | odd])) for _ in range(4)]
    rows = draw(st.lists(st.tuples(*columns).map(delimiter.join), max_size=25))
    for line in draw(st.lists(lines_of_their_own, max_size=3)):
        rows.insert(draw(st.integers(0, len(rows))), line)
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = end.join([delimiter.join(["step", "loss", "phase", "val_loss"]), *rows]) + end
    return text, draw(st.sampled_from([0, 0, 1, 2, 3, 9]))


def read(text: str, few: int) -> ParsedLog:
    """What is read where blocks begin behind so many lines."""
    with patch.object(delimited_rows, "_FEW", few):
        return PARSER.parse(log_file(text, "m.csv"))


def same(a: ParsedLog, b: ParsedLog) -> None:
    for name in ("facts", "problems", "lines", "data", "unreadable", "starts", "ending"):
        assert getattr(a, name) == getattr(b, name), name
    assert a.table.series == b.table.series
    for name in ("code", "step", "epoch", "batch", "batches", "wall_time", "value", "line"):
        np.testing.assert_array_equal(getattr(a.table, name), getattr(b.table, name), name)


@settings(max_examples=300, deadline=None)
@given(table=tables(), few=st.sampled_from([1, 3]))
def test_blocks_say_what_cells_say(table: tuple[str, int], few: int) -> None:
    text, cut = table
    text = text[: len(text) - cut]
    same(read(text, few), read(text, 10**9))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_most_lines_are_read_in_blocks(delimiter: str) -> None:
    rows = [f"{n},{n / 7!r},{'' if n % 3 else n / 9},run-{n % 2},2024-01-01 00:00:{n % 60:02}" for n in range(3000)]
    text = "\n".join(["step,loss,val_loss,run,date", *rows, ""]).replace(",", delimiter)
    with patch.object(delimited_rows, "split_cells", wraps=delimited_rows.split_cells) as singly:
        log = PARSER.parse(log_file(text, "m.csv"))
    assert singly.call_count < 100
    assert values(log, "loss") == [n / 7 for n in range(3000)]
    assert column(log, "line", "val_loss") == [n + 2 for n in range(0, 3000, 3)]
    same(log, read(text, 10**9))


def test_decimal_commas_percent_signs_and_quotes_in_blocks() -> None:
    rows = [f'{n};"{n / 8:.3f}";{n % 100},5%;-{n},25' for n in range(500)]
    text = "\n".join(["step;loss;acc;val_loss", *rows, ""])
    log = PARSER.parse(log_file(text, "m.csv"))
    assert values(log, "val_loss") == [-n - 0.25 for n in range(500)]
    assert values(log, "loss") == [n / 8 for n in range(500)]
    assert log.unreadable == 0
    same(log, read(text, 10**9))


def test_another_header_in_the_middle_of_a_block() -> None:
    rows = [f"{n},{n / 8}" for n in range(300)]
    text = "\n".join(["step,loss", *rows, "step,accuracy,loss", *(f"{n},0.5,{n / 4}" for n in range(300)), ""])
    log = PARSER.parse(log_file(text, "m.csv"))
    assert values(log, "loss") == [n / 8 for n in range(300)] + [n / 4 for n in range(300)]
    assert values(log, "accuracy") == [0.5] * 300
    assert log.starts == (302,)
    same(log, read(text, 10**9))


def test_a_row_that_names_a_column_and_tells_numbers_with_decimal_commas_is_no_header() -> None:
    text = "step;loss;phase\n" + "".join(f"{n};0,{n}5;loss\n" for n in range(1, 9))
    assert len(values(PARSER.parse(log_file(text, "m.csv")), "loss")) == 8


def test_a_torn_last_line_behind_blocks_gives_no_value() -> None:
    rows = [f"{n},0.5,{n / 1000:.6f}" for n in range(1000)]
    text = "\n".join(["epoch,loss,val_loss", *rows])
    for parser in (PARSER, KERAS):
        assert len(values(parser.parse(log_file(text)), "val_loss")) == 1000
        torn = parser.parse(log_file(text[:-2]))
        assert len(values(torn, "val_loss")) == 999
        assert (torn.ending.kind, torn.ending.line) == ("torn", 1001)
