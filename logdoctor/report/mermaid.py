"""A run's losses as a Mermaid chart, which GitHub and GitLab draw themselves where no image can be shown."""

from __future__ import annotations

import re

import numpy as np

from logdoctor.diagnosis import Diagnosis
from logdoctor.report.escape import plain
from logdoctor.report.scales import Floats, limits
from logdoctor.run import Curve, Run
from logdoctor_parsers.names import canonical

CHART_POINTS = 40
LARGEST, SMALLEST = 1e15, 1e-15  # Mermaid reads no exponents, and nobody a row of zeros
COLOURS = (("#0072B2", "blue"), ("#D55E00", "orange"))  # told apart by colour-blind eyes, on white and on black
PALETTE = ", ".join(colour for colour, _ in COLOURS)
THEME = f'%%{{init: {{"themeVariables": {{"xyChart": {{"plotColorPalette": "{PALETTE}"}}}}}}}}%%'


def chart(diagnosis: Diagnosis) -> str:
    """The train loss and a validation loss of its metric, as logged; empty where there are too few values."""
    run = diagnosis.run
    curves = _drawn(run)
    if not curves:
        return ""
    start, end = min(float(curve.x[0]) for curve in curves), max(float(curve.x[-1]) for curve in curves)
    drawn = [_sampled(curve, np.linspace(start, end, CHART_POINTS)) for curve in curves]
    low, high = limits(np.concatenate(drawn), log=False)
    if max(abs(low), abs(high), end) >= LARGEST or high - low <= SMALLEST:
        return ""
    colours = [f" ({name})" for _, name in COLOURS] if len(curves) > 1 else [""]
    names = ", ".join(f"{_name(curve)}{colour}" for curve, colour in zip(curves, colours, strict=True))
    lines = [
        "```mermaid", "xychart-beta", THEME, f'    title "{names}"',
        f'    x-axis "{run.axis.unit}" {_decimal(start)} --> {_decimal(end)}',
        f'    y-axis "{_label(curves[0].metric)}" {_decimal(low)} --> {_decimal(high)}',
    ]  # fmt: skip
    lines += [f"    line [{', '.join(map(_decimal, np.clip(y, low, high)))}]" for y in drawn]
    return "\n".join([*lines, "```"])


def _drawn(run: Run) -> list[Curve]:
    """Two curves at most, of one metric: a chart has one scale."""
    curves = [curve for curve in (run.train, run.val) if curve is not None and np.count_nonzero(curve.finite) > 1]
    return [curve for curve in curves if curve.metric == curves[0].metric and float(curve.x[-1]) > float(curve.x[0])]


def _name(curve: Curve) -> str:
    """The tag, with the data it tells of where it does not say so itself."""
    said = not curve.split or canonical(curve.tag).split
    return _label(curve.tag if said else f"{curve.split} {curve.tag}")


def _label(text: str) -> str:
    """Text that cannot end a quoted string of a chart."""
    return re.sub(r"[^\w ./:-]", "_", plain(text, 40))


def _decimal(value: float) -> str:
    """Four significant digits without an exponent."""
    return np.format_float_positional(value, precision=4, fractional=False, trim="-")


def _sampled(curve: Curve, places: Floats) -> Floats:
    """The finite value logged nearest to each place; with fewer points than places, the line between them."""
    x, y = curve.x[curve.finite], curve.value[curve.finite]
    if len(x) < len(places):
        return np.asarray(np.interp(places, x, y))
    right = np.clip(np.searchsorted(x, places), 1, len(x) - 1)
    nearest = np.where(places - x[right - 1] < x[right] - places, right - 1, right)
    return np.asarray(y[nearest])
