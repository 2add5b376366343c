"""Settings: logdoctor.toml, [tool.logdoctor], --limit, --ignore and --since; every mistake in them is one sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from junitparser import JUnitXml, Skipped

import logdoctor
from logdoctor.cli import cli
from logdoctor.errors import LogDoctorError
from logdoctor.options import Ignore, Options, merged, parse_since

HEALTHY = "epoch,loss,val_loss\n" + "".join(f"{i},{2 / (i + 1) + 0.1:.6f},{2 / (i + 1) + 0.2:.6f}\n" for i in range(30))


def overfitted(start: float) -> str:
    rows = (f"{i},{start / (i + 1) + 0.1:.6f},{start / (i + 1) + 0.2 + 0.02 * max(0, i - 8):.6f}" for i in range(30))
    return "epoch,loss,val_loss\n" + "".join(f"{row}\n" for row in rows)


FLAT = "epoch,loss\n" + "".join(f"{i},{2 / (i + 1) ** 4 + 0.1 + 0.001 * (i % 3):.6f}\n" for i in range(60))
NOON = 1_795_000_000.0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "over.csv").write_text(overfitted(2))
    return tmp_path


def report(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", "runs", "--no-plots", *arguments])


def said(*arguments: str) -> dict[str, Any]:
    result = report("--json", "-", *arguments)
    assert result.exit_code == 0, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def found(content: dict[str, Any]) -> set[str]:
    return {finding["analyzer"] for run in content["runs"] for finding in run["findings"]}


def test_a_limit_of_the_command_line_changes_the_verdict(here: Path) -> None:
    (here / "runs" / "flat.csv").write_text(FLAT)
    assert "plateau" in found(said())
    assert "plateau" not in found(said("--limit", "plateau.min_epochs=1000", "--limit", "plateau.min_share=1e3"))


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("platau.min_epochs=3", "did you mean 'plateau'"),
        ("plateau.min_epoch=3", "did you mean 'min_epochs'"),
        ("plateau.min_epochs=many", "must be a number, 0 or more, not 'many'"),
        ("plateau.min_epochs=-1", "must be a number"),
        ("plateau.min_epochs=nan", "must be a number"),
        ("plateau.min_epochs=inf", "must be a number"),
        ("plateau.min_epochs", "write FINDING.LIMIT=NUMBER"),
        ("plateau=3", "write FINDING.LIMIT=NUMBER"),
        ("", "write FINDING.LIMIT=NUMBER"),
    ],
)
def test_a_limit_with_a_mistake_is_one_sentence(here: Path, limit: str, sentence: str) -> None:
    result = report("--limit", limit)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_limits_of_file_and_command_line_add_up() -> None:
    file = Options(limits={"plateau": {"min_epochs": 5, "share": 1}, "late-drop": {"min_epochs": 9}})
    limits = merged(file, {"limits": {"plateau": {"min_epochs": 7}}}).limits
    assert limits == {"plateau": {"min_epochs": 7, "share": 1}, "late-drop": {"min_epochs": 9}}


def test_settings_in_pyproject_count_unless_there_is_a_file_of_our_own(here: Path) -> None:
    (here / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.logdoctor]\nignore = ["overfitting"]\n')
    assert "overfitting" not in found(said())
    (here / "logdoctor.toml").write_text("batch_size = 8\n")
    assert "overfitting" in found(said())


def test_settings_in_the_folder_examined_and_by_config(here: Path) -> None:
    settings = '[tool.logdoctor]\nignore = ["overfitting"]\n'
    (here / "runs" / "pyproject.toml").write_text(settings)
    content = said()
    assert "overfitting" not in found(content)
    assert content["unread"] == []
    (here / "runs" / "pyproject.toml").unlink()
    (here / "sub").mkdir()
    (here / "sub" / "pyproject.toml").write_text(settings)
    assert "overfitting" not in found(said("--config", "sub/pyproject.toml"))


@pytest.mark.parametrize("content", ["[tool.ruff]\n", "= broken", "tool = 3\n", "\xff", ""])
def test_the_pyproject_of_others_is_no_concern_of_ours(here: Path, content: str) -> None:
    (here / "pyproject.toml").write_bytes(content.encode("latin-1"))
    assert "overfitting" in found(said())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[tool.logdoctor]\nignored = []", "did you mean 'ignore'"),
        ("[tool.logdoctor]\nignore = 3", "must be a list of findings"),
        ("[tool]\nlogdoctor = 3", "as a table, [tool.logdoctor]"),
        ("[tool.logdoctor\n", "not valid TOML"),
    ],
)
def test_our_table_in_pyproject_with_a_mistake_is_one_sentence(here: Path, content: str, sentence: str) -> None:
    (here / "pyproject.toml").write_text(content)
    result = report()
    assert result.exit_code == 2
    assert "pyproject.toml" in result.stderr
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('ignore = ["overfiting"]', "did you mean 'overfitting'"),
        ("ignore = [3]", "ignore must be text, not 3"),
        ('[[ignore]]\nreason = "x"', "say under [[ignore]] which finding"),
        ('[[ignore]]\nfinding = "plateau"\nrun = "a"', "did you mean 'runs'"),
        ('[[ignore]]\nfinding = "plateau"\nreason = 3', "reason of [[ignore]] must be text"),
        ('[limits.plateau]\nmin_epochs = "many"', "must be a number, 0 or more, not 'many'"),
        ("[limits.plateau]\nmin_epochs = true", "must be a number, 0 or more"),
        ("[limits]\nplateau = 3", "write limits as [limits.plateau]"),
        ('[roles]\nvalidation = "x"', "unknown key 'validation' of [roles]"),
        ("[roles]\nval = 3", "val of [roles] must be text"),
        ("[roles]\nval = []", "val of [roles] must be text"),
        ("roles = 3", "write what to judge by as [roles]"),
        ('[roles]\nval = "val_los"', "no run logs val_los; did you mean 'val_loss'"),
    ],
)
def test_settings_with_a_mistake_are_one_sentence(here: Path, content: str, sentence: str) -> None:
    (here / "logdoctor.toml").write_text(content)
    result = report()
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_ignored_findings_are_counted_with_their_reason_and_do_not_fail(here: Path) -> None:
    (here / "runs" / "other.csv").write_text(overfitted(3))
    (here / "logdoctor.toml").write_text(
        '[[ignore]]\nfinding = "overfitting"\nruns = "ov*"\nreason = "small data, issue 7"\n'
    )
    content = said()
    assert [(each["run"], each["analyzer"], each["reason"]) for each in content["ignored"]] == [
        ("over", "overfitting", "small data, issue 7")
    ]
    by_name = {run["name"]: {finding["analyzer"] for finding in run["findings"]} for run in content["runs"]}
    assert "overfitting" in by_name["other"]
    assert "overfitting" not in by_name["over"]
    result = report("--ignore", "overfitting", "--fail-on", "warning", "--junit", "out.xml")
    assert result.exit_code == 0
    assert "Ignored: 1 overfitting (small data, issue 7), 1 overfitting." in result.stdout
    assert "1 overfitting (small data, issue 7)" in (here / "logdoctor-report" / "report.md").read_text()
    outcomes = [
        o.message
        for suite in JUnitXml.fromfile("out.xml")
        for case in suite
        for o in case.result
        if isinstance(o, Skipped)
    ]
    assert "ignored: small data, issue 7" in outcomes
    assert "ignored: no reason given" in outcomes


def test_what_is_ignored_on_the_command_line_adds_to_the_file() -> None:
    file = Options(ignore=(Ignore("plateau", reason="known"),))
    assert merged(file, {"ignore": ("late-drop",)}).ignore == (Ignore("plateau", reason="known"), Ignore("late-drop"))
    assert merged(file, {"ignore": "late-drop"}).ignore[-1] == Ignore("late-drop")


def test_unknown_names_to_ignore_are_errors(here: Path) -> None:
    result = report("--ignore", "overfit")
    assert result.exit_code == 2
    assert "did you mean 'overfitting'" in result.stderr
    with pytest.raises(LogDoctorError, match="no analyzer is called"):
        logdoctor.diagnose("runs", ignore=("nonsense",))


def test_an_ignored_finding_leaves_no_trace_of_being_skipped(here: Path) -> None:
    (here / "runs" / "flat.csv").write_text(FLAT)
    flat = next(run for run in said("--ignore", "overfitting")["runs"] if run["name"] == "flat")
    assert "overfitting" not in {skipped["analyzer"] for skipped in flat["skipped"]}


def test_roles_say_which_curves_to_judge_by(here: Path) -> None:
    rows = [
        f"{i},{2 / (i + 1) + 0.1:.6f},{3 / (i + 1):.6f},{2 / (i + 1) + 0.2 + 0.02 * max(0, i - 8):.6f}"
        for i in range(30)
    ]
    text = "epoch,loss,val_loss,val_seg_loss\n" + "".join(f"{row}\n" for row in rows)
    (here / "runs" / "over.csv").write_text(text)
    assert "overfitting" not in found(said())
    (here / "logdoctor.toml").write_text('[roles]\nval = ["val/nothing", "val_seg*"]\n')
    content = said()
    assert content["runs"][0]["primary"]["val"] == {"tag": "val_seg_loss", "split": "val"}
    assert "overfitting" in found(content)
    assert "is the val curve, as \\[roles\\] says" in (here / "logdoctor-report" / "report.md").read_text()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12h", 43_200), ("90m", 5_400), ("3d", 259_200), ("2w", 1_209_600), ("0.5 h", 1_800), (" 12h ", 43_200)],
)
def test_since_a_span(text: str, seconds: float) -> None:
    assert parse_since(text, NOON) == NOON - seconds


def test_since_a_date_is_local_unless_it_says_otherwise() -> None:
    from datetime import UTC, datetime

    assert parse_since("2026-11-16", NOON) == datetime(2026, 11, 16).timestamp()
    assert parse_since("2026-11-16T18:00+00:00", NOON) == datetime(2026, 11, 16, 18, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text", ["", "h12", "-12h", "12 hours ago", "2026-13-41", "0001-01-01", "12", "1e3h", "nan", "٣h0"]
)
def test_since_with_a_mistake_is_one_sentence(here: Path, text: str) -> None:
    result = report("--since", text)
    assert result.exit_code == 2
    assert "give a span such as" in result.stderr
    assert "a fault of logdoctor" not in result.stderr


def test_since_a_time_to_come_is_an_error(here: Path) -> None:
    result = report("--since", "2999-01-01")
    assert result.exit_code == 2
    assert "still to come" in result.stderr


def test_since_tells_how_many_runs_it_left_out(here: Path) -> None:
    (here / "runs" / "fresh.csv").write_text(HEALTHY)
    os.utime(here / "runs" / "over.csv", (1_000_000, 1_000_000))
    result = report("--since", "12h")
    assert result.exit_code == 0
    assert "1 older run left out by --since" in result.stdout
    assert said("--since", "12h")["older"] == ["over"]
    os.utime(here / "runs" / "fresh.csv", (1_000_000, 1_000_000))
    result = report("--since", "12h")
    assert result.exit_code == 0
    assert "No run wrote anything since then; 2 older runs left out." in result.stdout


@pytest.mark.parametrize("number", ["nan", "inf", "1e300", "1e-300"])
@pytest.mark.parametrize("option", ["--dataset-size", "--batch-size", "--steps-per-epoch", "--augmentation-factor"])
def test_numbers_that_cannot_be_meant_are_one_sentence(here: Path, option: str, number: str) -> None:
    result = report(option, number)
    assert result.exit_code == 2
    assert "must be a number from" in result.stderr or "not in the range" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str) -> None:
    import subprocess
    import sys

    environment = os.environ | {"_LOGDOCTOR_COMPLETE": f"{shell}_source"}
    command = [sys.executable, "-m", "logdoctor.cli"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "_LOGDOCTOR_COMPLETE=" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("content", [
    f"dataset_size = {'9' * 5000}", f"dataset_size = 0x{'f' * 5000}", f"limits.plateau.min_epochs = 0x{'f' * 5000}",
    f"limits.plateau.{'a.' * 3000}b = 1", f"dataset_size.{'a.' * 3000}b = 1", f"{'a.' * 3000}b = 1",
    f"ignore = {'[' * 3000}{']' * 3000}", f"runs.x.{'a.' * 3000}b = 1", f"roles.val.{'a.' * 3000}b = 1",
])  # fmt: skip
def test_a_strangers_settings_are_refused_in_a_sentence(here: Path, content: str) -> None:
    (here / "runs" / "logdoctor.toml").write_text(content)
    done = report()
    assert done.exit_code == 2
    assert "logdoctor.toml" in done.output
    assert "fault of logdoctor" not in done.output
    assert len(done.output) < 1000
