"""What the analyzers share: bins, units, the end of a run, departures from its level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from factories import curve, run
from synthetic import Floats, case, fall, noisy, settling, staircase

from logdoctor.analyzers.still_improving import StillImproving
from logdoctor.analyzers.wording import doubts, drop_line, percent, sentence
from logdoctor.case import Case, amount
from logdoctor.finding import CannotJudgeError
from logdoctor.run import Axis, RunFact, Source
from logdoctor.segments import Schedule, Segment
from logdoctor.tracks import track


def steps(n: int, per_epoch: int) -> Floats:
    """Positions in epochs of n values, `per_epoch` of them an epoch."""
    return np.arange(1, n + 1) / per_epoch


@pytest.mark.parametrize(
    ("epochs", "per_epoch", "bins"), [(50, 20, 50), (5, 80, 40), (5, 1, 5), (1000, 1, 334), (3, 4, 3)]
)
def test_bins_are_epochs_finer_in_short_runs_coarser_in_long_ones(epochs: int, per_epoch: int, bins: int) -> None:
    n = epochs * per_epoch
    made = track(curve(fall(n), x=steps(n, per_epoch)), "train", Axis("epoch"))
    assert made is not None
    assert len(made) == bins


def test_bins_of_steps_follow_the_validations() -> None:
    loss = curve(fall(2000), x=np.arange(1.0, 2001.0))
    every_100 = track(loss, "train", Axis("step"), 100.0)
    alone = track(loss, "train", Axis("step"))
    assert every_100 is not None and len(every_100) == 20
    assert alone is not None and 140 <= len(alone) <= 160


def test_a_first_value_before_training_is_not_the_first_epoch() -> None:
    x = np.arange(0.0, 30.0)
    made = track(curve(np.concatenate(([9.0], fall(29))), x=x), "train", Axis("epoch"))
    assert made is not None
    assert made.first < 9.0


def test_higher_is_better_is_turned_round_and_back() -> None:
    made = track(curve([0.1, 0.5, 0.9], tag="acc", metric="accuracy", split="val"), "validation", Axis("epoch"))
    assert made is not None
    assert made.y.tolist() == [-0.1, -0.5, -0.9]
    assert made.shown(-0.9) == "0.9"
    assert made.name == "validation accuracy"
    assert not made.is_loss


def test_epochs_become_steps_or_nothing() -> None:
    assert case(fall(20)).epochs(5) == 5
    assert case(fall(20), unit="step").epochs(5) == 0
    known = Case.of(run("a", curve(fall(200)), axis=Axis("step", 10.0, "given")))
    assert known.epochs(5) == 50
    assert known.epochs_known


def test_losses_that_are_missing_say_so() -> None:
    with pytest.raises(CannotJudgeError, match="no validation loss"):
        case(fall(20)).needs_val()
    with pytest.raises(CannotJudgeError, match="only 2"):
        case(fall(2)).needs_train()
    accuracy = curve(fall(20), tag="acc", metric="accuracy", split="val")
    with pytest.raises(CannotJudgeError, match="cannot be compared"):
        Case.of(run("a", curve(fall(20)), accuracy, val=accuracy)).needs_same_loss()


def test_total_drop_and_trend_span_the_segments() -> None:
    made = case(staircase(40, 40, left=(1e-3, 1e-3)), drops=(40.0,))
    assert made.total_drop == pytest.approx(1.5, abs=0.2)
    assert len(made.trend) == 80
    assert (np.diff(made.trend) <= 1e-9).all()
    assert len(made.flat_spans) == 2


def test_end_is_judged_after_a_spike() -> None:
    level = np.linspace(2.0, 1.0, 40)
    level[28:30] += 3.0
    assert case(noisy(level, 0.003)).end.falling


def test_the_end_of_a_curve_that_settled_does_not_fall_though_a_line_through_its_second_half_does() -> None:
    settled = [case(noisy(settling(30, 0.75), 0.02, seed)).end.falling for seed in range(100)]
    falling = [case(noisy(np.linspace(1.0, 0.0, 30), 0.02, seed)).end.falling for seed in range(100)]
    assert sum(settled) <= 3
    assert all(falling)


def test_end_backed_by_the_validation_loss_where_batches_are_noisy() -> None:
    level = np.linspace(2.0, 1.6, 40)
    alone = [case(noisy(level, 0.15, seed)).end.falling for seed in range(20)]
    backed = [case(noisy(level, 0.15, seed), level + 0.1).end.falling for seed in range(20)]
    assert sum(backed) > sum(alone)


def test_an_annealed_schedule_is_not_cut_short() -> None:
    rate = curve(0.1 * (1 + np.cos(np.pi * np.arange(1, 41) / 40)) / 2, tag="lr", metric="lr", split="")
    made = run("a", curve(np.linspace(2.0, 1.0, 40)), rate)
    cosine = Schedule("cosine", "logged", segments=(Segment(0.0, 40.0, None),))
    assert Case.of(made, schedule=cosine).annealed
    assert StillImproving().analyze(Case.of(made, schedule=cosine)) is None
    assert StillImproving().analyze(Case.of(made, schedule=replace(cosine, kind="constant"))) is not None


def test_the_schedule_is_recognised_unless_given() -> None:
    rate = curve([0.1] * 20 + [0.01] * 20, tag="lr", metric="lr", split="")
    (drop,) = Case.of(run("a", curve(settling(40, 0.4)), rate)).schedule.drops
    assert drop.at == 20.0
    assert drop.timing != "unclear"


def test_divergence_in_validation_order_alone_is_none() -> None:
    """A train loss that starts low because the first batches are easy, while validation falls."""
    rising = np.concatenate(([0.004], np.full(39, 0.02)))
    assert not case(rising, fall(40)).departure.diverged
    assert case(rising).departure.diverged


def test_doubts_name_what_is_missing() -> None:
    assert doubts(case(fall(40))) == []
    assert "only 6 epochs" in doubts(case(fall(6)))[0]
    assert "--steps-per-epoch" in doubts(case(fall(40), unit="step"))[0]
    late = Case.of(run("a", curve(fall(20), x=np.arange(31.0, 51.0))))
    assert doubts(late) == ["the log begins only at epoch 31"]
    adam = Case.of(run("a", curve(fall(40)), facts={"optimizer": RunFact("Adam", "a", 1)}))
    assert "Adam" in doubts(adam, schedule=True)[0]
    assert sentence(["a", "b"]) == "Tentative: a; b."
    assert sentence([]) == ""


@pytest.mark.parametrize(
    ("format_name", "line"),
    [
        ("caffe", '`lr_policy: "multistep" gamma: 0.1 stepvalue: 390 stepvalue: 780`'),
        ("keras-csv", "epoch >= 5"),
        ("json-lines", "milestones=[5, 10]"),
    ],
)
def test_drop_line_speaks_the_framework(format_name: str, line: str) -> None:
    sources = (Source("a.log", format_name, 1, 1, 0),)
    made = Case.of(run("a", curve(fall(20)), axis=Axis("epoch", 78.0, "logged"), sources=sources))
    assert line in drop_line(made, 5.0, 10.0)


def test_numbers_as_a_reader_wants_them() -> None:
    assert [amount(x) for x in (13.0, 13.25, 1560.0, 0.5)] == ["13", "13.2", "1,560", "0.5"]
    assert [percent(x) for x in (0.011, 0.23)] == ["1.1 %", "23 %"]
    made = case(fall(20), unit="step")
    assert (made.place(3.0), made.lasting(1.0), made.lasting(2.0)) == ("step 3", "1 step", "2 steps")


def test_where_epochs_are_unknown_bins_stand_for_them() -> None:
    """Three bins at the floor are no late drop, whatever their share of a segment of five."""
    level = np.concatenate((staircase(20, 5, left=(1e-4, 0.1)), np.full(20, 0.2)))
    unknown = case(level, drops=(20.0, 25.0), unit="step")
    assert unknown.epoch_or_bin == 1.0
    assert not unknown.epochs_known
    assert [drop.timing for drop in unknown.schedule.drops] == [
        d.timing for d in case(level, drops=(20.0, 25.0)).schedule.drops
    ]
