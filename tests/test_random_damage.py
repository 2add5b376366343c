"""Random damage: no number that is not there, nothing lost but what was touched or is named, no traceback.

`python -m tests.damage` does the same 3,000 times and compares with other readers.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.damage.accounting import examine
from tests.damage.sample import Sample, damages, families

FAMILIES = families()
README = Path(__file__).parents[1] / "README.md"
COUNT = 14  # of each family


@pytest.mark.parametrize("family", FAMILIES)
def test_damage_costs_only_what_it_touched(family: str) -> None:
    samples: list[Sample] = FAMILIES[family]
    for sample, damage in damages(family, samples, COUNT):
        outcome = examine(sample.path, sample.content, sample.points, damage)
        assert not outcome.wrong, (sample.path.name, damage.kind, damage.start, outcome.wrong[:3])
        assert not outcome.silent, (sample.path.name, damage.kind, damage.start, outcome.silent[:3])


def test_the_readme_tells_of_3000_damages_without_a_wrong_number() -> None:
    table = README.read_text("utf-8").split("<!-- damage -->")[1].split("<!-- /damage -->")[0]
    files = re.search(r"^\| all \| ([\d,]+) \|", table, re.MULTILINE)
    assert files
    assert int(files[1].replace(",", "")) >= 3000
    assert "Wrong numbers, and points lost without a word: 0." in table
    assert set(re.findall(r"^\| ([\w-]+) \|", table, re.MULTILINE)) >= set(FAMILIES)
