"""Floors under the accuracy of the findings on synthetic logs (`python tests/accuracy.py` prints the full table)."""

from __future__ import annotations

import pytest
from accuracy import SCENARIOS, measure, scores

RUNS = 6


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[int, int, int, int]]:
    return measure(RUNS)


def test_every_finding_with_a_scenario_is_measured(measured: dict[str, tuple[int, int, int, int]]) -> None:
    assert set(measured) == {name for scenario in SCENARIOS.values() for name in scenario.true}
    assert all(tp + fn >= RUNS and fp + tn >= RUNS for tp, fp, fn, tn in measured.values())


@pytest.mark.parametrize("name", sorted({name for scenario in SCENARIOS.values() for name in scenario.true}))
def test_floor_of_each_finding(measured: dict[str, tuple[int, int, int, int]], name: str) -> None:
    tp, fp, fn, tn = measured[name]
    assert tp / (tp + fn) >= 0.65
    assert fp / (fp + tn) <= 0.05


def test_floor_over_all_findings(measured: dict[str, tuple[int, int, int, int]]) -> None:
    f1 = [scores(counts)[2] for counts in measured.values()]
    assert sum(f1) / len(f1) >= 0.9
