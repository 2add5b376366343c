"""Evidence for a sudden change at one place: what steps, kinks and calm leave, and what smooth curves do not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from logdoctor.curves.changepoints import break_at, calming, clearance, first_surprise, quieting, slowing, turning

X = np.arange(1.0, 41.0)
FLOOR = 1e-3


def noise(sigma: float | np.ndarray, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sigma, len(X))


def test_a_step_supports_a_break_where_it_is() -> None:
    y = 2 - 0.01 * X - 0.5 * (X > 20) + noise(0.03)
    support = {c: found.support for c in range(5, 36) if (found := break_at(X, y, c, 10, FLOOR)) is not None}
    assert max(support, key=lambda c: support[c]) == 20
    found = break_at(X, y, 20, 10, FLOOR)
    assert found is not None
    assert found.gap == pytest.approx(0.5 / 0.03, rel=0.4)


@pytest.mark.parametrize("passing", [0.0, 0.25, 0.5])
def test_two_lines_part_where_the_step_is_whether_or_not_an_epoch_lies_between(passing: float) -> None:
    y = 2 - 0.01 * X - 0.5 * (X > 20) + passing * (X == 21) + noise(0.03)
    likely = {c: found for c in range(16, 25) if (found := turning(X, y, c, 8, 32, FLOOR)) is not None}
    assert max(likely, key=lambda c: likely[c]) == (21 if passing == 0.5 else 20)


def test_too_few_points_on_a_side_tell_no_place() -> None:
    assert turning(X, X, 2, 0, 40, FLOOR) is None
    assert turning(X, X, 37, 0, 40, FLOOR) is None


def test_a_smooth_decay_supports_no_break() -> None:
    y = 2 * np.exp(-X / 12) + noise(0.02)
    supports = [found.support for c in range(5, 36) if (found := break_at(X, y, c, 8, FLOOR)) is not None]
    assert max(supports) < 5


def test_growing_scatter_is_no_calming() -> None:
    y = noise(np.where(X > 20, 0.3, 0.01))
    found = break_at(X, y, 20, 10, FLOOR)
    assert found is not None
    assert found.support < 2


def test_surprise_counts_in_prediction_sigmas() -> None:
    y = 1 + noise(0.05)
    stepped = y - 0.5 * (X > 20)
    flat, step = first_surprise(X, y, 20, 10, FLOOR), first_surprise(X, stepped, 20, 10, FLOOR)
    assert flat is not None
    assert step is not None
    assert abs(flat) < 3
    assert step > 6


def test_a_rise_before_counts_as_level() -> None:
    y = np.where(X <= 20, 0.1 * X, 1.95)
    surprise = first_surprise(X, y, 20, 6, 0.1)
    assert surprise is not None
    assert surprise < 1


def test_calm_after_noise() -> None:
    y = noise(np.where(X > 20, 0.01, 0.1))
    assert calming(X, y, 20, 12, 1e-6) == pytest.approx(math.log(10), abs=1.0)
    assert quieting(X, y, 20, 12, 1e-6) == pytest.approx(math.log(10), abs=1.0)
    steady = noise(0.1)
    assert calming(X, steady, 20, 12, 1e-6) == pytest.approx(0, abs=0.8)


def test_a_trend_is_no_scatter() -> None:
    y = np.where(X <= 20, -0.2 * X, -4.0) + noise(0.05)
    assert quieting(X, y, 20, 12, 1e-6) == pytest.approx(0, abs=1.0)


def test_a_kink_in_a_steady_fall() -> None:
    y = np.where(X <= 10, 2 - 0.1 * X, 1.0 - 0.005 * (X - 10))
    found = slowing(X, y, 10, 1e-4)
    assert found is not None
    assert found.ratio > 2
    assert found.surprise > 2
    decaying = slowing(X, np.exp(-X / 6), 10, 1e-4)
    assert decaying is not None
    assert decaying.surprise == pytest.approx(0, abs=0.2)


def test_clearance_of_a_step_over_its_scatter() -> None:
    y = np.where(X <= 20, 1.0, 0.5) + np.where(X % 2 == 0, 0.1, -0.1)
    assert clearance(X, y, 20) == pytest.approx(0.3)
    assert clearance(X, y, 10) == pytest.approx(-0.2)


@pytest.mark.parametrize("c", [1, 40])
def test_too_few_points_on_a_side(c: float) -> None:
    y = noise(1.0)
    assert break_at(X, y, c, 10, FLOOR) is None
    assert first_surprise(X, y, c, 10, FLOOR) is None
    assert calming(X, y, c, 10, FLOOR) is None
    assert quieting(X, y, c, 10, FLOOR) is None
    assert slowing(X, y, c, FLOOR) is None
    assert clearance(X, y, c) is None
