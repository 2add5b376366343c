"""Notebooks: each cell's output read by the parser that knows it."""

from __future__ import annotations

import json
from typing import Any

from logdoctor_parsers.notebook import PARSER
from tests.parsed import claims, column, facts, log_file, values

FIT = [
    "Epoch 1/2\n",
    "4/4 - 1s - loss: 2.5000 - val_loss: 2.7500\n",
    "Epoch 2/2\n",
    "4/4 - 1s - loss: 2.0000 - val_loss: 2.2500\n",
]


def notebook(*outputs: list[dict[str, Any]]) -> str:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": each, "source": ["fit()"]} for each in outputs]
    value = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 2}
    return json.dumps(value, indent=1, ensure_ascii=False)


def stream(*lines: str) -> dict[str, Any]:
    return {"name": "stdout", "output_type": "stream", "text": list(lines)}


def test_output_of_a_fit_with_the_notebooks_own_lines() -> None:
    text = notebook([stream("Requirement already satisfied: “x”\n")], [stream(*FIT[:2]), stream(*FIT[2:])])
    file = log_file(text, "train.ipynb")
    log = PARSER.parse(file)
    assert claims(file) == ["notebook"]
    assert values(log, "loss") == [2.5, 2.0]
    lines = text.splitlines()
    assert ["loss: 2.5000" in lines[int(n) - 1] for n in column(log, "line", "loss")] == [True, False]
    assert "loss: 2.0000" in lines[int(column(log, "line", "loss")[1]) - 1]
    assert facts(log)["epochs"] == 2
    assert log.dialect == "keras-console"


def test_equal_lines_stand_each_at_its_own() -> None:
    text = notebook([stream(*FIT[:2], *FIT[:2])])
    found = column(PARSER.parse(log_file(text, "train.ipynb")), "line", "loss")
    assert found == [number for number, line in enumerate(text.splitlines(), 1) if "loss: 2.5000" in line]


def test_two_cells_with_fits() -> None:
    log = PARSER.parse(log_file(notebook([stream(*FIT)], [stream(*FIT)]), "train.ipynb"))
    assert column(log, "epoch", "loss") == [1, 2, 1, 2]


def test_text_results_and_cells_without_output() -> None:
    result = {"output_type": "execute_result", "data": {"text/plain": "{'loss': [0.5, 0.25], 'val_loss': [0.75, 0.5]}"}}
    log = PARSER.parse(log_file(notebook([], [result]), "train.ipynb"))
    assert not values(log, "accuracy")
    assert log.format == "notebook"


def test_notebook_without_a_log() -> None:
    log = PARSER.parse(log_file(notebook([stream("hello\n")]), "train.ipynb"))
    assert len(log.table) == 0
    assert log.problems == ()


def test_a_notebook_cut_off_gives_what_stands_before_the_cut() -> None:
    text = notebook([stream(*FIT)])
    log = PARSER.parse(log_file(text[: text.index("loss: 2.0000")], "train.ipynb"))
    assert values(log, "loss") == [2.5]
    assert "cut off or damaged here" in log.problems[0].message
    assert log.ending.kind == "torn"


def test_a_damaged_line_of_a_notebook_costs_itself_and_is_named() -> None:
    text = notebook([stream(*FIT)], [stream(*FIT)])
    log = PARSER.parse(log_file(text.replace("loss: 2.5000", 'loss: 2"5000', 1), "train.ipynb"))
    assert values(log, "loss") == [2.0, 2.5, 2.0]
    damaged = next(number for number, line in enumerate(text.splitlines(), 1) if "loss: 2.5000" in line)
    assert damaged in {problem.line for problem in log.problems}


def test_where_a_line_that_opens_an_output_is_damaged_its_strings_are_read_by_their_place() -> None:
    text = notebook([stream(*FIT)])
    for opening in ('      "te\x00t": [', '     \ufffd "text": [', '      "teext": [', "      #####"):
        damaged = text.replace('     "text": [', opening, 1).replace('"nbformat": 4', '"nbformat" 4')
        log = PARSER.parse(log_file(damaged, "train.ipynb"))
        assert values(log, "loss") == [2.5, 2.0], opening
        assert column(log, "epoch", "loss") == [1, 2]


def test_a_source_whose_opening_is_damaged_is_no_output() -> None:
    text = notebook([stream(*FIT)]).replace('   "source": [\n    "fit()"', '   "sou##e" [\n    "epoch 1 loss: 0.5"', 1)
    log = PARSER.parse(log_file(text, "train.ipynb"))
    assert values(log, "loss") == [2.5, 2.0]
    assert any("left out" in problem.message for problem in log.problems)
