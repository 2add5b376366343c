"""report.md: the answer first, everything escaped, short for healthy runs, never "healthy" about nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from logdoctor.diagnosis import Report, Unread
from logdoctor.finding import Evidence, Failed, Severity, Skipped, Span
from logdoctor.report.markdown import to_markdown
from logdoctor.run import Axis, Closing, RunFact, RunProblem
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run

NASTY = "a|b`<script>alert(1)</script>\n# x [y](z)"


def html(report: Report) -> str:
    return MarkdownIt("gfm-like", {"linkify": False}).render(to_markdown(report))


def overfit(name: str = "vgg") -> Report:
    val = curve(falling(start=2.1, end=0.6), tag="val_loss", split="val")
    of = diagnosis(run(name, curve(falling(), tag="train_loss"), val), finding(), flat_spans=((30.0, 40.0),))
    return Report((replace(of, plots=(Path("plots/vgg.png"),)), diagnosis(run("calm"))))


def test_the_answer_stands_in_the_first_lines() -> None:
    first = to_markdown(overfit()).splitlines()[:12]
    assert first[2] == "2 runs: 1 with warnings."
    assert any("vgg" in line and "overfitting (epoch 20–40)" in line and "| 0.7395 |" in line for line in first)


def test_table_links_lead_to_sections() -> None:
    text = to_markdown(overfit("a/b c.d_e"))
    anchors = re.findall(r"\]\(#([^)]+)\)", text)
    headings = [re.sub(r"\\", "", line[3:]) for line in text.splitlines() if line.startswith("## ")]
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert anchors
    assert set(anchors) <= slugs


def test_a_finding_shows_evidence_cause_and_remedy() -> None:
    text = to_markdown(overfit())
    assert "**Validation loss rose from 0.52 to 0.61 since epoch 20 while train loss went on falling.**" in text
    assert text.count("Validation loss rose") == 1
    assert "- **overfitting** (warning, epoch 20–40)" in text
    assert "Evidence: `runs/a.csv:21` `val_loss 0.52`, `runs/a.csv:41`" in text
    assert "Why: The network learns its training data by heart." in text
    assert "Do: Stop at epoch 20, or add data." in text
    assert "![Curves of vgg](plots/vgg.png)" in text


def test_without_plots_no_image_is_named() -> None:
    assert "![" not in to_markdown(overfit(), plots=False)


def test_drops_are_a_table() -> None:
    schedule = Schedule("step", "logged", drops=drops(20, 40, timing=("late", "good")))
    first = replace(schedule.drops[0], flat_since=13.0, gain=0.214)
    of = diagnosis(run(), schedule=replace(schedule, drops=(first, schedule.drops[1])))
    text = to_markdown(Report((of,)))
    assert "| epoch 20 | ×0.1 | 20 | 13 | 21 % | late |" in text
    assert "| epoch 40 | ×0.1 | 20 | – | – | good |" in text


def test_inferred_drops_carry_their_interval() -> None:
    (drop,) = drops(20, factor=None)
    schedule = Schedule("step", "inferred", drops=(replace(drop, low=18.0, high=22.5, confidence=0.8),))
    text = to_markdown(Report((diagnosis(run(), schedule=schedule),)))
    assert "| epoch 20 (18–22.5) | – | 20 |" in text
    assert "20 (inferred)" in text


def test_everything_from_a_log_is_escaped() -> None:
    of = run(
        NASTY,
        curve(falling(), tag=NASTY),
        facts={"solver|mode": RunFact(NASTY, NASTY, 3)},
        problems=(RunProblem(NASTY, 9, NASTY),),
        receipts=(NASTY,),
        closing=Closing("crashed", Evidence(NASTY, 99), NASTY, (NASTY, "```", "</details>")),
    )
    bad = finding(message=NASTY, advice=f"{NASTY}. {NASTY}", evidence=(Evidence(NASTY, 1, NASTY),), would_change=NASTY)
    said = diagnosis(of, bad, skipped=(Skipped("x", NASTY),), failed=(Failed("y", NASTY),))
    page = html(Report((said,), (Unread(NASTY, NASTY),)))
    assert "<script" not in page
    assert '<a href="z"' not in page
    assert len(re.findall("<h[1-6]", page)) == 3  # the report, the run, the files not read
    rows = [row.count("<td") for row in re.findall("<tr>(.*?)</tr>", page, re.S)]
    assert set(rows) == {0, 2, 3, 5, 8}
    assert page.count("<details>") == page.count("</details>")


def test_folded_parts_are_the_only_html() -> None:
    tags = set(re.findall(r"</?[a-z]+>", to_markdown(overfit())))
    assert tags == {"<details>", "</details>", "<summary>", "</summary>"}
    assert "<table>" in html(overfit()).split("<details>")[1]


def test_nothing_is_silent() -> None:
    of = run(
        problems=(RunProblem("a.csv", 799, "expected 4 columns, found 2"), RunProblem("a.csv", 0, "torn")),
        receipts=("attempt 2 overlaps attempt 1 by 50 steps: the later copies are kept",),
    )
    skipped = (Skipped("overfitting", "no validation loss"), Skipped("generalization-gap", "no validation loss"))
    text = to_markdown(Report((diagnosis(of, skipped=skipped, failed=(Failed("plateau", "ZeroDivisionError: x"),)),)))
    assert "`a.csv:799`: expected 4 columns, found 2" in text
    assert "`a.csv`: torn" in text
    assert "attempt 2 overlaps" in text
    assert "Not examined: overfitting, generalization-gap (no validation loss)." in text
    assert "**plateau** crashed: `ZeroDivisionError: x`" in text
    assert "1 with a crashed analyzer" in text


def test_a_crashed_log_shows_its_last_lines() -> None:
    closing = Closing("crashed", Evidence("a.log", 99), "out of memory", ("step 1", "CUDA out of memory"))
    text = to_markdown(Report((diagnosis(run(closing=closing), finding("interrupted", Severity.ERROR)),)))
    assert "It crashed at `a.log:99`:\n\n```text\nstep 1\nCUDA out of memory\n```" in text


@pytest.mark.parametrize("unread", [(), (Unread("x.bin", "not recognised as a training log"),)])
def test_an_empty_report_is_never_healthy(unread: tuple[Unread, ...]) -> None:
    text = to_markdown(Report((), unread))
    assert "No training run was found." in text
    assert "`--parser NAME`" in text
    assert "healthy" not in text
    assert "nothing found" not in text.lower()


def test_a_run_without_loss_was_not_judged() -> None:
    rate = curve([0.1] * 5, tag="lr", metric="lr", split="")
    text = to_markdown(Report((diagnosis(run("a", rate)),)))
    assert "1 run: 1 not judged for want of a loss." in text
    assert "✅" not in text


def test_many_runs_keep_detail_for_those_that_need_it() -> None:
    calm = [diagnosis(run(f"calm{i}")) for i in range(297)]
    bad = [diagnosis(run(f"bad{i}"), finding("divergence", Severity.ERROR)) for i in range(3)]
    text = to_markdown(Report((*bad, *calm)))
    assert all(f"bad{i}" in "\n".join(text.splitlines()[:40]) for i in range(3))
    assert text.count("\n## ") == 3 + 1
    assert "| `calm296` |" in text
    assert len(text) < 60_000


def test_a_run_in_steps_says_so() -> None:
    schedule = Schedule("step", "logged", drops=drops(1000, 2000))
    bad = finding(span=Span(1000.0, 2000.0, "step"))
    of = diagnosis(run(axis=Axis("step")), bad, schedule=schedule, measures={"best_epoch": 1500.0, "best_value": 0.5})
    text = to_markdown(Report((of,)))
    assert "| step 1500 | 0.5 | – | 1000 steps | – | step 40 |" in text
    assert "steps since the last" in text
