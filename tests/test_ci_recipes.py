"""action.yml and the recipes of the README do what they say: their commands are run here, with stubs for what installs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from logdoctor.cli import cli

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
README = [
    yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
]
HEALTHY = "epoch,loss,val_loss\n" + "".join(f"{i},{2 / (i + 1) + 0.1:.6f},{2 / (i + 1) + 0.2:.6f}\n" for i in range(30))
DIVERGED = "epoch,loss,val_loss\n" + "".join(f"{i},{1 + 3**i:.6g},{1 + 3**i:.6g}\n" for i in range(20))
LOGDOCTOR = f'#!/bin/sh\nexec "{sys.executable}" -m logdoctor.cli "$@"\n'
RECORDER = '#!/bin/sh\nfor each in "$@"; do printf "%s\\0" "$each" >> "$CALLS"; done\n'
PIP = '#!/bin/sh\necho "pip $*" >> "$CALLS"\n'
PYTHON = '#!/bin/sh\necho "python $*" >> "$CALLS"\nmkdir -p "$3/bin"\ncp "$STUBS/pip" "$STUBS/logdoctor" "$3/bin"\n'

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the recipes are for bash")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with logs, and stubs of the programs that install."""
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name, text in (("logdoctor", LOGDOCTOR), ("pip", PIP), ("python", PYTHON)):
        (stubs / name).write_text(text)
        (stubs / name).chmod(0o755)
    runs = tmp_path / "workspace" / "runs"
    runs.mkdir(parents=True)
    (runs / "good.csv").write_text(HEALTHY)
    for name in ("summary", "output", "calls"):
        (tmp_path / name).write_text("")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "parsers")]))
    monkeypatch.setenv("PATH", f"{stubs}{os.pathsep}{os.environ['PATH']}")
    for name, value in (("STUBS", stubs), ("CALLS", tmp_path / "calls"), ("RUNNER_TEMP", tmp_path / "temp"),
                        ("GITHUB_STEP_SUMMARY", tmp_path / "summary"), ("GITHUB_OUTPUT", tmp_path / "output"),
                        ("GITHUB_WORKSPACE", runs.parent)):  # fmt: skip
        monkeypatch.setenv(name, str(value))
    return runs.parent


