"""JSON lines and JSON documents of other trainers."""

from __future__ import annotations

import json
import math
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor_parsers import ParsedLog, json_rows
from logdoctor_parsers.json_lines import PARSER
from tests.parsed import claims, column, facts, log_file, meaning, recognised, values

FLAT = (
    '{"step": 0, "epoch": 0.0, "loss": 2.5, "train_acc": 0.25}\n'
    '{"step": 32, "epoch": 1.0, "val_loss": 2.25, "val_acc": 0.5}\n'
    '{"step": 32, "epoch": 1.0, "loss": 2.0, "train_acc": 0.5}\n'
)
MODES = (
    '{"env_info": "sys.platform: linux\\nPython: 3.9", "seed": 7, "exp_name": "a.py"}\n'
    '{"mode": "train", "epoch": 1, "iter": 10, "lr": 0.01, "loss_cls": 0.5, "loss": 2.5, "time": 0.3}\n'
    '{"mode": "train", "epoch": 1, "iter": 20, "lr": 0.01, "loss_cls": 0.25, "loss": 2.0, "time": 0.3}\n'
    '{"mode": "val", "epoch": 1, "iter": 586, "lr": 0.01, "mAP": 0.5}\n'
    '{"mode": "train", "epoch": 2, "iter": 10, "lr": 0.001, "loss_cls": 0.25, "loss": 1.5, "time": 0.3}\n'
)


def test_flat_rows() -> None:
    file = log_file(FLAT, "log.jsonl")
    log = PARSER.parse(file)
    assert claims(file) == ["json-lines"]
    assert values(log, "loss") == [2.5, 2.0]
    assert meaning(log, "loss") == {("loss", "train")}
    assert column(log, "step", "val_loss") == [32]
    assert column(log, "line", "loss") == [1, 3]


def test_rows_with_a_mode_count_batches_inside_the_epoch() -> None:
    log = PARSER.parse(log_file(MODES, "a.log.json"))
    assert column(log, "batch", "loss") == [10, 20, 10]
    assert column(log, "epoch", "loss") == [1, 1, 2]
    assert meaning(log, "loss") == {("loss", "train")}
    assert meaning(log, "loss_cls") == {("loss_cls", "train")}
    assert meaning(log, "mAP") == {("map", "val")}
    assert math.isnan(column(log, "batch", "mAP")[0])
    assert facts(log) == {"seed": 7, "experiment": "a.py"}


def test_evaluation_by_iteration_belongs_to_the_last_update() -> None:
    rows = [("train", 50), ("train", 100), ("val", 20), ("train", 150)]
    text = "".join(json.dumps({"mode": mode, "epoch": 1, "iter": n, "loss": 1.0}) + "\n" for mode, n in rows)
    log = PARSER.parse(log_file(text))
    assert column(log, "step", "loss") == [50, 100, 100, 150]


def test_step_that_is_an_epoch_in_evaluation_rows() -> None:
    log = PARSER.parse(
        log_file(
            '{"lr": 0.02, "loss": 0.5, "epoch": 1, "iter": 69, "step": 69}\n'
            '{"accuracy/top1": 90.5, "time": 0.1, "step": 1}\n'
            '{"lr": 0.02, "loss": 0.25, "epoch": 2, "iter": 138, "step": 138}\n'
            '{"accuracy/top1": 91.5, "time": 0.1, "step": 2}\n'
        )
    )
    assert column(log, "epoch", "accuracy/top1") == [1, 2]
    assert all(math.isnan(step) for step in column(log, "step", "accuracy/top1"))
    assert column(log, "step", "loss") == [69, 138]
    assert meaning(log, "accuracy/top1") == {("accuracy", "val")}


def test_boundary_rows_with_equal_steps_keep_their_steps() -> None:
    log = PARSER.parse(
        log_file(
            '{"train/loss": 2.5, "epoch": 0, "_step": 0, "_timestamp": 1700000000.5}\n'
            '{"val/loss": 2.25, "epoch": 0, "_step": 25, "_timestamp": 1700000010.5}\n'
            '{"train/loss": 2.0, "epoch": 1, "_step": 25, "_timestamp": 1700000020.5}\n'
        )
    )
    assert column(log, "step", "train/loss") == [0, 25]
    assert column(log, "wall_time", "val/loss") == [1700000010.5]


def test_nulls_totals_and_texts() -> None:
    row = {"current_steps": 5, "total_steps": 8712, "loss": 1.75, "eval_loss": None, "elapsed_time": "0:03:29"}
    last = {"current_steps": 8712, "total_steps": 8712, "loss": None, "eval_loss": None}
    log = PARSER.parse(log_file(f"{json.dumps(row)}\n{json.dumps(last)}\n"))
    assert values(log, "loss") == [1.75]
    assert facts(log) == {"max_iter": 8712}
    assert log.problems == ()


