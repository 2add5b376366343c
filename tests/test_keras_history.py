"""Saved histories: JSON, printed dicts, pickles that are safe to read and pickles that are not."""

from __future__ import annotations

import io
import json
import os
import pickle

import numpy as np
import pytest

from logdoctor_parsers.history_pickle import is_pickle, unpickle_history
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


def test_pickle_of_something_else() -> None:
    with pytest.raises(ValueError, match="not a dict"):
        unpickle_history(pickle.dumps([1, 2]))
