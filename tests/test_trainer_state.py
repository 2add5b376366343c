"""trainer_state.json: rows, evaluation sets, the summary, early stopping, cut files."""

from __future__ import annotations

import json
from typing import Any

from logdoctor_parsers.trainer_state import PARSER
from tests.parsed import claims, column, facts, log_file, meaning, values

HISTORY: list[dict[str, Any]] = [
    {"epoch": 0.5, "grad_norm": 1.5, "learning_rate": 5e-5, "loss": 2.5, "step": 10},
    {"epoch": 1.0, "eval_loss": 2.25, "eval_accuracy": 0.5, "eval_runtime": 3.0, "step": 20},
    {"epoch": 1.0, "grad_norm": 1.25, "learning_rate": 2e-5, "loss": 2.0, "step": 20},
]
SUMMARY = {"epoch": 1.0, "step": 20, "total_flos": 1.5, "train_loss": 2.25, "train_runtime": 60.5}


def state(history: list[dict[str, Any]], **more: object) -> str:
    progress = {"best_metric": None, "epoch": 1.0, "global_step": 20, "log_history": history}
    plan = {"logging_steps": 10, "max_steps": 40, "num_train_epochs": 2, "train_batch_size": 8}
    return json.dumps({**progress, **plan, **more}, indent=2)


def test_rows_and_facts() -> None:
    text = state(HISTORY)
    file = log_file(text, "trainer_state.json")
    log = PARSER.parse(file)
    assert claims(file) == ["hf-trainer-state"]
    assert values(log, "loss") == [2.5, 2.0]
    assert meaning(log, "loss") == {("loss", "train")}
    assert meaning(log, "eval_loss") == {("loss", "val")}
    assert meaning(log, "learning_rate") == {("lr", "")}
    assert column(log, "step", "loss") == [10, 20]
    assert column(log, "epoch", "loss") == [0.5, 1.0]
    assert facts(log) == {"max_iter": 40, "epochs": 2, "batch_size": 8, "logging_steps": 10}
    assert log.ending.kind == "open"


def test_lines_are_those_of_the_values() -> None:
    text = state(HISTORY)
    lines = text.splitlines()
    log = PARSER.parse(log_file(text))
    assert [lines[int(n) - 1].strip() for n in column(log, "line", "loss")] == ['"loss": 2.5,', '"loss": 2.0,']
    assert all('"max_steps"' in lines[fact.line - 1] for fact in log.facts if fact.name == "max_iter")


def test_summary_is_no_point_of_the_curve() -> None:
    log = PARSER.parse(log_file(state([*HISTORY, SUMMARY])))
    assert not values(log, "train_loss")
    assert facts(log)["mean_train_loss"] == 2.25
    assert log.ending.kind == "finished"


def test_several_evaluation_sets() -> None:
    rows = [{"epoch": 0, "eval_a_loss": 1.5, "step": 0}, {"epoch": 0, "eval_b_loss": 2.5, "step": 0}]
    log = PARSER.parse(log_file(state([*rows, *HISTORY])))
    assert meaning(log, "eval_a_loss") == {("a_loss", "val")}
    assert meaning(log, "eval_b_loss") == {("b_loss", "val")}


def test_endings() -> None:
    assert PARSER.parse(log_file(state(HISTORY, global_step=40))).ending.kind == "finished"
    callback = {"args": {"early_stopping_patience": 3}, "attributes": {"early_stopping_patience_counter": 3}}
    stopped = state(HISTORY, stateful_callbacks={"EarlyStoppingCallback": callback})
    assert PARSER.parse(log_file(stopped)).ending.kind == "early-stopping"


def test_cut_anywhere_invents_no_value() -> None:
    text = state([*HISTORY, SUMMARY])
    whole = PARSER.parse(log_file(text))
    true = {(s.tag, v) for s in whole.table.series for v in values(whole, s.tag)}
    for size in range(1, len(text) - 1):
        log = PARSER.parse(log_file(text[:size]))
        assert {(s.tag, v) for s in log.table.series for v in values(log, s.tag)} <= true
        assert log.ending.kind == "torn"


def test_rows_behind_a_history_that_damage_closed_are_named() -> None:
    text = state(HISTORY)
    end = text.index("]") + 1
    for torn in ('\n "max_steps": 4\n  ,\n  {"loss": 0.5}', ', "max_steps": 4}\n'):
        log = PARSER.parse(log_file(text[:end] + torn + text[end:], "trainer_state.json"))
        assert values(log, "loss") == [2.5, 2.0]
        assert f"to {log.lines}) is left out" in log.problems[-1].message


def test_strings_for_numbers() -> None:
    rows = [{"loss": "2.5", "epoch": "0.5", "step": 1}, {"loss": "nan", "epoch": "1", "step": 2}]
    log = PARSER.parse(log_file(state(rows)))
    assert values(log, "loss")[0] == 2.5
    assert column(log, "epoch", "loss") == [0.5, 1.0]
