"""Every input that once broke a promise, replayed for ever (see `tests/fuzz/run.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

FINDINGS = sorted((Path(__file__).parent / "fuzz" / "findings").rglob("*.bin"))


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_former_finding_stays_mended(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_there_are_findings() -> None:
    assert FINDINGS