def shell(text: str, workspace: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a GitHub runner does."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    return subprocess.run(
        command, cwd=workspace, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def evaluated(expression: str, known: dict[str, str]) -> str:
    """`${{ inputs.path }}` as the runner fills it in."""
    return re.sub(r"\$\{\{\s*(\S+?)\s*\}\}", lambda match: known[match[1]], expression)


def report(workspace: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Install and report, with the defaults for every input that is not given (`_` for `-`)."""
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    assert set(given) <= set(ACTION["inputs"])
    values = {name: given.get(name, str(said.get("default", ""))) for name, said in ACTION["inputs"].items()}
    known = {f"inputs.{name}": value for name, value in values.items()}
    known |= {
        "github.action_path": "/action path",
        "steps.python.outputs.python-path": str(workspace.parent / "stubs" / "python"),
    }
    installed = shell(STEPS["Install logdoctor"]["run"], workspace, **environment_of("Install logdoctor", known))
    assert installed.returncode == 0, installed.stderr
    known["steps.install.outputs.programs"] = outputs(workspace)["programs"]
    return shell(STEPS["Report"]["run"], workspace, **environment_of("Report", known))


def environment_of(step: str, known: dict[str, str]) -> dict[str, str]:
    return {name: evaluated(value, known) for name, value in STEPS[step]["env"].items()}


def outputs(workspace: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (workspace.parent / "output").read_text().splitlines())


def recorded(workspace: Path) -> list[str]:
    """The arguments that the stub of logdoctor was called with."""
    return (workspace.parent / "calls").read_text().rpartition("\n")[2].split("\0")[:-1]


def test_no_input_is_part_of_a_command() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert "run" not in step or step["shell"] == "bash"


def test_every_input_is_used_and_every_action_pinned() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    assert [name for name in ACTION["inputs"] if f"inputs.{name} " not in text] == []
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]) for step in STEPS.values() if "uses" in step)
    options = {option for parameter in cli.commands["report"].params for option in parameter.opts}  # type: ignore[attr-defined]
    assert set(re.findall(r"--[a-z-]+(?==|\b)", STEPS["Report"]["run"])) <= options


def test_the_action_installs_itself_and_reports(workspace: Path) -> None:
    done = report(workspace, path="runs")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = (workspace.parent / "calls").read_text()
    assert (
        calls
        == f"python -m venv {workspace.parent}/temp/logdoctor\npip install --quiet --disable-pip-version-check /action path\n"
    )
    assert (workspace.parent / "summary").read_text().startswith("# Training report")
    assert (workspace / "logdoctor-report" / "report.md").is_file()
    assert outputs(workspace)["exit-code"] == "0"
    assert outputs(workspace)["report"] == "logdoctor-report/report.json"


def test_the_action_fails_on_errors_and_keeps_its_report(workspace: Path) -> None:
    (workspace / "runs" / "bad.csv").write_text(DIVERGED)
    done = report(workspace, path=f"{workspace}/runs", junit="out.xml", since="12h", output="my report")
    assert done.returncode == 1
    assert "::error file=runs/bad.csv,line=" in done.stdout
    assert outputs(workspace)["exit-code"] == "1"
    assert "xychart-beta" in (workspace.parent / "summary").read_text()
    assert {suite.name for suite in JUnitXml.fromfile(str(workspace / "out.xml"))} == {"bad", "good"}
    assert (workspace / outputs(workspace)["report"]).is_file()
    upload = STEPS["Keep the report"]
    assert upload["with"]["path"] == "${{ inputs.output }}"
    assert "always()" in upload["if"]


def test_the_action_compares_with_a_baseline_once_there_is_one(workspace: Path) -> None:
    gates = "val_loss 2%\nloss 0.5\n"
    first = report(workspace, path="runs", baseline="base.json", fail_if_worse=gates)
    assert first.returncode == 0, first.stderr
    assert "::warning title=logdoctor::The baseline is not there yet" in first.stdout
    shutil.copy(workspace / outputs(workspace)["report"], workspace / "base.json")
    (workspace / "runs" / "good.csv").write_text(
        HEALTHY.replace(",0.26", ",0.56").replace(",0.27", ",0.57").replace(",0.2", ",0.5")
    )
    worse = report(workspace, path="runs", baseline="base.json", fail_if_worse=gates)
    assert worse.returncode == 1
    assert "✗ val_loss 2%: worse in 1 of 1 runs" in worse.stdout
    assert "✓ loss 0.5: kept in 1 of 1 runs" in worse.stdout
    assert "::error file=runs/good.csv,line=" in worse.stdout


@pytest.mark.parametrize(
    "hostile",
    ['"; touch taken; "', "$(touch taken)", "`touch taken`", "a b\\", "-o", "${{ github.token }}", "*", "x'y"],
)
def test_inputs_arrive_as_they_are_and_none_is_obeyed(workspace: Path, hostile: str) -> None:
    (workspace.parent / "stubs" / "logdoctor").write_text(RECORDER)
    (workspace / "base.json").write_text("{}")
    done = report(workspace, path=f"{hostile}\nruns", baseline="base.json", config=hostile, output=hostile,
                  fail_if_worse=hostile, since=hostile, junit=hostile, fail_on=hostile)  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = {name: f"--{name}={hostile}" for name in ("output", "fail-on", "since", "config", "junit")}
    assert recorded(workspace) == [
        "report", "--github", *said.values(), "--baseline=base.json", f"--fail-if-worse={hostile}", "--", hostile, "runs",
    ]  # fmt: skip
    assert not (workspace / "taken").exists()
    assert outputs(workspace)["report"] == f"{hostile}/report.json"


def test_an_input_of_several_lines_sets_no_further_output(workspace: Path) -> None:
    (workspace.parent / "stubs" / "logdoctor").write_text(RECORDER)
    report(workspace, path="runs", output="a\nexit-code=0\nother=1")
    assert set(outputs(workspace)) == {"programs", "exit-code", "report"}


def test_the_recipe_for_github_names_inputs_there_are() -> None:
    (step,) = next(recipe for recipe in README if isinstance(recipe, list))
    assert step["uses"].partition("@")[0].endswith("/logdoctor")
    assert set(step["with"]) <= set(ACTION["inputs"])
    required = {name for name, said in ACTION["inputs"].items() if said.get("required")}
    assert required <= set(step["with"])


def gitlab_job() -> dict[str, Any]:
    (job,) = next(recipe for recipe in README if isinstance(recipe, dict)).values()
    return dict(job)


@pytest.mark.parametrize(("log", "code"), [(HEALTHY, 0), (DIVERGED, 1)])
def test_the_recipe_for_gitlab_leaves_what_it_promises(workspace: Path, log: str, code: int) -> None:
    job = gitlab_job()
    (workspace / "runs" / "good.csv").write_text(log)
    done = shell("\n".join(job["script"]), workspace, **job["variables"])
    assert done.returncode == code, done.stderr
    assert (workspace.parent / "calls").read_text() == f"pip install --quiet {job['variables']['LOGDOCTOR']}\n"
    artifacts = job["artifacts"]
    assert artifacts["when"] == "always"
    (suite,) = JUnitXml.fromfile(str(workspace / artifacts["reports"]["junit"]))
    assert (suite.failures > 0) is bool(code)
    assert all(case.name and case.classname == "good" for case in suite)
    for path in artifacts["paths"]:
        assert {"report.md", "report.json", "report.html"} <= {file.name for file in (workspace / path).iterdir()}


def test_the_readme_tells_how_shells_complete(workspace: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (command,) = re.findall(r'`eval "\$\((_LOGDOCTOR_COMPLETE=bash_source logdoctor)\)"`', text)
    done = shell(f'eval "$({command})"; complete -p logdoctor', workspace)
    assert done.returncode == 0, done.stderr
    assert "_logdoctor_completion" in done.stdout
