"""What is marked on a plot: restarts, the best epoch, values that do not fit, learning-rate drops, findings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Finding
from logdoctor.report import numbers, shown
from logdoctor.report.escape import plain
from logdoctor.report.html_canvas import DROP_ROWS, LABEL_HEIGHT, LANE_HEIGHT, Layout, down, kind_of, percent, written
from logdoctor.report.html_curves import Panel
from logdoctor.report.html_elements import Html, element
from logdoctor.report.html_scale import Scale
from logdoctor.report.scales import Floats
from logdoctor.segments import Drop

WIDE, NARROW, LETTER = 860, 230, 6.6  # pixels: the picture on a screen, on a phone, and a letter of its labels
URGENT = ("late", "early")  # drops to act on
MANY_DROPS = 20  # beyond, their lines are faint
TICK = 10  # pixels
EDGE_CELLS = 80  # markers on an edge nearer than this share of the width are drawn as one


def marks(diagnosis: Diagnosis, layout: Layout) -> list[Html]:
    """Restarts, values outside the picture or not finite, and the best epoch."""
    x = layout.scales[0][0].x
    drawn = [*_restarts(diagnosis, layout), *_spike(diagnosis, layout)]
    for panel, group in layout.scales:
        for curve in group:
            kind, finite = kind_of(curve, diagnosis), curve.finite
            drawn += _edge(curve.x[finite & (curve.value > panel.y.high)], panel, "▲", f"out {kind}", panel.top + 10)
            below = panel.top + panel.height - 3
            drawn += _edge(curve.x[finite & (curve.value < panel.y.low)], panel, "▼", f"out {kind}", below)
            drawn += _edge(curve.x[~finite], panel, "✕", "broken", panel.top + 10)
    best = shown.best_point(diagnosis)
    if best is not None:
        panel = layout.scales[-1][0]
        drawn.append(written("★", percent(x, best[0]), panel.down(best[1]) + 6, "best"))
    return drawn


def _restarts(diagnosis: Diagnosis, layout: Layout) -> list[Html]:
    """A line where a restart goes on; of many a short tick."""
    found, x = shown.restarts(diagnosis.run), layout.scales[0][0].x
    few = len(found) <= shown.MANY_RESTARTS
    top, bottom = (layout.top, layout.bottom) if few else (layout.lanes_top - TICK, layout.lanes_top)
    return [down(percent(x, at), top, bottom, "restart" if few else "restart tick-mark") for at in found]


def _spike(diagnosis: Diagnosis, layout: Layout) -> list[Html]:
    """A ring around the value that `loss-spike` speaks of, where it is inside the picture."""
    point, panel = shown.spike_point(diagnosis), layout.scales[0][0]
    if point is None or not panel.y.low <= point[1] <= panel.y.high:
        return []
    told = element("title", f"spike {numbers.figure(point[1])} @{numbers.place(point[0])}")
    return [
        element("circle", told, class_="spike", cx=percent(panel.x, point[0]), cy=round(panel.down(point[1]), 1), r=8)
    ]


def _edge(x: Floats, panel: Panel, sign: str, kind: str, y: float) -> list[Html]:
    """Signs on an edge; one for each stretch too narrow to tell them apart."""
    cells = (panel.x.share(x) * EDGE_CELLS).astype(np.int64)
    apart = x[np.diff(cells, prepend=-1) != 0]
    return [written(sign, percent(panel.x, float(at)), y, kind) for at in apart]


def drop_marks(diagnosis: Diagnosis, layout: Layout) -> list[Html]:
    """A dashed line at each drop in sight, and labels where they have room: on a screen, and fewer on a phone."""
    x = layout.scales[0][0].x
    seen = [drop for drop in diagnosis.schedule.drops if x.low <= drop.at <= x.high]
    many = len(seen) > MANY_DROPS
    faint = " faint" * many
    lines = [down(percent(x, drop.at), layout.top, layout.bottom, f"drop{faint}") for drop in seen]
    if many:
        said = written(f"{len(seen)} drops of the learning rate, dashed", "100%", layout.top - 5, "drop-label to")
        return [*lines, said]
    on_screen = _drop_labels(seen, x, layout.top, WIDE, "screen")
    return [*lines, *on_screen, *_drop_labels(seen, x, layout.top, NARROW, "phone")]


def _drop_labels(drops: Sequence[Drop], x: Scale, top: float, width: float, kind: str) -> list[Html]:
    """The labels that have room in a picture this wide, those to act on first, in rows above it."""
    rows: list[list[tuple[float, float]]] = [[] for _ in range(DROP_ROWS)]
    labels = []
    for drop in sorted(drops, key=lambda drop: (drop.timing not in URGENT, drop.at)):
        length = LETTER * len(shown.drop_label(drop))
        start, side = _start(x.place(drop.at) * width, length, width)
        free = (index for index, taken in enumerate(rows) if all(_apart(start, length, other) for other in taken))
        row = next(free, None)
        if row is not None:
            rows[row].append((start, start + length))
            urgent = " urgent" * (drop.timing in URGENT)
            y = top - 5 - LABEL_HEIGHT * row
            labels.append(written(shown.drop_label(drop), percent(x, drop.at), y, f"drop-label {kind}{side}{urgent}"))
    return labels


def _start(at: float, length: float, width: float) -> tuple[float, str]:
    """Where a label at this place begins, and to which side it is written: both, unless it would leave the picture."""
    if at < length / 2:
        return at, " from"
    return (at - length, " to") if width - at < length / 2 else (at - length / 2, "")


def _apart(start: float, length: float, other: tuple[float, float]) -> bool:
    return start + length + LETTER < other[0] or start > other[1] + LETTER


def lane(finding: Finding, layout: Layout, index: int) -> Html:
    """A finding as a bar under the stretch it speaks of, its name above the bar."""
    x = layout.scales[0][0].x
    start, end = (min(max(x.place(at), 0.0), 1.0) for at in (finding.span.start, finding.span.end))
    end = min(1.0, max(end, start + 0.006))
    y = layout.lanes_top + LANE_HEIGHT * index + 20
    bar = element("line", class_="bar", x1=f"{100 * start:.2f}%", x2=f"{100 * end:.2f}%", y1=y, y2=y)
    at, side = (start, "from") if start < 0.55 else (end, "to")
    name = finding.analyzer + ("" if finding.firm else " (tentative)")
    told = element("title", f"{name}, {numbers.stretch(finding.span)}: {plain(finding.message, 300)}")
    words = written(name, f"{100 * at:.2f}%", y - 6, f"lane-name {side}")
    return element("g", told, bar, words, class_=f"lane {finding.severity.word}")
