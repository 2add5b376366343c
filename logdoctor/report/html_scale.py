"""From values to places in a picture, and round numbers to write beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from logdoctor.report.scales import Floats, helps_log, limits

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
HUGE = 1e300  # what lies beyond has no place: sums and powers of it would overflow


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on shares from 0 to 1, linear or logarithmic."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def of(cls, values: Floats, *, log: bool | None = None) -> Scale:
        """The scale for a panel with these values; far outliers stay outside. `log` None: where it helps."""
        chosen = helps_log(values) if log is None else log
        low, high = limits(values, log=chosen)
        return cls(max(low, 1 / HUGE if chosen else -HUGE), min(high, HUGE), chosen)

    def share(self, values: Floats) -> Floats:
        """Places of values, outside 0 to 1 for those outside the scale; at most one height beyond it."""
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            at = np.log(values) if self.log else values
            return np.clip((at - low) / (high - low), -1.0, 2.0)

    def place(self, value: float) -> float:
        return float(self.share(np.asarray([value]))[0])

    def ticks(self, most: int) -> list[float]:
        """At most about `most` round values inside the scale."""
        decades = _decades(self.low, self.high, most) if self.log else []
        return decades if len(decades) > 1 else _round_steps(self.low, self.high, most)


def _round_steps(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / most
    if not rough > 0 or not math.isfinite(rough):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in ROUND if size * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _decades(low: float, high: float, most: int) -> list[float]:
    """Powers of ten, with 2 and 5 between them where there is room, or only every few of them where there is not."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = max(1, math.ceil((math.log10(high) - math.log10(low)) / most))
    for within in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)) if every == 1 else ((1.0,),):
        found = [size * 10.0**power for power in powers if power % every == 0 for size in within]
        inside = [value for value in found if low <= value <= high]
        if len(inside) <= most + 1:
            break
    return inside
