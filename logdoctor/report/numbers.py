"""How numbers are written in reports: short, never misleading, the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from logdoctor.finding import Span
from logdoctor.run import Axis

NOTHING = "–"
DIGITS = range(4, 9)  # of a tick's label: as few as tell neighbours apart


def figure(value: float | None, digits: int = 3) -> str:
    """A number with `digits` significant digits; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e6:
        return _minus(f"{int(value)}")
    size = abs(value)
    if 1e-3 <= size < 1e5:
        decimals = max(0, digits - 1 - math.floor(math.log10(size)))
        return _minus(f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return _minus(f"{mantissa}e{int(exponent)}")


def _minus(text: str) -> str:
    return text.replace("-", "−") if text.startswith("-") and "e" not in text else text


def place(value: float | None) -> str:
    """A position or length on the axis: at most one decimal below 100, none above, `67,760` from ten thousand on."""
    if value is None or not math.isfinite(value):
        return NOTHING
    shown = f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}" if abs(value) < 1e4 else f"{value:,.0f}"
    return shown.removesuffix(".0")


def amount(value: float | None, axis: Axis) -> str:
    """A length with its unit: `20.1 epochs`, `1 step`."""
    shown = place(value)
    if shown == NOTHING:
        return NOTHING
    return f"{shown} {axis.words.removesuffix('s') if shown == '1' else axis.words}"


def position(value: float | None, unit: str) -> str:
    """Where on the axis: `epoch 37`, `step 1560`, `row 12`."""
    word = {"index": "row"}.get(unit, unit)
    shown = place(value)
    return shown if shown == NOTHING else f"{word} {shown}"


def stretch(span: Span) -> str:
    """A span in words: `epoch 13–20`, or one place where both ends are the same."""
    start, end = place(span.start), place(span.end)
    if NOTHING in (start, end) or start == end:
        return position(span.start if end == NOTHING or start == end else span.end, span.unit)
    return f"{position(span.start, span.unit)}–{end}"


def multiple(factor: float | None) -> str:
    """The factor of a drop: `×0.1`."""
    return NOTHING if factor is None else f"×{figure(factor, 2)}"


def share(value: float | None) -> str:
    """A fraction in percent."""
    return NOTHING if value is None or not math.isfinite(value) else f"{100 * value:.0f} %"


def duration(hours: float | None) -> str:
    """A length of time in the unit that suits it: `115 s`, `12 min`, `9.4 h`."""
    if hours is None or not math.isfinite(hours):
        return NOTHING
    for unit, size in (("h", 1.0), ("min", 1 / 60), ("s", 1 / 3600)):
        if abs(hours) >= 2 * size or unit == "s":
            return f"{place(hours / size)} {unit}"
    return NOTHING


def moment(seconds: float | None) -> str:
    """A time in POSIX seconds as `2026-11-21 03:14` (UTC); nothing for zero, NaN or what is no date."""
    if seconds is None or not math.isfinite(seconds) or not 1e8 < seconds < 1e10:
        return NOTHING
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def tick_labels(values: Sequence[float]) -> list[str]:
    """The ticks as text, with as many digits as make each differ from the others."""
    for digits in DIGITS:
        labels = [figure(float(f"{value:.10g}"), digits) for value in values]
        if len(set(labels)) == len(labels):
            break
    return labels
