"""Flat, falling or cannot tell; valleys and spikes."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import NOISES, Noise, fall, noisy, settling

from logdoctor.curves.fits import Fall, fit_bent_fall, fit_fall
from logdoctor.curves.flatness import FALLING, FLAT, UNCLEAR, Flatness, judge_flatness
from logdoctor.curves.spikes import find_spikes
from logdoctor.curves.valley import find_valley


def judge(
    y: np.ndarray,
    sigma: float = 0.0,
    *,
    start: float | None = None,
    after_drop: bool = False,
    witness: Fall | None = None,
) -> Flatness:
    x = np.arange(1.0, len(y) + 1)
    first = float(y[0]) if start is None else start
    return judge_flatness(
        x, y, np.ones(len(y)), start=first, sigma=sigma, min_length=2.0, after_drop=after_drop, witness=witness
    )


def test_a_settled_curve_is_flat_since_it_settled() -> None:
    found = judge(settling(60, 0.5))
    assert found.answer == FLAT
    assert found.since == pytest.approx(28, abs=2)
    assert not found.borderline


def test_a_straight_fall_is_falling() -> None:
    found = judge(np.linspace(2.0, 1.0, 40))
    assert found.answer == FALLING
    assert found.since is None
    assert found.length(40.0) == 0.0


def test_flat_for_less_than_a_fifth_is_falling() -> None:
    assert judge(settling(60, 0.95)).answer == FALLING


@pytest.mark.parametrize("kind", NOISES.values(), ids=NOISES)
def test_noise_does_not_look_like_a_fall(kind: Noise) -> None:
    answers = [judge(noisy(settling(60, 0.4), 0.05, seed, kind), 0.05).answer for seed in range(40)]
    assert answers.count(FLAT) >= 37


def test_after_a_drop_scatter_alone_is_no_fall() -> None:
    y = np.array([1.30, 1.27, 1.29, 1.26, 1.25])
    assert judge(y, 0.03, start=2.0, after_drop=True).answer == FLAT


SINGLE_BATCHES = np.array([1.1, 1.9, 0.9, 1.3, 0.8])


@pytest.mark.parametrize(("size", "answer"), [(0.10, FALLING), (0.001, FLAT), (-0.2, FLAT)])
def test_where_batches_scatter_the_validation_loss_tells(size: float, answer: str) -> None:
    found = judge(SINGLE_BATCHES, 0.4, start=2.0, after_drop=True, witness=Fall(size, 0.01))
    assert found.answer == answer
    assert (found.since is None) == (answer == FALLING)
    assert found.borderline


def test_the_validation_loss_is_not_asked_where_it_scatters_more_or_the_train_loss_is_plain() -> None:
    assert judge(SINGLE_BATCHES, 0.4, start=2.0, witness=Fall(0.0, 5.0)).answer == FALLING
    falling = np.linspace(2.0, 1.0, 12)
    assert judge(falling, 0.1, witness=Fall(-0.1, 0.01)).answer == FALLING
    assert judge(falling, 0.01, witness=Fall(-0.1, 0.01)).answer == FALLING


def test_nothing_learned_cannot_be_judged() -> None:
    assert judge(np.linspace(1.0, 2.0, 10)).answer == UNCLEAR
    assert judge(np.array([1.0])).answer == UNCLEAR


def test_close_calls_are_borderline() -> None:
    assert judge(fall(50, time=0.28)).borderline


def test_valley_finds_bottom_and_rise() -> None:
    x = np.arange(1.0, 81.0)
    valley = find_valley(x, noisy(np.abs(x - 30) / 50 + 1, 0.02))
    assert x[valley.index] == pytest.approx(30, abs=4)
    assert valley.rise == pytest.approx(0.95, abs=0.1)
    assert valley.z > 10
    assert valley.t > 10


def test_valley_of_a_level_curve_is_not_significant() -> None:
    x = np.arange(1.0, 81.0)
    valley = find_valley(x, noisy(np.ones(80), 0.05))
    assert valley.z < 4


def test_spike_and_its_way_back() -> None:
    y = noisy(fall(60), 0.01)
    y[30:33] += [2.0, 1.0, 0.2]
    (spike,) = find_spikes(y)
    assert spike.index == 30
    assert spike.back == 32
    assert spike.peak == pytest.approx(y[30])
    assert spike.sigmas > 20


def test_spike_that_never_comes_back() -> None:
    y = noisy(fall(60), 0.01)
    y[40:] += 2.0
    (spike,) = find_spikes(y)
    assert spike.back is None


def test_a_lone_hard_batch_is_no_spike() -> None:
    y = noisy(fall(400), 0.05)
    y[200] += 0.6
    assert find_spikes(y) == []


def test_a_fall_is_no_spike_and_short_curves_have_none() -> None:
    assert find_spikes(np.concatenate((np.full(20, 2.0), np.full(20, 1.0)))) == []
    assert find_spikes(np.array([1.0, 5.0])) == []


def test_the_bottom_of_a_valley_is_never_an_outlier() -> None:
    y = np.concatenate((np.linspace(2.0, 1.0, 10), np.linspace(1.0, 2.0, 10)[1:]))
    y[9] += 3.0
    assert find_valley(np.arange(1.0, 20.0), y).index in (8, 10)


def test_a_parabola_through_a_curve_that_settled_stays_where_a_line_falls() -> None:
    x = np.arange(1.0, 31.0)
    y = np.maximum(1.0 - (x - 1) / 20, 0.0) ** 2
    line, bent = fit_fall(x[12:], y[12:]), fit_bent_fall(x[12:], y[12:], 24.0)
    assert line.t > 2
    assert bent.size < bent.error


@pytest.mark.parametrize("sigma", [0.0, 0.1, 1.0])
def test_the_fall_of_a_parabola_has_at_least_the_error_of_the_usual_scatter(sigma: float) -> None:
    x = np.linspace(3.0, 9.0, 20)
    found = fit_bent_fall(x, noisy(0.5 * (x - 9) ** 2 + 2.0, 0.01), 6.0, sigma)
    assert found.size == pytest.approx(4.5, abs=4 * found.error)
    assert 0.5 * max(sigma, 0.01) < found.error < 2 * max(sigma, 0.01)
