"""Runs of lines of one shape are read at once: with the same result as line by line."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor_parsers.runs import LARGEST
from logdoctor_parsers.text import lines_of
from logdoctor_parsers.text_generic import ReadText, read_text

SHAPES = {
    "steps": "step {s} loss {v:.3f} lr 0.1\n",
    "prefixed": "2024-01-01 10:00:{t:02d},123 - INFO - train - epoch {e} step {s} loss {v:.3f}\n",
    "batches": "Epoch: [{e}][{b}/50]\tLoss {v:.3f} (0.5)\n",
    "epochs only": "epoch {s} train_loss {v:.3f} val_loss 0.5\n",
    "updates": "epoch {e} | loss {v:.3f} | num_updates {s}\n",
}


def lines(template: str, count: int = 400) -> list[str]:
    return [template.format(s=s, e=s // 50, b=s % 50, t=s % 60, v=9 - s / 100) for s in range(count)]


def read(texts: list[str]) -> ReadText:
    return read_text(lines_of("".join(texts).encode()))


@pytest.mark.parametrize("shape", SHAPES)
def test_same_as_when_other_lines_stand_between(shape: str) -> None:
    texts = lines(SHAPES[shape])
    at_once, one_by_one = read(texts), read([line for text in texts for line in (text, "nothing to read\n")])
    for name in ("code", "step", "epoch", "batch", "batches", "wall_time", "value"):
        np.testing.assert_array_equal(getattr(at_once.table, name), getattr(one_by_one.table, name), name)
    assert at_once.table.series == one_by_one.table.series
    assert list(at_once.table.line) == [(line + 1) // 2 for line in one_by_one.table.line]
    assert (at_once.data, at_once.last_data) == (400, 400)


def test_runs_longer_than_a_chunk() -> None:
    table = read(lines(SHAPES["steps"], 2 * LARGEST + 100)).table
    assert list(table.step[table.code == 0]) == list(range(2 * LARGEST + 100))


def test_a_copy_inside_a_run_is_read_once_and_said() -> None:
    texts = lines(SHAPES["steps"], 40)
    found = read([*texts[:20], texts[19], *texts[20:]])
    assert list(found.table.step[found.table.code == 0]) == list(range(40))
    assert "repeat the line before" in found.problems[0].message


def test_a_new_total_is_noted() -> None:
    texts = [
        text.replace("/50]", "/60]") if number >= 200 else text for number, text in enumerate(lines(SHAPES["batches"]))
    ]
    batches = read(texts).table.batches
    assert set(batches[:400]) == {50}
    assert set(batches[-300:]) == {60}


def test_a_cut_last_line_is_not_taken_whole() -> None:
    texts = lines(SHAPES["epochs only"], 40)
    found = read([*texts[:-1], texts[-1][: texts[-1].index("val")]])
    assert found.torn
