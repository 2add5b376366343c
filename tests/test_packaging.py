"""What a fresh install must keep: light start-up, one version, samples and pages for every plug-in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from logdoctor.analyzers import ANALYZERS
from logdoctor.analyzers.contract import HEADINGS
from logdoctor_parsers import PARSERS, LogFile, Match

ROOT = Path(__file__).parents[1]
NO_SAMPLES = ("SOURCES.md", "logdoctor.toml")
SAMPLES = sorted(p for p in (ROOT / "sample_logs").rglob("*") if p.is_file() and p.name not in NO_SAMPLES)
HEAVY = ("numpy", "pandas", "scipy", "matplotlib", "rich")


@pytest.mark.parametrize(
    "statement", ["import logdoctor", "from logdoctor.cli import cli; cli(['--help'], standalone_mode=False)"]
)
def test_start_up_loads_nothing_heavy(statement: str) -> None:
    code = f"import sys\n{statement}\nprint(','.join(m for m in {HEAVY} if m in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_readme_names_the_test_command_that_ci_runs() -> None:
    command = '.venv/bin/pip install --quiet --editable ".[dev]" && .venv/bin/pytest'
    assert command in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.relative_to(ROOT / "sample_logs").as_posix())
def test_every_sample_is_claimed_by_the_parser_its_folder_names(path: Path) -> None:
    file = LogFile(path, path.name)
    claims = {parser.name: parser.sniff(file) for parser in PARSERS}
    sure = [name for name, match in claims.items() if match is Match.SURE]
    chosen = sure or [name for name, match in claims.items() if match is Match.MAYBE]
    assert len(sure) <= 1
    assert chosen[0] == path.relative_to(ROOT / "sample_logs").parts[0]


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_every_parser_has_a_sample_and_a_description(parser: object) -> None:
    name, description = parser.name, parser.description  # type: ignore[attr-defined]
    assert description
    assert any((ROOT / "sample_logs" / name).iterdir()), f"put a sample into sample_logs/{name}/"


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=lambda analyzer: analyzer.name)
def test_every_analyzer_has_its_page(analyzer: object) -> None:
    page = type(analyzer).__doc__ or ""
    assert [heading for heading in HEADINGS if heading not in page] == []


def test_every_sample_has_its_source() -> None:
    sources = (ROOT / "sample_logs" / "SOURCES.md").read_text("utf-8")
    missing = [
        path.name for path in SAMPLES
        if path.name not in sources and f"{path.relative_to(ROOT / 'sample_logs').parts[1]}/" not in sources
    ]  # fmt: skip
    assert missing == []
