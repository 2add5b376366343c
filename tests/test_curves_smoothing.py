"""The smoothers: what they follow, what they leave out, where they stop."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import fall, noisy

from logdoctor.curves.smoothing import ema, smooth, without_spikes


def test_smooth_comes_closer_to_the_truth_than_the_data() -> None:
    truth = fall(400)
    y = noisy(truth, 0.1)
    error = np.sqrt(np.mean((smooth(np.arange(400.0), y) - truth) ** 2))
    assert error < 0.04


def test_smooth_does_not_cross_a_break() -> None:
    x = np.arange(1.0, 101.0)
    y = np.where(x <= 50, 2.0, 1.0)
    assert smooth(x, y, [50.0]) == pytest.approx(y)
    assert smooth(x, y)[49] != pytest.approx(2.0)


def test_smooth_keeps_gaps_and_bridges_nothing() -> None:
    y = noisy(fall(100), 0.05)
    y[[0, 40, 99]] = np.nan, np.inf, np.nan
    smoothed = smooth(np.arange(100.0), y)
    assert np.isnan(smoothed[[0, 40, 99]]).all()
    assert np.isfinite(np.delete(smoothed, [0, 40, 99])).all()


@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 6])
def test_smooth_of_few_points(n: int) -> None:
    y = np.linspace(1.0, 0.5, n)
    assert smooth(np.arange(float(n)), y) == pytest.approx(y)


def test_smooth_sets_single_spikes_aside() -> None:
    y = fall(100)
    y[60] += 10.0
    assert smooth(np.arange(100.0), y).max() < 2.1


def test_smooth_survives_large_offsets() -> None:
    y = noisy(fall(500), 0.1)
    assert smooth(np.arange(500.0), y + 1e6) - 1e6 == pytest.approx(smooth(np.arange(500.0), y), abs=1e-3)


def test_ema_is_tensorboards() -> None:
    values = np.array([1.0, 2.0, np.nan, 4.0])
    # debiased: weights 0.9^(k) over their sum
    assert ema(values, 0.9) == pytest.approx([1.0, (0.9 + 2) / 1.9, np.nan, (0.81 + 1.8 + 4) / 2.71], nan_ok=True)


def test_ema_without_weight_is_the_data() -> None:
    assert ema(np.array([3.0, 1.0]), 0.0) == pytest.approx([3.0, 1.0])


def test_without_spikes_leaves_a_clean_curve_alone() -> None:
    y = fall(50)
    assert without_spikes(y)[2:-2] == pytest.approx(y[2:-2], rel=0.1)
