"""A report over many runs keeps of each only what it shows, and says the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from factories import curve, diagnosis, run

from logdoctor import judging
from logdoctor.cli import cli
from logdoctor.diagnosis import Report
from logdoctor.report import keeping
from logdoctor.report.json_report import to_json
from logdoctor.report.keeping import thinned

NOW = 1.7e9


def test_thinning_keeps_spikes_ends_and_every_figure() -> None:
    rng = np.random.default_rng(0)
    values = 1.0 + 0.1 * rng.normal(size=50_000)
    values[[20_000, 30_000]] = 9.0, np.nan
    loss, other = curve(values), curve(rng.normal(size=50_000), tag="grad_norm", metric="grad_norm", split="")
    whole = diagnosis(run("a", loss, other, train=loss))
    small = thinned(whole, 100)
    assert small.train is small.curves[0]
    assert len(small.curves[0]) < 1000
    assert len(small.curves[1]) < 10
    assert 9.0 in small.curves[0].value
    before, after = (to_json(Report((each,)))["runs"][0]["series"] for each in (whole, diagnosis(small)))
    assert before == after


def many(folder: Path, runs: int, rows: int) -> None:
    for number in range(runs):
        fall = (f"{epoch},{2 / (epoch + 1 + number) + epoch * number / 1e3},0.1\n" for epoch in range(rows))
        (folder / f"run{number}").mkdir()
        (folder / f"run{number}" / "log.csv").write_text("epoch,train_loss,lr\n" + "".join(fall))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_report_over_many_runs_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    many(tmp_path, 6, 60)
    said = {}
    for held in (100, 2):
        monkeypatch.setattr(judging, "HELD", held)
        monkeypatch.setattr(keeping, "FEWEST", 5)
        monkeypatch.setattr(keeping, "MOST_POINTS", 0)
        out = tmp_path / f"out{held}"
        arguments = ["report", str(tmp_path), "-o", str(out), "--now", str(NOW), "--plots", "all", "--jobs", jobs]
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
        plots = {path.name: path.read_bytes() for path in (out / "plots").iterdir() if path.stem != "overview"}
        said[held] = (json.loads((out / "report.json").read_text()), (out / "report.md").read_text(), plots)
    assert len(said[2][2]) == 6
    assert said[2] == said[100]
