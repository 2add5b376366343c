"""Noise estimates against noise of known σ."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import autocorrelated, fall, noisy, white

from logdoctor.curves.noise import autocorrelation, noise, robust_sigma


@pytest.mark.parametrize("n", [30, 300, 5000])
def test_noise_sees_through_a_trend(n: int) -> None:
    estimates = [noise(noisy(fall(n), 0.05, seed)) for seed in range(20)]
    assert np.median(estimates) == pytest.approx(0.05, rel=0.3)


def test_noise_is_not_moved_by_spikes() -> None:
    y = noisy(fall(200), 0.05)
    spiked = y.copy()
    spiked[[20, 90, 150]] += 5.0
    assert noise(spiked) == pytest.approx(noise(y), rel=0.15)


def test_noise_with_a_memory_is_not_mistaken_for_quiet() -> None:
    estimates = [noise(noisy(fall(400), 0.05, seed, autocorrelated)) for seed in range(20)]
    assert 0.03 < np.median(estimates) < 0.06


def test_noise_of_an_exact_line_is_zero_and_of_two_points_unknown() -> None:
    assert noise(np.linspace(3.0, 1.0, 50)) == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(noise(np.array([1.0, 2.0])))


def test_noise_ignores_values_that_are_not_finite() -> None:
    y = noisy(fall(100), 0.05)
    y[[3, 50]] = np.nan, np.inf
    assert np.isfinite(noise(y))


def test_autocorrelation_tells_white_from_remembering_noise() -> None:
    rng = np.random.default_rng(1)
    assert autocorrelation(white(rng, 2000)) < 0.1
    assert autocorrelation(autocorrelated(rng, 2000)) == pytest.approx(0.6, abs=0.08)
    assert autocorrelation(np.array([1.0, 2.0])) == 0.0


def test_robust_sigma_of_nothing_is_unknown() -> None:
    assert np.isnan(robust_sigma(np.empty(0)))
