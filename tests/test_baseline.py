"""--baseline and --fail-if-worse: what changed since a former report, told everywhere, and exit 1 where it got worse."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result

import logdoctor
from logdoctor.baseline import read_baseline
from logdoctor.cli import cli
from logdoctor.errors import LogDoctorError
from logdoctor.gate import parse_gates


def table(*, val: float = 0.2, epochs: int = 30, start: float = 2.0, accuracy: float | None = None) -> str:
    """A log whose train loss falls to 0.1 and whose validation loss falls to `val`, its accuracy rises to `accuracy`."""
    rows = [f"{i},{start / (i + 1) + 0.1:.6f},{start / (i + 1) + val:.6f}" for i in range(epochs)]
    if accuracy is None:
        return "epoch,loss,val_loss\n" + "".join(f"{row}\n" for row in rows)
    rows = [f"{row},{accuracy - 0.5 / (i + 1):.6f}" for i, row in enumerate(rows)]
    return "epoch,loss,val_loss,val_accuracy\n" + "".join(f"{row}\n" for row in rows)


OVERFITTED = "epoch,loss,val_loss\n" + "".join(
    f"{i},{2 / (i + 1) + 0.1:.6f},{2 / (i + 1) + 0.2 + 0.02 * max(0, i - 8):.6f}\n" for i in range(30)
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "runs").mkdir()
    return tmp_path


def write(here: Path, **logs: str) -> None:
    for path in (here / "runs").iterdir():
        path.unlink()
    for name, text in logs.items():
        (here / "runs" / f"{name}.csv").write_text(text)


def report(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", "runs", "--no-plots", *arguments])


def baseline(here: Path, **logs: str) -> str:
    write(here, **logs)
    assert report("-o", "former", "-q").exit_code == 0
    return "former/report.json"


def changes(*arguments: str) -> dict[str, Any]:
    result = report("--json", "-", *arguments)
    assert result.exit_code in (0, 1), result.output
    said: dict[str, Any] = json.loads(result.stdout)["changes"]
    return said


def test_runs_findings_and_best_values_that_changed(here: Path) -> None:
    former = baseline(here, kept=table(start=2.5), worse=table(), better=table(val=0.4), gone=table(start=5.0))
    write(here, kept=table(start=2.5), worse=OVERFITTED, better=table(val=0.3), fresh=table(start=7.0, epochs=40))
    said = changes("--baseline", former)
    assert (said["new_runs"], said["gone_runs"], said["renamed_runs"]) == (["fresh"], ["gone"], [])
    runs = {run["name"]: run for run in said["runs"]}
    assert set(runs) == {"kept", "worse", "better"}
    assert "overfitting" in runs["worse"]["new_findings"]
    assert runs["kept"]["new_findings"] == runs["kept"]["gone_findings"] == []
    best = {name: (run["best"]["before"], run["best"]["now"], run["best"]["verdict"]) for name, run in runs.items()}
    assert best["kept"] == (pytest.approx(2.5 / 30 + 0.2, abs=1e-6),) * 2 + ("equal",)
    assert best["worse"][2] == "worse"
    assert best["better"] == (pytest.approx(2 / 30 + 0.4, abs=1e-6), pytest.approx(2 / 30 + 0.3, abs=1e-6), "better")
    best_now = runs["better"]["best"]
    line = (here / best_now["source"]).read_text().splitlines()[best_now["line"] - 1]
    assert float(line.split(",")[2]) == best_now["now"]


def test_changes_stand_at_the_top_of_the_report_in_the_terminal_and_in_the_job_summary(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = baseline(here, a=table(), gone=table(start=5.0))
    write(here, a=OVERFITTED, b=table(start=7.0))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    result = report("--baseline", former, "--github", "--html", "page.html")
    markdown = (here / "logdoctor-report" / "report.md").read_text()
    page = (here / "page.html").read_text()
    for text in (result.stdout, markdown, (here / "summary.md").read_text(), page):
        assert "1 new run, 1 run gone, " in text
        assert "New: b" in text
        assert "Gone: gone" in text
        assert "0.2667" in text
    top, _, _ = markdown.partition("| run | verdict |")
    assert "**Since former/report.json: 1 new run" in top
    assert "| `a` | val_loss: +" in top


def test_a_finding_that_is_gone_is_told_and_one_that_is_ignored_is_not_gone(here: Path) -> None:
    former = baseline(here, a=OVERFITTED)
    ignored = changes("--baseline", former, "--ignore", "overfitting")["runs"][0]
    assert (ignored["new_findings"], ignored["gone_findings"]) == ([], [])
    write(here, a=table())
    assert "overfitting" in changes("--baseline", former)["runs"][0]["gone_findings"]


def test_what_was_ignored_then_is_not_new_now(here: Path) -> None:
    write(here, a=OVERFITTED)
    assert report("-o", "former", "-q", "--ignore", "overfitting").exit_code == 0
    assert changes("--baseline", "former")["runs"][0]["new_findings"] == []


def test_a_renamed_run_is_told_as_renamed(here: Path) -> None:
    former = baseline(here, old_name=table(start=3.0), other=table())
    write(here, new_name=table(start=3.0, epochs=35), other=table())
    said = changes("--baseline", former)
    assert said["renamed_runs"] == [{"from": "old_name", "to": "new_name", "by": "same first values"}]
    assert (said["new_runs"], said["gone_runs"]) == ([], [])
    assert "called old_name then (same first values)" in report("--baseline", former).stdout


def test_runs_are_found_again_when_a_higher_folder_is_given(here: Path) -> None:
    former = baseline(here, a=table(), b=table(start=3.0))
    write(here, a=table(start=4.0), b=table(start=5.0))
    result = CliRunner().invoke(cli, ["report", ".", "--no-plots", "--baseline", former, "--json", "-"])
    said = json.loads(result.stdout)["changes"]
    assert [(run["former_name"], run["name"]) for run in said["runs"]] == [("a", "runs/a"), ("b", "runs/b")]
    assert said["new_runs"] == said["gone_runs"] == []


def test_runs_left_out_by_since_are_not_gone(here: Path) -> None:
    import os

    former = baseline(here, a=table(), old=table(start=3.0))
    os.utime(here / "runs" / "old.csv", (1_000_000, 1_000_000))
    assert changes("--baseline", former, "--since", "12h")["gone_runs"] == []


def test_a_best_value_that_moves_within_the_noise_is_neither_better_nor_worse(here: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (2, 200))
    logs = [
        "epoch,loss,val_loss\n" + "".join(f"{i},{1 + n:.6f},{1 + n:.6f}\n" for i, n in enumerate(of)) for of in noise
    ]
    former = baseline(here, a=logs[0])
    write(here, a=logs[1])
    best = changes("--baseline", former)["runs"][0]["best"]
    assert best["verdict"] == "within noise"
    assert best["noise"] == pytest.approx(0.05, rel=0.4)


def test_the_report_may_replace_its_own_baseline(here: Path) -> None:
    write(here, a=table())
    assert report("-q").exit_code == 0
    write(here, a=table(val=0.3))
    assert report("-q", "--baseline", "logdoctor-report/report.json").exit_code == 0
    said = json.loads((here / "logdoctor-report" / "report.json").read_text())
    assert said["changes"]["runs"][0]["best"]["verdict"] == "worse"


def test_a_baseline_of_another_version_is_told(here: Path) -> None:
    path = here / baseline(here, a=table())
    path.write_text(path.read_text().replace(f'"logdoctor": "{logdoctor.__version__}"', '"logdoctor": "0.0.7"'))
    assert "(by logdoctor 0.0.7, which may judge otherwise)" in report("--baseline", str(path)).stdout


BAD = {
    "missing.json": (None, "No such file"),
    "empty.json": ("", "not valid JSON"),
    "list.json": ("[]", "not written by logdoctor"),
    "other.json": ('{"schema": 1, "runs": []}', "not written by logdoctor"),
    "old.json": ('{"schema": 0, "logdoctor": "0.0.1", "runs": []}', "reads schema 1"),
    "damaged.json": ('{"schema": 1, "logdoctor": "0.1.0", "runs": [{"name": "a"}]}', "damaged"),
    "odd.json": ('{"schema": 1, "logdoctor": "0.1.0", "runs": 7}', "damaged"),
    "deep.json": ("[" * 100_000, "not valid JSON"),
    "bytes.json": ("\0\1\2", "not valid JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_baseline_is_one_sentence(here: Path, name: str) -> None:
    content, sentence = BAD[name]
    write(here, a=table())
    if content is not None:
        (here / name).write_text(content)
    result = report("--baseline", name)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not (here / "logdoctor-report").exists()


def test_an_empty_name_is_no_baseline(here: Path) -> None:
    write(here, a=table())
    assert report("--baseline", "").exit_code == 2


def test_a_folder_without_a_report_is_no_baseline(here: Path) -> None:
    write(here, a=table())
    assert "runs/report.json: No such file" in report("--baseline", "runs").stderr


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("val_loss 2%", 1), ("val_loss 50%", 0), ("val_loss 0.05", 1), ("val_loss 0.2", 0), ("loss 0%", 0),
        ("val_accuracy 1 %", 1), ("val_accuracy 0.2", 0), ("val_acc 1%", 1),
    ],
)  # fmt: skip
def test_exit_1_where_the_best_value_is_worse_than_allowed(here: Path, gate: str, code: int) -> None:
    former = baseline(here, a=table(accuracy=0.9))
    write(here, a=table(val=0.3, accuracy=0.8))
    result = report("--baseline", former, "--fail-if-worse", gate)
    assert result.exit_code == code, result.output
    assert ("✗" in result.stdout) is bool(code)


@pytest.mark.parametrize("gate", ["val_loss 0%", "val_accuracy 0"])
def test_what_became_better_passes(here: Path, gate: str) -> None:
    former = baseline(here, a=table(val=0.3, accuracy=0.8))
    write(here, a=table(val=0.2, accuracy=0.9))
    assert report("--baseline", former, "--fail-if-worse", gate).exit_code == 0


def test_every_gate_counts_and_every_run(here: Path) -> None:
    former = baseline(here, a=table(), b=table(start=3.0))
    write(here, a=table(), b=table(start=3.0, val=0.4))
    result = report(
        "--baseline", former, "--fail-if-worse", "loss 5%", "--fail-if-worse", "val_loss 5%", "--junit", "o.xml"
    )
    assert result.exit_code == 1
    assert "✓ loss 5%: kept in 2 of 2 runs" in result.stdout
    assert "✗ val_loss 5%: worse in 1 of 2 runs" in result.stdout
    assert "b: val_loss 0.3 → 0.5 (+66.7 %)" in result.stdout
    cases = [case for case in ElementTree.parse("o.xml").iter("testcase") if "no worse" in str(case.get("name"))]
    failed = [(case.get("classname"), case.get("name")) for case in cases if case.find("failure") is not None]
    assert len(cases) == 4
    assert failed == [("b", "no worse than the baseline: val_loss 5%")]


def test_a_metric_that_the_baseline_lacks_is_told_and_is_a_problem_under_strict(here: Path) -> None:
    former = baseline(here, a=table())
    write(here, a=table(accuracy=0.9))
    arguments = ("--baseline", former, "--fail-if-worse", "val_accuracy 1%")
    result = report(*arguments, "--github")
    assert result.exit_code == 0
    assert "no val_accuracy in the baseline" in result.stdout
    assert "::warning title=a%3A val_accuracy 1%25::" in result.stdout
    assert report(*arguments, "--strict").exit_code == 2


@pytest.mark.parametrize("how", [("--quiet",), ("--json", "-")])
def test_what_a_gate_found_is_never_silent(here: Path, how: tuple[str, ...]) -> None:
    former = baseline(here, a=table())
    write(here, a=table(val=0.4))
    result = report("--baseline", former, "--fail-if-worse", "val_loss 2%", *how)
    assert result.exit_code == 1
    assert "a: val_loss 0.2667 → 0.4667 (+75.0 %)" in result.stderr
    assert report("--baseline", former, "--fail-if-worse", "val_loss 99%", *how).stderr == ""


def test_a_metric_that_is_not_logged_any_more_fails(here: Path) -> None:
    former = baseline(here, a=table(accuracy=0.9))
    write(here, a=table())
    result = report("--baseline", former, "--fail-if-worse", "val_accuracy 1%", "--github")
    assert result.exit_code == 1
    assert "val_accuracy is not logged any more" in result.stdout
    assert "::error title=a%3A val_accuracy 1%25::worse than the baseline allows" in result.stdout


def test_a_metric_that_has_become_nan_fails(here: Path) -> None:
    former = baseline(here, a=table())
    write(here, a="epoch,loss,val_loss\n" + "".join(f"{i},{2 / (i + 1):.6f},nan\n" for i in range(30)))
    result = report("--baseline", former, "--fail-if-worse", "val_loss 1%")
    assert result.exit_code == 1
    assert "no finite value any more" in result.stdout


def test_what_was_nan_then_and_is_nan_now_is_no_change(here: Path) -> None:
    text = "epoch,loss,val_loss\n" + "".join(f"{i},{2 / (i + 1):.6f},nan\n" for i in range(30))
    former = baseline(here, a=text)
    result = report("--baseline", former, "--fail-if-worse", "val_loss 1%", "--strict")
    assert result.exit_code == 0
    assert "nothing changed in 1 run." in result.stdout
    assert "val_loss 1%: judged in no run, no value then or now in 1" in result.stdout


def test_many_changes_leave_the_worst_runs_in_the_first_40_lines(here: Path) -> None:
    starts = [2 + i / 10 for i in range(12)]
    former = baseline(here, **{f"r{i}": table(start=start) for i, start in enumerate(starts)})
    write(here, **{f"r{i}": table(start=start, val=0.5) for i, start in enumerate(starts)})
    assert report("--baseline", former, "--fail-if-worse", "val_loss 1%", "-q").exit_code == 1
    lines = (here / "logdoctor-report" / "report.md").read_text().splitlines()
    assert next(i for i, line in enumerate(lines) if line.startswith("| run | verdict")) < 30
    assert "<details><summary>7 more runs that changed</summary>" in lines


def test_no_run_in_common_is_told(here: Path) -> None:
    former = baseline(here, a=table())
    write(here, b=table(start=5.0))
    arguments = ("--baseline", former, "--fail-if-worse", "val_loss 1%")
    result = report(*arguments)
    assert result.exit_code == 0
    assert "nothing was compared" in result.stdout
    assert report(*arguments, "--strict").exit_code == 2


MISTAKES = [
    (["val_loss"], "write a metric and by how much"),
    (["2%"], "write a metric and by how much"),
    (["val_loss -2%"], "write a metric and by how much"),
    (["val_loss 2%%"], "write a metric and by how much"),
    ([""], "write a metric and by how much"),
    (["val_los 2%"], "did you mean 'val_loss'?"),
    (["weirdness 2%"], "add higher-is-better or lower-is-better"),
]


@pytest.mark.parametrize(("gates", "sentence"), MISTAKES)
def test_a_gate_with_a_mistake_is_one_sentence(here: Path, gates: list[str], sentence: str) -> None:
    former = baseline(here, a=table())
    given = [part for gate in gates for part in ("--fail-if-worse", gate)]
    result = report("--baseline", former, *given)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_gate_without_a_baseline_says_what_is_missing(here: Path) -> None:
    write(here, a=table())
    result = report("--fail-if-worse", "val_loss 2%")
    assert result.exit_code == 2
    assert "--baseline FILE" in result.stderr


def test_the_direction_of_an_unknown_metric_can_be_said() -> None:
    (gate,) = parse_gates(["my thing 0.5 higher-is-better"], "x")
    assert (gate.metric, gate.higher_is_better, gate.relative) == ("my thing", True, False)
    assert gate.allows(2.0, 1.5)
    assert not gate.allows(2.0, 1.4)


def test_relative_tolerance_of_negative_losses() -> None:
    (gate,) = parse_gates(["val_loss 10%"], "x")
    assert gate.allows(-1.0, -0.95)
    assert not gate.allows(-1.0, -0.85)
    assert gate.allows(-1.0, -2.0)


def test_a_baseline_in_python(here: Path) -> None:
    former = baseline(here, a=table())
    write(here, a=table(val=0.4))
    said = logdoctor.diagnose("runs", baseline=former, fail_if_worse=("val_loss 2%",)).changes
    assert said is not None
    assert said.worse
    assert [run.name for run in said.runs] == ["a"]
    with pytest.raises(LogDoctorError, match="No such file"):
        logdoctor.diagnose("runs", baseline="nowhere.json")


def test_a_baseline_is_read_back_as_it_was_written(here: Path) -> None:
    read = read_baseline(baseline(here, a=table(accuracy=0.9)))
    assert read.version == logdoctor.__version__
    (run,) = read.runs
    accuracy = next(series for series in run.series if series.metric == "accuracy")
    assert (accuracy.lowest, accuracy.highest) == (pytest.approx(0.4), pytest.approx(0.9 - 0.5 / 30, abs=1e-6))
    assert math.isfinite(accuracy.first)
