"""Figures below the same rules: one width, one style, no display, and the same bytes for the same input.

Figure and Agg only, never pyplot: no global state. The text of an SVG is drawn as outlines, alike on every machine.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

FORMATS = ("png", "svg")
DPI = 100
WIDTH = 10.0  # inches: 1000 pixels, the width of a page on GitHub
LEFT, RIGHT, RIGHT_SCALE, BELOW, PANEL_GAP = 0.9, 0.15, 0.75, 0.5, 0.1
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#DDDDDD", "grid.linewidth": 0.6, "axes.axisbelow": True, "text.parse_math": False,
    "path.simplify": False, "figure.facecolor": "white", "svg.hashsalt": "logdoctor", "svg.fonttype": "path",
}  # fmt: skip
METADATA = {"png": {"Software": "logdoctor"}, "svg": {"Creator": "logdoctor", "Date": None}}


def drawn(make: Callable[[], Figure], plot_format: str = "png") -> bytes:
    """The figure that `make` draws, as a PNG 1000 pixels wide or an SVG; equal figures give equal bytes."""
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # names in any script; a box is drawn instead
        image = io.BytesIO()
        make().savefig(image, format=plot_format, dpi=DPI, metadata=METADATA[plot_format])
    return image.getvalue()


def blank(height: float) -> Figure:
    """A figure of the common width, `height` inches high, without panels."""
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    return figure


def panels_below(heights: Sequence[float], above: float, right: float) -> tuple[Figure, list[Axes]]:
    """Panels of these heights below each other on one x axis, `above` and `right` of them left free; all in inches."""
    total = above + sum(heights) + PANEL_GAP * (len(heights) - 1) + BELOW
    figure = blank(total)
    panels: list[Axes] = []
    top = total - above
    for height in heights:
        box = (LEFT / WIDTH, (top - height) / total, (WIDTH - LEFT - right) / WIDTH, height / total)
        panels.append(figure.add_axes(box, sharex=panels[0] if panels else None))
        top -= height + PANEL_GAP
    return figure, panels
