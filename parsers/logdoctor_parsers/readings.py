"""What the numbers of one line shape mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

AVERAGE = " (avg)"  # what the tag of a running average ends with
WITHOUT_SPLIT = ("lr", "lr_multiplier", "grad_norm")


@dataclass(frozen=True)
class Field:
    """The number at `index` is a value of the series (`tag`, `metric`, `split`)."""

    index: int
    tag: str
    metric: str
    split: str


@dataclass(frozen=True)
class Reading:
    """What the numbers of one line shape mean; indexes count the line's numbers from 0, -1: the line has none.

    `count` is an iteration counter of the name `counter`, within the epoch or over the whole run: only the numbers can
    say; `in_epoch`: it certainly starts anew with each epoch. `step` certainly counts optimizer updates. `role`: the
    split the line speaks of. `progress`: one of many lines of a single evaluation. `summary`: closes an evaluation.
    `known`: a metric of the vocabulary is among the values. `rank`: of the process that prints the line.
    """

    fields: tuple[Field, ...] = ()
    epoch: int = -1
    epochs: int = -1
    count: int = -1
    total: int = -1
    step: int = -1
    counter: str = ""
    in_epoch: bool = False
    role: str = ""
    progress: bool = False
    summary: bool = False
    known: bool = False
    rank: int = -1

    @cached_property
    def counted(self) -> bool:
        """Whether the line itself says where it stands."""
        return self.epoch >= 0 or self.count >= 0 or self.step >= 0

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The places of the numbers that mean something."""
        counters = (self.epoch, self.epochs, self.count, self.total, self.step, self.rank)
        return tuple(sorted({*(f.index for f in self.fields), *(place for place in counters if place >= 0)}))

    @cached_property
    def iterates(self) -> bool:
        """Whether the line counts iterations of any kind."""
        return self.count >= 0 or self.step >= 0

    @cached_property
    def evaluates(self) -> bool:
        """Whether the line speaks of validation or test data."""
        return self.role in ("val", "test")

    def with_split(self, split: str) -> Reading:
        """The same, its values of unsaid split read as of `split`."""
        fields = tuple(f if f.split or f.metric in WITHOUT_SPLIT else replace(f, split=split) for f in self.fields)
        return replace(self, fields=fields, role=self.role or split)

    def only(self, indexes: Sequence[int]) -> Reading:
        """The same with fewer values."""
        return replace(self, fields=tuple(f for f in self.fields if f.index in indexes))
