"""The README says what the code says: its tables are made from the code, its commands exist, its links lead somewhere.

`LOGDOCTOR_REWRITE_GOLDEN=1 pytest tests/test_readme.py` writes the tables and the picture anew.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Any

import pytest

import logdoctor
from logdoctor.analyzers import ANALYZERS
from logdoctor.cli import cli
from logdoctor.explain import figures_of_findings
from logdoctor.report.plots import draw
from logdoctor_parsers import PARSERS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "tests" / "golden" / "ssd_perclass_10ep.png"
REWRITE = bool(os.environ.get("LOGDOCTOR_REWRITE_GOLDEN"))


def formats_table() -> str:
    rows = [f"| `{parser.name}` | {parser.description} |" for parser in PARSERS]
    return "\n".join(["| format | what |", "|---|---|", *rows])


def findings_table() -> str:
    rows = [f"| `{a.name}` | {(inspect.getdoc(type(a)) or '').partition(chr(10))[0]} |" for a in ANALYZERS]
    return "\n".join(["| finding | says |", "|---|---|", *rows])


def accuracy_table() -> str:
    rows = [
        f"| `{name}` | {f['precision']:.3f} | {f['recall']:.3f} | {f['f1']:.3f} | {f['logs_with']} |"
        for name, f in figures_of_findings().items()
    ]
    return "\n".join(["| finding | precision | recall | F1 | logs that show it |", "|---|---:|---:|---:|---:|", *rows])


TABLES = [("formats", formats_table()), ("findings", findings_table()), ("accuracy", accuracy_table())]


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_tables_are_those_of_the_code(name: str, table: str) -> None:
    text = README.read_text("utf-8")
    before, rest = text.split(f"<!-- {name} -->", 1)
    found, after = rest.split(f"<!-- /{name} -->", 1)
    if REWRITE:
        README.write_text(f"{before}<!-- {name} -->\n{table}\n<!-- /{name} -->{after}", "utf-8")
        return
    assert found.strip() == table


def test_the_picture_is_drawn_from_the_sample_log() -> None:
    report = logdoctor.diagnose(ROOT / "sample_logs" / "caffe" / "ssd_perclass_10ep.log", dataset_size=800)
    drawn = draw(report.runs[0])
    if REWRITE:
        PICTURE.write_bytes(drawn)
    assert drawn.startswith(b"\x89PNG")
    assert PICTURE.relative_to(ROOT).as_posix() in README.read_text("utf-8")
    assert PICTURE.read_bytes().startswith(b"\x89PNG")


def test_the_story_of_the_picture_is_true() -> None:
    """Drops every 10 epochs, the first too early; every 20 epochs ended at less than a third of that loss."""
    ten, twenty = (
        logdoctor.diagnose(ROOT / "sample_logs" / "caffe" / f"{name}.log", dataset_size=800).runs[0]
        for name in ("ssd_perclass_10ep", "ssd_multistep_20ep")
    )
    assert ten.schedule.lengths == [10, 10, 10]
    assert twenty.schedule.lengths == [20, 20]
    assert ten.schedule.drops[0].timing == "early"
    assert ten.measures["final_loss"] > 3 * twenty.measures["final_loss"]  # type: ignore[operator]


def test_commands_and_options_of_the_readme_exist() -> None:
    text = README.read_text("utf-8")
    for command, rest in re.findall(r"^    logdoctor ([a-z]+)(.*)$", text, flags=re.MULTILINE):
        assert command in cli.commands
        options = {option for parameter in cli.commands[command].params for option in parameter.opts}
        assert set(re.findall(r"(?<= )--[a-z-]+", rest.partition("#")[0])) <= options


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8")):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").symlink_to(ROOT / "sample_logs" / "keras-csv")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, "README.md", "exec"), names)
    assert list(names["best"].index) == ["late_drop", "overfit_small_data"]
    assert "late_drop" in names["report"]._repr_html_()