def test_bare_nan_strings_for_numbers_and_nested_means() -> None:
    log = PARSER.parse(
        log_file(
            '{"iteration": 1, "total_loss": NaN, "lr": "0.5", "bbox": {"AP": Infinity}}\n'
            '{"iteration": 2, "total_loss": -Infinity, "lr": "nan", "G": {"num": 4, "mean": 0.25, "std": 1.0}}\n'
        )
    )
    loss = values(log, "total_loss")
    assert math.isnan(loss[0])
    assert loss[1] == -math.inf
    assert values(log, "lr")[0] == 0.5
    assert values(log, "bbox/AP") == [math.inf]
    assert meaning(log, "bbox/AP") == {("map", "val")}
    assert values(log, "G") == [0.25]


def test_updates_counted_for_each_split() -> None:
    log = PARSER.parse(
        log_file(
            '{"epoch": 1, "train_loss": "8.5", "train_num_updates": "100"}\n'
            '{"epoch": 1, "valid_loss": "8.0", "valid_num_updates": "100"}\n'
        )
    )
    assert column(log, "step", "train_loss") == column(log, "step", "valid_loss") == [100]


def test_lists_of_rates() -> None:
    log = PARSER.parse(log_file('{"step": 1, "loss": 1.0, "lr": [0.1]}\n{"step": 2, "loss": 0.5, "lr": [0.1]}\n'))
    assert values(log, "lr") == [0.1, 0.1]


def test_torn_last_line() -> None:
    log = PARSER.parse(log_file(FLAT + '{"step": 33, "loss": 1.5, "extra": {"num": 3, "mean": 0.5}'))
    assert values(log, "loss") == [2.5, 2.0]
    assert (log.ending.kind, log.ending.line, log.lines) == ("torn", 4, 4)
    assert not values(log, "mean")


def test_row_appended_behind_a_torn_one() -> None:
    glued = '{"step": 2, "lo{"step": 1, "loss": 1.5}'
    log = PARSER.parse(log_file(f'{{"step": 1, "loss": 2.0}}\n{glued}\n{{"step": 2, "loss": 1.0}}\n'))
    assert values(log, "loss") == [2.0, 1.5, 1.0]
    assert log.unreadable == 1
    assert log.problems[0].line == 2


def test_truncation_anywhere_invents_no_value() -> None:
    whole = PARSER.parse(log_file(MODES))
    true = {(s.tag, v) for s in whole.table.series for v in values(whole, s.tag)}
    for size in range(1, len(MODES)):
        log = PARSER.parse(log_file(MODES[:size]))
        assert {(s.tag, v) for s in log.table.series for v in values(log, s.tag)} <= true


def test_array_document_gives_each_value_its_own_line() -> None:
    rows = [
        {"main/loss": 0.5, "validation/main/loss": 0.75, "epoch": 1, "iteration": 600},
        {"main/loss": 0.25, "epoch": 2, "iteration": 1200},
    ]
    text = json.dumps(rows, indent=4)
    file = log_file(text, "log")
    log = PARSER.parse(file)
    assert claims(file) == ["json-lines"]
    assert values(log, "main/loss") == [0.5, 0.25]
    assert all('"main/loss"' in text.splitlines()[int(line) - 1] for line in column(log, "line", "main/loss"))


def test_document_cut_off_keeps_what_is_whole() -> None:
    text = json.dumps([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}, {"epoch": 3, "loss": 0.125}], indent=1)
    log = PARSER.parse(log_file(text[: text.index("0.125") + 3], "log.json"))
    assert values(log, "loss") == [0.5, 0.25]
    assert log.ending.kind == "torn"


def test_rows_under_names_of_splits_and_under_epochs() -> None:
    rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    log = PARSER.parse(log_file(json.dumps({"train": rows, "val": rows}, indent=1), "log.json"))
    assert meaning(log, "loss") == {("loss", "train"), ("loss", "val")}
    by_epoch = {"epoch_1": {"loss": 0.5}, "epoch_2": {"loss": 0.25}}
    log = PARSER.parse(log_file(json.dumps(by_epoch, indent=1), "log.json"))
    assert column(log, "epoch", "loss") == [1, 2]


@pytest.mark.parametrize(
    "value",
    [
        {"name": "x", "version": "1.0", "dependencies": {"a": "1"}},
        {"lr": 0.1, "epochs": 10, "loss": "ce", "betas": [0.9, 0.99]},
        {"images": [{"id": 1}, {"id": 2}], "annotations": [{"id": 1, "bbox": [1, 2, 3, 4]}, {"id": 2, "area": 3}]},
        {"epoch": 3.0, "train_loss": 0.5, "train_runtime": 12.5},
        [{"text": "a", "label": 1}, {"text": "b", "label": 0}],
        [1, 2, 3],
        "loss",
    ],
)
def test_json_that_is_no_log(value: object) -> None:
    assert not recognised(log_file(json.dumps(value, indent=2), "data.json"))


