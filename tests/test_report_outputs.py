"""`--html`, `--junit`, `--github`, `--json`: what is written where, what CI reads of it, what is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from logdoctor.cli import cli
from logdoctor.errors import LogDoctorError
from logdoctor.own_files import is_own
from logdoctor.report.html import to_html
from logdoctor.report.json_report import dumps
from logdoctor.report.junit import to_junit
from logdoctor.report.outputs import for_github, write_output
from tests.hostile import PAYLOADS, report_of

HEALTHY = "epoch,loss,val_loss\n" + "".join(f"{i},{2 / (i + 1) + 0.1:.6f},{2 / (i + 1) + 0.2:.6f}\n" for i in range(30))
DIVERGED = "epoch,loss,val_loss\n" + "".join(f"{i},{1 + 3**i:.6g},{1 + 3**i:.6g}\n" for i in range(20))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "good.csv").write_text(HEALTHY)
    (tmp_path / "runs" / "bad.csv").write_text(DIVERGED)
    (tmp_path / "runs" / "core.bin").write_bytes(b"\0\1\2")
    return tmp_path


def report(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", "runs", "--no-plots", *arguments])


def test_html_is_written_where_asked_for(here: Path) -> None:
    result = report("--html", "out/page.html")
    assert result.exit_code == 0, result.output
    page = (here / "out" / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "bad" in page
    assert "<figure" not in page  # --no-plots


def test_html_draws_unless_told_not_to(here: Path) -> None:
    result = CliRunner().invoke(cli, ["report", "runs", "--html", "page.html"])
    assert result.exit_code == 0, result.output
    assert (here / "page.html").read_text("utf-8").count("<figure") == 2


def test_junit_is_read_back_by_junitparser(here: Path) -> None:
    said = json.loads(report("--junit", "out.xml", "--json", "-").stdout)
    suites = {suite.name: suite for suite in JUnitXml.fromfile("out.xml")}
    assert set(suites) == {"bad", "good", "files not read"}
    bad, *_ = (one for one in said["runs"] if one["name"] == "bad")
    cases = {case.name: case for case in suites["bad"]}
    assert {finding["analyzer"] for finding in bad["findings"]} <= set(cases)
    assert {skipped["analyzer"] for skipped in bad["skipped"]} <= set(cases)
    for finding in bad["findings"]:
        fails = finding["firm"] and finding["severity"] != "info"
        assert [type(outcome) for outcome in cases[finding["analyzer"]].result] == [Failure] * fails
    assert suites["bad"].tests == len(cases)
    assert [type(outcome) for case in suites["files not read"] for outcome in case.result] == [Skipped]


def failures(suite: TestSuite) -> int:
    return sum(isinstance(outcome, Failure) for case in suite for outcome in case.result)


@pytest.mark.parametrize("severity", ["info", "warning", "error"])
def test_junit_fails_where_fail_on_fails(here: Path, severity: str) -> None:
    result = report("--junit", "out.xml", "--fail-on", severity, "--json", "-")
    assert result.exit_code == 1
    levels = {"info": 1, "warning": 2, "error": 3}
    findings = [finding for one in json.loads(result.stdout)["runs"] for finding in one["findings"]]
    firm = [finding for finding in findings if finding["firm"] and levels[finding["severity"]] >= levels[severity]]
    assert sum(failures(suite) for suite in JUnitXml.fromfile("out.xml")) == len(firm) > 0


def test_junit_keeps_hostile_names(tmp_path: Path) -> None:
    path = tmp_path / "out.xml"
    path.write_bytes(to_junit(report_of(PAYLOADS)))
    suites = list(JUnitXml.fromfile(str(path)))
    assert [suite.name for suite in suites[:-1]] == list(PAYLOADS)
    for suite, payload in zip(suites, PAYLOADS, strict=False):
        failed = [case for case in suite if any(isinstance(outcome, Failure) for outcome in case.result)]
        assert {outcome.message for case in failed for outcome in case.result} == {payload}
        assert all(isinstance(case, TestCase) for case in failed)
        assert [case.name for case in suite if any(isinstance(o, Error) for o in case.result)] == ["collapse"]


def test_github_prints_annotations_and_appends_the_job_summary(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = here / "summary.md"
    summary.write_text("earlier step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = report("--github", "--quiet")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("::error file=runs/bad.csv,line=")
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    assert summary.read_text().startswith("earlier step\n# Training report")
    assert "xychart-beta" in summary.read_text()


def test_github_leaves_standard_output_to_json(here: Path) -> None:
    result = report("--github", "--json", "-")
    assert json.loads(result.stdout)["schema"] == 1
    assert "::error file=runs/bad.csv" in result.stderr


def test_without_a_summary_file_github_still_annotates(here: Path) -> None:
    assert "::error file=runs/bad.csv" in report("--github").stdout


def test_a_summary_keeps_to_the_room_that_earlier_commands_left(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    for earlier in (0, 900_000, 999_500):
        summary.write_bytes(b"x" * earlier)
        for_github(report_of(PAYLOADS * 20), {"GITHUB_STEP_SUMMARY": str(summary)})
        assert summary.stat().st_size <= 1_000_000
        assert (summary.stat().st_size > earlier) is (earlier < 990_000)


def test_no_name_begins_a_line_that_github_would_obey(here: Path) -> None:
    for index in range(3):
        (here / "runs" / f"{'x ' * 60}::error file=x::taken {index}.bin").write_bytes(b"\0\1\2")
    result = report("--github", "--quiet")
    loud = report()
    for line in [*result.stdout.splitlines(), *loud.stdout.splitlines()]:
        assert not line.lstrip().startswith("::") or "runs/bad.csv" in line


def test_outputs_among_the_logs_are_not_read_as_logs(here: Path) -> None:
    names = {"--json": "runs/report.json", "--html": "runs/page.html", "--junit": "runs/out.xml"}
    options = [part for pair in names.items() for part in pair]
    for _ in range(2):
        assert report(*options).exit_code == 0
    content = json.loads((here / "runs" / "report.json").read_text())
    assert [one["name"] for one in content["runs"]] == ["bad", "good"]
    assert [one["path"] for one in content["unread"]] == ["runs/core.bin"]


@pytest.mark.parametrize("option", ["--html", "--junit", "--json"])
def test_what_is_not_ours_is_never_overwritten(here: Path, option: str) -> None:
    result = report(option, "runs/good.csv")
    assert result.exit_code == 2
    assert "runs/good.csv was not written by logdoctor" in result.stderr
    assert option in result.stderr
    assert (here / "runs" / "good.csv").read_text() == HEALTHY


@pytest.mark.parametrize("option", ["--html", "--junit", "--json"])
def test_a_place_that_cannot_be_written_is_a_sentence(here: Path, option: str) -> None:
    (here / "file").write_text("")
    for place, reason in (("file/out", "cannot write"), ("runs", "is a folder")):
        result = report(option, place)
        assert result.exit_code == 2
        assert reason in result.stderr
        assert "Traceback" not in result.stderr


def test_own_files_are_told_by_their_beginning(tmp_path: Path) -> None:
    content = report_of(PAYLOADS)
    for ours in (dumps(content), to_html(content), to_junit(content)):
        assert is_own(ours)
        path = tmp_path / "out"
        path.write_bytes(ours)
        write_output(path, "--json", b"new")
        assert path.read_bytes() == b"new"
        path.unlink()
    for other in (
        b"",
        b"{}",
        b'{"a": 1, "logdoctor": "x"}',
        b"<!doctype html><html><head></head>",
        b"epoch,loss\n1,2\n",
    ):
        assert not is_own(other)
    path.write_bytes(b"epoch,loss\n")
    with pytest.raises(LogDoctorError, match="was not written by logdoctor"):
        write_output(path, "--html", b"new")
