"""`logdoctor.load` and `logdoctor.diagnose`: the common DataFrame and the report object."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import logdoctor
from logdoctor.frame import to_frame
from logdoctor.rows import Floats, Rows, RunRows, constant
from logdoctor_parsers import COLUMNS, Series

SAMPLES = Path(__file__).parents[1] / "sample_logs"
DTYPES = {
    **dict.fromkeys(("run", "metric", "split", "tag", "source"), "category"),
    **dict.fromkeys(("step", "epoch", "wall_time", "value"), "float64"),
    "attempt": "int16",
    "line": "int64",
}


def test_columns_and_dtypes_are_those_of_the_contract() -> None:
    frame = logdoctor.load(SAMPLES)
    assert tuple(frame.columns) == COLUMNS
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert set(frame.split.cat.categories) <= {"train", "val", "test", ""}


def test_an_empty_folder_gives_an_empty_frame_of_the_same_shape(tmp_path: Path) -> None:
    frame = logdoctor.load(tmp_path)
    assert len(frame) == 0
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES


def test_every_number_stands_in_the_log_at_the_line_given() -> None:
    frame = logdoctor.load(SAMPLES / "keras-csv")
    for source, rows in frame.groupby("source", observed=True):
        lines = Path(str(source)).read_text().splitlines()
        for row in rows.itertuples():
            cells = lines[row.line - 1].split(",")
            assert any(float(cell) == row.value for cell in cells)


def test_nan_and_infinity_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("epoch,loss\n0,1.5\n1,nan\n2,inf\n3,-inf\n")
    value = logdoctor.load(tmp_path).value.to_numpy()
    assert value[0] == 1.5
    assert np.isnan(value[1])
    assert value[2:].tolist() == [np.inf, -np.inf]


def test_a_resumed_run_has_attempts_and_no_copies() -> None:
    frame = logdoctor.load(SAMPLES / "tensorboard" / "resumed")
    assert set(frame.attempt) == {0, 1}
    counted = frame[frame.metric == "loss"]
    assert not counted.duplicated(["tag", "split", "step", "epoch"]).any()


def _rows(memory: Floats, low: int, high: int) -> Rows:
    unknown, zero = np.full(high - low, np.nan), constant(0, high - low)
    step, wall_time, value = (column[low:high] for column in memory)
    return Rows((Series("loss", "loss", ""),), zero, step, *[unknown] * 3, wall_time, value, zero, zero, zero)


@pytest.mark.parametrize(
    "parts",
    [[(0, 3), (3, 8)], [(3, 8), (0, 3)], [(0, 3), (4, 8)], [(0, 4), (3, 8)], [(0, 8)], [(0, 3), (3, 3), (3, 8)]],
)
@pytest.mark.parametrize("own", [False, True])
def test_numbers_that_lie_one_behind_the_other_become_the_frame_s(parts: list[tuple[int, int]], own: bool) -> None:
    memory = np.arange(24.0).reshape(3, 8)
    runs = [RunRows(f"run{low}", _rows(memory, low, high), ("a",)) for low, high in parts]
    frame = to_frame(runs, own)
    for column, numbers in zip(("step", "wall_time", "value"), memory, strict=True):
        assert frame[column].tolist() == [number for low, high in parts for number in numbers[low:high]]
    taken = [np.may_share_memory(frame[column].to_numpy(), memory) for column in ("step", "wall_time", "value")]
    in_a_row = parts[0][0] == 0 and all(one[1] == other[0] for one, other in pairwise(parts))
    assert taken == 3 * [own and in_a_row]


def test_diagnose_gives_an_object_that_shows_itself() -> None:
    report = logdoctor.diagnose(SAMPLES / "keras-csv")
    assert {diagnosis.run.name for diagnosis in report.runs} == {"late_drop", "overfit_small_data"}
    assert "overfitting" in {finding.analyzer for finding in report.findings}
    assert report.to_json()["schema"] == 1
    assert report._repr_markdown_().startswith("#")
    assert isinstance(report.to_frame(), pd.DataFrame)


def test_an_unknown_option_names_the_nearest() -> None:
    from logdoctor.errors import LogDoctorError

    with pytest.raises(LogDoctorError, match="did you mean 'batch_size'"):
        logdoctor.diagnose(SAMPLES / "keras-csv", batchsize=3)
