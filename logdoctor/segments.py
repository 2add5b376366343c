"""The learning-rate schedule a run actually used: its kind, its segments and its drops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Segment:
    """A stretch trained at one rate, from `start` (exclusive) to `end` on the run's axis; `lr` is None if unknown."""

    start: float
    end: float
    lr: float | None

    @property
    def length(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Drop:
    """A fall of the learning rate. `at` is the last x trained at the old rate, `step` the same in optimizer updates.

    `since_last` counts from the drop before (the first from the start). `low`, `high`, `confidence`: the interval of
    `at` (equal to it and 1.0 when the rate is logged). An inferred drop has no factor and no rates. `flat_since` (x),
    `gain` (share of the run's total fall of the train loss that came between this drop and the next) and `timing`
    (`early`, `good`, `late`, `unclear`) are filled in from the train loss.
    """

    at: float
    step: float | None
    factor: float | None
    lr_from: float | None
    lr_to: float | None
    since_last: float
    low: float
    high: float
    confidence: float = 1.0
    flat_since: float | None = None
    gain: float | None = None
    timing: str = "unclear"


@dataclass(frozen=True)
class Schedule:
    """What the rate did. `kind`: constant, step, multistep, cosine, …; `origin`: logged, inferred or unknown.

    `segments` cover the run from its start to its end; smooth schedules have one.
    """

    kind: str = "unknown"
    origin: str = "unknown"
    warm_up_epochs: float = 0.0
    parameters: Mapping[str, float | str | list[float]] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    drops: tuple[Drop, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def lengths(self) -> list[float]:
        """Axis units between drops, the first counted from the start."""
        return [drop.since_last for drop in self.drops]

    @property
    def per_drop(self) -> float | None:
        """Median axis units per drop; None without a drop."""
        return float(median(self.lengths)) if self.drops else None
