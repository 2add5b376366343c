"""Single damages, each of which once cost more than it touched or made up a number; `test_random_damage.py` finds more."""

from __future__ import annotations

import json

import numpy as np
import pytest

from logdoctor.reading import Read, read_file
from logdoctor_parsers import PARSERS, ParsedLog
from logdoctor_parsers.caffe import PARSER as CAFFE
from logdoctor_parsers.caffe_table import PARSER as CAFFE_TABLE
from logdoctor_parsers.keras_console import PARSER as KERAS_CONSOLE
from logdoctor_parsers.pytorch import PARSER as PYTORCH
from logdoctor_parsers.text import decode, is_binary, lines_of
from logdoctor_parsers.trainer_state import PARSER as TRAINER_STATE
from tests.parsed import column, log_file, values

LINES = [f"epoch {n} loss: {1 / n:.4f} acc: {0.5 + n / 100:.3f}\n" for n in range(1, 21)]


def read(content: bytes | str, name: str = "train.log") -> ParsedLog:
    found = read_file(log_file(content, name), PARSERS)
    assert isinstance(found, Read), found.reason
    return found.log


@pytest.mark.parametrize("end", ["'0.23", "'0.2375', 'eval_acc5': '0.8"])
def test_a_last_line_that_is_the_first_of_its_kind_may_be_cut(end: str) -> None:
    lines = [f"{{'loss': '{1 / n:.3f}', 'learning_rate': '0.03', 'epoch': '{n}'}}\n" for n in range(1, 8)]
    log = read("".join(lines) + "{'eval_loss': '1.934', 'eval_accuracy': " + end)
    assert values(log, "eval_loss") == [1.934]
    assert values(log, "eval_accuracy") == ([0.2375] if "acc5" in end else [])
    assert "eval_acc5" not in {series.tag for series in log.table.series}
    assert log.ending.kind == "torn"


def test_a_last_line_without_an_end_that_nothing_leaves_open_counts() -> None:
    assert values(read("".join(LINES) + "test accuracy: 0.731"), "test accuracy") == [0.731]


def test_a_number_before_the_same_name_again_is_none() -> None:
    lines = [*LINES]
    lines[9] = "epoch 10 loss: 4loss: 3.4 acc: 0.600\n"
    assert values(PYTORCH.parse(log_file("".join(lines))), "loss")[9] == 3.4


def test_a_table_of_caffe_whose_first_name_is_damaged() -> None:
    table = "##Iters Seconds TrainingLoss LearningRate\n0 0.0 2.3 0.01\n50 0.1 2.0 0.01\n"
    log = read(table, "caffe.log.train")
    assert log.format == "caffe-table"
    assert values(log, "Seconds") == [0.0, 0.1]


# text -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "torn",
    [
        "0.5\0003",
        "0.5\0\0\000",
        "\0003",
        "0.\0",
        "1e\00005",
        "5.2\ufffd1",
        "-0.81\ufffd",
        "\ufffd31",
        "0..7180",
        "1.l",
    ],
)
def test_half_a_number_is_none(torn: str) -> None:
    lines = [*LINES]
    lines[9] = f"epoch 10 loss: {torn} acc: 0.600\n"
    log = PYTORCH.parse(log_file("".join(lines)))
    assert len(values(log, "loss")) == 19
    assert len(values(log, "acc")) == 20 or "l" in torn


@pytest.mark.parametrize(
    "torn",
    [
        "loss: 8.0000e=04",
        "loss: 2.1581ek00",
        "loss: 7n3024",
        "loss: 15.\xf0M",
        "loss: 2.1m21e+00",
        "loss52.1860e+00",
        "loss 2.1cc@5 9.0",
        "loss: 3s: 1.2",
        "loss '1.12acc5': '0.9475'",
        "loss 1.6000e-]",
        "loss 0.767í",
    ],
)
def test_a_number_with_damage_inside_is_not_read_as_its_front_or_end(torn: str) -> None:
    lines = [f"epoch {n} loss {2 / n:.4e} acc: 0.600\n" for n in range(1, 21)]
    lines[9] = f"epoch 10 {torn} acc: 0.600\n"
    assert len(values(PYTORCH.parse(log_file("".join(lines))), "loss")) == 19


