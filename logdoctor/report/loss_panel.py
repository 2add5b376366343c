"""The main panel of a plot: the losses, and what is marked on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from logdoctor.curves.smoothing import smooth
from logdoctor.diagnosis import Diagnosis
from logdoctor.report import numbers
from logdoctor.report.escape import plain
from logdoctor.report.scales import Floats, helps_log, limits, thin
from logdoctor.run import Curve, Run

# Okabe and Ito's colours: told apart by colour-blind eyes. In grey the curves differ in lightness and marker.
TRAIN, VAL, BEST, RESTART = "#0072B2", "#D55E00", "#F0E442", "#009E73"
BAD, FLAT = "#CC0000", "#E8D9A0"
COLUMNS = 850  # pixel columns inside the axes
TAG_LENGTH = 24
FEW_TRAIN, FEW_VAL = 12, 60  # up to here a curve is drawn as it is, with a marker at every value
DOTTED = 200  # up to here raw values have a dot each
MARKER_CELLS = 120  # markers on an edge nearer than this share of the width are drawn as one
TOP, BOTTOM = 0.985, 0.015  # of the height: where markers on an edge stand


def draw_losses(axes: Axes, diagnosis: Diagnosis) -> None:
    """Draw the curves judged by, flat spans, restarts, the best epoch, and what does not fit or is no number."""
    curves = shown_curves(diagnosis.run)
    if not curves:
        axes.text(0.5, 0.5, "no loss found in the log", transform=axes.transAxes, ha="center")
        return
    breaks = [drop.at for drop in diagnosis.schedule.drops]
    values = np.concatenate([curve.value for curve in curves])
    log = helps_log(values)
    axes.set_yscale("log" if log else "linear")
    for curve in curves:
        _draw_curve(axes, curve, breaks, is_train=curve is diagnosis.run.train)
    axes.set_ylim(*limits(values, log=log))
    number_ticks(axes, log=log)
    axes.set_ylabel(" / ".join(dict.fromkeys(curve.metric for curve in curves)) + (" (log)" if log else ""))
    for curve in curves:
        _mark_outside(axes, curve, TRAIN if curve is diagnosis.run.train else VAL)
    _mark_broken(axes, curves)
    _shade_flat(axes, diagnosis)
    for index, x in enumerate(restarts(diagnosis.run)):
        axes.axvline(x, color=RESTART, linewidth=1.6, linestyle=":", zorder=1.6, label="" if index else "restart")
    _mark_best(axes, diagnosis)


def shown_curves(run: Run) -> list[Curve]:
    """The losses; where there is none, the main validation metric."""
    losses = [curve for curve in (run.train, run.val) if curve is not None and len(curve)]
    return losses or [curve for curve in (run.val_metric,) if curve is not None and len(curve)]


def number_ticks(axes: Axes, *, log: bool) -> None:
    """Plain numbers at the ticks; a log axis over few decades also has them at 2 and 5."""
    low, high = axes.get_ylim()
    if log:
        wide = high / low > 200
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=7))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: numbers.figure(float(f"{value:.6g}"), 4)))


def _draw_curve(axes: Axes, curve: Curve, breaks: Sequence[float], *, is_train: bool) -> None:
    """Raw values faint and the smooth curve strong; few values, which need no smoothing, with a marker each."""
    colour, name = (TRAIN, "train") if is_train else (VAL, "val")
    tag = plain(curve.tag, TAG_LENGTH)
    label = name if tag == name else f"{name}: {tag}"
    if len(curve) <= (FEW_TRAIN if is_train else FEW_VAL):
        values = np.where(curve.finite, curve.value, np.nan)
        axes.plot(curve.x, values, color=colour, linewidth=1.8, label=label, zorder=3, **_marker(is_train))
        return
    dots: dict[str, Any] = {"marker": ".", "markersize": 3} if len(curve) <= DOTTED else {}
    axes.plot(*thin(curve.x, curve.value, COLUMNS), color=colour, alpha=0.3, linewidth=0.8, zorder=2, **dots)
    x, y = thin(curve.x, smooth(curve.x, curve.value, breaks), COLUMNS)
    axes.plot(x, y, color=colour, linewidth=2.0, label=label, zorder=3, linestyle="-" if is_train else "--")


def _marker(is_train: bool) -> dict[str, Any]:
    """Dots for train, open squares for val: told apart without colour."""
    if is_train:
        return {"marker": "o", "markersize": 2.5}
    return {"marker": "s", "markersize": 4.0, "markerfacecolor": "white", "markeredgewidth": 1.1}


def _mark_outside(axes: Axes, curve: Curve, colour: str) -> None:
    """Arrows on the edge for values outside the picture."""
    low, high = axes.get_ylim()
    above, below = curve.finite & (curve.value > high), curve.finite & (curve.value < low)
    _mark_edge(axes, curve.x[above], TOP, "^", colour, "")
    _mark_edge(axes, curve.x[below], BOTTOM, "v", colour, "")


def _mark_broken(axes: Axes, curves: Sequence[Curve]) -> None:
    """Crosses on the top edge for NaN and infinities."""
    broken = np.unique(np.concatenate([curve.x[~curve.finite] for curve in curves]))
    if len(broken):
        _mark_edge(axes, broken, TOP, "x", BAD, f"NaN/Inf from {numbers.place(float(broken[0]))}")
    if not any(curve.finite.any() for curve in curves):
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no finite value in the log", transform=axes.transAxes, ha="center")


def _mark_edge(axes: Axes, x: Floats, y: float, marker: str, colour: str, label: str) -> None:
    """Markers at the height `y` (0 to 1); one for each stretch too narrow to tell them apart."""
    left, right = axes.get_xlim()
    cells = ((x - left) / (right - left) * MARKER_CELLS).astype(np.int64)
    x = x[np.diff(cells, prepend=-1) != 0]
    axes.plot(
        x, np.full(len(x), y), marker, color=colour, markersize=6, markeredgewidth=1.6, label=label,
        transform=axes.get_xaxis_transform(), zorder=5, clip_on=False,
    )  # fmt: skip


def _shade_flat(axes: Axes, diagnosis: Diagnosis) -> None:
    for index, (start, end) in enumerate(diagnosis.flat_spans):
        label = "" if index else "train loss flat"
        axes.axvspan(start, end, color=FLAT, alpha=0.55, linewidth=0, zorder=0.5, label=label)


def restarts(run: Run) -> list[float]:
    """Where on the axis each attempt after the first begins in the curve judged by."""
    curve, rows = run.train or run.val, run.rows
    if curve is None or rows is None or run.attempts < 2:
        return []
    again = np.flatnonzero(rows.attempt > 0)
    attempt = {(int(rows.source[i]), int(rows.line[i])): int(rows.attempt[i]) for i in again}
    first: dict[int, float] = {}
    for source, line, x in zip(curve.source, curve.line, curve.x, strict=True):
        number = attempt.get((int(source), int(line)))
        if number is not None:
            first.setdefault(number, float(x))
    return sorted(first.values())


def _mark_best(axes: Axes, diagnosis: Diagnosis) -> None:
    """A star at the best epoch, on the level the verdicts use: a single value logged there may be an outlier."""
    best, level = diagnosis.measures.get("best_epoch"), diagnosis.measures.get("best_value")
    if diagnosis.run.val is None or best is None or level is None or not np.isfinite([best, level]).all():
        return
    axes.plot(
        [best], [level], marker="*", markersize=14, color="black", markerfacecolor=BEST, linestyle="none", zorder=6,
        label=f"best val {numbers.figure(level)} @{numbers.place(best)}",
    )  # fmt: skip
