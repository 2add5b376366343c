"""Plots: limits, thinning and label placement by number; that each kind of run can be drawn, twice alike."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Severity, Span
from logdoctor.report import overview_plot
from logdoctor.report.labels import Label, place_labels
from logdoctor.report.overview_plot import draw_overview
from logdoctor.report.pictures import has_course
from logdoctor.report.plots import draw
from logdoctor.report.scales import helps_log, limits, parted, thin
from logdoctor.report.shown import best_point, by_metric, restarts, spike_point
from logdoctor.rows import Rows
from logdoctor.segments import Schedule
from tests.factories import curve, diagnosis, drops, falling, finding, run


def test_log_scale_only_where_it_helps() -> None:
    assert helps_log(np.geomspace(10, 0.01, 50))
    assert not helps_log(np.linspace(2, 1, 50))
    assert not helps_log(np.append(np.geomspace(10, 0.01, 50), 0.0))
    assert not helps_log(-np.geomspace(10, 0.01, 50))
    assert not helps_log(np.array([1.0, np.nan]))


def test_one_outlier_does_not_squash_the_picture() -> None:
    values = np.append(np.linspace(2.0, 1.0, 99), 1e6)
    low, high = limits(values, log=False)
    assert 0.5 < low < 1.0
    assert 2.0 < high < 3.0


def test_an_ordinary_first_value_stays_inside() -> None:
    low, high = limits(np.array([2.3, 0.9, 0.5, 0.35, 0.3, 0.28, 0.27]), log=False)
    assert low < 0.27
    assert high > 2.3


@pytest.mark.parametrize("values", [[], [np.nan], [1.0], [0.0, 0.0], [-3.0, -3.0]])
def test_limits_of_next_to_nothing(values: list[float]) -> None:
    low, high = limits(np.array(values), log=False)
    assert low < high


def test_thinning_keeps_spikes_and_ends() -> None:
    x = np.arange(100_000.0)
    y = np.sin(x / 5000)
    y[31_415] = 50.0
    y[77_777] = np.nan
    thin_x, thin_y = thin(x, y, 800)
    assert len(thin_x) <= 3200
    assert thin_y.max() == 50.0
    assert (thin_x[0], thin_x[-1]) == (0.0, 99_999.0)
    assert np.all(np.diff(thin_x) > 0)
    assert np.isfinite(thin_y).all()


def test_labels_do_not_overlap_and_the_rest_is_counted() -> None:
    figure = Figure(figsize=(10, 3))
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlim(0, 100)
    place_labels(axes, [Label(x, f"×0.1 @{x}, late", priority=x % 2) for x in range(100)])
    canvas.draw()
    texts = [child for child in axes.get_children() if isinstance(child, Annotation)]
    boxes = [text.get_window_extent() for text in texts]
    assert len(texts) > 10
    assert any("more drops" in text.get_text() for text in texts)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def two_scales() -> Diagnosis:
    """Train loss and validation mAP."""
    val = curve(np.linspace(0.1, 0.7, 60), tag="mAP", metric="map", split="val")
    return diagnosis(replace(run("a", curve(falling(60)), val), val=val))


def test_metrics_of_different_kinds_have_scales_of_their_own() -> None:
    assert [[of.metric for of in group] for group in by_metric(two_scales().run)] == [["loss"], ["map"]]


def kinds() -> dict[str, Diagnosis]:
    rate = np.repeat([0.1, 0.01, 0.001], 20)
    val = curve(falling(60, start=2.1, end=0.6), tag="val_loss", split="val")
    lr = curve(rate, tag="lr", metric="lr", split="")
    schedule = Schedule("step", "logged", drops=drops(20, 40, timing=("late", "good")))
    broken = falling(60)
    broken[50:] = np.nan
    noisy = curve(falling(5000, noise=0.2), x=np.linspace(0.01, 60, 5000))
    return {
        "full": diagnosis(
            run("a", curve(falling(60)), val, lr), finding(), schedule=schedule, flat_spans=((13.0, 20.0),)
        ),
        "nan": diagnosis(
            run("a", curve(broken)), finding("non-finite-loss", Severity.ERROR, span=Span(50, 60, "epoch"))
        ),
        "all nan": diagnosis(run("a", curve([np.nan, np.inf]))),
        "noisy": diagnosis(run("a", noisy, val)),
        "two scales": two_scales(),
        "negative": diagnosis(run("a", curve(falling(60, start=5, end=-8)))),
        "one point": diagnosis(run("a", curve([1.0]))),
        "no loss": diagnosis(run("a", lr)),
        "steps": diagnosis(run("a", curve(falling(60), x=np.arange(60) * 1000.0), unit="step")),
        "exploding": diagnosis(run("a", curve(np.append(falling(50), np.geomspace(1, 1e30, 10))))),
        "strange name": diagnosis(run("$a_b$ \x1b[0m 日本 \udcff")),
        "zero rate": diagnosis(run("a", curve(falling(60)), curve(np.append(rate[1:], 0.0), metric="lr", split=""))),
    }


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_kind_is_drawn_a_thousand_pixels_wide(kind: str) -> None:
    picture = draw(kinds()[kind])
    width, height = struct.unpack(">II", picture[16:24])
    assert width == 1000
    assert 350 < height < 900


def test_equal_input_gives_equal_bytes() -> None:
    assert draw(kinds()["full"]) == draw(kinds()["full"])


def test_restarts_are_found_on_the_axis() -> None:
    values = falling(6)
    lines = np.arange(2, 8)
    unknown = np.full(6, np.nan)
    rows = Rows(
        (), np.zeros(6, np.int64), unknown, unknown, unknown, unknown, unknown, values, lines, np.zeros(6, np.int64),
        np.array([0, 0, 0, 1, 1, 2]),
    )  # fmt: skip
    assert restarts(run("a", curve(values), attempts=3, rows=rows)) == [4.0, 6.0]
    assert restarts(run("a", curve(values))) == []


def test_svg_is_drawn_alike_twice_and_names_no_day() -> None:
    of = diagnosis(run("a", curve(falling()), curve(falling(start=2.2), split="val")), finding())
    first = draw(of, "svg")
    assert first == draw(of, "svg")
    assert first.startswith(b"<?xml")
    assert b"dc:date" not in first


def many(count: int) -> list[Diagnosis]:
    bad = curve([1.0, float("nan"), 2.0, 1.0])
    kinds = [
        diagnosis(run("falls", curve(falling()), curve(falling(start=2.2), split="val")), finding()),
        diagnosis(run("breaks", bad), finding("non-finite-loss", Severity.ERROR)),
        diagnosis(run("negative", curve(-falling()[::-1]))),
        diagnosis(run("nothing finite", curve([float("nan")] * 4))),
        diagnosis(run("x/" * 60, curve(falling(400))), finding(), finding("plateau", firm=False)),
    ]
    return [kinds[index % len(kinds)] for index in range(count)]


@pytest.mark.parametrize("plot_format", ["png", "svg"])
@pytest.mark.parametrize("count", [1, 6])
def test_all_runs_in_one_picture(count: int, plot_format: str) -> None:
    drawn = draw_overview(many(count), plot_format)
    assert drawn == draw_overview(many(count), plot_format)
    if plot_format == "png":
        assert struct.unpack(">I", drawn[16:20]) == (1000,)


def test_the_overview_ends_where_nobody_would_look_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview_plot, "MOST", 3)
    assert draw_overview(many(5)) == draw_overview(many(3))


def test_no_line_is_drawn_where_nothing_was_logged() -> None:
    x = np.concatenate([np.arange(100.0), np.arange(900.0, 1000.0)])
    parted_x, parted_y = parted(x, np.ones(200))
    assert np.isnan(parted_y).tolist() == [index == 100 for index in range(201)]
    assert len(parted_x) == 201
    steady, _ = parted(np.arange(50.0) * 10, np.ones(50))
    assert len(steady) == 50


def test_the_star_lies_on_the_curve_as_it_is_drawn() -> None:
    few, many = (curve(falling(n, end=0.6), split="val") for n in (40, 200))
    assert best_point(diagnosis(run("a", curve(falling()), few))) == (20.0, few.value[19])
    assert best_point(diagnosis(run("a", curve(falling()), many))) == (20.0, 0.52)


def test_a_curve_all_at_one_place_has_no_course() -> None:
    assert not has_course(diagnosis(run("a", curve(falling(), x=np.full(40, 2.0)))))
    assert has_course(diagnosis(run("a")))


def test_a_spike_is_ringed_where_its_value_stands() -> None:
    values = falling(60)
    values[30] = 5.0
    at_bin = finding("loss-spike", span=Span(32.0, 34.0, "epoch"), numbers={"peak": 5.0})
    assert spike_point(diagnosis(run("a", curve(values)), at_bin)) == (31.0, 5.0)
    elsewhere = replace(at_bin, span=Span(50.0, 52.0, "epoch"))
    assert spike_point(diagnosis(run("a", curve(values)), elsewhere)) is None
