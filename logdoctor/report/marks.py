"""What is marked on the curves of a plot: values that do not fit, flat spans, restarts, the best epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from logdoctor.diagnosis import Diagnosis
from logdoctor.report import numbers
from logdoctor.report.scales import Floats
from logdoctor.report.shown import MANY_RESTARTS, best_point, restarts, spike_point
from logdoctor.run import Curve, Run

BEST, RESTART, BAD, FLAT, SPIKE = "#F0E442", "#009E73", "#CC0000", "#E8D9A0", "#882255"
MARKER_CELLS = 120  # markers on an edge nearer than this share of the width are drawn as one
TOP, BOTTOM = 0.985, 0.015  # of the height: where markers on an edge stand


def mark_outside(axes: Axes, curve: Curve, colour: str) -> None:
    """Arrows on the edge for values outside the picture."""
    low, high = axes.get_ylim()
    above, below = curve.finite & (curve.value > high), curve.finite & (curve.value < low)
    _mark_edge(axes, curve.x[above], TOP, "^", colour, "")
    _mark_edge(axes, curve.x[below], BOTTOM, "v", colour, "")


def mark_broken(axes: Axes, curves: Sequence[Curve]) -> None:
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


def shade_flat(axes: Axes, diagnosis: Diagnosis) -> None:
    """Stretches in which the train loss was flat, behind everything."""
    for index, (start, end) in enumerate(diagnosis.flat_spans):
        label = "" if index else "train loss flat"
        axes.axvspan(start, end, color=FLAT, alpha=0.55, linewidth=0, zorder=0.5, label=label)


def mark_restarts(axes: Axes, run: Run) -> None:
    """A dotted line where a restart goes on; of many a short tick."""
    found = restarts(run)
    few = len(found) <= MANY_RESTARTS
    for index, x in enumerate(found):
        label = "" if index else "restart" if len(found) == 1 else f"{len(found)} restarts"
        axes.axvline(x, ymax=1.0 if few else 0.04, color=RESTART, linewidth=1.6, linestyle=":" if few else "-",
                     zorder=1.6, label=label)  # fmt: skip


def mark_spike(axes: Axes, diagnosis: Diagnosis) -> None:
    """A ring around the value that `loss-spike` speaks of."""
    point = spike_point(diagnosis)
    low, high = axes.get_ylim()
    if point is None or point[1] < low:
        return
    x, peak = point
    axes.plot(
        [x], [min(peak, high)], "o", color=SPIKE, markersize=13, markerfacecolor="none", markeredgewidth=1.6,
        zorder=6, clip_on=False, label=f"spike {numbers.figure(peak)} @{numbers.place(x)}",
    )  # fmt: skip


def mark_best(axes: Axes, diagnosis: Diagnosis) -> None:
    """A star at the best epoch."""
    point = best_point(diagnosis)
    if point is None:
        return
    best, level = point
    axes.plot(
        [best], [level], marker="*", markersize=14, color="black", markerfacecolor=BEST, linestyle="none", zorder=6,
        label=f"best val {numbers.figure(level)} @{numbers.place(best)}",
    )  # fmt: skip
