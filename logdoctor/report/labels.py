"""Puts labels above a plot so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.text import Text

ROWS = 2
ROW_HEIGHT = 11.0  # points
GAP = 6.0  # pixels between neighbours
EDGE = 0.06  # of the width: nearer to an end a label points inwards


@dataclass(frozen=True)
class Label:
    """A text that belongs at `x`; the smaller `priority` is placed first."""

    x: float
    text: str
    priority: int = 0


def place_labels(axes: Axes, labels: Sequence[Label]) -> None:
    """Write each label over its x in the first row where it fits; what fits nowhere is counted in the corner."""
    rows: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]
    left_out = 0
    for label in sorted(labels, key=lambda label: (label.priority, label.x)):
        text = _write(axes, label)
        box = text.get_window_extent()
        row = next((i for i, taken in enumerate(rows) if _free(taken, box.x0, box.x1)), None)
        if row is None:
            text.remove()
            left_out += 1
            continue
        rows[row].append((box.x0, box.x1))
        text.xyann = (0, 3 + ROW_HEIGHT * row)  # type: ignore[attr-defined]
    if left_out:
        axes.annotate(f"… and {left_out} more drops", (1, 1), (0, 3 + ROW_HEIGHT * ROWS), xycoords="axes fraction",
                      textcoords="offset points", fontsize=8, ha="right", va="bottom")  # fmt: skip


def _write(axes: Axes, label: Label) -> Text:
    left, right = axes.get_xlim()
    share = (label.x - left) / (right - left)
    side = "left" if share < EDGE else "right" if share > 1 - EDGE else "center"
    return axes.annotate(
        label.text, (label.x, 1), (0, 3), xycoords=axes.get_xaxis_transform(), textcoords="offset points", fontsize=8,
        ha=side, va="bottom",
    )  # fmt: skip


def _free(taken: Sequence[tuple[float, float]], start: float, end: float) -> bool:
    return all(end + GAP < other_start or start > other_end + GAP for other_start, other_end in taken)
