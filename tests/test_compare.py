"""Comparing runs: leaders and crossings of curves with known truth, shared axes, seeds, and the command as used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from logdoctor.cli import cli
from logdoctor.compare import SideBySide, compare, main_series
from logdoctor.compare_axis import share_axis
from logdoctor.compare_seeds import seeds_of, setting
from logdoctor.compare_words import short_names
from logdoctor.curves.crossing import Contest, meet
from logdoctor.diagnosis import Report
from logdoctor.errors import LogDoctorError
from logdoctor.report.comparison_plot import draw_comparison
from logdoctor.run import Axis, Curve, Floats, Run
from tests.factories import curve, diagnosis, run

DEEP, SHALLOW = "deep", "shallow"


def epochs(n: int) -> Floats:
    return np.arange(1.0, n + 1)


def decaying(n: int, start: float, end: float, times: float, noise: float = 0.0, seed: int = 0) -> Floats:
    """An exponential fall from start to end with `times` time constants over n epochs, white noise on it."""
    scatter = noise * np.random.default_rng(seed).standard_normal(n)
    return np.asarray(end + (start - end) * np.exp(-times * epochs(n) / n) + scatter)


def contest(first: Floats, second: Floats) -> Contest:
    found = meet((epochs(len(first)), first), (epochs(len(second)), second))
    assert found is not None
    return found


def slow_and_quick(n: int = 40, noise: float = 0.01, seed: int = 0) -> tuple[Floats, Floats, float]:
    """A slow run that ends lower, a quick one that stays high, and where their noiseless curves cross."""
    slow, quick = (2.3, 0.2, 4.0), (2.3, 0.6, 15.0)
    fine = np.linspace(1, n, 100_000)
    gap = [end + (start - end) * np.exp(-times * fine / n) for start, end, times in (slow, quick)]
    truth = float(fine[np.flatnonzero(gap[0] > gap[1])[-1]])
    return decaying(n, *slow, noise, seed), decaying(n, *quick, noise, seed + 1), truth


@pytest.mark.parametrize("n", [20, 40, 400])
@pytest.mark.parametrize("noise", [0.001, 0.03])
def test_the_crossing_is_found_and_its_interval_holds_it(n: int, noise: float) -> None:
    for seed in range(10):
        slow, quick, truth = slow_and_quick(n, noise, 2 * seed)
        met = contest(slow, quick)
        assert (met.leader(met.early), met.leader(met.end)) == (-1, 1)
        found = met.last_crossing()
        assert found is not None
        assert abs(found.at - truth) <= max(1.0, 0.05 * n)
        assert found.low <= found.at <= found.high
        assert found.low - 1 <= truth <= found.high + 1


def test_a_run_ahead_all_along_crosses_nothing() -> None:
    better, worse = decaying(40, 2.3, 0.3, 6.0, 0.02), decaying(40, 2.4, 0.6, 6.0, 0.02, seed=1)
    met = contest(better, worse)
    assert (met.leader(met.early), met.leader(met.end)) == (1, 1)
    assert met.last_crossing() is None
    assert met.expected_crossing() is None


@pytest.mark.parametrize("own_level", [0.0, 0.03])
def test_two_seeds_of_one_setting_have_no_clear_leader(own_level: float) -> None:
    """Also where each seed has a level of its own, as large as the scatter from epoch to epoch."""
    named = 0
    for seed in range(200):
        offset = own_level * np.random.default_rng(seed + 10_000).standard_normal(2)
        first, second = (decaying(40, 2.0, 0.4, 5.0, 0.03, seed=2 * seed + i) + offset[i] for i in range(2))
        met = contest(first, second)
        named += met.leader(met.early) != 0 or met.leader(met.end) != 0
    assert named <= 200 * 0.04


def test_equal_curves_have_no_leader() -> None:
    same = decaying(30, 2.0, 0.4, 5.0)
    met = contest(same, same)
    assert met.leader(met.early) == met.leader(met.end) == 0
    assert met.last_crossing() is None


@pytest.mark.parametrize("cut", [18, 20, 22])
def test_a_crossing_to_come_is_foretold_with_an_interval(cut: int) -> None:
    covered = 0
    for seed in range(20):
        slow, quick, truth = slow_and_quick(60, 0.01, 2 * seed)
        assert truth > 20
        found = contest(slow[:cut], quick[:cut]).expected_crossing()
        covered += found is not None and found.low <= truth <= found.high
    assert covered >= 16


def test_parallel_curves_foretell_nothing() -> None:
    foretold = 0
    for seed in range(100):
        first, second = decaying(40, 2.0, 0.4, 5.0, 0.02, 2 * seed), decaying(40, 2.2, 0.6, 5.0, 0.02, 2 * seed + 1)
        foretold += contest(first, second).expected_crossing() is not None
    assert foretold <= 2


def test_curves_meet_in_their_common_range_at_the_points_of_the_sparser() -> None:
    met = meet((epochs(40), decaying(40, 2, 1, 5)), (np.arange(5.0, 101, 5), np.ones(20)))
    assert met is not None
    assert met.x.tolist() == [5, 10, 15, 20, 25, 30, 35, 40]
    assert meet((epochs(10), np.ones(10)), (epochs(10) + 20, np.ones(10))) is None


def test_a_few_points_name_no_leader() -> None:
    met = contest(np.array([3.0, 2.0, 1.0]), np.array([6.0, 5.0, 4.0]))
    assert met.leader(met.end) == 0
    assert met.last_crossing() is None


def validated(name: str, value: Floats, *, metric: str = "loss", split: str = "val", **changes: Any) -> Run:
    made = curve(value, tag=f"{split}_{metric}", metric=metric, split=split)
    return run(name, made, val=made, **changes)


def compared(*runs: Run, axis: str | None = None) -> SideBySide:
    side = compare(Report(tuple(diagnosis(one) for one in runs)), axis).side_by_side
    assert side is not None
    return side


def test_the_late_overtaker_is_named_with_its_crossing() -> None:
    slow, quick, truth = slow_and_quick()
    side = compared(validated(DEEP, slow), validated(SHALLOW, quick))
    (only,) = side.comparisons
    assert (only.runs, only.metric, only.split) == ((DEEP, SHALLOW), "loss", "val")
    assert (only.leader_early, only.leader_end, only.late_overtaker) == (SHALLOW, DEEP, DEEP)
    assert only.crossing is not None
    assert abs(only.crossing.at - truth) < 2
    assert "shallow was ahead early" in only.message
    assert "deep passed at epoch" in only.message
    assert [entrant.label for entrant in side.entrants] == [DEEP, SHALLOW]


def test_higher_is_better_for_an_accuracy() -> None:
    slow, quick, _ = slow_and_quick()
    up = [validated(name, 1 - loss / 3, metric="accuracy") for name, loss in ((DEEP, slow), (SHALLOW, quick))]
    side = compared(*up)
    (only,) = side.comparisons
    assert (only.leader_early, only.leader_end) == (SHALLOW, DEEP)
    assert side.entrants[0].best == pytest.approx(float((1 - slow / 3).max()))


def test_the_message_says_how_far_the_longer_run_went() -> None:
    short, long = decaying(20, 2.0, 0.6, 5.0, 0.01), decaying(60, 2.0, 0.3, 15.0, 0.01, seed=1)
    (only,) = compared(validated("long", long), validated("short", short)).comparisons
    assert only.leader_end == "long"
    assert f"long went on to epoch 60 and came to {long[-1]:.4g}" in only.message
    assert "at epoch 20" in only.message


def test_best_so_far_are_logged_values_at_equal_epochs() -> None:
    values = np.array([5.0, 3.0, 4.0, 2.0, 6.0, 2.5, 1.0, 3.0])
    side = compared(validated("a", values), validated("b", values[:6] + 1))
    assert side.marks.tolist() == [1.5, 3.0, 4.5, 6.0]
    a, b = side.entrants
    assert (a.label, a.best_so_far.tolist(), a.best, a.best_at) == ("a", [5.0, 3.0, 2.0, 2.0], 1.0, 7.0)
    assert b.best_so_far.tolist() == [6.0, 4.0, 3.0, 3.0]


def test_a_run_evaluated_on_test_data_alone_has_it_as_its_validation() -> None:
    assert list(main_series(validated("a", epochs(5), split="test"))) == [("loss", "val")]
    both = (curve(epochs(5), split="val"), curve(epochs(5), split="test"))
    assert list(main_series(run("a", *both))) == [("loss", "val"), ("loss", "test")]


def with_steps(of: Curve, per_epoch: float) -> Curve:
    return replace(of, step=of.x * per_epoch, wall_time=1e9 + 60 * of.x)


def test_the_axis_is_the_first_that_all_runs_have() -> None:
    by_epoch = validated("a", epochs(8))
    stepped = with_steps(curve(epochs(8), split="val"), 50)
    both = run("b", stepped, val=stepped)
    by_step = run("c", replace(stepped, x=stepped.step), val=replace(stepped, x=stepped.step), axis=Axis("step"))
    assert share_axis([by_epoch, both]).unit == "epoch"
    assert share_axis([both, by_step]).unit == "step"
    assert share_axis([both, by_step], "time").unit == "hour"
    assert share_axis([by_epoch, by_step]).unit == "index"
    shared = share_axis([by_epoch, both, by_step])
    assert (shared.unit, shared.left_out) == ("epoch", ("c does not tell its epochs",))


def test_runs_without_a_common_axis_are_compared_value_by_value_and_the_report_says_so() -> None:
    slow, quick, _ = slow_and_quick()
    steps = curve(quick, split="val", x=50 * epochs(40))
    side = compared(validated(DEEP, slow), run(SHALLOW, steps, val=steps, axis=Axis("step")))
    assert side.unit == "index"
    assert side.comparisons[0].leader_end == DEEP
    assert "--steps-per-epoch" in side.notes[0]


def test_an_axis_that_runs_lack_is_a_sentence_with_the_way_out() -> None:
    with pytest.raises(LogDoctorError, match=r"--axis time.*a does not tell the time.*another axis"):
        compared(validated("a", epochs(5)), validated("b", epochs(5)), axis="time")


def test_hours_are_told_finely_enough_for_a_run_of_minutes() -> None:
    slow, quick, truth = slow_and_quick()
    runs = [validated(name, value) for name, value in ((DEEP, slow), (SHALLOW, quick))]
    timed = [run(one.name, with_steps(one.curves[0], 50), val=with_steps(one.curves[0], 50)) for one in runs]
    (only,) = compared(*timed, axis="time").comparisons
    assert only.crossing is not None
    assert only.crossing.at == pytest.approx((truth - 1) / 60, abs=0.03)
    assert f"passed at hour {only.crossing.at:.3g}" in only.message


def test_short_names_leave_out_what_all_share_and_nobody_needs() -> None:
    assert short_names(["runs/a/log", "runs/b/log"]) == ["a", "b"]
    assert short_names(["a/seed1/log", "a/seed2/log", "b/x"]) == ["a/seed1", "a/seed2", "b"]
    assert short_names(["a", "a/b"]) == ["a", "a/b"]
    assert short_names(["a#2", "a"]) == ["a#2", "a"]


def test_seeds_are_told_by_names_alone() -> None:
    assert setting("resnet_seed12") == "resnet_seed*"
    assert setting("exp/seed=3/log") == "exp/seed=*/log"
    assert setting("linseed3") == "linseed3"
    assert seeds_of(["a_seed1", "b_seed1", "a_seed2", "c"]) == [[0, 2]]
    assert seeds_of(["resnet18", "resnet34"]) == []


def test_seeds_are_grouped_with_mean_and_spread() -> None:
    runs = [validated(f"net_seed{i}", decaying(40, 2.0, 0.4 + 0.01 * i, 5.0)) for i in range(3)]
    side = compared(*runs, validated("other", decaying(40, 2.0, 0.9, 5.0)))
    (seeds,) = side.seeds
    best = [e.best for e in side.entrants if e.label != "other"]
    assert seeds.name == "net_seed*"
    assert seeds.best == pytest.approx(np.mean(best))
    assert seeds.spread == pytest.approx(np.std(best, ddof=1))
    assert seeds.at_marks.shape == (4, 2)


def test_equal_comparisons_are_drawn_alike() -> None:
    slow, quick, _ = slow_and_quick()
    lr = curve(decaying(40, 0.1, 0.001, 5.0), tag="lr", metric="lr", split="")
    val = curve(slow, split="val")
    side = compared(run("a", val, lr, val=val), *(validated(f"b{i}", quick + i) for i in range(8)))
    assert draw_comparison(side) == draw_comparison(side)
    assert draw_comparison(side).startswith(b"\x89PNG")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    slow, quick, _ = slow_and_quick()
    for name, loss in ((DEEP, slow), (SHALLOW, quick)):
        rows = [f"{i},{value:.5f},{value + 0.1:.5f}" for i, value in enumerate(loss)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch,loss,val_loss", *rows]) + "\n")
    return tmp_path


def command(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_the_json_has_each_pair_and_series_once(here: Path) -> None:
    result = command("compare", "deep.csv", "shallow.csv", "--no-plots", "--json", "-")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    found = content["comparisons"]
    assert sorted((c["metric"], c["split"]) for c in found) == [("loss", "train"), ("loss", "val")]
    for entry in found:
        assert entry["runs"] == [DEEP, SHALLOW]
        assert (entry["leader_early"], entry["leader_end"]) == (SHALLOW, DEEP)
        assert set(entry["crossing"]) == {"at", "unit", "low", "high"}
        assert entry["crossing"]["unit"] == "epoch"
    assert content["comparison"]["standings"][0]["run"] == DEEP


def test_the_report_begins_with_the_comparison_and_shows_its_plot(here: Path) -> None:
    result = command("compare", "deep.csv", "shallow.csv")
    assert result.exit_code == 0, result.output
    text = (here / "logdoctor-report" / "report.md").read_text()
    assert text.startswith("# Comparison")
    assert text.index("**late overtaker**") < text.index("# Training report")
    assert "![Curves of all runs](plots/all-runs.png)" in text
    assert (here / "logdoctor-report" / "plots" / "all-runs.png").stat().st_size > 1000
    assert "deep passed at epoch" in " ".join(result.stdout.split())
    assert command("report", "deep.csv").exit_code == 0
    assert not (here / "logdoctor-report" / "plots" / "all-runs.png").exists()


def test_one_run_is_not_enough(here: Path) -> None:
    result = command("compare", "deep.csv", "--no-plots")
    assert result.exit_code == 2
    assert "two runs" in result.stderr
    assert "Traceback" not in result.output


def test_nothing_recognised_is_exit_3(here: Path) -> None:
    (here / "notes.txt").write_text("shopping list: milk, bread\n")
    assert command("compare", "notes.txt", "--no-plots").exit_code == 3


def test_runs_that_share_no_series_are_a_sentence(here: Path) -> None:
    (here / "other.csv").write_text("epoch,val_accuracy\n" + "".join(f"{i},0.{i + 10}\n" for i in range(20)))
    result = command("compare", "deep.csv", "other.csv", "--no-plots")
    assert result.exit_code == 2
    assert "no two runs share a loss or a metric" in result.stderr
