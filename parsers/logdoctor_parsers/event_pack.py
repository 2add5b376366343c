"""Small event files read together: laid one behind the other, intact files are one chain of records.

Most of what a small file costs is the set-up of array operations; a directory of hundreds takes half the time so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.byte_lines import gather
from logdoctor_parsers.event_collector import EventCollector, Notes
from logdoctor_parsers.event_points import Points, Store
from logdoctor_parsers.event_template import Tag, Templates
from logdoctor_parsers.tfrecord import SLACK, Records
from logdoctor_parsers.tfrecord_chain import HEADER_BYTES, chain

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SMALL = 1 << 20  # bytes of a file; larger ones gain nothing
WINDOW = 8 << 20


@dataclass(frozen=True)
class FileContents:
    """What the records of a file say. `tags` maps a tag, and whether it is a tensor's, to its code in `points`."""

    points: Points
    tags: dict[Tag, int]
    notes: Notes
    records: int


def packs(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Which files (by their sizes in bytes) to read together: two or more, a window full at most."""
    pack: list[int] = []
    total = 0
    for number, size in enumerate(sizes):
        if not 0 < size <= SMALL:
            continue
        if total + size > WINDOW:
            yield pack
            pack, total = [], 0
        pack.append(number)
        total += size
    if len(pack) > 1:
        yield pack


@dataclass
class Packs:
    """Reads packs of files, `size` bytes in all, `done` of which have been read."""

    size: int
    templates: Templates = field(default_factory=Templates)
    store: Store = field(default_factory=Store)
    done: int = 0

    def read(self, window: Bytes, sizes: Sequence[int]) -> list[FileContents | None]:
        """What stands in each of several files; None for one that is damaged, torn, or holds large records.

        The window (at least SLACK bytes longer) holds files of these sizes one behind the other.
        """
        borders = np.cumsum([0, *sizes])
        whole, records = _whole_files(window[: int(borders[-1]) + SLACK], borders, self.done)
        self.done += int(borders[-1])
        if not whole:
            return [None] * len(sizes)
        first = np.searchsorted(records.starts, borders[whole])
        collector = EventCollector((first + 1).tolist(), self.templates, size=self.size, store=self.store)
        points = collector.add_records(records).apart(collector.first_numbers)
        counts = np.diff(first, append=len(records)).tolist()
        found: list[FileContents | None] = [None] * len(sizes)
        for file, mine, notes, count in zip(whole, points, collector.notes, counts, strict=True):
            if not notes.damage:
                found[file] = FileContents(mine, collector.tags, notes, count)
        return found


@dataclass(frozen=True)
class _Layout:
    """The records of a file of `size` bytes: `starts` and `lengths` (n,) of payloads, `headers` (n, 12)."""

    size: int
    starts: Ints
    lengths: Ints
    headers: Bytes

    @classmethod
    def of(cls, window: Bytes, begin: int, end: int, starts: Ints, lengths: Ints) -> _Layout:
        """That of the last file, from `begin` to `end`, of those whose records these are."""
        first = int(np.searchsorted(starts, begin))
        return cls(end - begin, starts[first:] - begin, lengths[first:], _headers(window, starts[first:]))

    def fits(self, window: Bytes, begin: int, end: int) -> bool:
        """Whether a file has the same headers in the same places, and so is a chain of the same records."""
        return end - begin == self.size and np.array_equal(_headers(window, self.starts + begin), self.headers)


def _headers(window: Bytes, starts: Ints) -> Bytes:
    return gather(window, starts - HEADER_BYTES, HEADER_BYTES)


def _whole_files(window: Bytes, borders: Ints, offset: int) -> tuple[list[int], Records]:
    """The files that are unbroken chains from border to border, and their records."""
    whole: list[int] = []
    starts, lengths = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    layout: _Layout | None = None
    file, ends = 0, borders.tolist()
    while file < len(ends) - 1:
        if layout is not None and layout.fits(window, ends[file], ends[file + 1]):
            count, tried, found = 1, 1, (layout.starts + ends[file], layout.lengths)
        else:
            tried = _until_equals(np.diff(borders[file:]))
            count, found = _chained(window, borders[file : file + tried + 1])
            if count == tried:
                layout = _Layout.of(window, ends[file + count - 1], ends[file + count], *found)
        whole += range(file, file + count)
        starts.append(found[0])
        lengths.append(found[1])
        file += min(count + 1, tried)
    return whole, Records(window, np.concatenate(starts), np.concatenate(lengths), 1, offset)


def _until_equals(sizes: Ints) -> int:
    """How many files to follow as one chain: up to the first whose layout the next one, of its size, may have."""
    equal = sizes[1:] == sizes[:-1]
    return int(np.argmax(equal)) + 1 if equal.any() else len(sizes)


def _chained(window: Bytes, borders: Ints) -> tuple[int, tuple[Ints, Ints]]:
    """How many files, from the first on, are unbroken chains; the starts and lengths of their records."""
    begin = int(borders[0])
    size = int(borders[-1]) - begin
    found = chain(window[begin:], size, probe=size)  # repetitions gain nothing in small files
    starts = found.starts + begin
    heads = np.append(starts - HEADER_BYTES, begin + found.end)
    joints = heads.take(np.searchsorted(heads, borders), mode="clip") == borders
    count = int(np.argmin(joints)) - 1 if not joints.all() else len(borders) - 1
    records = int(np.searchsorted(starts, borders[count]))
    return count, (starts[:records], found.lengths[:records])