@pytest.mark.parametrize("torn", ["Acc@4e+00", "acc_6E+01", "acc@.4e+00", "acc7e+.5"])
def test_the_exponent_of_a_number_that_a_name_swallowed_is_none(torn: str) -> None:
    lines = [f"epoch {n} Loss {2 / n:.4e} Acc@1 {n:.2e} lr 1.0e-03\n" for n in range(1, 21)]
    lines[9] = f"epoch 10 Loss 2.0000e-01 {torn} lr 1.0e-03\n"
    table = PYTORCH.parse(log_file("".join(lines))).table
    assert table.value[table.line == 10].tolist() == [0.2, 0.001]


@pytest.mark.parametrize(("glued", "kept"), [("oss: 0.5", ["oss"]), ("acc: 0.5", ["acc", "loss"])])
def test_a_number_that_runs_into_the_rest_of_a_torn_name_is_none(glued: str, kept: list[str]) -> None:
    lines = [f"epoch {n} loss: {2 / n:.4f}\n" for n in range(1, 21)]
    lines[9] = f"epoch 10 loss: 0.25{glued}\n"
    table = PYTORCH.parse(log_file("".join(lines))).table
    tags = [table.series[code].tag for code in table.code[table.line == 10]]
    assert sorted(tags) == kept


def test_a_single_epoch_named_in_the_middle_places_its_own_line_only() -> None:
    lines = [f"step {n} loss {2 / n:.4f}\n" for n in range(1, 21)]
    lines[9] = "st:ep 96 loss 0.2000\n"
    table = PYTORCH.parse(log_file("".join(lines))).table
    assert np.flatnonzero(np.isfinite(table.epoch)).tolist() == np.flatnonzero(table.line == 10).tolist()
    lines[9] = "ep 1 loss 0.2000\n"
    assert np.isfinite(PYTORCH.parse(log_file("".join(lines))).table.epoch[9:]).all()
    lines[0] = "ep 1 loss 2.0000\n"
    assert np.isfinite(PYTORCH.parse(log_file("".join(lines))).table.epoch).all()


def test_a_comma_that_parts_no_thousands_joins_nothing() -> None:
    text = "".join(LINES).replace("loss: 0.1000", "loss: 93,75")
    assert 9375.0 not in values(PYTORCH.parse(log_file(text)), "loss")


def test_zero_bytes_in_a_text_do_not_make_it_binary() -> None:
    damaged = "".join(LINES).encode().replace(b"loss: 0.1000", bytes(12))
    assert not is_binary(damaged)
    assert len(values(read(damaged), "loss")) == 19
    assert is_binary(b"\x93NUMPY\x01\0v\0" + bytes(range(256)) * 4)
    assert is_binary(b"a.log".ljust(257, b"\0") + b"ustar\0" + b"epoch 1 loss: 0.5\n" * 50), "an archive is no log"


def test_a_log_that_begins_with_zeros_is_read() -> None:
    """Rotated by copying and truncating while the writer keeps its place."""
    assert len(values(read(bytes(5000) + "".join(LINES).encode()), "loss")) == 20


def test_an_open_escape_ends_with_its_line() -> None:
    assert list(lines_of(b"a\x1b]0;title\nloss 1\nloss 2\n"))[1:] == [(2, "loss 1"), (3, "loss 2")]


def test_chance_bytes_are_no_other_encoding() -> None:
    assert decode(b"loss 0.5\nloss 0.\xae4\n")[1] == "utf-8"
    assert decode("".join(LINES).encode() + b"\xd3\xd6\x8c\x10 8\xa2\n")[1] == "utf-8"
    assert decode("".join(LINES).encode() + b"loss: 1.27Y\xf2\xfdW=\xea\xcf\xf7\xab\t\xc7\xa5\xea473 8\n")[1] == "utf-8"
    assert decode("".join(LINES).encode() + "потеря 0.5 при ёлке".encode("cp1251"))[1] == "latin-1"
    assert decode("durée 5 s, loss 0.5 ÿ".encode("latin-1"))[1] == "latin-1"


def test_bytes_that_are_no_text_give_no_number() -> None:
    lines = [line.encode() for line in LINES]
    lines[9] = b"epoch 10 lo\xcdS\x01\xcf\x97k[\xcaGBJ 7477 \x11ss: 0.1000 acc: 0.600\n"
    log = PYTORCH.parse(log_file(b"".join(lines)))
    assert 10 not in log.table.line
    assert [line for line, _ in log.leftover] == [10]


