"""Collects the numbers of an event file in file order: a window of records at a time, the odd ones one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.event_hparams import Hparam
from logdoctor_parsers.event_large import abridged_event
from logdoctor_parsers.event_message import SESSION_START, Event, parse_event
from logdoctor_parsers.event_rows import MIN_ROWS, decode_rows, row_width
from logdoctor_parsers.event_wire import MalformedError
from logdoctor_parsers.tfrecord import LargeRecord, Records, gather

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BULK_BYTES = 1024   # from here on a record known to hold only images, histograms or graphs is not checked


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
        if (new_codes >= 0).all():
            return renamed
        return Points(*(getattr(renamed, item.name)[code >= 0] for item in fields(self)))


@dataclass(frozen=True)
class _Part:
    """Numbers of some records of a window: `record` (n,) are indices, `rank` counts inside the record."""

    record: Ints
    rank: Ints | int
    code: Ints | int
    step: Floats
    wall_time: Floats
    value: Floats


@dataclass
class EventCollector:
    """What has been read so far.

    `tags` maps a tag, and whether it is a tensor's, to its code; `plugins` tags to the plugin that draws them; `starts`
    are numbers of the records that say a session began; `damage` has number and reason of each record that could not be
    read, `no_number` the first record of each tag that claims to be a scalar and is none. `kinds` counts what the
    records that were read one by one hold.
    """

    tags: dict[tuple[bytes, bool], int] = field(default_factory=dict)
    blocks: list[Points] = field(default_factory=list)
    plugins: dict[bytes, bytes] = field(default_factory=dict)
    hparams: dict[str, tuple[Hparam, int]] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    damage: list[tuple[int, str]] = field(default_factory=list)
    no_number: dict[bytes, int] = field(default_factory=dict)
    records_with_numbers: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add_records(self, records: Records) -> None:
        """Read the records of one window."""
        counts = np.zeros(len(records), np.int64)
        parts: list[_Part] = []
        odd = [self._decode_group(records, group, parts, counts) for group in _groups(records.lengths)]
        self._read_singly(records, np.sort(np.concatenate(odd)), parts, counts)
        self._assemble(parts, counts, records.number)

    def add_large(self, record: LargeRecord) -> None:
        """Read a large record, of which only the parts that may hold numbers are looked at."""
        try:
            event: Event | None = parse_event(abridged_event(record))
        except MalformedError:
            event = None
        if event is not None and event.is_bulk:
            self._note(event, record.number)
        elif not record.intact():
            self._damaged(record.number, record.offset, record.length)
        elif event is None:
            self._meaningless(record.number, record.offset, record.length)
        else:
            parts: list[_Part] = []
            counts = np.zeros(1, np.int64)
            self._take([(0, event)], record.number, parts, counts)
            self._assemble(parts, counts, record.number)

    def _decode_group(self, records: Records, group: Ints, parts: list[_Part], counts: Ints) -> Ints:
        """Decode records of one length together; the indices of those that have to be read one by one."""
        if len(group) < MIN_ROWS:
            return group
        length = int(records.lengths[group[0]])
        rows = gather(records.window, records.starts[group], row_width(length)).view("<u8")
        decoded, left = decode_rows(rows, length)
        for part in decoded:
            record = group[part.rows]
            counts[record] = len(part.values)
            codes = [self._code(tag) for tag in part.tags]
            for rank, value in enumerate(part.values):
                code = codes[rank] if part.tag_of is None else np.array(codes)[part.tag_of]
                parts.append(_Part(record, rank, code, part.step, part.wall_time, value))
        return group[left]

    def _read_singly(self, records: Records, indices: Ints, parts: list[_Part], counts: Ints) -> None:
        """Read records one by one; each one's CRC is checked unless it is bulk."""
        events: list[tuple[int, Event]] = []
        for index in indices.tolist():
            event = self._event(records, index)
            if event is not None:
                events.append((index, event))
        self._take(events, records.number, parts, counts)

    def _event(self, records: Records, index: int) -> Event | None:
        """The event in one record; None if there is none, which is noted."""
        payload = records.payload(index)
        number, offset = records.number + index, records.frame_offset(index)
        try:
            event: Event | None = parse_event(payload)
        except MalformedError:
            event = None
        if event is not None and event.is_bulk and len(payload) >= _BULK_BYTES:
            return event
        if not records.intact(index):
            self._damaged(number, offset, len(payload))
            return None
        if event is None:
            self._meaningless(number, offset, len(payload))
        return event

    def _damaged(self, number: int, offset: int, length: int) -> None:
        self.damage.append((number, f"record at byte {offset} ({length} bytes) fails its checksum; left out"))

    def _meaningless(self, number: int, offset: int, length: int) -> None:
        self.damage.append((number, f"record at byte {offset} ({length} bytes) is intact but no event; left out"))

    def _take(self, events: list[tuple[int, Event]], first_number: int, parts: list[_Part], counts: Ints) -> None:
        """Note what single events say and gather their numbers into one part."""
        places: list[tuple[int, int, int]] = []
        numbers: list[tuple[float, float, float]] = []
        for index, event in events:
            self._note(event, first_number + index)
            counts[index] = len(event.scalars)
            for rank, scalar in enumerate(event.scalars):
                places.append((index, rank, self._code((scalar.tag, scalar.is_tensor))))
                numbers.append((float(event.step), event.wall_time, scalar.value))
        if places:
            parts.append(_Part(*np.array(places, np.int64).T, *np.array(numbers, np.float64).T))

    def _note(self, event: Event, number: int) -> None:
        """What an event says beside numbers."""
        self.plugins |= event.plugins
        for name, value in event.hparams.items():
            self.hparams.setdefault(name, (value, number))
        for tag in event.not_numbers:
            self.no_number.setdefault(tag, number)
        if event.session_status == SESSION_START:
            self.starts.append(number)
        self.kinds += event.kinds

    def _code(self, tag: tuple[bytes, bool]) -> int:
        return self.tags.setdefault(tag, len(self.tags))

    def _assemble(self, parts: list[_Part], counts: Ints, first_number: int) -> None:
        """Put the numbers of a window into file order."""
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        if not total:
            return
        first = ends - counts
        code = np.empty(total, np.int32)
        step, wall_time, value = np.empty(total), np.empty(total), np.empty(total)
        for part in parts:
            place = first[part.record] + part.rank
            code[place], step[place], wall_time[place], value[place] = part.code, part.step, part.wall_time, part.value
        line = np.repeat(np.arange(first_number, first_number + len(counts)), counts)
        self.records_with_numbers += int(np.count_nonzero(counts))
        self.blocks.append(Points(code, step, wall_time, value, line))

    def points(self) -> Points:
        """All numbers."""
        return Points.joined(self.blocks)


def _groups(lengths: Ints) -> Iterator[Ints]:
    """The indices of records of equal length, ascending, one array for each length."""
    order = np.argsort(lengths.astype(np.uint16), kind="stable")   # a radix sort for 16 bits
    borders = np.flatnonzero(np.diff(lengths[order])) + 1
    yield from np.split(order, borders)

