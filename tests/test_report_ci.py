"""What continuous integration reads: JUnit XML, workflow commands, a job summary of bounded size."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from logdoctor.diagnosis import Report, Unread
from logdoctor.finding import Evidence, Failed, Severity, Skipped
from logdoctor.report.github import job_summary, workflow_commands
from logdoctor.report.junit import to_junit
from logdoctor.report.mermaid import chart
from tests.factories import curve, diagnosis, falling, finding, run


def mixed() -> Report:
    bad = diagnosis(
        run("vgg"),
        finding("divergence", Severity.ERROR),
        finding("late-drop", firm=False),
        finding("still-improving", Severity.INFO),
        skipped=(Skipped("overfitting", "no validation loss"),),
        failed=(Failed("plateau", "ZeroDivisionError: x"),),
    )
    return Report((bad, diagnosis(run("calm"))), (Unread("core.dump", "not recognised"),))


def test_junit_has_a_case_for_each_run_and_finding() -> None:
    root = ElementTree.fromstring(to_junit(mixed()))
    assert [suite.get("name") for suite in root] == ["vgg", "calm", "files not read"]
    outcome = {case.get("name"): [child.tag for child in case] for case in root[0]}
    assert outcome == {
        "examined": [], "divergence": ["failure"], "late-drop": ["system-out"], "still-improving": ["system-out"],
        "plateau": ["error"], "overfitting": ["skipped"],
    }  # fmt: skip
    totals = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": "8", "failures": "1", "errors": "1", "skipped": "2"}
    case = root[0][1]
    assert (case.get("file"), case.get("line")) == ("runs/a.csv", "21")


def test_junit_fails_from_the_severity_asked_for() -> None:
    report = Report((diagnosis(run(), finding("plateau", Severity.WARNING)),))
    failures = {severity: ElementTree.fromstring(to_junit(report, severity)).get("failures") for severity in Severity}
    assert failures == {Severity.INFO: "1", Severity.WARNING: "1", Severity.ERROR: "0"}


def test_junit_survives_whatever_a_log_holds() -> None:
    nasty = "\x00\x1b[31m <&>\"' \ud800 ]]>"
    report = Report((diagnosis(run(nasty), finding(message=nasty, evidence=(Evidence(nasty, 1, nasty),))),))
    assert ElementTree.fromstring(to_junit(report))[0].get("name") == "␀␛[31m <&>\"' � ]]>"


def test_annotations_escape_what_would_end_them() -> None:
    of = diagnosis(run("a,b:c"), finding(message="100 % flat\n::error::x", evidence=(Evidence("d/e,f.log", 7),)))
    (line,) = workflow_commands(Report((of,))).splitlines()
    assert line.startswith(
        "::warning file=d/e%2Cf.log,line=7,title=a%2Cb%3Ac%3A overfitting::100 %25 flat ::error::x. "
    )


def test_annotations_are_as_many_as_are_shown() -> None:
    report = Report(tuple(diagnosis(run(f"r{i}"), finding("divergence", Severity.ERROR), finding()) for i in range(30)))
    lines = workflow_commands(report).splitlines()
    assert [line.split()[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10


def test_summary_has_charts_and_no_images() -> None:
    text = job_summary(mixed())
    assert "```mermaid\nxychart-beta" in text
    assert "![" not in text
    assert 'x-axis "epoch" 1 --> 40' in text


def test_chart_samples_logged_values() -> None:
    values = falling(500)
    values[100:120] = np.nan
    drawn = chart(diagnosis(run("a", curve(values, tag='x"]'))))
    numbers = [float(part) for part in drawn.split("line [")[1].split("]")[0].split(",")]
    assert len(numbers) == 40
    assert all(np.min(np.abs(values[np.isfinite(values)] - number)) < 1e-3 for number in numbers)
    assert 'title "train x_' in drawn
    assert chart(diagnosis(run("a", curve([np.nan, 1.0])))) == ""


def test_summary_of_300_runs_stays_below_its_limit_and_says_what_it_drops() -> None:
    val = curve(falling(200, start=2.1, end=0.6), tag="val_loss", split="val")
    runs = (
        diagnosis(run(f"run{i}", curve(falling(200)), val), finding("divergence", Severity.ERROR), finding())
        for i in range(300)
    )
    report = Report(tuple(runs))
    text = job_summary(report)
    assert len(text.encode()) < 1_048_576
    assert text.count("```mermaid") == 30
    assert "Charts are drawn for the 30 worst runs; those of 270 more are left out here." in text
    assert all(f"## {i + 1}. `run{i}`" in text for i in range(300))
    small = job_summary(report, 100_000)
    assert 40_000 < len(small.encode()) <= 100_000
    assert "left out here for want of room" in small
    assert "`run299`" in small
    assert small.count("```") % 2 == 0
    tiny = job_summary(report, 2_000)
    assert len(tiny.encode()) <= 2_000
    assert tiny.endswith("The rest is left out here for want of room.\n")


def test_summary_names_no_images() -> None:
    report = Report(tuple(diagnosis(run(f"r{i}"), plots=(Path(f"plots/r{i}.png"),)) for i in range(40)))
    assert "plots/" not in job_summary(report)


def test_numbers_of_charts_have_no_exponent() -> None:
    of = diagnosis(run("a", curve([1e-7, 3e-6, 2.5e-5], x=[1e6, 2e6, 3e6])))
    lines = chart(of).splitlines()
    assert not [line for line in lines if re.search(r"\de[+-]?\d", line)]
    assert "1000000 --> 3000000" in chart(of)
    assert chart(diagnosis(run("a", curve([1e20, 1e30, 1e25])))) == ""


def test_charts_have_one_metric_and_colours_that_the_title_names() -> None:
    both = chart(diagnosis(run("a", curve(falling()), curve(falling(), tag="val_loss", split="val"))))
    assert 'title "train loss (blue), val_loss (orange)"' in both
    assert both.count("line [") == 2
    odd = run("a", curve(falling()), val=curve(falling(), tag="acc", metric="accuracy", split="val"))
    assert chart(diagnosis(odd)).count("line [") == 1


def test_absolute_paths_are_told_from_the_checkout() -> None:
    places = ("/home/me/repo/runs/a.log", "/elsewhere/b.log", "runs/c.log")
    of = diagnosis(run(), *(finding(evidence=(Evidence(place, 3),)) for place in places))
    lines = workflow_commands(Report((of,)), "/home/me/repo").splitlines()
    assert [line.split("file=")[1].split(",")[0] for line in lines] == ["runs/a.log", "/elsewhere/b.log", "runs/c.log"]
