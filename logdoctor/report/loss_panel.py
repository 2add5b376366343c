"""The main panel of a plot: the curves a run is judged by, each metric on a scale of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import Formatter, LogLocator, MaxNLocator, NullFormatter

from logdoctor.diagnosis import Diagnosis
from logdoctor.report import marks, numbers
from logdoctor.report.escape import plain
from logdoctor.report.scales import helps_log, limits, parted, thin
from logdoctor.report.shown import by_metric, needs_smoothing, shown_curves, smoothed
from logdoctor.run import Curve

TRAIN, VAL = "#0072B2", "#D55E00"  # Okabe and Ito: told apart by colour-blind eyes; in grey by lightness and marker
COLUMNS = 850  # pixel columns inside the axes
TAG_LENGTH = 24
DOTTED = 200  # up to here raw values have a dot each


def draw_losses(axes: Axes, diagnosis: Diagnosis) -> list[Axes]:
    """Draw the curves judged by and mark what matters on them; returns the axes used, one for each metric."""
    groups = by_metric(diagnosis.run)
    if not groups:
        axes.text(0.5, 0.5, "no loss found in the log", transform=axes.transAxes, ha="center")
        return [axes]
    used = [axes, *(_second(axes) for _ in groups[1:])]
    for panel, curves in zip(used, groups, strict=True):
        _draw_group(panel, curves, diagnosis)
    marks.mark_broken(axes, shown_curves(diagnosis.run))
    marks.shade_flat(axes, diagnosis)
    marks.mark_restarts(axes, diagnosis.run)
    marks.mark_spike(axes, diagnosis)
    marks.mark_best(used[-1], diagnosis)
    return used


def _second(axes: Axes) -> Axes:
    """A scale on the right, in the colour of the validation curve."""
    second = axes.twinx()
    second.grid(visible=False)
    second.spines["right"].set_visible(True)
    second.tick_params(axis="y", colors=VAL)
    second.yaxis.label.set_color(VAL)
    return second


def _draw_group(axes: Axes, curves: Sequence[Curve], diagnosis: Diagnosis) -> None:
    breaks = [drop.at for drop in diagnosis.schedule.drops]
    values = np.concatenate([curve.value for curve in curves])
    log = helps_log(values)
    axes.set_yscale("log" if log else "linear")
    for curve in curves:
        _draw_curve(axes, curve, breaks, is_train=curve is diagnosis.run.train)
    axes.set_ylim(*limits(values, log=log))
    number_ticks(axes, log=log)
    axes.set_ylabel(plain(curves[0].metric, 30) + (" (log)" if log else ""))
    for curve in curves:
        marks.mark_outside(axes, curve, TRAIN if curve is diagnosis.run.train else VAL)


def number_ticks(axes: Axes, *, log: bool, most: int = 7) -> None:
    """Plain numbers, each unlike its neighbours, at `most` ticks or so; a log axis over few decades has 2 and 5 too."""
    low, high = axes.get_ylim()
    if log:
        decades = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
        wide = decades > 1 and 3 * decades > most
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=most))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(_Distinct())


class _Distinct(Formatter):
    """Ticks as reports write numbers, with as many digits as tell them apart."""

    def __call__(self, value: float, place: int | None = None) -> str:
        return numbers.figure(value, 4)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return numbers.tick_labels([float(value) for value in values])


def _draw_curve(axes: Axes, curve: Curve, breaks: Sequence[float], *, is_train: bool) -> None:
    """Raw values faint and the smooth curve strong; few values, which need no smoothing, with a marker each."""
    colour, name = (TRAIN, "train") if is_train else (VAL, "val")
    tag = plain(curve.tag, TAG_LENGTH)
    label = name if tag == name else f"{name}: {tag}"
    if not needs_smoothing(curve, is_train=is_train):
        values = np.where(curve.finite, curve.value, np.nan)
        axes.plot(curve.x, values, color=colour, linewidth=1.8, label=label, zorder=3, **_marker(is_train))
        return
    dots: dict[str, Any] = {"marker": ".", "markersize": 3} if len(curve) <= DOTTED else {}
    raw = parted(*thin(curve.x, curve.value, COLUMNS))
    axes.plot(*raw, color=colour, alpha=0.3, linewidth=0.8, zorder=2, **dots)
    x, y = parted(*thin(curve.x, smoothed(curve, breaks), COLUMNS))
    axes.plot(x, y, color=colour, linewidth=2.0, label=label, zorder=3, linestyle="-" if is_train else "--")


def _marker(is_train: bool) -> dict[str, Any]:
    """Dots for train, open squares for val: told apart without colour."""
    if is_train:
        return {"marker": "o", "markersize": 2.5}
    return {"marker": "s", "markersize": 4.0, "markerfacecolor": "white", "markeredgewidth": 1.1}
