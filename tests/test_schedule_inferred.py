"""Drops inferred from the losses alone: found where they show, and not where a curve is merely smooth or noisy."""

from __future__ import annotations

import numpy as np
import pytest

from logdoctor.schedule_inferred import infer_drops, inferred_schedule

Points = tuple[np.ndarray, np.ndarray]


def dropped(at: float, epochs: int = 50, seed: int = 0) -> tuple[Points, Points]:
    """Train and validation loss of a run whose rate falls tenfold after epoch `at`: a step, and less noise after it."""
    rng = np.random.default_rng(seed)
    x = np.arange(1.0, epochs + 1)
    late = np.maximum(x - at, 0)
    level = 0.6 + 1.4 * np.exp(-x / 5) - 0.25 * (1 - np.exp(-late / 0.8))
    calm = np.where(late > 0, 0.1, 1.0)
    train = level + rng.normal(0, 0.015, epochs)
    val = level + 0.1 + rng.normal(0, 0.06, epochs) * calm
    return (x, train), (x, val)


def smooth(epochs: int, seed: int) -> tuple[Points, Points]:
    """A run at a constant rate, or under a cosine: noise stays, or shrinks all the time."""
    rng = np.random.default_rng(seed)
    x = np.arange(1.0, epochs + 1)
    level = 0.5 + 1.5 * np.exp(-x / (epochs / 6))
    calm = np.cos(np.pi * x / (2 * epochs + 2)) ** (seed % 2)
    return (x, level + rng.normal(0, 0.01, epochs) * calm), (x, level + rng.normal(0, 0.04, epochs) * calm)


@pytest.mark.parametrize("at", [15, 20, 30])
@pytest.mark.parametrize("seed", range(3))
def test_a_clear_drop_is_found(at: int, seed: int) -> None:
    (drop,) = infer_drops(*dropped(at, seed=seed))
    assert drop.at == pytest.approx(at, abs=2)
    assert drop.low <= at <= drop.high
    assert drop.low < drop.at < drop.high
    assert 0.5 < drop.confidence <= 0.95
    assert (drop.factor, drop.lr_from, drop.lr_to, drop.step) == (None, None, None, None)
    assert drop.since_last == drop.at


def test_two_drops_count_from_each_other() -> None:
    train, val = dropped(20, 60)
    again = np.where(train[0] > 40, 0.12, 0.0)
    calm = np.where(val[0] > 40, 0.1, 1.0)
    level = val[1] - 0.1 - again
    drops = infer_drops((train[0], train[1] - again), (val[0], 0.35 - again + calm * (level - 0.35 + again)))
    assert drops[0].at == pytest.approx(20, abs=1)
    assert [drop.since_last for drop in drops] == np.diff([0.0, *(drop.at for drop in drops)]).tolist()


def staircase(drops: tuple[int, ...], epochs: int, seed: int) -> tuple[Points, Points]:
    """A run whose steps and whose validation noise shrink to a third with every drop."""
    rng = np.random.default_rng(seed)
    x = np.arange(1.0, epochs + 1)
    done = np.sum([x > at for at in drops], axis=0)
    level = 0.6 + 1.4 * np.exp(-x / 4) - 0.3 * (1 - 0.3**done)
    return (x, level + rng.normal(0, 0.01, epochs)), (x, level + 0.1 + rng.normal(0, 0.06, epochs) * 0.2**done)


@pytest.mark.parametrize("seed", range(4))
def test_after_one_drop_a_weaker_one_is_found(seed: int) -> None:
    train, val = staircase((20, 40), 60, seed)
    assert [drop.at for drop in infer_drops(train, val)] == pytest.approx([20, 40], abs=2)


@pytest.mark.parametrize("seed", range(4))
def test_validation_shows_a_drop_that_noisy_batches_hide(seed: int) -> None:
    (x, train), val = dropped(25, seed=seed)
    batches = train + np.random.default_rng(seed).normal(0, 0.4, len(x))
    assert infer_drops((x, batches), None) == []
    (drop,) = infer_drops((x, batches), val)
    assert drop.at == pytest.approx(25, abs=2)


def test_validation_alone_shows_a_kink() -> None:
    rng = np.random.default_rng(0)
    x = np.arange(1.0, 31.0)
    level = np.where(x <= 8, 2 - 0.15 * x, 0.8 - 0.002 * (x - 8))
    (drop,) = infer_drops((x, level + rng.normal(0, 0.3, 30)), (x, level + rng.normal(0, 0.003, 30)))
    assert drop.at == pytest.approx(8, abs=1)


def test_smooth_runs_hardly_ever_give_a_false_drop() -> None:
    alarms = sum(bool(infer_drops(*smooth(40, seed))) for seed in range(40))
    assert alarms <= 1


def test_train_alone_needs_more() -> None:
    train, _ = dropped(25)
    (drop,) = infer_drops(train, None)
    assert drop.at == pytest.approx(25, abs=1)
    assert infer_drops(smooth(40, 0)[0], None) == []


def test_short_or_broken_curves_give_none() -> None:
    x = np.arange(1.0, 7.0)
    assert infer_drops((x, np.exp(-x)), None) == []
    nothing = np.full(20, np.nan)
    assert infer_drops((np.arange(20.0), nothing), (np.arange(20.0), nothing)) == []
    flat = (np.arange(1.0, 31.0), np.ones(30))
    assert infer_drops(flat, flat) == []


def test_schedule_of_inferred_drops() -> None:
    drops = infer_drops(*dropped(20))
    found = inferred_schedule(drops, 50)
    assert (found.kind, found.origin, found.per_drop) == ("multistep", "inferred", drops[0].at)
    assert [(s.start, s.end, s.lr) for s in found.segments] == [(0.0, drops[0].at, None), (drops[0].at, 50, None)]
    nothing = inferred_schedule([], 50)
    assert (nothing.kind, nothing.origin, nothing.drops) == ("unknown", "unknown", ())
