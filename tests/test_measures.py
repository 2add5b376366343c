"""Measures, state and forecast of runs with known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from factories import curve, run
from synthetic import NOISES, case, fall, noisy, settling

from logdoctor.case import Case
from logdoctor.finding import Evidence
from logdoctor.forecast import forecast
from logdoctor.measures import measure, state
from logdoctor.run import Closing, RunFact


def test_best_epoch_and_what_came_after() -> None:
    x = np.arange(1.0, 41.0)
    found = measure(case(fall(40), 1 + (x - 25) ** 2 / 100))
    assert found["best_epoch"] == pytest.approx(25, abs=1)
    assert found["best_value"] == pytest.approx(1.0, abs=0.03)
    assert found["epochs_after_best"] == pytest.approx(15, abs=1)
    assert found["epochs"] == 40.0


def test_best_value_of_an_accuracy_is_its_highest() -> None:
    accuracy = curve(0.9 - 0.5 * fall(40) / 2, tag="val_acc", metric="accuracy", split="val")
    found = measure(Case.of(run("a", curve(fall(40)), accuracy, val=accuracy)))
    assert found["best_value"] == pytest.approx(0.8, abs=0.01)
    assert found["gap"] is None


def test_flat_epochs_are_summed_over_the_segments() -> None:
    level = np.concatenate((1 + settling(40, 0.5), 0.5 + 0.5 * settling(40, 0.5)))
    assert measure(case(level, drops=(40.0,)))["epochs_flat"] == pytest.approx(44, abs=6)


def test_noise_final_loss_and_gap() -> None:
    found = measure(case(noisy(fall(100), 0.05), fall(100) + 0.2))
    assert found["noise"] == pytest.approx(0.05, rel=0.3)
    assert found["final_loss"] == pytest.approx(0.4, abs=0.05)
    assert found["gap"] == pytest.approx(0.2, abs=0.03)


def test_time_measures_come_from_the_log_s_clock() -> None:
    timed = replace(curve(fall(21)), wall_time=np.arange(21.0) * 360, step=np.arange(21.0) * 720)
    found = measure(Case.of(run("a", timed)))
    assert found["hours"] == pytest.approx(2.0)
    assert found["epochs_per_hour"] == pytest.approx(10.0)
    assert found["steps_per_second"] == pytest.approx(2.0)


def test_measures_of_an_empty_run_are_unknown() -> None:
    made = run("a", curve([np.nan, np.nan]))
    assert set(measure(Case.of(made)).values()) <= {None, 2.0}


@pytest.mark.parametrize(
    ("kind", "planned", "expected"),
    [
        ("finished", 50, "finished"),
        ("early-stopping", 50, "finished"),
        ("crashed", None, "interrupted"),
        ("torn", None, "interrupted"),
        ("open", None, "unknown"),
        ("open", 20, "finished"),
        ("open", 50, "interrupted"),
    ],
)
def test_state_of_old_logs(kind: str, planned: int | None, expected: str) -> None:
    facts = {"epochs": RunFact(planned, "runs/a.csv", 1)} if planned else {}
    made = run("a", curve(fall(20)), facts=facts, closing=Closing(kind, Evidence("runs/a.csv", 21)))
    assert state(Case.of(made, 1e9)) == expected


@pytest.mark.parametrize(
    ("silence", "planned", "expected"),
    [
        (30.0, 50, "running"),
        (7200.0, 50, "stalled"),
        (7200.0, None, "unknown"),
        (1e6, 50, "interrupted"),
    ],
)
def test_state_of_recent_logs(silence: float, planned: int | None, expected: str) -> None:
    written = 1e9 - silence
    timed = replace(curve(fall(20)), wall_time=written - 10.0 * np.arange(19, -1, -1))
    closing = Closing("open", Evidence("runs/a.csv", 21), modified=written)
    facts = {"epochs": RunFact(planned, "runs/a.csv", 1)} if planned else {}
    made = run("a", timed, facts=facts, closing=closing)
    assert state(Case.of(made, 1e9)) == expected


@pytest.mark.parametrize("kind", NOISES.values(), ids=NOISES)
@pytest.mark.parametrize("time", [0.15, 0.4, 1.0])
def test_forecast_covers_what_came(kind: object, time: float) -> None:
    """The true gain of half the run again lies in the interval in at least 17 of 20 exponential falls."""
    truth = fall(90, time=time * 60 / 90)
    covered = 0
    for seed in range(20):
        found = forecast(case(noisy(truth[:60], 0.02, seed, kind)))  # type: ignore[arg-type]
        assert found is not None
        covered += found.low <= truth[59] - truth[89] <= found.high
    assert covered >= 17


def test_forecast_of_a_flat_end_is_about_nothing() -> None:
    found = forecast(case(settling(60, 0.5)))
    assert found is not None
    assert found.gain == pytest.approx(0.0, abs=0.01)


def test_no_forecast_for_a_diverged_run() -> None:
    assert forecast(case(np.concatenate((fall(20), np.full(20, np.nan), [1.0])))) is not None
    assert forecast(case(np.concatenate((fall(20), np.linspace(1, 50, 20))))) is None


def going_on(**changes: object) -> Case:
    """Twenty of fifty epochs done, one every ten seconds, the last now."""
    timed = replace(curve(fall(20)), wall_time=1e9 - 10.0 * np.arange(19, -1, -1))
    timed = replace(timed, **changes)  # type: ignore[arg-type]
    closing = Closing("open", Evidence("runs/a.csv", 21), modified=1e9)
    return Case.of(run("a", timed, facts={"epochs": RunFact(50, "runs/a.csv", 1)}, closing=closing), 1e9)


def test_a_run_that_goes_on_has_progress_and_an_end() -> None:
    found = measure(going_on())
    assert found["progress"] == pytest.approx(0.4)
    assert found["expected_end"] == pytest.approx(1e9 + 300)


def test_the_end_is_told_by_the_recent_pace() -> None:
    slowed = np.cumsum([1.0] * 10 + [20.0] * 10)
    assert measure(going_on(wall_time=1e9 - slowed[-1] + slowed))["expected_end"] == pytest.approx(1e9 + 600)


def test_no_end_is_expected_of_what_is_no_plan_or_has_no_times() -> None:
    assert measure(going_on(wall_time=np.full(20, np.nan)))["expected_end"] is None
    standing = going_on(x=np.full(20, 3.0))
    assert measure(standing)["expected_end"] is None
    steps = run("a", replace(standing.run.curves[0]), facts={"max_iter": RunFact(500, "runs/a.csv", 1)},
                closing=standing.run.closing)  # fmt: skip
    assert measure(Case.of(steps, 1e9))["expected_end"] is None


def test_epochs_wasted_counts_no_epoch_twice() -> None:
    flat = case(settling(60, 0.3), val=settling(60, 0.3))
    wasted, best = measure(flat)["epochs_wasted"], measure(flat)["best_epoch"]
    assert wasted is not None
    assert best is not None
    assert max(60 - best, sum(end - start for start, end in flat.flat_spans)) <= wasted <= 60
