"""All runs side by side in little: one small panel a run, worst first, each on scales of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from logdoctor.compare_words import short_names
from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Severity
from logdoctor.report import numbers
from logdoctor.report.escape import plain, shortened
from logdoctor.report.figure import WIDTH, blank, drawn
from logdoctor.report.loss_panel import TRAIN, VAL, number_ticks
from logdoctor.report.marks import BAD, BEST, FLAT
from logdoctor.report.scales import helps_log, limits, thin
from logdoctor.report.shown import best_point, by_metric, needs_smoothing, smoothed, x_range
from logdoctor.report.summary import told_first
from logdoctor.run import Curve

MOST = 40  # panels; the runs behind them stand in the table
COLUMNS, MORE_COLUMNS, MANY = 4, 5, 12  # panels in a row; more of them for more runs than `MANY`
PANEL_HEIGHT, ABOVE, BELOW, BETWEEN, SIDE = 1.0, 0.42, 0.26, 0.43, 0.12  # inches
PIXELS = 180  # columns inside a panel
NAME_LETTERS, VERDICT_LETTERS = 27, 34  # that fit above a panel when there are four in a row
SIGNS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i", 0: "✓"}
EDGES = {Severity.ERROR: "#CC0000", Severity.WARNING: "#B36B00"}


def draw_overview(diagnoses: Sequence[Diagnosis], plot_format: str = "png") -> bytes:
    """The first `MOST` runs as a PNG, 1000 pixels wide, or an SVG; equal runs give equal bytes."""
    return drawn(lambda: _figure(diagnoses[:MOST]), plot_format)


def _figure(diagnoses: Sequence[Diagnosis]) -> Figure:
    across = MORE_COLUMNS if len(diagnoses) > MANY else min(COLUMNS, len(diagnoses))
    down = -(-len(diagnoses) // across)
    height = down * (PANEL_HEIGHT + ABOVE + BELOW)
    figure = blank(height)
    cell = (WIDTH - SIDE) / across
    names = short_names([diagnosis.run.name for diagnosis in diagnoses])
    for index, diagnosis in enumerate(diagnoses):
        row, column = divmod(index, across)
        left = column * cell + BETWEEN
        bottom = height - (row + 1) * (PANEL_HEIGHT + ABOVE + BELOW) + BELOW
        box = (left / WIDTH, bottom / height, (cell - BETWEEN - SIDE) / WIDTH, PANEL_HEIGHT / height)
        _draw_safely(figure.add_axes(box), diagnosis, names[index], shrink=across / COLUMNS)
    return figure


def _draw_safely(axes: Axes, diagnosis: Diagnosis, name: str, shrink: float) -> None:
    """One panel; a drawing that fails costs only itself."""
    try:
        _draw_run(axes, diagnosis)
    except Exception as error:
        axes.clear()
        axes.text(0.5, 0.5, f"not drawn:\n{type(error).__name__}", transform=axes.transAxes, ha="center", fontsize=7)
    _title(axes, diagnosis, shortened(name, int(NAME_LETTERS / shrink)), shrink)


def _title(axes: Axes, diagnosis: Diagnosis, name: str, shrink: float) -> None:
    """Name and worst finding."""
    told = told_first(diagnosis)
    found = plain(told[0].analyzer + ("" if told[0].firm else "?") if told else "", int(VERDICT_LETTERS / shrink))
    colour = EDGES.get(Severity(diagnosis.worst), "#444444") if diagnosis.worst else "#444444"
    more = f" +{len(told) - 1}" if len(told) > 1 else ""
    axes.annotate(
        f"{SIGNS[diagnosis.worst]} {name}", (-0.02, 1), (0, 15), textcoords="offset points", fontsize=7.5,
        xycoords="axes fraction", va="bottom", fontweight="bold" if diagnosis.worst >= Severity.WARNING else "normal",
    )  # fmt: skip
    axes.annotate(
        found + more, (-0.02, 1), (0, 4), textcoords="offset points", fontsize=7, xycoords="axes fraction", va="bottom",
        color=colour,
    )  # fmt: skip


def _draw_run(axes: Axes, diagnosis: Diagnosis) -> None:
    curves = by_metric(diagnosis.run)[0]
    values = np.concatenate([curve.value for curve in curves])
    log = helps_log(values)
    axes.set_yscale("log" if log else "linear")
    breaks = [drop.at for drop in diagnosis.schedule.drops]
    for start, end in diagnosis.flat_spans:
        axes.axvspan(start, end, color=FLAT, alpha=0.55, linewidth=0, zorder=0.5)
    for at in breaks:
        axes.axvline(at, color="#555555", linewidth=0.7, linestyle=(0, (3, 3)), zorder=1.5)
    for curve in curves:
        _draw_curve(axes, curve, breaks, is_train=curve is diagnosis.run.train)
    axes.set_xlim(*x_range(diagnosis.run))
    axes.set_ylim(*limits(values, log=log))
    _mark(axes, diagnosis, curves)
    _ticks(axes, diagnosis, log=log)


def _draw_curve(axes: Axes, curve: Curve, breaks: Sequence[float], *, is_train: bool) -> None:
    smooth = needs_smoothing(curve, is_train=is_train)
    x, y = thin(curve.x, smoothed(curve, breaks) if smooth else curve.value, PIXELS)
    style = "-" if is_train else (0, (4, 1.5))
    axes.plot(x, y, color=TRAIN if is_train else VAL, linewidth=1.3, linestyle=style, zorder=3)


def _mark(axes: Axes, diagnosis: Diagnosis, curves: Sequence[Curve]) -> None:
    """The best epoch, where its scale is the panel's, and the first value that is not finite."""
    best = best_point(diagnosis)
    if best is not None and diagnosis.run.val in curves:
        axes.plot(*best, marker="*", markersize=7, color="black", markerfacecolor=BEST, markeredgewidth=0.6, zorder=6)
    broken = [float(curve.x[~curve.finite][0]) for curve in curves if not curve.finite.all()]
    if broken:
        axes.plot(
            [min(broken)], [0.95], "x", color=BAD, markersize=6, markeredgewidth=1.6, zorder=6, clip_on=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip


def _ticks(axes: Axes, diagnosis: Diagnosis, *, log: bool) -> None:
    """The end of the run, and few values."""
    number_ticks(axes, log=log, most=3)
    axes.tick_params(labelsize=6.5, length=2, pad=1.5)
    end = diagnosis.run.end
    axes.set_xticks([0.0, end] if axes.get_xlim()[0] <= 0 else [end])
    axes.set_xticklabels(["0", numbers.position(end, diagnosis.run.axis.unit)][-len(axes.get_xticks()) :])
    axes.get_xticklabels()[-1].set_horizontalalignment("right")
