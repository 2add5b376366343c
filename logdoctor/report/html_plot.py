"""One run as inline SVG: drawn here, so that it also stands where scripts are forbidden; a script adds the pointer.

Curves lie in nested pictures that are stretched to the canvas, with lines that are not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logdoctor.diagnosis import Diagnosis
from logdoctor.report import numbers, shown
from logdoctor.report.escape import plain
from logdoctor.report.html_axes import backdrop, x_axis
from logdoctor.report.html_canvas import Layout, kind_of, lay_out, name_of, percent, stretched
from logdoctor.report.html_curves import Panel, data_block, path, points_needed, spark_path, values
from logdoctor.report.html_elements import Attribute, Html, element, joined
from logdoctor.report.html_marks import drop_marks, lane, marks
from logdoctor.report.html_scale import Scale
from logdoctor.report.scales import Floats, parted, thin
from logdoctor.run import Curve

FEW_DOTS = 60  # values up to which each has a dot


def plot(diagnosis: Diagnosis, columns: int) -> Html:
    """The run's curves with legend, marks and values to read off; empty where there is no curve to show."""
    if not shown.shown_curves(diagnosis.run):
        return Html()
    layout = lay_out(diagnosis)
    x = layout.scales[0][0].x
    drawn = joined([
        *backdrop(diagnosis, layout), *x_axis(_axis_word(diagnosis), x, layout.bottom),
        *_loss_curves(diagnosis, layout, columns), *_rate_curve(diagnosis, layout, columns),
        *marks(diagnosis, layout), *drop_marks(diagnosis, layout),
        *(lane(finding, layout, index) for index, finding in enumerate(layout.lanes)),
    ])  # fmt: skip
    label = f"Curves of {plain(diagnosis.run.name, 80)}. Left and right arrow keys read off the values."
    picture = element(
        "svg", drawn, class_="curves", height=round(layout.height), role="img", tabindex=0, aria_label=label,
    )  # fmt: skip
    two = " two-scales" * (len(layout.scales) > 1)
    readings = data_block(_readings(diagnosis, layout, columns))
    return element("figure", _legend(diagnosis, layout), picture, readings, class_=f"plot{two}")


def points(diagnosis: Diagnosis, columns: int) -> int:
    """An upper bound of the points in a run's plot."""
    rate = shown.varying_rate(diagnosis.run)
    return points_needed([*shown.shown_curves(diagnosis.run), *([rate] if rate else [])], columns)


def sparkline(diagnosis: Diagnosis) -> Html:
    """The losses in little, for a table."""
    groups = shown.by_metric(diagnosis.run)
    curves = [curve for curve in groups[0] if curve.finite.any()] if groups else []
    if not curves:
        return element("span", "no finite value", class_="place") if groups else Html()
    x = Scale(*shown.x_range(diagnosis.run))
    y = Scale.of(np.concatenate([curve.value for curve in curves]))
    lines = [
        element("path", class_=kind_of(curve, diagnosis), d=spark_path(curve.x, curve.value, x, y)) for curve in curves
    ]
    return element("svg", *lines, class_="spark", **stretched(), aria_hidden="true")


def _axis_word(diagnosis: Diagnosis) -> str:
    unit = diagnosis.run.axis.unit
    return {"index": "row"}.get(unit, unit)


def _loss_curves(diagnosis: Diagnosis, layout: Layout, columns: int) -> list[Html]:
    """Raw values faint and a smooth curve strong; few values as they are, with a dot each."""
    breaks = [drop.at for drop in diagnosis.schedule.drops]
    lines: list[Html] = []
    for panel, group in layout.scales:
        paths, dots = [], []
        for curve in group:
            kind = kind_of(curve, diagnosis)
            if shown.needs_smoothing(curve, is_train=kind == "train"):
                paths.append(_thinned(curve.x, curve.value, panel, columns, f"{kind} raw"))
                paths.append(_thinned(curve.x, shown.smoothed(curve, breaks), panel, columns // 2, kind))
            else:
                paths.append(_thinned(curve.x, curve.value, panel, columns, kind))
            if len(curve) <= FEW_DOTS:
                dots += _dots(curve, panel, kind)
        lines += [_nested(panel, paths), *dots]
    return lines


def _thinned(x: Floats, y: Floats, panel: Panel, columns: int, kind: str, how: str = "line") -> Html:
    finite = np.isfinite(y)
    drawn = thin(x[finite], y[finite], columns)
    return element("path", class_=kind, d=path(*(parted(*drawn) if how == "line" else drawn), panel, how))


def _nested(panel: Panel, paths: Sequence[Html]) -> Html:
    size: dict[str, Attribute] = {"x": 0, "y": panel.top, "width": "100%", "height": panel.height}
    return element("svg", *paths, class_="panel", **size, **stretched())


def _dots(curve: Curve, panel: Panel, kind: str) -> list[Html]:
    """Filled dots for train, rings for val: told apart without colour."""
    inside = curve.finite & (curve.value >= panel.y.low) & (curve.value <= panel.y.high)
    radius = 2 if kind == "train" else 2.6
    return [
        element("circle", class_=f"dot {kind}", cx=percent(panel.x, x), cy=round(panel.down(y), 1), r=radius)
        for x, y in zip(curve.x[inside], curve.value[inside], strict=True)
    ]


def _rate_curve(diagnosis: Diagnosis, layout: Layout, columns: int) -> list[Html]:
    rate, panel = shown.varying_rate(diagnosis.run), layout.rate
    if rate is None or panel is None:
        return []
    how = shown.rate_steps(rate, diagnosis.schedule.drops)
    return [_nested(panel, [_thinned(rate.x, rate.value, panel, columns, "lr", how)])]


def _legend(diagnosis: Diagnosis, layout: Layout) -> Html:
    entries = []
    for _, group in layout.scales:
        for curve in group:
            kind = kind_of(curve, diagnosis)
            entries.append(_entry(f"line {kind}", name_of(curve, kind)))
    best = shown.best_point(diagnosis)
    if best is not None:
        entries.append(_entry("sign best", f"best val {numbers.figure(best[1])} @{numbers.place(best[0])}", "★"))
    if diagnosis.flat_spans:
        entries.append(_entry("area flat", "train loss flat"))
    if shown.restarts(diagnosis.run):
        entries.append(_entry("line restart", "restart"))
    broken = [x for _, group in layout.scales for curve in group for x in curve.x[~curve.finite]]
    if broken:
        entries.append(_entry("sign broken", f"NaN/Inf from {numbers.place(float(min(broken)))}", "✕"))
    return element("figcaption", *entries, class_="legend")


def _entry(kind: str, words: str, sign: str = "") -> Html:
    return element("span", element("i", sign, class_=kind, aria_hidden="true"), words)


def _readings(diagnosis: Diagnosis, layout: Layout, columns: int) -> dict[str, object]:
    x = layout.scales[0][0].x
    curves = []
    for panel, group in layout.scales:
        for curve in group:
            kind = kind_of(curve, diagnosis)
            curves.append(values(curve, columns, name=name_of(curve, kind), kind=kind, panel=panel))
    rate = shown.varying_rate(diagnosis.run)
    if rate is not None and layout.rate is not None:
        curves.append(values(rate, columns, name="lr", kind="lr", panel=layout.rate))
    return {"unit": _axis_word(diagnosis), "x": [x.low, x.high], "bottom": layout.bottom, "curves": curves}
