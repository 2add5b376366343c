"""What a notebook shows: reports and runs as HTML without scripts, as Markdown, as a short line, and as a frame."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest

import logdoctor
from logdoctor.compare import compare
from logdoctor.diagnosis import Report, Unread
from logdoctor.finding import Severity
from logdoctor.report import overview_plot
from logdoctor.run import Checkpoint
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run
from tests.hostile import HARMLESS, PAYLOADS, report_of
from tests.test_report_html import Page

SAMPLE = Path(__file__).parents[1] / "sample_logs" / "keras-csv"


def test_a_folder_of_logs_shows_itself() -> None:
    report = logdoctor.diagnose(SAMPLE)
    page = Page(report._repr_html_())
    assert (page.wrong, page.open) == ([], [])
    assert "late_drop" in page.text
    assert {name for name, _ in page.elements} & {"script", "style", "link", "iframe"} == set()
    (picture,) = re.findall(r'src="data:image/png;base64,([^"]+)"', report._repr_html_())
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert report._repr_markdown_().startswith("# Training report")
    assert repr(report) == "<Report: 2 runs: 2 with warnings.>"


def test_a_run_shows_itself_and_is_a_frame() -> None:
    report = logdoctor.diagnose(SAMPLE)
    first = report.runs[0]
    assert first.run.name in Page(first._repr_html_()).text
    assert first._repr_markdown_().startswith(f"## 1. `{first.run.name}`")
    assert repr(first).startswith(f"<Diagnosis of {first.run.name}: ")
    assert set(first.to_frame()["run"]) == {first.run.name}
    assert len(report.to_frame()) == sum(len(each.to_frame()) for each in report.runs)


def test_evidence_advice_drops_and_checkpoints_are_told() -> None:
    saved = (Checkpoint("w.pt", "saved", finding().evidence[0], 20.0),)
    of = diagnosis(run("a", curve(falling()), curve(falling(start=3.0), split="val"), checkpoints=saved),
                   finding("divergence", Severity.ERROR), finding(), schedule=stepwise())  # fmt: skip
    text = Page(of._repr_html_()).text
    for said in ("Why: The network learns", "Do: Stop at epoch 20", "runs/a.csv:21", "w.pt, saved at epoch 20", "×0.1"):
        assert said in text


def stepwise() -> Schedule:
    return Schedule("step", "logged", drops=drops(20))


def test_text_from_a_log_stays_text() -> None:
    hostile, harmless = (Page(report_of(texts)._repr_html_()) for texts in (PAYLOADS, HARMLESS))
    assert (hostile.wrong, hostile.open) == ([], [])
    kinds = [[name for name, _ in page.elements if name not in ("wbr", "code")] for page in (hostile, harmless)]
    assert kinds[0] == kinds[1]


def test_an_empty_report_says_what_to_do() -> None:
    assert "--parser NAME" in Report((), (Unread("x", "not recognised"),))._repr_html_()


def test_many_runs_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview_plot, "draw_overview", lambda runs: b"")
    page = Page(Report(tuple(diagnosis(run(f"r{i}"), finding()) for i in range(100)))._repr_html_())
    assert "70 more runs" in page.text
    assert sum(name == "details" for name, _ in page.elements) == 11


def test_a_drawing_that_fails_costs_only_itself() -> None:
    broken = curve(falling())
    broken = type(broken)(**{**vars(broken), "x": np.arange(3.0)})
    assert "could not be drawn" in diagnosis(run("a", broken))._repr_html_()


def test_a_comparison_shows_itself() -> None:
    runs = [diagnosis(run(name, curve(falling(end=end)))) for name, end in (("a<b>", 0.2), ("c", 0.7))]
    page = Page(compare(Report(tuple(runs)))._repr_html_())
    assert (page.wrong, page.open) == ([], [])
    assert "Best train loss so far" in page.text
    assert sum(name == "img" for name, _ in page.elements) == 1
