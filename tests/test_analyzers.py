"""Every analyzer fires on its sample and stays silent on a near miss; sound runs raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
from factories import curve, run
from false_alarms import alarms
from synthetic import NOISES, Floats, Noise, case, fall, noisy, schedule, settling, staircase

from logdoctor.analyzers import ANALYZERS
from logdoctor.analyzers.contract import HEADINGS
from logdoctor.analyzers.late_overtaker import LateOvertaker
from logdoctor.analyzers.linear_scaling import LinearScaling, Pace
from logdoctor.case import Case
from logdoctor.finding import CannotJudgeError, Evidence, Finding, Severity
from logdoctor.report.content import steps
from logdoctor.run import Axis, Closing, RunFact

BY_NAME = {analyzer.name: analyzer for analyzer in ANALYZERS}
LN8 = float(np.log(8))


def ask(name: str, of: Case) -> Finding | None:
    """The finding of one analyzer; None too where it cannot judge."""
    try:
        return BY_NAME[name].analyze(of)
    except CannotJudgeError:
        return None


def valley(n: int, bottom: float, rise: float) -> Floats:
    """A validation loss that falls to 1 at the share `bottom` of the run and has risen by `rise` at the end."""
    x = np.arange(1, n + 1) / n
    after = np.clip((x - bottom) / (1 - bottom), 0, None)
    return 1 + np.exp(-x / (0.25 * bottom)) + rise * after


def spiked(height: float, length: int, at: int = 30) -> Floats:
    y = noisy(fall(60), 0.01)
    y[at : at + length] += height
    return y


def closed(kind: str, epochs: int | None = None, *, written: float = 1e8) -> Case:
    """Twenty epochs of ten seconds each; the log ends in the given way at POSIX second `written`, now being 1e9.

    `epochs`: how many were planned.
    """
    facts = {"epochs": RunFact(epochs, "runs/a.csv", 1)} if epochs else {}
    place, tail = Evidence("runs/a.csv", 21), ("CUDA out of memory",)
    loss = replace(curve(fall(20)), wall_time=written - 10.0 * np.arange(19, -1, -1))
    made = run("a", loss, facts=facts, closing=Closing(kind, place, tail[0], tail, written))
    return Case.of(made, 1e9, schedule=schedule((), 20.0))


def sawtooth(height: float) -> Case:
    """Ten values an epoch for twenty epochs, with a ramp within the epoch."""
    x = np.arange(1, 201) / 10
    return case(noisy(fall(200) + height * ((x - 0.05) % 1.0), 0.02), x=x)


FIRES: dict[str, Callable[[], Case]] = {
    "plateau": lambda: case(noisy(settling(60, 0.25), 0.01)),
    "still-improving": lambda: case(np.linspace(2.0, 1.0, 40)),
    "late-drop": lambda: case(staircase(40, 15, left=(1e-5, 1e-3)), drops=(40.0,)),
    "early-drop": lambda: case(staircase(10, 30, left=(0.4, 1e-4)), drops=(10.0,)),
    "overfitting": lambda: case(fall(60), noisy(valley(60, 0.3, 0.5), 0.01)),
    "generalization-gap": lambda: case(fall(40), fall(40, floor=1.2)),
    "validation-below-training": lambda: case(fall(40), fall(40) - 0.1),
    "double-descent": lambda: case(
        fall(100), noisy(fall(100) + 0.5 * np.exp(-(((np.arange(100) - 55) / 10) ** 2)), 0.01)
    ),
    "divergence": lambda: case(np.concatenate((fall(20), np.linspace(0.5, 40.0, 20)))),
    "non-finite-loss": lambda: case(np.concatenate((fall(20), np.full(20, np.nan)))),
    "not-learning": lambda: case(noisy(np.full(30, LN8), 0.003)),
    "collapse": lambda: case(np.concatenate((LN8 * settling(15, 1.0) + 0.1, noisy(np.full(15, LN8), 0.002)))),
    "loss-spike": lambda: case(spiked(2.0, 3)),
    "oscillation": lambda: case(
        fall(40) + 0.5 * np.cos(2.2 * np.arange(40)), fall(40) + 0.5 * np.sin(2.2 * np.arange(40))
    ),
    "epoch-sawtooth": lambda: sawtooth(0.8),
    "interrupted": lambda: closed("crashed"),
    "stalled": lambda: closed("open", 50, written=1e9 - 7200),
    "slow-learning": lambda: case(np.linspace(2.0, 1.7, 40)),
    "linear-scaling": lambda: case(fall(40), facts={"batch_size": RunFact(4096, "runs/a.csv", 1)}),
    "too-short": lambda: case(fall(6)),
}
SILENT: dict[str, Callable[[], Case]] = {
    "plateau": lambda: case(noisy(settling(60, 0.7), 0.01)),
    "still-improving": lambda: case(settling(40, 0.8)),
    "late-drop": lambda: case(staircase(40, 15, left=(0.003, 1e-3)), drops=(40.0,)),
    "early-drop": lambda: case(staircase(30, 30, left=(0.001, 1e-4)), drops=(30.0,)),
    "overfitting": lambda: case(fall(60), noisy(valley(60, 0.3, 0.02), 0.03)),
    "generalization-gap": lambda: case(fall(40), fall(40, floor=0.6)),
    "validation-below-training": lambda: case(noisy(fall(40), 0.05), noisy(fall(40), 0.05, 1)),
    "double-descent": lambda: case(fall(100), noisy(valley(100, 0.3, 0.5), 0.01)),
    "divergence": lambda: case(np.concatenate((fall(20), np.linspace(0.5, 1.9, 20)))),
    "non-finite-loss": lambda: case(np.where(np.arange(40) == 20, 1e30, fall(40))),
    "not-learning": lambda: case(noisy(LN8 * (1 - 0.05 * np.linspace(0, 1, 30)), 0.003)),
    "collapse": lambda: case(np.concatenate((LN8 * settling(15, 1.0) + 0.1, np.linspace(0.2, 1.2, 15)))),
    "loss-spike": lambda: case(spiked(0.1, 1)),
    "oscillation": lambda: case(fall(40) + 0.5 * np.cos(2.2 * np.arange(40)), noisy(fall(40), 0.02)),
    "epoch-sawtooth": lambda: sawtooth(0.05),
    "interrupted": lambda: closed("open", 20),
    "stalled": lambda: closed("open", 50, written=1e9 - 90),
    "slow-learning": lambda: case(fall(40, floor=1.7, time=0.3)),
    "linear-scaling": lambda: case(fall(40), facts={"batch_size": RunFact(256, "runs/a.csv", 1)}),
    "too-short": lambda: case(fall(10)),
}


def test_every_analyzer_has_a_sample_and_a_near_miss() -> None:
    names = {analyzer.name for analyzer in ANALYZERS}
    assert names == FIRES.keys() == SILENT.keys()


@pytest.mark.parametrize("name", FIRES)
def test_fires_on_its_sample(name: str) -> None:
    found = ask(name, FIRES[name]())
    assert found is not None
    assert found.analyzer == name
    assert found.evidence
    assert found.span.start <= found.span.end
    assert not found.message[0].isspace()
    assert found.advice.endswith((".", "`"))
    assert "nan" not in found.message.lower().replace("finance", "") or name == "non-finite-loss"


@pytest.mark.parametrize("name", FIRES)
def test_advice_is_a_cause_and_a_remedy(name: str) -> None:
    found = ask(name, FIRES[name]())
    assert found is not None
    assert [label for label, _ in steps(found.advice)] == ["Why", "Do"]


@pytest.mark.parametrize("name", SILENT)
def test_silent_on_a_near_miss(name: str) -> None:
    assert ask(name, SILENT[name]()) is None


@pytest.mark.parametrize("analyzer", [*ANALYZERS, LateOvertaker()], ids=lambda analyzer: analyzer.name)
def test_documented_with_every_limit(analyzer: object) -> None:
    page = type(analyzer).__doc__ or ""
    positions = [page.find(f"\n    {heading}\n") for heading in HEADINGS]
    assert -1 not in positions
    assert positions == sorted(positions)
    for field in fields(analyzer):  # type: ignore[arg-type]
        assert field.metadata["unit"]
        assert field.metadata["reason"]
        assert field.name in page


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=lambda analyzer: analyzer.name)
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_points_never_crash(analyzer: object, n: int) -> None:
    made = run("a", curve(fall(n)), curve(fall(n), tag="val_loss", split="val"))
    ask(analyzer.name, Case.of(made))  # type: ignore[attr-defined]


@pytest.mark.parametrize("values", [np.zeros(30), np.full(30, np.nan), np.full(30, np.inf), -fall(30), 1e30 * fall(30)])
def test_odd_values_never_crash(values: Floats) -> None:
    of = Case.of(run("a", curve(values), curve(values, tag="val_loss", split="val")))
    for analyzer in ANALYZERS:
        ask(analyzer.name, of)


@pytest.mark.parametrize("kind", NOISES.values(), ids=NOISES)
def test_sound_runs_raise_no_alarm_not_even_a_tentative_one(kind: Noise) -> None:
    """Below one alarm in a hundred for every finding (`tests/false_alarms.py` goes on to 100,000 points)."""
    counts = alarms(kind, 500, (10, 30, 100, 1000, 5000))
    names = {name for name, _firm in counts}
    assert max((counts[name, True] + counts[name, False] for name in names), default=0) < 5, counts


@pytest.mark.parametrize("kind", NOISES.values(), ids=NOISES)
def test_short_segments_raise_no_alarm_not_even_a_tentative_one(kind: Noise) -> None:
    """Drops after 13 to 28 epochs whose steps stand 12 to 50 σ high: none is called early or late, nor anything else."""
    counts = alarms(kind, 500, (45, 60, 80), sigma=0.01)
    assert max(counts.values(), default=0) < 5, counts


def test_plateau_says_since_when_and_what_it_brought() -> None:
    found = ask("plateau", FIRES["plateau"]())
    assert found is not None
    assert found.numbers["flat_since"] == pytest.approx(14, abs=3)
    assert found.message.startswith("train loss flat since epoch 1")
    assert "milestones" in found.advice


def test_plateau_is_tentative_where_epochs_are_unknown() -> None:
    found = ask("plateau", case(settling(200, 0.25), unit="step"))
    assert found is not None
    assert not found.firm
    assert "--steps-per-epoch" in found.would_change


def test_a_plateau_is_firm_where_every_limit_agrees_and_no_fall_can_hide() -> None:
    quiet, noisier = (ask("plateau", case(noisy(settling(60, 0.25), sigma, 4))) for sigma in (0.02, 0.15))
    assert quiet is not None
    assert quiet.firm
    assert noisier is None or not noisier.firm


def test_a_drop_is_late_for_certain_where_little_can_hide_in_the_scatter() -> None:
    level = staircase(40, 15, left=(1e-5, 1e-3))
    said = [ask("late-drop", case(noisy(level, sigma), drops=(40.0,))) for sigma in (0.01, 0.2)]
    assert [found is not None and found.firm for found in said] == [True, False]


def test_a_drop_is_early_for_certain_where_the_line_falls_by_more_than_three_errors() -> None:
    level = staircase(10, 30, left=(0.4, 1e-4))
    said = [ask("early-drop", case(noisy(level, sigma, 1), drops=(10.0,))) for sigma in (0.02, 0.15)]
    assert [found is not None and found.firm for found in said] == [True, False]


def test_late_drop_names_the_wait_and_a_better_schedule() -> None:
    found = ask("late-drop", FIRES["late-drop"]())
    assert found is not None
    assert found.numbers["drop_at"] == 40.0
    assert found.numbers["epochs_flat"] == pytest.approx(26, abs=3)
    assert "MultiStepLR" in found.advice


def test_schedule_findings_are_tentative_with_adam() -> None:
    sample = FIRES["late-drop"]()
    facts = {"optimizer": RunFact("AdamW", "runs/a.csv", 1)}
    adam = Case.of(replace(sample.run, facts=facts), schedule=sample.schedule)
    assert ask("late-drop", sample).firm  # type: ignore[union-attr]
    assert not ask("late-drop", adam).firm  # type: ignore[union-attr]


@pytest.mark.parametrize(("left", "timing"), [(0.4, "early"), (0.003, "good"), (1e-5, "late")])
def test_drops_are_judged(left: float, timing: str) -> None:
    (drop,) = case(staircase(40, 20, left=(left, 1e-3)), drops=(40.0,)).schedule.drops
    assert drop.timing == timing
    assert (drop.flat_since is None) == (timing == "early")
    assert drop.gain is not None
    assert 0.2 < drop.gain < 0.5


def test_overfitting_names_best_epoch_and_is_severe_when_large() -> None:
    found = ask("overfitting", FIRES["overfitting"]())
    assert found is not None
    assert found.severity is Severity.ERROR
    assert found.numbers["best_epoch"] == pytest.approx(18, abs=4)
    mild = ask("overfitting", case(fall(60), noisy(valley(60, 0.3, 0.15), 0.01)))
    assert mild is not None
    assert mild.severity is Severity.WARNING


def test_overfitting_by_accuracy_where_there_is_no_validation_loss() -> None:
    accuracy = curve(1.9 - valley(60, 0.3, 0.5), tag="val_acc", metric="accuracy", split="val")
    made = run("a", curve(fall(60)), accuracy, val=accuracy, val_metric=accuracy)
    found = ask("overfitting", Case.of(made))
    assert found is not None
    assert found.message.startswith("validation accuracy was best at")
    assert 0.0 < float(found.numbers["best_value"] or 0) < 1.0


def test_a_nan_after_a_rise_is_divergence_too() -> None:
    values = np.concatenate((fall(10), [5.0, 50.0, 500.0], np.full(5, np.nan)))
    assert ask("divergence", case(values)) is not None
    assert ask("divergence", FIRES["non-finite-loss"]()) is None


def test_caffes_overflow_value_counts_as_non_finite() -> None:
    found = ask("non-finite-loss", case(np.concatenate((fall(20), np.full(20, 87.3365)))))
    assert found is not None
    assert found.span.start == 21.0


def test_a_side_column_with_nan_is_no_finding() -> None:
    side = curve(np.full(40, np.nan), tag="grad_norm", metric="grad_norm", split="")
    assert ask("non-finite-loss", Case.of(run("a", curve(fall(40)), side))) is None


def test_unrecovered_spike_is_an_error() -> None:
    found = ask("loss-spike", case(spiked(1.5, 30)))
    assert found is not None
    assert found.severity is Severity.ERROR
    recovered = ask("loss-spike", FIRES["loss-spike"]())
    assert recovered is not None
    assert recovered.severity is Severity.WARNING


def test_a_jump_right_after_a_drop_is_no_spike() -> None:
    jumped = spiked(2.0, 3)
    assert ask("loss-spike", case(jumped, drops=(30.0,))) is None


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (closed("crashed"), "crashed"),
        (closed("torn"), "breaks off"),
        (closed("open", 50), "simply ends"),
    ],
)
def test_interrupted_says_how(made: Case, cause: str) -> None:
    found = ask("interrupted", made)
    assert found is not None
    assert cause in found.message
    assert "batch size" in found.advice


def test_interrupted_respects_early_stopping_and_running() -> None:
    assert ask("interrupted", closed("early-stopping", 50)) is None
    assert ask("interrupted", closed("finished", 50)) is None
    assert ask("interrupted", closed("open", 50, written=1e9 - 30)) is None
    silent = ask("interrupted", closed("open", 50, written=1e9 - 7200))
    assert silent is not None
    assert not silent.firm  # the process may as well hang: `stalled` says so
    assert ask("interrupted", closed("torn", 50, written=1e9 - 7200)) is not None


def test_a_log_older_than_a_day_is_not_stalled() -> None:
    assert ask("stalled", closed("open", 50, written=1e9 - 100_000)) is None
    assert ask("interrupted", closed("open", 50, written=1e9 - 100_000)) is not None


def test_stalled_without_a_plan_is_a_note() -> None:
    found = ask("stalled", closed("open", written=1e9 - 7200))
    assert found is not None
    assert found.severity is Severity.INFO
    assert not found.firm
    assert "2 hours" in found.message
    assert "10 seconds" in found.message


def test_without_any_loss_nothing_can_be_judged() -> None:
    side = curve(np.ones(5), tag="lr", metric="lr", split="")
    of = Case.of(run("a", side, axis=Axis("epoch")))
    for name in BY_NAME.keys() - {"interrupted"}:
        with pytest.raises(CannotJudgeError):
            BY_NAME[name].analyze(of)


def test_a_loss_that_came_down_to_guessing_is_not_learning() -> None:
    """Raw pixels: the loss falls from 55 to ln 10 within an epoch, and the accuracy stays at a tenth."""
    loss = np.full(30, np.log(10.0))
    loss[0] = 55.0
    rng = np.random.default_rng(1)
    accuracy = curve(0.1 + 0.01 * rng.standard_normal(30), tag="accuracy", metric="accuracy", split="test")
    guessing = Case.of(run("a", curve(loss + 0.005 * rng.standard_normal(30)), accuracy, val_metric=accuracy))
    found = ask("not-learning", guessing)
    assert found is not None
    assert "ln 10" in found.message


def test_a_loss_that_happens_to_end_at_the_logarithm_of_a_number_is_none() -> None:
    accuracy = curve(np.linspace(0.12, 0.33, 30), tag="accuracy", metric="accuracy", split="test")
    learned = Case.of(run("a", curve(np.log(3.0) + 1.2 * np.exp(-np.arange(30) / 3)), accuracy, val_metric=accuracy))
    assert ask("not-learning", learned) is None


@pytest.mark.parametrize("kind", NOISES.values(), ids=NOISES)
def test_slow_learning_is_told_from_a_run_cut_short(kind: Noise) -> None:
    """A straight creep over a small part of the way is; a fall that was most of the way, and is cut, is not."""
    creeping = [ask("slow-learning", case(noisy(np.linspace(2.0, 1.7, 60), 0.003, seed, kind))) for seed in range(20)]
    cut = [ask("slow-learning", case(noisy(fall(60, time=0.6), 0.03, seed, kind))) for seed in range(20)]
    assert sum(found is not None for found in creeping) >= 18
    assert sum(found is not None for found in cut) <= 1


def batched(size: int, rate: float, time: float, *, seed: int = 0, sigma: float = 0.0) -> Pace:
    """A run on 1,024 images: `time` is the share of the run that its fall takes."""
    facts = {
        name: RunFact(value, "runs/a.csv", 1)
        for name, value in (("batch_size", size), ("dataset_size", 1024), ("base_lr", rate))
    }
    pace = LinearScaling().pace(case(noisy(fall(40, time=time), sigma, seed), rate=rate, facts=facts))
    assert pace is not None
    return pace


def test_a_larger_batch_at_the_old_rate_that_learns_slower() -> None:
    reference = batched(16, 0.02, 0.1)
    found = LinearScaling().compare(batched(64, 0.02, 0.3), reference)
    assert found is not None
    assert "batch ×4" in found.message
    assert "0.08 instead of 0.02" in found.advice
    assert LinearScaling().compare(batched(64, 0.08, 0.3), reference) is None  # scaled
    assert LinearScaling().compare(batched(64, 0.02, 0.1), reference) is None  # no slower
    assert LinearScaling().compare(batched(24, 0.02, 0.3), reference) is None  # hardly larger


def test_linear_scaling_holds_under_noise() -> None:
    pairs = [
        (batched(16, 0.02, 0.1, seed=seed, sigma=0.03), batched(64, 0.02, time, seed=seed + 1000, sigma=0.03))
        for time in (0.3, 0.1)
        for seed in range(20)
    ]
    said = [LinearScaling().compare(larger, reference) is not None for reference, larger in pairs]
    assert sum(said[:20]) >= 19  # slower
    assert sum(said[20:]) <= 1  # as fast


@pytest.mark.parametrize("climbs", [True, False])
def test_overfitting_tells_an_accuracy_that_still_climbs(climbs: bool) -> None:
    """Over-confidence: the validation loss rises, yet more and more answers are right."""
    until = 1.0 if climbs else 0.2
    gained = np.minimum(np.arange(1, 61) / 60, until)
    accuracy = curve(noisy(0.5 + 0.3 * gained, 0.002, 3), tag="val_acc", metric="accuracy", split="val")
    loss = curve(noisy(valley(60, 0.3, 0.5), 0.01), tag="val_loss", split="val")
    found = ask("overfitting", Case.of(run("a", curve(fall(60)), loss, accuracy, val_metric=accuracy)))
    assert found is not None
    assert ("accuracy still climbed, from 0.5" in found.message) == climbs
    assert ("temperature scaling" in found.advice) == climbs
    assert (found.numbers["metric_best_epoch"] is not None) == climbs


def test_guessing_within_the_first_epoch_is_told_as_tentative() -> None:
    rng = np.random.default_rng(0)
    x = np.arange(1, 21) / 40
    loss = curve(np.log(10.0) + 0.02 * rng.standard_normal(20), x=x)
    accuracy = curve(0.1 + 0.02 * rng.standard_normal(20), tag="acc", metric="accuracy", split="train", x=x)
    found = ask("not-learning", Case.of(run("a", loss, accuracy)))
    assert found is not None
    assert not found.firm
    assert "epochs were trained" in found.would_change


def test_a_gap_within_the_swings_of_the_validation_loss_is_none() -> None:
    swinging = fall(40, floor=1.2) + np.random.default_rng(0).choice([-0.4, 0.4], 40)
    assert ask("generalization-gap", case(fall(40), swinging)) is None


def test_an_untrained_validation_does_not_hide_a_rise() -> None:
    """A test before the first update stands at 87 where the loss is about one later."""
    x = np.arange(0.0, 61.0)
    val = curve(np.concatenate(([87.0], noisy(valley(60, 0.3, 0.5), 0.01))), tag="val_loss", split="val", x=x)
    found = ask("overfitting", Case.of(run("a", curve(fall(60)), val)))
    assert found is not None
    assert found.numbers["best_epoch"] == pytest.approx(18, abs=4)
