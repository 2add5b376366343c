"""All runs of a comparison in one picture: the shared curve, where the lead changes hands, the learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from logdoctor.compare import Comparison, Entrant, SideBySide
from logdoctor.compare_words import interval
from logdoctor.curves.smoothing import smooth
from logdoctor.report.comparison_table import axis_word
from logdoctor.report.escape import plain
from logdoctor.report.figure import RIGHT, drawn, panels_below
from logdoctor.report.loss_panel import number_ticks
from logdoctor.report.plots import RATE_HEIGHT
from logdoctor.report.scales import helps_log, limits, thin
from logdoctor.report.shown import CALM, LOG_RATES
from logdoctor.run import Curve

# Okabe and Ito, told apart by colour-blind eyes; line styles tell them apart in grey. Runs beyond these are grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1)), "-.", (0, (6, 1, 1, 1, 1, 1)), ":")
REST = "#BBBBBB"
CROSSING = "#CC0000"
HEIGHT = 3.8  # inches
FEW = 60  # values: up to here each has a dot
COLUMNS = 850  # pixel columns inside the axes
NAME_LENGTH = 60


def draw_comparison(side: SideBySide, plot_format: str = "png") -> bytes:
    """A PNG, 1000 pixels wide, or an SVG; equal comparisons give equal bytes."""
    return drawn(lambda: _figure(side), plot_format)


def _figure(side: SideBySide) -> Figure:
    rates = _tell_something([entrant.lr for entrant in side.entrants if entrant.lr is not None])
    heights = [HEIGHT, *([RATE_HEIGHT] if rates else [])]
    shown = min(len(side.entrants), len(COLOURS))
    figure, panels = panels_below(heights, above=0.2 + 0.17 * (shown + (len(side.entrants) > shown)), right=RIGHT)
    _draw_curves(panels[0], side)
    labels = {entrant.diagnosis.run.name: entrant.label for entrant in side.entrants}
    for comparison in side.main[:1]:
        _mark_crossing(panels[0], comparison, labels)
    if rates:
        _draw_rates(panels[1], side.entrants)
    panels[-1].set_xlabel(axis_word(side))
    panels[-1].xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 2.5, 5, 10]))
    for axes in panels[:-1]:
        axes.tick_params(labelbottom=False, bottom=False)
    handles, names = panels[0].get_legend_handles_labels()
    panels[0].legend(
        handles[::-1], names[::-1], loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=8, borderpad=0,
        handlelength=3,
    )  # fmt: skip
    return figure


def _tell_something(rates: Sequence[Curve]) -> bool:
    """Whether the learning rate changes, or differs between runs."""
    values = np.concatenate([rate.value[rate.finite] for rate in rates]) if rates else np.empty(0)
    return len(values) > 0 and bool(np.ptp(values) > 1e-6 * np.abs(values).max())


def _draw_curves(axes: Axes, side: SideBySide) -> None:
    """Raw values faint, the smooth curve strong, in the order of the table."""
    values = np.concatenate([entrant.curve.value for entrant in side.entrants])
    log = helps_log(values)
    axes.set_yscale("log" if log else "linear")
    for index in reversed(range(len(side.entrants))):  # the best on top
        _draw_curve(axes, side.entrants[index], index, side.unit)
    axes.set_ylim(*limits(values, log=log))
    number_ticks(axes, log=log)
    axes.set_ylabel(plain(f"{side.split} {side.metric}", 30) + (" (log)" if log else ""))


def _draw_curve(axes: Axes, entrant: Entrant, index: int, unit: str) -> None:
    curve = entrant.curve
    named, few = index < len(COLOURS), len(curve) <= FEW
    colour, dashes = (COLOURS[index], DASHES[index]) if named else (REST, "-")
    raw: dict[str, Any] = {"marker": "o", "markersize": 2.5, "linestyle": "none"} if few else {"linewidth": 0.7}
    axes.plot(*thin(curve.x, curve.value, COLUMNS), color=colour, alpha=0.7 if few else 0.25, zorder=2, **raw)
    label = plain(entrant.label, NAME_LENGTH) if named else "others" if index == len(COLOURS) else None
    width, layer = (2.0, 3) if named else (1.0, 1)
    x, y = thin(curve.x, smooth(curve.x, curve.value, _breaks(entrant, unit), CALM), COLUMNS)
    axes.plot(x, y, color=colour, linestyle=dashes, linewidth=width, label=label, zorder=layer)


def _breaks(entrant: Entrant, unit: str) -> list[float]:
    """Where the learning rate drops, if the run's own axis is the shared one: nothing is smoothed across."""
    diagnosis = entrant.diagnosis
    return [drop.at for drop in diagnosis.schedule.drops] if diagnosis.run.axis.unit == unit else []


def _mark_crossing(axes: Axes, comparison: Comparison, labels: Mapping[str, str]) -> None:
    """The place where the lead changes hands, or is about to, with its interval."""
    crossing = comparison.crossing or comparison.expected
    if crossing is None:
        return
    winner = comparison.leader_end if comparison.crossing else comparison.late_overtaker
    name, other = (plain(labels.get(run, run), 30) for run in _first_named(comparison.runs, winner))
    said = f"{name} passes {other}" if comparison.crossing else f"{name} expected to pass {other}"
    axes.axvspan(crossing.low, crossing.high, color=CROSSING, alpha=0.08, linewidth=0, zorder=0.5)
    axes.axvline(crossing.at, color=CROSSING, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1.5)
    left, right = axes.get_xlim()
    late = crossing.at > (left + right) / 2
    axes.annotate(
        f"{said}\nat {interval(crossing, comparison.unit)}", (crossing.at, 1), (-6 if late else 6, -4), fontsize=8,
        xycoords=axes.get_xaxis_transform(), textcoords="offset points", color=CROSSING, va="top", zorder=7,
        ha="right" if late else "left", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
    )  # fmt: skip


def _first_named(runs: tuple[str, str], winner: str | None) -> tuple[str, str]:
    return runs if winner == runs[0] else (runs[1], runs[0])


def _draw_rates(axes: Axes, entrants: Sequence[Entrant]) -> None:
    found = [(index, entrant.lr) for index, entrant in enumerate(entrants) if entrant.lr is not None]
    values = np.concatenate([lr.value[lr.finite] for _, lr in found])
    log = bool((values > 0).all() and values.max() / values.min() >= LOG_RATES)
    axes.set_yscale("log" if log else "linear")
    for index, lr in reversed(found):
        colour, dashes = (COLOURS[index], DASHES[index]) if index < len(COLOURS) else (REST, "-")
        axes.plot(*thin(lr.x, lr.value, COLUMNS), color=colour, linestyle=dashes, linewidth=1.4)
    number_ticks(axes, log=log, most=4)
    axes.set_ylabel("lr (log)" if log else "lr")
