"""report.json keeps the documented schema and is strict JSON whatever the log holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from logdoctor.diagnosis import Report, Unread
from logdoctor.finding import Evidence, Failed, Finding, Severity, Skipped, Span
from logdoctor.report.json_report import dumps, plain_value, to_json
from logdoctor.run import Axis, RunFact, RunProblem
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, finding, run

RUN_KEYS = {
    "name", "formats", "sources", "state", "axis", "optimizer", "attempts", "facts", "fact_lines", "problems", "series",
    "primary", "schedule", "measures", "findings", "skipped", "failed", "plots",
}  # fmt: skip


def only(report: Report) -> dict:
    document = json.loads(dumps(report))
    assert document == to_json(report)
    return document["runs"][0]


def test_every_key_is_there_even_for_an_empty_report() -> None:
    document = json.loads(dumps(Report((), (Unread("core.dump", "not recognised as a training log"),))))
    assert document["schema"] == 1
    assert document["runs"] == []
    assert document["comparisons"] == []
    assert document["unread"] == [{"path": "core.dump", "reason": "not recognised as a training log"}]
    assert isinstance(document["logdoctor"], str)


def test_a_run_has_the_documented_keys() -> None:
    said = only(Report((diagnosis(run(), finding()),)))
    assert set(said) == RUN_KEYS
    assert said["primary"] == {"train": {"tag": "loss", "split": "train"}, "val": None, "lr": None}
    assert said["sources"] == [{"path": "runs/a.csv", "lines": 41, "data": 40, "unreadable": 0}]
    assert said["axis"] == {"unit": "epoch", "steps_per_epoch": None, "origin": None}


def test_series_count_what_is_not_finite() -> None:
    broken = curve([3.0, np.nan, 1.0, -np.inf, 2.0, np.inf])
    series = only(Report((diagnosis(run("a", broken)),)))["series"][0]
    expected = {"points": 6, "non_finite": 3, "first": 3.0, "last": "inf", "min": 1.0, "min_at": 3.0, "last_at": 6.0}
    assert {key: series[key] for key in expected} == expected
    assert series["last_step"] is None
    assert series["last_epoch"] == 6.0


def test_series_without_a_finite_value() -> None:
    series = only(Report((diagnosis(run("a", curve([np.nan, np.nan]))),)))["series"][0]
    assert (series["first"], series["last"], series["min"], series["min_at"]) == (None, None, None, None)


def test_drops_on_an_axis_of_epochs() -> None:
    schedule = Schedule("step", "logged", drops=drops(20, 40, 62))
    said = only(Report((diagnosis(run(axis=Axis("epoch", 78.0, "logged")), schedule=schedule),)))["schedule"]
    assert said["epochs_per_drop_list"] == [20.0, 20.0, 22.0]
    assert said["epochs_per_drop"] == 20.0
    assert said["steps_per_drop"] == 1560.0
    assert said["drops"][0] | {"lr_to": 0.01} == {
        "at": 20.0, "step": None, "factor": 0.1, "lr_from": 0.1, "lr_to": 0.01, "since_last": 20.0, "flat_since": None,
        "gain": None, "timing": "unclear", "low": 20.0, "high": 20.0, "confidence": 1.0,
    }  # fmt: skip


def test_drops_on_an_axis_of_steps() -> None:
    schedule = Schedule("step", "logged", drops=drops(1000, 2000))
    unknown = only(Report((diagnosis(run(unit="step"), schedule=schedule),)))["schedule"]
    assert (unknown["epochs_per_drop"], unknown["epochs_per_drop_list"], unknown["steps_per_drop"]) == (
        None,
        [],
        1000.0,
    )
    known = only(Report((diagnosis(run(axis=Axis("step", 50.0, "given")), schedule=schedule),)))["schedule"]
    assert (known["epochs_per_drop"], known["steps_per_drop"]) == (20.0, 1000.0)


def test_findings_and_what_was_not_examined() -> None:
    where, place = Span(3.0, float("nan"), "epoch"), Evidence("a.log", 7, "nan")
    spread = Finding(
        "divergence", Severity.ERROR, "It blew up.", "", where, (place,),
        firm=False, numbers={"factor": float("inf"), "n": np.int64(3)},
    )  # fmt: skip
    of = diagnosis(
        run(), spread, skipped=(Skipped("overfitting", "no val"),), failed=(Failed("x", "ZeroDivisionError"),)
    )
    said = only(Report((of,)))
    assert said["findings"][0] == {
        "analyzer": "divergence", "severity": "error", "firm": False, "message": "It blew up.", "advice": "",
        "span": {"start": 3.0, "end": None, "unit": "epoch"}, "numbers": {"factor": "inf", "n": 3},
        "evidence": [{"source": "a.log", "line": 7}], "would_change": "",
    }  # fmt: skip
    assert said["skipped"] == [{"analyzer": "overfitting", "reason": "no val"}]
    assert said["failed"] == [{"analyzer": "x", "error": "ZeroDivisionError"}]


def test_facts_with_their_lines() -> None:
    of = run(
        facts={"optimizer": RunFact("SGD", "a.log", 3), "stepvalue": RunFact([100, 200], "a.log", 5)},
        problems=(RunProblem("a.log", 9, "cut off"),),
    )
    said = only(Report((diagnosis(of),)))
    assert said["optimizer"] == "SGD"
    assert said["facts"]["stepvalue"] == [100, 200]
    assert said["fact_lines"]["optimizer"] == {"source": "a.log", "line": 3}
    assert said["problems"] == [{"source": "a.log", "line": 9, "message": "cut off"}]


def test_names_that_are_not_text_stay_valid_json() -> None:
    text = dumps(Report((diagnosis(run("bad\udcff name")),))).decode("utf-8")
    assert "\\udcff" in text
    assert json.loads(text)["runs"][0]["name"] == "bad\udcff name"


def test_any_value_becomes_plain() -> None:
    value = {"a": np.float32(0.5), "b": (1, np.nan), "c": np.array([1.0, np.inf]), "d": Path("x/y"), "e": True, 3: {1}}
    assert plain_value(value) == {"a": 0.5, "b": [1, None], "c": [1.0, "inf"], "d": "x/y", "e": True, "3": [1]}
