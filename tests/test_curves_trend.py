"""Trends that may only fall, the fits behind them, and the bins they stand on."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import autocorrelated, fall, noisy, white

from logdoctor.curves.bins import bin_values
from logdoctor.curves.fits import fit_fall, fit_line
from logdoctor.curves.trend import decay, falling_trend, isotonic, moving_mean, robust_isotonic


def test_isotonic_pools_what_rises() -> None:
    y = np.array([5.0, 3.0, 4.0, 1.0])
    assert isotonic(y, np.ones(4)) == pytest.approx([5.0, 3.5, 3.5, 1.0])


def test_robust_isotonic_leaves_a_spike_out() -> None:
    y = fall(40)
    y[20:23] += 3.0
    fit, usable = robust_isotonic(y)
    assert not usable[20:23].any()
    assert fit[30:] == pytest.approx(fall(40)[30:], rel=0.02)


def test_decay_is_exact_on_an_exponential_and_never_rises() -> None:
    x = np.arange(1.0, 101.0)
    truth = fall(100)
    fit = decay(x, noisy(truth, 0.05), np.ones(100))
    assert (np.diff(fit) <= 1e-12).all()
    assert np.sqrt(np.mean((fit - truth) ** 2)) < 0.03


@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_falling_trend_ends_at_the_true_level(sigma: float) -> None:
    x = np.arange(1.0, 61.0)
    ends = [falling_trend(x, noisy(fall(60), sigma, seed), np.ones(60), sigma, 1.6)[-1] for seed in range(20)]
    assert np.median(ends) == pytest.approx(0.4, abs=0.02 + 0.15 * sigma)


def test_moving_mean_holds_the_ends() -> None:
    assert moving_mean(np.array([3.0, 0.0, 3.0]), 1.0) == pytest.approx([2.0, 2.0, 2.0])


def test_fit_line_knows_its_error() -> None:
    x = np.arange(50.0)
    slopes = [fit_line(x, noisy(-0.1 * x, 1.0, seed)) for seed in range(300)]
    scatter = np.std([line.slope for line in slopes])
    assert np.median([line.slope_error for line in slopes]) == pytest.approx(scatter, rel=0.2)


def test_fit_line_allows_for_memory() -> None:
    x = np.arange(200.0)
    alone = fit_line(x, noisy(0 * x, 1.0, 3, white)).slope_error
    remembering = fit_line(x, noisy(0 * x, 1.0, 3, autocorrelated)).slope_error
    assert remembering > 1.5 * alone


def test_fit_fall_of_few_points_trusts_the_usual_scatter() -> None:
    x, y = np.arange(4.0), np.array([1.0, 0.9, 0.8, 0.7])
    assert fit_fall(x, y).t > 1e6
    assert fit_fall(x, y, sigma=0.2).t == pytest.approx(0.3 / (3 * 0.2 / 5**0.5))


def test_fit_fall_of_a_flat_line_is_nothing() -> None:
    assert fit_fall(np.arange(5.0), np.ones(5)).t == 0.0


def test_bins_take_the_right_edge() -> None:
    bins = bin_values(np.array([0.5, 1.0, 1.5, 2.0]), np.array([4.0, 2.0, 1.0, 1.0]), 1.0)
    assert bins.x.tolist() == [1.0, 2.0]
    assert bins.y.tolist() == [3.0, 1.0]
    assert bins.count.tolist() == [2.0, 2.0]


def test_bins_of_a_series_that_counts_from_zero_take_the_left_edge() -> None:
    bins = bin_values(np.array([0.0, 0.5, 1.0, 1.5]), np.array([4.0, 2.0, 1.0, 1.0]), 1.0)
    assert bins.y.tolist() == [3.0, 1.0]


def test_bins_of_a_running_mean_take_the_last_value() -> None:
    bins = bin_values(np.array([0.5, 1.0, 1.5, 2.0]), np.array([4.0, 2.0, 1.0, 0.5]), 1.0, running=True)
    assert bins.y.tolist() == [2.0, 0.5]


def test_bins_leave_out_what_is_not_finite() -> None:
    bins = bin_values(np.array([1.0, 2.0, 3.0]), np.array([1.0, np.nan, 3.0]), 1.0)
    assert bins.x.tolist() == [1.0, 3.0]
    assert len(bin_values(np.array([1.0]), np.array([np.nan]), 1.0)) == 0
