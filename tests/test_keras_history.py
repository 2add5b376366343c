"""Saved histories: JSON, printed dicts, pickles that are safe to read and pickles that are not."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct

import numpy as np
import pytest

from logdoctor_parsers.history_pickle import is_pickle, left_of_pickle, unpickle_history
from logdoctor_parsers.keras_history import PARSER
from tests.parsed import claims, column, log_file, meaning, recognised, values

HISTORY = {"loss": [1.5, 1.25, 1.0], "acc": [0.5, 0.625, 0.75], "val_loss": [1.75, 1.5, 1.625], "lr": [0.1, 0.1, 0.01]}


@pytest.mark.parametrize("indent", [None, 4])
def test_json(indent: int | None) -> None:
    text = json.dumps(HISTORY, indent=indent)
    file = log_file(text, "history.json")
    log = PARSER.parse(file)
    assert claims(file) == ["keras-history"]
    assert values(log, "val_loss") == [1.75, 1.5, 1.625]
    assert column(log, "epoch", "loss") == [1, 2, 3]
    assert meaning(log, "loss") == {("loss", "train")}
    assert meaning(log, "val_loss") == {("loss", "val")}
    assert meaning(log, "lr") == {("lr", "")}
    lines = text.splitlines()
    assert all("1.625" in lines[int(n) - 1] for n in column(log, "line", "val_loss")[-1:])


def test_pandas_json() -> None:
    text = json.dumps({key: {str(i): v for i, v in enumerate(each)} for key, each in HISTORY.items()})
    assert values(PARSER.parse(log_file(text, "history.json")), "loss") == [1.5, 1.25, 1.0]


def test_folds_are_told_apart_by_keys_that_come_again() -> None:
    log = PARSER.parse(log_file(json.dumps([HISTORY, HISTORY])))
    assert sorted(column(log, "epoch", "loss")) == [1, 1, 2, 2, 3, 3]


def test_dict_printed_into_a_log_of_another_encoding() -> None:
    dump = repr({key: HISTORY[key] for key in ("val_loss", "loss")})
    head = "2018-09-15 INFO 训练配置: [299, 299]\r\nINFO {'betas': [0.9, 0.99]}\r\n"
    text = f"{head}2018-09-16 INFO {dump}\r\nINFO [0.5, 0.8]\r\n"
    log = PARSER.parse(log_file(text.encode("gb18030"), "keras.log"))
    assert values(log, "loss") == [1.5, 1.25, 1.0]
    assert column(log, "line", "loss") == [3, 3, 3]
    assert {s.tag for s in log.table.series} == {"loss", "val_loss"}


def test_numpy_scalars_in_a_printed_dict() -> None:
    text = "{'loss': [np.float32(1.5), np.float32(nan)], 'acc': array([0.5, 0.25], dtype=float32)}\n"
    log = PARSER.parse(log_file(text))
    assert values(log, "loss")[0] == 1.5
    assert values(log, "acc") == [0.5, 0.25]


def test_cut_off_json_keeps_what_stands_whole_before_the_cut() -> None:
    text = json.dumps(HISTORY)
    log = PARSER.parse(log_file(text[: text.index("1.625")], "history.json"))
    assert values(log, "val_loss") == [1.75]
    assert "(lines 1 to 1) of a list of numbers cannot be read" in log.problems[0].message
    assert values(log, "loss") == [1.5, 1.25, 1.0]
    assert log.ending.kind == "torn"


@pytest.mark.parametrize("damaged", ["1.5, 1.\ufffd5, 1.0", "1.5, 1.2 [ 1.0", "1.5, 1.3x, 1.0"])
def test_damage_inside_a_list_costs_the_numbers_it_touched(damaged: str) -> None:
    text = json.dumps(HISTORY, indent=1).replace("1.5,\n  1.25,\n  1.0", damaged, 1)
    log = PARSER.parse(log_file(text, "history.json"))
    assert values(log, "loss") == ([1.5] if "[" in damaged else [1.5, 1.0])
    assert column(log, "epoch", "loss") == ([1] if "[" in damaged else [1, 3])
    assert values(log, "val_loss") == [1.75, 1.5, 1.625]
    assert column(log, "epoch", "val_loss") == [1, 2, 3]
    assert "cannot be read: left out" in log.problems[0].message


def test_lists_that_are_no_history() -> None:
    assert not recognised(log_file(json.dumps({"x": [1, 2, 3], "y": [4, 5, 6]}), "points.json"))
    assert not recognised(log_file(json.dumps({"model": {"layers": [64, 64], "lr": 0.1}}, indent=1), "config.json"))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle(protocol: int) -> None:
    history = {key: [np.float64(v) for v in each] for key, each in HISTORY.items()}
    log = PARSER.parse(log_file(pickle.dumps(history, protocol), "trainHistoryDict"))
    assert values(log, "loss") == [1.5, 1.25, 1.0]
    arrays = {key: np.array(each, np.float32) for key, each in HISTORY.items()}
    assert unpickle_history(pickle.dumps(arrays, protocol))["val_loss"] == [1.75, 1.5, 1.625]


def test_npy_that_holds_a_dict() -> None:
    stream = io.BytesIO()
    np.save(stream, np.array(HISTORY, dtype=object), allow_pickle=True)
    assert is_pickle(stream.getvalue())
    assert values(PARSER.parse(log_file(stream.getvalue(), "history.npy")), "loss") == [1.5, 1.25, 1.0]


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo hostile loss",)


def test_pickle_that_would_run_code_is_refused() -> None:
    content = pickle.dumps({"loss": [1.0], "x": Hostile()})
    with pytest.raises(ValueError, match="system"):
        unpickle_history(content)
    log = PARSER.parse(log_file(content, "history.pkl"))
    assert len(log.table) == 0
    assert "pickle not read" in log.problems[0].message


def test_damaged_pickles_are_refused() -> None:
    content = pickle.dumps({key: [np.float64(v) for v in each] for key, each in HISTORY.items()})
    for size in range(2, len(content) - 1, 7):
        with pytest.raises(ValueError, match=r".+"):
            unpickle_history(content[:size])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_of_a_pickle_cut_off_the_numbers_before_the_cut_are_read(protocol: int) -> None:
    content = pickle.dumps(HISTORY, protocol)
    for size in range(2, len(content)):
        for key, numbers in left_of_pickle(content[:size]).items():
            assert numbers == HISTORY[key][: len(numbers)]
    log = PARSER.parse(log_file(content[: content.rindex(struct.pack(">d", 1.625)) + 8], "history.pkl"))
    assert values(log, "loss") == [1.5, 1.25, 1.0]
    assert values(log, "val_loss") == [1.75, 1.5]
    assert column(log, "epoch", "val_loss") == [1, 2]
    assert "numbers in front of the damage" in log.problems[0].message


def test_what_a_damaged_pickle_calls_is_not_called() -> None:
    content = pickle.dumps({"loss": [1.0, 2.0], "x": Hostile(), "acc": [1.0, 2.0]})
    assert set(left_of_pickle(content)) <= {"loss"}
    assert len(PARSER.parse(log_file(content, "history.pkl")).table) == 0


FOUR = {
    key: [float(f"{n}.{place}25") for n in range(1, 21)]
    for place, key in enumerate(("acc", "loss", "val_acc", "val_loss"))
}


def test_a_list_of_another_length_costs_the_others_no_epoch() -> None:
    for text in (
        json.dumps(FOUR, indent=1).replace("5.125,", "5.125, 5.125,"),
        json.dumps(FOUR).replace("5.125, ", ""),
    ):
        log = PARSER.parse(log_file(text, "history.json"))
        for key in ("acc", "val_acc", "val_loss"):
            assert column(log, "epoch", key) == list(range(1, 21))
        assert np.isnan(column(log, "epoch", "loss")).all()
        assert "'loss'" in log.problems[0].message and "epochs not known" in log.problems[0].message


@pytest.mark.parametrize(("was", "now", "lost"), [(" 5.125", " 5,125", {5}), (" 5.125, 6.125", " 5.16.125", {5, 6}),
                                                  (" 5.125, 6.125", " 5.1250000000000001", {5, 6})])  # fmt: skip
def test_a_number_that_damage_made_costs_itself(was: str, now: str, lost: set[int]) -> None:
    log = PARSER.parse(log_file(json.dumps(FOUR).replace(was, now), "history.json"))
    epochs = [n for n in range(1, 21) if n not in lost]
    assert column(log, "epoch", "loss") == epochs
    assert values(log, "loss") == [n + 0.125 for n in epochs]
    assert log.problems


def test_numbers_behind_damage_that_may_be_of_another_list_are_left_out() -> None:
    text = json.dumps(FOUR)
    start, end = text.index("6.125"), text.index("9.225")
    log = PARSER.parse(log_file(text[:start] + "#" * (end - start) + text[end:], "history.json"))
    assert values(log, "loss") == [n + 0.125 for n in range(1, 6)]
    assert column(log, "epoch", "loss") == [1, 2, 3, 4, 5]
    assert any("epochs that are not certain" in problem.message for problem in log.problems)


def test_validation_done_less_often_shifts_no_epoch() -> None:
    history = {"loss": [3.0, 2.0, 1.0, 0.5], "val_loss": [2.0, 1.0], "val_acc": [0.5, 0.75]}
    log = PARSER.parse(log_file(json.dumps(history), "history.json"))
    assert np.isnan([*column(log, "epoch", "val_loss"), *column(log, "epoch", "loss")]).all()


def test_a_history_cut_off_in_its_first_list_is_read() -> None:
    text = json.dumps(FOUR)
    file = log_file(text[: text.index("4.025")], "history.json")
    assert claims(file) == ["keras-history"]
    assert values(PARSER.parse(file), "acc") == [1.025, 2.025]
    assert column(PARSER.parse(file), "epoch", "acc") == [1.0, 2.0]


def test_pickle_of_something_else() -> None:
    with pytest.raises(ValueError, match="not a dict"):
        unpickle_history(pickle.dumps([1, 2]))
