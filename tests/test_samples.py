"""The sample logs show what their names and SOURCES.md say."""

from __future__ import annotations

from pathlib import Path

import pytest

import logdoctor
from logdoctor.settings import read_config

SAMPLES = Path(__file__).parents[1] / "sample_logs"
SHOWS = {
    "caffe/ssd_perclass_10ep": "early-drop", "caffe/overfit_noisy_labels": "overfitting",
    "caffe/diverged_nan": "non-finite-loss", "caffe/torn_midline": "interrupted",
    "keras-csv/overfit_small_data": "overfitting", "keras-csv/late_drop": "late-drop",
    "pytorch/early_drop": "early-drop", "pytorch/diverged": "divergence",
    "pytorch/nan_in_the_middle": "non-finite-loss", "pytorch/torn": "interrupted",
    "hf-trainer-state/still_improving": "still-improving", "notebook/overfit_text": "overfitting",
}  # fmt: skip
HEALTHY = ("caffe-table/healthy_dropout.log", "keras-console/healthy", "json-lines/healthy_steps.log")
ALARMS = {"overfitting", "divergence", "non-finite-loss", "not-learning", "collapse", "loss-spike", "interrupted"}


@pytest.fixture(scope="module")
def findings() -> dict[str, set[str]]:
    runs = read_config(SAMPLES / "logdoctor.toml").runs
    report = logdoctor.diagnose(SAMPLES, runs=runs, now=4e9)
    return {diagnosis.run.name: {f.analyzer for f in diagnosis.findings} for diagnosis in report.runs}


@pytest.mark.parametrize("name", SHOWS)
def test_shows(findings: dict[str, set[str]], name: str) -> None:
    assert SHOWS[name] in findings[name]


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy(findings: dict[str, set[str]], name: str) -> None:
    assert not findings[name] & ALARMS


def test_resumed_runs_are_one(findings: dict[str, set[str]]) -> None:
    report = logdoctor.diagnose([SAMPLES / "caffe" / "resumed.log", SAMPLES / "caffe" / "resumed_1.log"])
    assert [diagnosis.run.attempts for diagnosis in report.runs] == [2]


def test_kinds_of_schedule() -> None:
    kinds = {
        d.run.name: d.schedule.kind
        for folder in ("csv", "tensorboard", "keras-csv")
        for d in logdoctor.diagnose(SAMPLES / folder).runs
    }
    assert kinds["cosine_with_warm_up"] == "cosine"
    assert kinds["plateau_driven"] == "plateau-driven"
    assert kinds["late_drop"] == "multistep"


def test_what_tells_of_the_samples_is_itself_no_log() -> None:
    """Prose with numbers in it, and tables of remarks: no run is made of them."""
    assert logdoctor.load(SAMPLES / "SOURCES.md").empty
