"""Keras' CSVLogger files: separators, line ends, appended and torn files."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdoctor_parsers.keras_csv import PARSER
from tests.parsed import claims, column, facts, log_file, meaning, values

HEADER = "epoch,accuracy,loss,val_accuracy,val_loss"
ROWS = ["0,0.5,1.25,0.45,1.5", "1,0.625,1.0,0.5,1.375", "2,0.75,0.875,0.5625,1.25"]


def text(separator: str = ",", end: str = "\n") -> str:
    return end.join([HEADER, *ROWS, ""]).replace(",", separator)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_separators_and_line_ends(separator: str, end: str) -> None:
    file = log_file(text(separator, end))
    log = PARSER.parse(file)
    assert claims(file) == ["keras-csv"]
    assert values(log, "loss") == [1.25, 1.0, 0.875]
    assert column(log, "epoch", "val_loss") == [0, 1, 2]
    assert column(log, "line", "loss") == [2, 3, 4]
    assert (log.lines, log.data, log.unreadable, log.ending.kind) == (4, 3, 0, "open")


def test_byte_order_mark() -> None:
    file = log_file(b"\xef\xbb\xbf" + text().encode())
    assert claims(file) == ["keras-csv"]
    assert column(PARSER.parse(file), "epoch", "loss") == [0, 1, 2]


def test_splits_and_old_names() -> None:
    log = PARSER.parse(log_file("epoch,acc,loss,lr,val_acc,val_loss\n0,0.5,1.0,0.01,0.4,1.1\n"))
    assert meaning(log, "acc") == {("accuracy", "train")}
    assert meaning(log, "val_acc") == {("accuracy", "val")}
    assert meaning(log, "loss") == {("loss", "train")}
    assert meaning(log, "lr") == {("lr", "")}


def test_component_losses_keep_their_own_names() -> None:
    header = "epoch,capsnet_accuracy,capsnet_loss,decoder_loss,loss,val_capsnet_loss,val_loss"
    log = PARSER.parse(log_file(f"{header}\n0,0.5,0.3,0.07,0.37,0.4,0.5\n"))
    assert meaning(log, "loss") == {("loss", "train")}
    assert meaning(log, "decoder_loss") == {("decoder_loss", "train")}
    assert meaning(log, "val_capsnet_loss") == {("capsnet_loss", "val")}


def test_missing_values_give_no_rows_and_nan_stays() -> None:
    log = PARSER.parse(log_file("epoch,loss,val_loss\n0,1.0,1.5\n1,nan,NA\n2,inf,\n3,-inf,2.0\n"))
    loss = values(log, "loss")
    assert loss[0] == 1.0
    assert math.isnan(loss[1])
    assert loss[2:] == [math.inf, -math.inf]
    assert values(log, "val_loss") == [1.5, 2.0]
    assert column(log, "line", "val_loss") == [2, 5]


def test_logged_rate_of_the_validation_pass_is_no_learning_rate() -> None:
    log = PARSER.parse(log_file("epoch,learning_rate,loss,val_learning_rate,val_loss\n0,0.01,1.0,0.5,1.5\n"))
    assert [s.tag for s in log.table.series if s.metric == "lr"] == ["learning_rate"]


def test_appended_file_keeps_its_order_and_a_repeated_header_starts_anew() -> None:
    log = PARSER.parse(log_file("epoch,loss\n0,1.0\n1,0.9\nepoch,loss\n0,0.8\n"))
    assert column(log, "epoch", "loss") == [0, 1, 0]
    assert log.starts == (4,)


def test_appended_under_another_header() -> None:
    log = PARSER.parse(log_file("epoch,loss\n0,1.0\nepoch,accuracy,loss\n0,0.5,0.8\n"))
    assert values(log, "loss") == [1.0, 0.8]
    assert values(log, "accuracy") == [0.5]


def test_lines_of_another_width_are_problems() -> None:
    log = PARSER.parse(log_file("epoch,loss,val_loss\n0,1.0,1.5\n1,0.90,0.7,0.8\n2,0.8,1.2\n"))
    assert values(log, "loss") == [1.0, 0.8]
    assert log.unreadable == 1
    assert log.problems[0].line == 3


def test_torn_last_line_gives_no_value() -> None:
    log = PARSER.parse(log_file("epoch,loss,val_loss\n0,1.0,1.5\n1,0.90,1."))
    assert values(log, "loss") == [1.0]
    assert log.ending.kind == "torn"
    assert log.ending.line == 3


def test_complete_last_line_without_line_end_counts() -> None:
    log = PARSER.parse(log_file("epoch,loss,val_loss\n0,1.0000,1.5000\n1,0.9000,1.4000"))
    assert values(log, "val_loss") == [1.5, 1.4]
    assert log.ending.kind == "open"


def test_truncation_anywhere_invents_no_value() -> None:
    whole = text().encode()
    log = PARSER.parse(log_file(whole))
    true = {(s.tag, v) for s in log.table.series for v in values(log, s.tag)}
    for size in range(len(HEADER) + 1, len(whole)):
        log = PARSER.parse(log_file(whole[:size]))
        assert {(s.tag, v) for s in log.table.series for v in values(log, s.tag)} <= true


def test_hand_written_orders_are_not_keras() -> None:
    assert claims(log_file("epoch,loss,acc,val_loss,val_acc\n0,1.0,0.5,1.1,0.4\n")) == ["csv"]
    assert claims(log_file("epoch,train_loss,val_loss\n0,1.0,1.1\n")) == ["csv"]


def test_no_facts_are_made_up() -> None:
    assert facts(PARSER.parse(log_file(text()))) == {}


@given(st.lists(st.tuples(st.floats(width=64), st.floats(width=64)), min_size=1, max_size=20))
def test_round_trip(rows: list[tuple[float, float]]) -> None:
    lines = [f"{i},{loss!r},{val!r}" for i, (loss, val) in enumerate(rows)]
    log = PARSER.parse(log_file("\n".join(["epoch,loss,val_loss", *lines, ""])))
    for tag, index in (("loss", 0), ("val_loss", 1)):
        read = values(log, tag)
        assert all(same(value, row[index]) for value, row in zip(read, rows, strict=True))


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))
