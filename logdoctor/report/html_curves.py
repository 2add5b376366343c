"""Curves as SVG paths, thinned so that no spike is lost, and the logged values behind them for the pointer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from logdoctor.report.escape import plain
from logdoctor.report.html_elements import Html
from logdoctor.report.html_scale import Scale
from logdoctor.report.scales import Floats, Ints, thin_places
from logdoctor.run import Curve

UNITS = 1000  # of a panel's own coordinates, across and down
SPARK_CELLS = 40


@dataclass(frozen=True)
class Panel:
    """A rectangle `height` pixels high, `top` below the picture's upper edge; values against a common x."""

    top: float
    height: float
    x: Scale
    y: Scale

    def down(self, value: float) -> float:
        """Pixels from the picture's upper edge to a value."""
        return self.top + self.height * (1 - self.y.place(value))


def path(x: Floats, y: Floats, panel: Panel, joined: str = "line") -> Html:
    """The `d` of a path in units of 1/1000 of the panel; a NaN lifts the pen.

    `joined`: `line`, or steps: `post` or `pre`.
    """
    if joined != "line":
        x, y = _stepped(x, y, joined)
    across = np.round(panel.x.share(x) * UNITS, 1)
    down = np.round((1 - panel.y.share(y)) * UNITS)
    drawn = np.isfinite(across) & np.isfinite(down)
    lifted = np.flatnonzero(np.diff(drawn.astype(np.int8), prepend=0) > 0)
    pieces = zip(np.split(across, lifted), np.split(down, lifted), np.split(drawn, lifted), strict=True)
    return Html("".join(_piece(a[kept], d[kept]) for a, d, kept in pieces))


def _piece(across: Floats, down: Floats) -> str:
    """One unbroken line; places that repeat are left out."""
    moved = (np.diff(across, prepend=np.nan) != 0) | (np.diff(down, prepend=np.nan) != 0)
    points = zip(across[moved], down[moved], strict=True)
    return "M" + "L".join(f"{a:g} {d:.0f}" for a, d in points) if moved.any() else ""


def _stepped(x: Floats, y: Floats, joined: str) -> tuple[Floats, Floats]:
    across, down = np.repeat(x, 2), np.repeat(y, 2)
    return (across[1:], down[:-1]) if joined == "post" else (across[:-1], down[1:])


def spark_path(x: Floats, y: Floats, x_scale: Scale, y_scale: Scale) -> Html:
    """A curve in little: the median of each of forty stretches of x."""
    finite = np.isfinite(y)
    x, y = x[finite], y[finite]
    cell = np.clip((x_scale.share(x) * SPARK_CELLS).astype(np.int64), 0, SPARK_CELLS - 1)
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    middle = [(float(np.median(xs)), float(np.median(ys))) for xs, ys in _parts(x, y, starts)]
    centres = np.asarray(middle).reshape(-1, 2)
    return path(centres[:, 0], np.clip(centres[:, 1], y_scale.low, y_scale.high), Panel(0, 1, x_scale, y_scale))


def _parts(x: Floats, y: Floats, starts: Ints) -> Iterable[tuple[Floats, Floats]]:
    return zip(np.split(x, starts[1:]), np.split(y, starts[1:]), strict=True) if len(x) else ()


def read_off(curve: Curve, columns: int) -> Ints:
    """The points whose values can be read off: those drawn, and one of each stretch that is not finite."""
    drawn = thin_places(curve.x, curve.value, columns)
    broken = np.flatnonzero(~curve.finite & np.isfinite(curve.x))
    shown = thin_places(curve.x[broken], np.zeros(len(broken)), max(1, columns // 4))
    return np.union1d(drawn, broken[shown])


def values(curve: Curve, columns: int, *, name: str, kind: str, panel: Panel) -> dict[str, Any]:
    """What the pointer reads of a curve: values as logged (six digits), and the lines they stand at.

    `lines` are differences, each to the one before; `sources` are files from an index on.
    """
    places = read_off(curve, columns)
    change = np.flatnonzero(np.diff(curve.source[places], prepend=-1))
    return {
        "name": plain(name),
        "kind": kind,
        "top": round(panel.top, 1),
        "height": round(panel.height, 1),
        "y": [panel.y.low, panel.y.high, panel.y.log],
        "at": [float(f"{x:.9g}") for x in curve.x[places]],
        "values": [_value(value) for value in curve.value[places]],
        "lines": np.diff(curve.line[places], prepend=0).tolist(),
        "sources": [[int(index), plain(curve.sources[int(curve.source[places[index]])])] for index in change],
    }


def _value(value: float) -> float | str:
    if np.isfinite(value):
        return float(f"{value:.6g}")
    return "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"


def points_needed(curves: Sequence[Curve], columns: int) -> int:
    """An upper bound of the points that these curves take in a report, each thinned to so many columns."""
    return sum(min(curve.points, 4 * columns) for curve in curves)


def data_block(content: dict[str, Any]) -> Html:
    """JSON that cannot end the element it stands in."""
    dense = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    safe = dense.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
    return Html(f'<script type="application/json">{safe}</script>')
