"""What lies behind and beside the curves of a plot: flat stretches, grid lines, ticks and their labels."""

from __future__ import annotations

from logdoctor.diagnosis import Diagnosis
from logdoctor.report.escape import plain
from logdoctor.report.html_canvas import LOSS_HEIGHT, RATE_HEIGHT, Layout, across, down, percent, written
from logdoctor.report.html_curves import Panel
from logdoctor.report.html_elements import Attribute, Html, element, joined
from logdoctor.report.html_scale import Scale
from logdoctor.report.numbers import tick_labels

X_TICKS, Y_TICKS, RATE_TICKS = 8, 6, 3
TITLE_LETTERS = {LOSS_HEIGHT: 22, RATE_HEIGHT: 8}  # that fit beside a panel of this height


def backdrop(diagnosis: Diagnosis, layout: Layout) -> list[Html]:
    """Flat stretches, grid lines and the labels of every vertical scale."""
    x = layout.scales[0][0].x
    flat = []
    for start, end in diagnosis.flat_spans:
        left, right = (100 * min(max(x.place(edge), 0.0), 1.0) for edge in (start, end))
        size: dict[str, Attribute] = {
            "x": f"{left:.2f}%",
            "width": f"{right - left:.2f}%",
            "y": layout.top,
            "height": LOSS_HEIGHT,
        }
        flat.append(element("rect", class_="flat", **size))
    axes = [y_axis(panel, group[0].metric, Y_TICKS, right=at > 0) for at, (panel, group) in enumerate(layout.scales)]
    if layout.rate is not None:
        axes.append(y_axis(layout.rate, "lr", RATE_TICKS))
    return [*flat, *axes]


def y_axis(panel: Panel, metric: str, most: int, *, right: bool = False) -> Html:
    """Ticks with their grid lines (the second scale on the right has none) and what is measured, on the side."""
    ticks = panel.y.ticks(most)
    x, kind = ("100%", "tick right") if right else (0, "tick left")
    lines = [] if right else [across(panel, panel.down(tick), "grid") for tick in ticks]
    shift = 8 if right else -8
    labels = [
        written(label, x, panel.down(tick) + 4, kind, dx=shift)
        for tick, label in zip(ticks, tick_labels(ticks), strict=True)
    ]
    title = plain(metric, TITLE_LETTERS[int(panel.height)]) + (" (log)" if panel.y.log else "")
    return joined([*lines, *labels, _title(title, panel, right=right)])


def _title(words: str, panel: Panel, *, right: bool) -> Html:
    """Written upwards beside the scale; a nested picture carries it to the right edge."""
    middle = round(panel.top + panel.height / 2, 1)
    turned = element("text", words, class_="axis", transform="rotate(-90)", y=66 if right else -55)
    return element("svg", turned, x="100%" if right else 0, y=middle, overflow="visible")


def x_axis(word: str, x: Scale, bottom: float) -> list[Html]:
    """The axis at the foot of all panels, with ticks and what it counts."""
    ticks = x.ticks(X_TICKS)
    marks = []
    for index, (tick, label) in enumerate(zip(ticks, tick_labels(ticks), strict=True)):
        at, minor = percent(x, tick), " minor" * (index % 2)
        marks.append(down(at, bottom, bottom + 4, f"edge{minor}"))
        marks.append(written(label, at, bottom + 18, f"tick{minor}"))
    floor = element("line", class_="edge", x1=0, x2="100%", y1=bottom, y2=bottom)
    return [floor, *marks, written(word, "50%", bottom + 36, "axis")]
