"""One run as a picture: losses, findings and learning rate below each other on one axis."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Finding, Severity
from logdoctor.report import numbers
from logdoctor.report.escape import plain
from logdoctor.report.figure import LEFT, RIGHT, RIGHT_SCALE, WIDTH, drawn, panels_below
from logdoctor.report.labels import Label, place_labels
from logdoctor.report.loss_panel import COLUMNS, draw_losses, number_ticks
from logdoctor.report.scales import thin
from logdoctor.report.shown import by_metric, drop_label, lanes, rate_helps_log, rate_steps, varying_rate, x_range
from logdoctor.run import Curve, Run
from logdoctor.segments import Drop

TITLE, LEGEND, DROP_LABELS = 0.36, 0.26, 0.36
LOSS_HEIGHT, RATE_HEIGHT, LANE_HEIGHT = 3.5, 1.0, 0.19
LEGEND_LETTERS = 130  # what one line holds at the usual size
MANY_DROPS = 20  # beyond, their lines are faint
LANE_TEXT = 0.25  # of the width: what a finding's name needs
RATE, DROP = "#333333", "#555555"
LANE_COLOURS = {Severity.ERROR: "#CC0000", Severity.WARNING: "#E69F00", Severity.INFO: "#8DA0B3"}


def draw(diagnosis: Diagnosis, plot_format: str = "png") -> bytes:
    """The run's curves as a PNG, 1000 pixels wide, or an SVG. Equal diagnoses give equal bytes."""
    return drawn(lambda: _figure(diagnosis), plot_format)


def _figure(diagnosis: Diagnosis) -> Figure:
    run, drops = diagnosis.run, diagnosis.schedule.drops
    placed = lanes(diagnosis)
    rate = varying_rate(run)
    heights = [LOSS_HEIGHT, *([LANE_HEIGHT * len(placed)] if placed else []), *([RATE_HEIGHT] if rate else [])]
    above = TITLE + LEGEND + (DROP_LABELS if drops else 0.08)
    figure, panels = panels_below(heights, above, right=RIGHT_SCALE if len(by_metric(run)) > 1 else RIGHT)
    _set_x(panels, run)
    scales = draw_losses(panels[0], diagnosis)
    if placed:
        _draw_lanes(panels[1], placed)
    if rate:
        _draw_rate(panels[-1], rate, drops)
    _mark_drops(panels, drops)
    _title(figure, plain(run.name, 90))
    _legend(figure, scales)
    return figure


def _title(figure: Figure, text: str) -> None:
    top = 1 - 0.08 / figure.get_figheight()
    figure.text(LEFT / WIDTH, top, text, va="top", fontsize=11, fontweight="bold")


def _legend(figure: Figure, scales: Sequence[Axes]) -> None:
    """In one line above the picture, where it hides nothing."""
    parts = [axes.get_legend_handles_labels() for axes in scales]
    handles = [handle for handles, _ in parts for handle in handles]
    names = [str(name) for _, names in parts for name in names]
    if handles:
        crowded = sum(len(name) + 8 for name in names) > LEGEND_LETTERS
        figure.legend(
            handles, names, loc="upper left", bbox_to_anchor=(LEFT / WIDTH, 1 - TITLE / figure.get_figheight()),
            ncols=len(handles), fontsize=7 if crowded else 8, frameon=False, borderpad=0, borderaxespad=0,
            handlelength=1.8, columnspacing=1.4, numpoints=1,
        )  # fmt: skip


def _set_x(panels: Sequence[Axes], run: Run) -> None:
    """The range shown; ticks and a name below the last panel only."""
    start, end = x_range(run)
    panels[0].set_xlim(start, end)
    panels[-1].xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 2.5, 5, 10], integer=end - start > 5))
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: numbers.figure(value)))
    panels[-1].set_xlabel({"epoch": "epoch", "step": "step", "index": "row"}[run.axis.unit])
    for axes in panels[:-1]:
        axes.tick_params(labelbottom=False, bottom=False)


def _draw_lanes(axes: Axes, placed: Sequence[Finding]) -> None:
    """Each finding as a bar over the stretch it speaks of, named beside it."""
    axes.set_ylim(len(placed) - 0.5, -0.5)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    left, right = axes.get_xlim()
    width = right - left
    for lane, finding in enumerate(placed):
        start, end = finding.span.start, max(finding.span.end, finding.span.start + 0.004 * width)
        colour = LANE_COLOURS[finding.severity]
        axes.plot([start, end], [lane, lane], color=colour, linewidth=5, solid_capstyle="butt", zorder=3)
        x, side = _beside(max(0.0, (start - left) / width), min(1.0, (end - left) / width))
        text = f"{finding.severity.word}: {finding.analyzer}{'' if finding.firm else ' (tentative)'}"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(left + x * width, lane, text, va="center", ha=side, fontsize=8, bbox=box, zorder=4)


def _beside(start: float, end: float) -> tuple[float, str]:
    """Where a bar's name goes (shares of the width): right of it, left of it, or on it where neither has room."""
    if 1 - end > LANE_TEXT:
        return end + 0.006, "left"
    return (start - 0.006, "right") if start > LANE_TEXT else (start + 0.012, "left")


def _draw_rate(axes: Axes, rate: Curve, drops: Sequence[Drop]) -> None:
    log, joined = rate_helps_log(rate), rate_steps(rate, drops)
    axes.set_yscale("log" if log else "linear")
    style = "default" if joined == "line" else f"steps-{joined}"
    axes.plot(*thin(rate.x, rate.value, COLUMNS), color=RATE, linewidth=1.5, drawstyle=style)
    number_ticks(axes, log=log, most=4)
    axes.set_ylabel("lr (log)" if log else "lr")


def _mark_drops(panels: Sequence[Axes], drops: Sequence[Drop]) -> None:
    """A dashed line through all panels at each drop in sight, with a label on top."""
    left, right = panels[0].get_xlim()
    seen = [drop for drop in drops if left <= drop.at <= right]
    alpha = 1.0 if len(seen) <= MANY_DROPS else 0.35
    for axes in panels:
        for drop in seen:
            axes.axvline(drop.at, color=DROP, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5, alpha=alpha)
    if len(seen) <= MANY_DROPS:
        place_labels(panels[0], [_drop_label(drop) for drop in seen])
    else:
        place_labels(panels[0], [Label(right, f"{len(seen)} drops of the learning rate, dashed")])


def _drop_label(drop: Drop) -> Label:
    """Those with a verdict to act on are placed first."""
    return Label(drop.at, drop_label(drop), priority=0 if drop.timing in ("late", "early") else 1)
