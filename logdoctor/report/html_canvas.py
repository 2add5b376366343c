"""The canvas of a plot: its panels below each other, and what is drawn at a value's place.

Places across are percentages, so that a picture is as wide as the page lets it be; places down are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logdoctor.diagnosis import Diagnosis
from logdoctor.finding import Finding
from logdoctor.report import shown
from logdoctor.report.escape import plain
from logdoctor.report.html_curves import UNITS, Panel
from logdoctor.report.html_elements import Html, element
from logdoctor.report.html_scale import Scale
from logdoctor.run import Curve

LOSS_HEIGHT, RATE_HEIGHT, LANE_HEIGHT, GAP = 260, 70, 24, 12  # pixels
LABEL_HEIGHT, AXIS_HEIGHT, FREE_ABOVE = 15, 40, 8
DROP_ROWS = 2
TAG_LENGTH = 24


@dataclass(frozen=True)
class Layout:
    """The panels of a picture below each other, in pixels: one place for the curves, whose metrics have a scale each,
    then lanes for the findings, then the learning rate if it varies. `bottom` is where the x axis lies.
    """

    scales: tuple[tuple[Panel, tuple[Curve, ...]], ...]
    rate: Panel | None
    lanes: tuple[Finding, ...]
    lanes_top: float
    top: float
    bottom: float
    height: float


def lay_out(diagnosis: Diagnosis) -> Layout:
    run = diagnosis.run
    x = Scale(*shown.x_range(run))
    top = LABEL_HEIGHT * DROP_ROWS + 4 if diagnosis.schedule.drops else FREE_ABOVE
    groups = shown.by_metric(run)
    scales = tuple(
        (Panel(top, LOSS_HEIGHT, x, Scale.of(np.concatenate([curve.value for curve in group]))), tuple(group))
        for group in groups
    )
    lanes = tuple(shown.lanes(diagnosis))
    lanes_top = top + LOSS_HEIGHT
    bottom = lanes_top + LANE_HEIGHT * len(lanes)
    rate, panel = shown.varying_rate(run), None
    if rate is not None:
        panel = Panel(bottom + GAP, RATE_HEIGHT, x, Scale.of(rate.value, log=shown.rate_helps_log(rate)))
        bottom += GAP + RATE_HEIGHT
    return Layout(scales, panel, lanes, lanes_top, top, bottom, bottom + AXIS_HEIGHT)


def kind_of(curve: Curve, diagnosis: Diagnosis) -> str:
    return "train" if curve is diagnosis.run.train else "val"


def name_of(curve: Curve, kind: str) -> str:
    tag = plain(curve.tag, TAG_LENGTH)
    return tag if tag == kind else f"{kind}: {tag}"


def percent(x: Scale, value: float) -> str:
    return f"{100 * min(max(x.place(value), 0.0), 1.0):.2f}%"


def across(panel: Panel, y: float, kind: str) -> Html:
    return element("line", class_=kind, x1=0, x2="100%", y1=round(y, 1), y2=round(y, 1))


def down(x: str, top: float, bottom: float, kind: str) -> Html:
    return element("line", class_=kind, x1=x, x2=x, y1=round(top, 1), y2=round(bottom, 1))


def written(words: str, x: str | float, y: float, kind: str, **attributes: str | float) -> Html:
    return element("text", words, class_=kind, x=x, y=round(y, 1), **attributes)


def stretched() -> dict[str, str]:
    return {"viewBox": f"0 0 {UNITS} {UNITS}", "preserveAspectRatio": "none"}