def test_summary_in_one_line_is_no_log() -> None:
    assert not recognised(log_file('{"train/loss": 0.5, "_step": 100, "_wandb": {"runtime": 3}}', "summary.json"))


@given(st.lists(st.floats(width=64), min_size=1, max_size=20))
def test_round_trip(loss: list[float]) -> None:
    log = PARSER.parse(log_file("".join(json.dumps({"step": i, "loss": x}) + "\n" for i, x in enumerate(loss))))
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(values(log, "loss"), loss, strict=True))
    assert column(log, "line", "loss") == list(range(1, len(loss) + 1))


@settings(max_examples=40)
@given(st.text(max_size=80))
def test_any_text_is_survived(text: str) -> None:
    log = PARSER.parse(log_file(text))
    assert log.lines >= 0


def test_many_lines_of_several_forms_are_read_as_each_alone() -> None:
    rows = [
        {
            "step": n,
            "acc": 0.001,
            "loss": 2.0 - n / 997,
            **({"val": {"loss": 0.1 * n}} if n % 7 == 0 else {"mode": "train"}),
        }
        for n in range(1, 9000)
    ]
    texts = [json.dumps(row) for row in rows]
    texts[500] = '{"step": 501, "loss": .5}'
    texts[700] = '{"step": 701, "acc": 0.001, "loss": NaN, "mode": "train"}'
    texts[900] = ""
    table = PARSER.parse(log_file("\n".join(texts) + "\n", "log.jsonl")).table
    expected = []
    for line, text in enumerate(texts, 1):
        if line in (501, 901):
            continue
        row = json.loads(text)
        told = [("acc", row["acc"]), ("loss", row["loss"])] + (
            [("val/loss", row["val"]["loss"])] if "val" in row else []
        )
        expected += [(line, row["step"], tag, repr(float(value))) for tag, value in told]
    found = zip(table.line, table.step, table.code, table.value, strict=True)
    assert sorted(
        (line, step, table.series[code].tag, repr(float(value))) for line, step, code, value in found
    ) == sorted(expected)


json_values = st.one_of(
    st.floats(), st.integers(-(10**20), 10**20), st.booleans(), st.none(), st.text(max_size=6),
    st.sampled_from(["0.5", "", "train", "val", "nan", "12.5%", "a\\b", 'a"b', "é", "~0", "1e999", " 0.5 "]),
    st.lists(st.integers(0, 9) | st.text(max_size=2), max_size=3),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries({"step": st.integers(0, 99), "loss": json_values, "a": json_values}), max_size=30
    ),
    ascii_only=st.booleans(),
    odd=st.lists(
        st.sampled_from(["", '{"step": 1, "loss": .5, "a": "x"}', '{"step": 3, "lo', "x", '{"a": "\t"}', "{}"]),
        max_size=2,
    ),
    places=st.randoms(use_true_random=False),
)
def test_lines_of_one_form_say_what_they_say_singly(
    rows: list[dict[str, object]], ascii_only: bool, odd: list[str], places: Random
) -> None:
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    for line in odd:
        lines.insert(places.randint(0, len(lines)), line)
    text = "\n".join([*lines, ""])

    def read(often: int, first: int) -> ParsedLog:
        with patch.multiple(json_rows, _OFTEN=often, _FIRST=first, _BLOCK=8):
            return PARSER.parse(log_file(text))

    singly, together = read(10**9, 64), read(1, 2)
    for name in ("facts", "problems", "lines", "data", "unreadable", "ending"):
        assert getattr(singly, name) == getattr(together, name), name
    assert singly.table.series == together.table.series
    for name in ("code", "step", "epoch", "wall_time", "value", "line"):
        np.testing.assert_array_equal(getattr(singly.table, name), getattr(together.table, name), name)


def test_lines_whose_texts_differ_are_read_as_columns() -> None:
    rows = [
        {"time": f"2024-01-01T00:00:{n % 60:02}", "note": f"step {n}", "loss": f"{n / 8}", "step": n}
        for n in range(3000)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    with patch.object(json_rows, "read_objects", wraps=json_rows.read_objects) as singly:
        log = PARSER.parse(log_file(text))
    assert singly.call_count < 100
    assert values(log, "loss") == [n / 8 for n in range(3000)]
    assert column(log, "wall_time", "loss")[61] == 1704067201.0
