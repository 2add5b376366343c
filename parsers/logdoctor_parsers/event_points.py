"""Numbers of an event file in file order, put together from groups of records that were decoded out of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
        return cls(*(np.concatenate(column) for column in columns)) if blocks else cls.empty()

    @classmethod
    def empty(cls) -> Points:
        none = np.empty(0)
        return cls(np.empty(0, np.int32), none, none, none, np.empty(0, np.int64))

    def recoded(self, new_codes: npt.NDArray[np.int32]) -> Points:
        """With `new_codes[code]` instead of each code, without the rows for which that is negative."""
        code = new_codes[self.code]
        renamed = replace(self, code=code)
        if not len(code) or code.min() >= 0:
            return renamed
        return Points(*(getattr(renamed, item.name)[code >= 0] for item in fields(self)))

    def of_records(self, first: int, last: int) -> Points:
        """The numbers in the records from `first` to `last`, which are counted from 1 then."""
        low, high = np.searchsorted(self.line, (first, last + 1))
        part = Points(*(getattr(self, item.name)[low:high] for item in fields(self)))
        return replace(part, line=part.line - (first - 1))

    def codes(self, count: int) -> Ints:
        """The codes below `count` that there are, in the order in which they appear."""
        first = np.full(count, len(self.code))
        first[self.code[::-1]] = np.arange(len(self.code))[::-1]  # of several places the last one assigned counts
        present = np.flatnonzero(first < len(self.code))
        return present[np.argsort(first[present])]

    @property
    def records(self) -> int:
        """How many records hold numbers."""
        return int(np.count_nonzero(np.diff(self.line, prepend=0)))


@dataclass(frozen=True)
class Part:
    """Numbers of some records of a window: `record` (n,) are indices, `rank` counts inside the record."""

    record: Ints
    rank: Ints | int
    code: Ints | int
    step: Floats
    wall_time: Floats
    value: Floats


@dataclass
class Batch:
    """The numbers of n consecutive records: `counts` (n,) is how many each holds, `first_number` the first's number."""

    first_number: int
    counts: Ints
    parts: list[Part] = field(default_factory=list)

    @classmethod
    def of(cls, size: int, first_number: int) -> Batch:
        return cls(first_number, np.zeros(size, np.int64))

    def points(self) -> Points:
        """All numbers in file order."""
        ends = np.cumsum(self.counts)
        first = ends - self.counts
        total = int(ends[-1])
        code = np.empty(total, np.int32)
        step, wall_time, value = np.empty(total), np.empty(total), np.empty(total)
        for part in self.parts:
            place = first[part.record] + part.rank
            code[place], step[place], wall_time[place], value[place] = part.code, part.step, part.wall_time, part.value
        numbers = np.arange(self.first_number, self.first_number + len(self.counts))
        return Points(code, step, wall_time, value, np.repeat(numbers, self.counts))