# Caffe ----------------------------------------------------------------------------------------------------------------


def caffe(loss: str, net: str = "0") -> str:
    said = (f"Iteration 20, loss = {loss}", f"Iteration 20, Testing net (#{net})", "    Test net output #0: loss = 0.5",
            "Iteration 40, loss = 0.25")  # fmt: skip
    return "".join(f"I1122 16:15:5{n}.530028 20327 solver.cpp:228] {text}\n" for n, text in enumerate(said))


def test_a_number_of_caffe_torn_by_zeros_is_none() -> None:
    log = CAFFE.parse(log_file(caffe("0.5\0\0\0").encode()))
    assert values(log, "loss", "train") == [0.25]
    assert log.problems[0].line == 1


@pytest.mark.parametrize("net", ["-5", "6" * 40])
def test_a_test_net_with_an_impossible_number(net: str) -> None:
    assert values(CAFFE.parse(log_file(caffe("0.5", net))), "loss", "test") == [0.5]


def test_a_carriage_return_inside_a_table_shifts_no_line() -> None:
    table = b"#Iters Seconds TrainingLoss LearningRate\n0 0.1 2.5 0.1\n50 0.\r2 2.0 0.1\n100 0.3 1.5 0.1\n"
    log = CAFFE_TABLE.parse(log_file(table, "a.log.train"))
    assert column(log, "line", "TrainingLoss") == [2, 4]
    assert log.problems[0].line == 3


# Keras, Hugging Face --------------------------------------------------------------------------------------------------


def test_an_epoch_whose_header_is_damaged_is_named() -> None:
    text = "".join(f"Epoch {n}/3\n4/4 - 1s - loss: {n}.5000 - val_loss: {n}.7500\n" for n in (1, 2, 3))
    log = KERAS_CONSOLE.parse(log_file(text.replace("Epoch 2/3", "Ep#ch 2/3")))
    assert values(log, "loss") == [1.5, 3.5]
    assert [problem.line for problem in log.problems] == [4]


def test_an_epoch_whose_header_went_with_the_end_of_the_line_before_is_named() -> None:
    text = "".join(f"Epoch {n}/3\n4/4 - 1s - loss: {n}.5000 - val_loss: {n}.7500 - lr: 0.1\n" for n in (1, 2, 3))
    log = KERAS_CONSOLE.parse(log_file(text.replace(" - lr: 0.1\nEpoch 2/3", " - lrx: 9", 1)))
    assert values(log, "val_loss") == [1.75, 3.75]
    assert [problem.line for problem in log.problems] == [3]


def test_columns_whose_names_grew_together_give_no_number() -> None:
    table = "#Iters Seconds0TrainingLoss LearningRate\n" + "".join(
        f"{50 * n} 0.{n} {9 / (n + 1):.3f} 0.01\n" for n in range(9)
    )
    for parser in (CAFFE_TABLE, PYTORCH):
        assert len(parser.parse(log_file(table, "a.log.train")).table) == 0


def state() -> str:
    history = [{"loss": 1 / n, "epoch": n / 2, "step": 5 * n} for n in range(1, 9)]
    return json.dumps({"best_metric": None, "log_history": history, "max_steps": 40}, indent=1)


def test_a_damaged_entry_costs_itself_and_is_named_with_its_lines() -> None:
    text = state()
    log = TRAINER_STATE.parse(log_file(text.replace('"step": 15', '"st\0p" 15'), "trainer_state.json"))
    assert column(log, "step", "loss") == [5, 10, 20, 25, 30, 35, 40]
    assert "(lines 14 to" in log.problems[0].message
    assert log.ending.kind != "torn"


def test_two_entries_made_one_by_damage_are_not_believed() -> None:
    text = state()
    start = text.index('"epoch": 1.0')
    damaged = text[:start] + text[text.index('"loss"', start) :]  # two entries, grown together, name their loss twice
    log = TRAINER_STATE.parse(log_file(damaged, "trainer_state.json"))
    assert column(log, "step", "loss") == [5, 20, 25, 30, 35, 40]


def test_damage_before_the_history_costs_settings_only() -> None:
    log = TRAINER_STATE.parse(log_file(state().replace("null", "n#ll"), "trainer_state.json"))
    assert len(values(log, "loss")) == 8
    assert "settings" in log.problems[0].message
