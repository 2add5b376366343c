"""Numbers of an event file in file order, put together from groups of records that were decoded out of order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]

_FIRST = 256  # numbers, among which all tags are met as a rule
_FEW = 4096  # numbers that are written without looking at their distances
_FEW_BREAKS = 64  # numbers to a break in their distances
_MOST_EXPECTED = 1 << 22  # numbers that room is made for at once


@dataclass(frozen=True)
class Points:
    """Numbers in file order, all arrays (n,). `code` indexes the collector's tags, `line` is the record's number."""

    code: npt.NDArray[np.int32]
    step: Floats
    wall_time: Floats
    value: Floats
    line: Ints

    @classmethod
    def joined(cls, blocks: Sequence[Points]) -> Points:
        """Several blocks as one."""
        columns = ([getattr(block, item.name) for block in blocks] for item in fields(cls))
        return cls(*(np.concatenate(column) for column in columns)) if blocks else cls.room(0)

    @classmethod
    def room(cls, count: int) -> Points:
        """Room for so many numbers, which takes memory only once they are written."""
        memory = np.empty(9 * count, np.int32)  # at once: the system has larger pages for that
        step, wall_time, value, line = memory[: 8 * count].view(np.float64).reshape(4, count)
        return cls(memory[8 * count :], step, wall_time, value, line.view(np.int64))

    def part(self, low: int, high: int) -> Points:
        """The numbers from `low` on below `high`; views."""
        return Points(*(getattr(self, item.name)[low:high] for item in fields(self)))

    def recoded(self, new_codes: npt.NDArray[np.int32]) -> Points:
        """With `new_codes[code]` instead of each code, without the rows for which that is negative."""
        if new_codes.tolist() == list(range(len(new_codes))):
            return self
        code = new_codes[self.code]
        renamed = replace(self, code=code)
        if not len(code) or code.min() >= 0:
            return renamed
        return Points(*(getattr(renamed, item.name)[code >= 0] for item in fields(self)))

    def apart(self, first_numbers: Sequence[int]) -> list[Points]:
        """The numbers of each of several files; their records, numbered through before, are counted from 1 then."""
        edges = [*np.searchsorted(self.line, first_numbers).tolist(), len(self.line)]
        files = [self.part(low, high) for low, high in pairwise(edges)]
        for file, number in zip(files, first_numbers, strict=True):
            file.line[...] -= number - 1
        return files

    def codes(self, count: int) -> Ints:
        """The codes below `count` that there are, in the order in which they appear."""
        present = _appearing(self.code[:_FIRST], count)
        return present if len(present) == count else _appearing(self.code, count)

    @property
    def records(self) -> int:
        """How many records hold numbers."""
        return int(np.count_nonzero(self.line[1:] != self.line[:-1])) + (len(self.line) > 0)


@dataclass(frozen=True)
class Part:
    """Numbers of some records of a window: `record` (n,) are indices, `rank` counts inside the record.

    A slice stands for indices between any two of which equally many numbers lie.
    """

    record: Ints | slice
    rank: Ints | int
    code: Ints | int
    step: Numbers
    wall_time: Numbers
    value: Numbers

    def places(self, first: Ints) -> Ints | slice:
        """Where its numbers belong, if those of each record begin at `first` (records,)."""
        if not isinstance(self.record, slice):
            return first[self.record] + self.rank
        low = first[self.record][:2] + self.rank
        stride = int(low[-1] - low[0]) or 1
        return slice(int(low[0]), int(low[0]) + stride * (len(self.value) - 1) + 1, stride)


@dataclass
class Batch:
    """The numbers of n consecutive records: `counts` (n,) is how many each holds, `first_number` the first's number."""

    first_number: int
    counts: Ints
    parts: list[Part] = field(default_factory=list)

    @classmethod
    def of(cls, size: int, first_number: int) -> Batch:
        return cls(first_number, np.zeros(size, np.int64))

    @property
    def total(self) -> int:
        """How many numbers there are."""
        return int(self.counts.sum())

    def write(self, into: Points) -> None:
        """Put all numbers, in file order, where there is room for them."""
        ends = np.cumsum(self.counts)
        first = ends - self.counts
        for part in self.parts:
            for chosen, place in _evenly(part.places(first)):
                into.code[place] = part.code if isinstance(part.code, int) else part.code[chosen]
                into.step[place], into.wall_time[place] = part.step[chosen], part.wall_time[chosen]
                into.value[place] = part.value[chosen]
        if self.counts.max(initial=0) == 1:
            np.add(np.flatnonzero(self.counts), self.first_number, out=into.line)
        else:
            into.line[:] = np.repeat(np.arange(self.first_number, self.first_number + len(self.counts)), self.counts)


def _evenly(places: Ints | slice) -> Iterator[tuple[slice, Ints | slice]]:
    """Places in stretches of even distances, which are written several times faster; where too many, all at once."""
    if isinstance(places, slice) or len(places) < _FEW:
        yield slice(None), places
        return
    distance = np.diff(places)
    stride = int(distance[len(distance) // 2])
    breaks = np.flatnonzero(distance != stride) + 1
    if len(breaks) > len(places) // _FEW_BREAKS or stride <= 0:
        yield slice(None), places
        return
    for low, high in pairwise([0, *breaks.tolist(), len(places)]):
        yield slice(low, high), slice(int(places[low]), int(places[high - 1]) + 1, stride)


@dataclass
class Store:
    """Numbers of a file, written one behind the other: `used` of the last block's places are taken."""

    blocks: list[Points] = field(default_factory=list)
    used: int = 0

    def room(self, count: int, expected: int) -> Points:
        """Places for `count` numbers; `expected`: how many there may be of the file in all."""
        if not self.blocks or self.used + count > len(self.blocks[-1].line):
            self._close()
            self.blocks.append(Points.room(max(count, min(expected, _MOST_EXPECTED))))
            self.used = 0
        self.used += count
        return self.blocks[-1].part(self.used - count, self.used)

    def points(self) -> Points:
        """All numbers."""
        self._close()
        return self.blocks[0] if len(self.blocks) == 1 else Points.joined(self.blocks)

    def _close(self) -> None:
        if self.blocks:
            self.blocks[-1] = self.blocks[-1].part(0, self.used)


def _appearing(code: npt.NDArray[np.int32], count: int) -> Ints:
    """The codes below `count` that there are, in the order in which they appear."""
    first = np.full(count, len(code))
    first[code[::-1]] = np.arange(len(code))[::-1]  # of several places the last one assigned counts
    present = np.flatnonzero(first < len(code))
    return present[np.argsort(first[present])]
