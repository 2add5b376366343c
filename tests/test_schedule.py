"""The schedule recogniser on synthetic learning rates: every kind, on coarse grids, rounded, with warm-up and flaws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor.run import Axis, Curve, RunFact
from logdoctor.schedule import recognise
from logdoctor.segments import Schedule

EPOCHS = Axis("epoch", None, "logged")
Rate = Callable[[np.ndarray], np.ndarray]


def rate_curve(x: Any, values: Any, step: Any = None) -> Curve:
    x = np.asarray(x, float)
    none = np.full(len(x), np.nan)
    index = np.zeros(len(x), np.int64)
    steps = none if step is None else np.asarray(step, float)
    return Curve("lr", "lr", "", x, np.asarray(values, float), steps, none, index, index + 1, ("run.log",))


def per_epoch(rate: Rate, epochs: int, digits: int | None = None) -> Schedule:
    """One line an epoch: the line of epoch k (x = k) shows the rate used in it, rate(k − 1)."""
    values = rate(np.arange(epochs, dtype=float))
    return recognise(rate_curve(np.arange(1, epochs + 1), _printed(values, digits)), EPOCHS, epochs, {})


def per_step(rate: Rate, epochs: int, spe: int, every: int, staircase: bool = False) -> Schedule:
    """A line every `every` updates, of the rate the coming update uses; `staircase`: set once an epoch."""
    step = np.arange(0, epochs * spe, every, dtype=float)
    values = rate(step // spe if staircase else step / spe)
    return recognise(rate_curve(step / spe, values, step), Axis("epoch", spe, "logged"), epochs, {})


def _printed(values: np.ndarray, digits: int | None) -> np.ndarray:
    return values if digits is None else np.array([float(f"{value:.{digits}e}") for value in values])


def multistep(milestones: list[float], gamma: float = 0.1, base: float = 0.1) -> Rate:
    return lambda epoch: base * gamma ** np.searchsorted(milestones, epoch, side="right")


def facts(**values: Any) -> dict[str, RunFact]:
    return {name: RunFact(value, "run.log", 1) for name, value in values.items()}


SMOOTH: dict[str, tuple[str, Rate]] = {
    "exponential": ("exponential", lambda e: 0.1 * 0.9**e),
    "inverse-time": ("inverse-time", lambda e: 0.1 / (1 + 0.2 * e)),
    "caffe inv": ("inverse-time", lambda e: 0.01 * (1 + 0.1 * e) ** -0.75),
    "deeplab poly": ("poly", lambda e: 0.007 * (1 - e / 40) ** 0.9),
    "poly 2": ("poly", lambda e: 0.007 * (1 - e / 40) ** 2),
    "linear": ("linear", lambda e: 0.05 * (1 - e / 40)),
    "cosine": ("cosine", lambda e: 0.05 * (1 + np.cos(np.pi * e / 40))),
    "cosine with floor": ("cosine", lambda e: 0.001 + 0.05 * (1 + np.cos(np.pi * e / 40))),
    "rising sigmoid": ("sigmoid", lambda e: 0.1 / (1 + np.exp(-0.4 * (e - 20)))),
    "falling sigmoid": ("sigmoid", lambda e: 0.1 / (1 + np.exp(0.4 * (e - 20)))),
    "sgdr": ("cosine-restarts", lambda e: 0.05 * (1 + np.cos(np.pi * (e % 10) / 10))),
    "triangular": ("cyclic", lambda e: 0.01 + 0.09 * (1 - np.abs(e % 8 / 4 - 1))),
    "one-cycle": ("one-cycle", lambda e: np.where(e < 12, 0.004 + 0.048 * (1 - np.cos(np.pi * e / 12)),
                                                  0.05 * (1 + np.cos(np.pi * (e - 12) / 28)))),
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("digits", [None, 3])
def test_smooth_kinds_by_epoch(name: str, digits: int | None) -> None:
    kind, rate = SMOOTH[name]
    found = per_epoch(rate, 40, digits)
    assert (found.kind, found.origin, found.drops, len(found.segments)) == (kind, "logged", (), 1)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("staircase", [False, True])
def test_smooth_kinds_by_step(name: str, staircase: bool) -> None:
    kind, rate = SMOOTH[name]
    found = per_step(rate, 40, 50, 10, staircase)
    assert (found.kind, found.drops) == (kind, ())


def test_smooth_parameters() -> None:
    cosine = per_epoch(SMOOTH["cosine"][1], 40).parameters
    assert cosine["base"] == pytest.approx(0.1, rel=0.01)
    assert cosine["total"] == pytest.approx(40, rel=0.05)
    assert per_epoch(SMOOTH["exponential"][1], 40).parameters["gamma"] == pytest.approx(0.9, rel=1e-3)
    assert per_epoch(SMOOTH["deeplab poly"][1], 40).parameters["power"] == pytest.approx(0.9, rel=0.03)
    assert per_epoch(SMOOTH["caffe inv"][1], 40).parameters["power"] == pytest.approx(0.75)


def test_constant() -> None:
    found = per_epoch(lambda e: 0.01 + 0 * e, 12)
    assert (found.kind, found.drops, found.warm_up_epochs) == ("constant", (), 0)
    assert [(s.start, s.end, s.lr) for s in found.segments] == [(0.0, 12.0, 0.01)]
    assert found.config["caffe"] == 'lr_policy: "fixed" base_lr: 0.01'


def test_float32_is_the_same_rate() -> None:
    values = np.where(np.arange(20) < 10, np.float32(0.1), np.float32(0.01)).astype(float)
    (drop,) = recognise(rate_curve(np.arange(1, 21), values), EPOCHS, 20, {}).drops
    assert (drop.at, drop.lr_from, drop.lr_to, drop.factor) == (10.0, 0.1, 0.01, 0.1)


def test_multistep_with_segments_and_config() -> None:
    found = per_epoch(multistep([30, 60, 80]), 90)
    assert found.kind == "multistep"
    assert [drop.at for drop in found.drops] == [30, 60, 80]
    assert found.lengths == [30, 30, 20]
    assert found.per_drop == 30
    assert [(s.start, s.end) for s in found.segments] == [(0, 30), (30, 60), (60, 80), (80, 90)]
    assert found.config["pytorch"] == "MultiStepLR(optimizer, milestones=[30, 60, 80], gamma=0.1)"


def test_row_of_epoch_21_with_the_new_rate_is_a_drop_at_20() -> None:
    (drop,) = per_epoch(multistep([20]), 40).drops
    assert (drop.at, drop.low, drop.high, drop.confidence, drop.since_last) == (20.0, 20.0, 20.0, 1.0, 20.0)


def test_steps_of_a_drop() -> None:
    found = per_step(multistep([20, 35]), 40, 78, 25)
    assert [(drop.at, drop.step) for drop in found.drops] == [(20.0, 1560.0), (35.0, 2730.0)]


def test_steps_between_logged_steps_where_the_epoch_length_is_unknown() -> None:
    x = np.arange(1, 31)
    curve = rate_curve(x, multistep([20])(x - 1.0), step=x * 50)
    assert [drop.step for drop in recognise(curve, EPOCHS, 30, {}).drops] == [1000.0]


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(3, 40),
    drops=st.integers(2, 4),
    gamma=st.sampled_from([0.1, 0.5, 0.316]),
    base=st.sampled_from([0.1, 0.05, 3e-4]),
    every=st.integers(1, 150),
    digits=st.sampled_from([None, 2]),
)
def test_any_step_schedule_on_any_display_grid(
    length: int, drops: int, gamma: float, base: float, every: int, digits: int | None
) -> None:
    spe, epochs = 60, length * (drops + 1)
    every = min(every, 15 * length)  # at least four lines a step
    step = np.arange(0, epochs * spe, every, dtype=float)
    values = _printed(base * gamma ** (step // (length * spe)), digits)
    found = recognise(rate_curve(step / spe, values, step), Axis("epoch", spe), epochs, {})
    assert found.kind == "step"
    assert [drop.at for drop in found.drops] == pytest.approx(
        [length * (k + 1) for k in range(drops)], abs=0 if every <= spe else every / spe
    )


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(3, 40), min_size=1, max_size=5), gamma=st.sampled_from([0.1, 0.2, 0.5]),
       every=st.integers(1, 50), before=st.booleans(), decimals=st.sampled_from([None, 9]))  # fmt: skip
def test_any_multistep_schedule_on_any_display_grid(
    lengths: list[int], gamma: float, every: int, before: bool, decimals: int | None
) -> None:
    spe, at = 50, np.cumsum(lengths)
    epochs = int(at[-1]) + 4
    done = np.arange(0 if before else every, epochs * spe, every)
    values = multistep(list(at * spe), gamma)(done if before else done - 1)
    values = values if decimals is None else np.round(values, decimals)
    found = recognise(rate_curve(done / spe, values, done), Axis("epoch", spe), epochs, {})
    assert [drop.at for drop in found.drops] == at.tolist()
    assert found.kind in ("step", "multistep", "plateau-driven")


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(4, 30), min_size=1, max_size=4), gamma=st.sampled_from([0.1, 0.2, 0.5]),
       digits=st.sampled_from([None, 1, 3]))  # fmt: skip
def test_any_multistep_schedule_with_a_line_an_epoch(lengths: list[int], gamma: float, digits: int | None) -> None:
    at = np.cumsum(lengths)
    found = per_epoch(multistep(at.tolist(), gamma), int(at[-1]) + 3, digits)
    assert [drop.at for drop in found.drops] == at.tolist()


def test_rate_that_prints_as_zero_is_a_drop_without_factor() -> None:
    x = np.arange(1, 31)
    values = np.round(multistep([10, 20], base=0.05)(x - 1.0), 2)
    drops = recognise(rate_curve(x, values), EPOCHS, 30, {}).drops
    assert [(d.at, d.lr_to, d.factor) for d in drops] == [(10.0, 0.01, 0.2), (20.0, 0.0, None)] or len(drops) == 1


def test_rate_logged_only_when_it_changes() -> None:
    found = recognise(rate_curve([0, 30, 60], [0.1, 0.01, 0.001]), EPOCHS, 90, {})
    assert [drop.at for drop in found.drops] == [30.0, 60.0]


def test_exponential_by_epoch_is_no_step_of_one_epoch() -> None:
    found = per_step(lambda e: 0.1 * 0.8**e, 20, 60, 10, staircase=True)
    assert (found.kind, found.drops) == ("exponential", ())


def test_rounded_tail_of_a_cosine_is_no_drop() -> None:
    x = np.arange(1, 61)
    values = np.round(0.0005 * (1 + np.cos(np.pi * (x - 1) / 60)), 4)
    found = recognise(rate_curve(x, values), EPOCHS, 60, {})
    assert found.drops == ()


def test_warm_up_apart_from_the_schedule() -> None:
    def rate(epoch: np.ndarray) -> np.ndarray:
        return np.where(epoch < 5, 0.4 * (epoch + 0.2) / 5.2, multistep([30, 60], base=0.4)(epoch))

    found = per_step(rate, 90, 40, 10)
    assert found.kind == "step"
    assert found.warm_up_epochs == pytest.approx(5, abs=0.5)
    assert [drop.at for drop in found.drops] == [30.0, 60.0]


def test_warm_up_before_cosine_is_no_cycle() -> None:
    found = per_step(lambda e: np.where(e < 5, 0.1 * e / 5, 0.05 * (1 + np.cos(np.pi * (e - 5) / 45))), 50, 40, 8)
    assert (found.kind, found.drops) == ("cosine", ())
    assert found.warm_up_epochs == pytest.approx(5, abs=0.5)
    assert found.config["pytorch"].startswith("SequentialLR(")


def test_two_callbacks_that_set_the_rate_in_turn() -> None:
    values = [0.1] * 20 + [0.01] + [0.1] + [0.01] * 10
    found = recognise(rate_curve(np.arange(1, 33), values), EPOCHS, 32, {})
    assert [drop.at for drop in found.drops] == [20.0]
    assert found.parameters["flips"] == 1


def test_unequal_drops_at_no_round_place_follow_a_plateau() -> None:
    found = per_epoch(multistep([13, 19, 37, 44, 63], gamma=0.5), 71)
    assert found.kind == "plateau-driven"
    assert found.config["keras"] == "ReduceLROnPlateau(factor=0.5)"


def test_plateau_stated_by_the_log() -> None:
    x = np.arange(1, 31)
    said = facts(lr_scheduler="ReduceLROnPlateau")
    found = recognise(rate_curve(x, multistep([12])(x - 1.0)), EPOCHS, 30, said)
    assert (found.kind, [drop.at for drop in found.drops]) == ("plateau-driven", [12.0])


def test_rate_raised_by_hand_is_custom_and_lists_falls_only() -> None:
    values = [0.1] * 10 + [0.01] * 10 + [0.05] * 10 + [0.001] * 10
    found = recognise(rate_curve(np.arange(1, 41), values), EPOCHS, 40, {})
    assert (found.kind, [drop.at for drop in found.drops]) == ("custom", [10.0, 30.0])
    assert [segment.lr for segment in found.segments] == [0.1, 0.01, 0.05, 0.001]


def test_nothing_known() -> None:
    for curve in (None, rate_curve([], []), rate_curve([1, 2], [np.nan, np.nan])):
        found = recognise(curve, EPOCHS, 10, {})
        assert (found.kind, found.origin, found.drops) == ("unknown", "unknown", ())
        assert [(s.start, s.end) for s in found.segments] == [(0.0, 10.0)]


def test_caffe_policy_gives_exact_steps() -> None:
    step = np.arange(0, 4000, 100)
    curve = rate_curve(step, multistep([1570, 3140])(step), step)
    said = facts(lr_policy="multistep", base_lr=0.1, gamma=0.1, stepvalue=[1570, 3140])
    found = recognise(curve, Axis("step"), 4000, said)
    assert [(drop.at, drop.step) for drop in found.drops] == [(1570.0, 1570.0), (3140.0, 3140.0)]
    assert "stepvalue: 1570 stepvalue: 3140" in found.config["caffe"]


def test_caffe_policy_without_a_logged_rate() -> None:
    said = facts(lr_policy="step", base_lr=0.01, gamma=0.1, stepsize=1000)
    found = recognise(None, Axis("epoch", 100), 25, said)
    assert (found.kind, found.origin) == ("step", "logged")
    assert [(drop.at, drop.step, drop.lr_to) for drop in found.drops] == [(10.0, 1000.0, 0.001), (20.0, 2000.0, 1e-4)]


def test_logged_rate_is_believed_against_the_stated_policy() -> None:
    step = np.arange(0, 4000, 100)
    curve = rate_curve(step, multistep([2000])(step), step)
    said = facts(lr_policy="multistep", base_lr=0.1, gamma=0.1, stepvalue=[1500])
    assert [drop.at for drop in recognise(curve, Axis("step"), 4000, said).drops] == [2000.0]


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        ({"lr_policy": "fixed"}, "constant"),
        ({"lr_policy": "exp", "gamma": 0.9995}, "exponential"),
        ({"lr_policy": "inv", "gamma": 1e-4, "power": 0.75}, "inverse-time"),
        ({"lr_policy": "poly", "power": 0.5, "max_iter": 5000}, "poly"),
        ({"lr_policy": "poly", "power": 1, "max_iter": 5000}, "linear"),
        ({"lr_policy": "sigmoid", "gamma": 0.005, "stepsize": 2000}, "sigmoid"),
        ({"lr_policy": "step", "gamma": 0.1, "stepsize": 9000}, "constant"),
    ],
)
def test_caffe_policies_alone(policy: dict[str, Any], kind: str) -> None:
    found = recognise(None, Axis("step"), 4000, facts(base_lr=0.01, **policy))
    assert (found.kind, found.drops) == (kind, ())
    assert policy["lr_policy"] in found.config["caffe"] or kind == "constant"


def test_incomplete_policy_is_no_schedule() -> None:
    assert recognise(None, Axis("step"), 4000, facts(lr_policy="step", base_lr=0.01)).kind == "unknown"
