"""Reads the events of a file: records of one length together, the odd ones one by one, and keeps what they say."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c
from logdoctor_parsers.byte_lines import gather
from logdoctor_parsers.event_hparams import Hparam
from logdoctor_parsers.event_large import abridged_event
from logdoctor_parsers.event_message import SESSION_START, Event, parse_event
from logdoctor_parsers.event_points import Batch, Part, Points, Store
from logdoctor_parsers.event_repeats import Columns, decode_repeat
from logdoctor_parsers.event_rows import MIN_ROWS, decode_rows, row_width
from logdoctor_parsers.event_template import Tag, Templates
from logdoctor_parsers.event_wire import MalformedError
from logdoctor_parsers.tfrecord import LargeRecord, Records
from logdoctor_parsers.tfrecord_chain import Repeat

Ints = npt.NDArray[np.int64]

_BULK_BYTES = 1024  # from here on a record known to hold only images, histograms or graphs is not checked


@dataclass
class Notes:
    """What the records of one file say beside numbers.

    `plugins` maps tags to the plugin that draws them; `starts` are numbers of the records that say a session began;
    `damage` has number and reason of each record that could not be read, `no_number` the first record of each tag that
    claims to be a scalar and is none. `kinds` counts what the records that were read one by one hold.
    """

    plugins: dict[bytes, bytes] = field(default_factory=dict)
    hparams: dict[str, tuple[Hparam, int]] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    damage: list[tuple[int, str]] = field(default_factory=list)
    no_number: dict[bytes, int] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, event: Event, number: int) -> None:
        """Note what record `number` says."""
        self.plugins |= event.plugins
        for name, value in event.hparams.items():
            self.hparams.setdefault(name, (value, number))
        for tag in event.not_numbers:
            self.no_number.setdefault(tag, number)
        if event.session_status == SESSION_START:
            self.starts.append(number)
        self.kinds.update(event.kinds)


@dataclass
class EventCollector:
    """What has been read so far, of one file or of several whose records are numbered through.

    `tags` maps a tag, and whether it is a tensor's, to its code. `first_numbers` are the numbers of the files' first
    records, `notes` what each file says; there records are counted from 1. `size`: bytes of all that `store` is for.
    """

    first_numbers: Sequence[int] = (1,)
    templates: Templates = field(default_factory=Templates)
    tags: dict[Tag, int] = field(default_factory=dict)
    size: int = 0
    store: Store = field(default_factory=Store)
    notes: list[Notes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notes = [Notes() for _ in self.first_numbers]

    def add_records(self, records: Records) -> Points:
        """Read the records of one window: the numbers in them."""
        batch = Batch.of(len(records), records.number)
        rest = self._decode_repeats(records, batch)
        odd = [self._decode_group(records, group, batch) for group in _groups(records.lengths, rest)]
        self._read_singly(records, np.sort(np.concatenate([rest[:0], *odd])), batch)
        return self._add(batch, records.offset + int(records.starts[-1] + records.lengths[-1]))

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
            batch = Batch.of(1, record.number)
            self._take([(0, event)], batch)
            self._add(batch, record.offset + record.length)

    def _decode_repeats(self, records: Records, batch: Batch) -> Ints:
        """Decode the records that repeat over and over; the indices of all others, ascending."""
        left = np.ones(len(records), np.bool_)
        for repeat in records.repeats:
            found = decode_repeat(records, repeat, self.templates)
            if found is not None:
                self._take_columns(found, repeat, batch)
                end = repeat.first + repeat.period * repeat.times
                among = left[repeat.first : end].reshape(repeat.times, -1)
                among[...] = ~found.intact[:, None]
        return np.flatnonzero(left)

    def _take_columns(self, found: Columns, repeat: Repeat, batch: Batch) -> None:
        """Gather the numbers of the intact periods of a repetition."""
        whole = bool(found.intact.all())
        chosen = slice(None) if whole else np.flatnonzero(found.intact)
        end = repeat.first + repeat.period * repeat.times
        for each in found.columns:
            among = slice(repeat.first + each.number, end, repeat.period)
            record = among if whole else np.arange(end)[among][chosen]
            batch.counts[record] = len(each.values)
            for rank, (tag, value) in enumerate(zip(each.template.tags, each.values, strict=True)):
                numbers = (each.step[chosen], each.wall_time[chosen], value[chosen])
                batch.parts.append(Part(record, rank, self._code(tag), *numbers))

    def _decode_group(self, records: Records, group: Ints, batch: Batch) -> Ints:
        """Decode records of one length together; the indices of those that have to be read one by one."""
        if len(group) < MIN_ROWS or (length := int(records.lengths[group[0]])) in self.templates.bulk:
            return group
        rows = gather(records.window, records.starts[group], row_width(length)).view("<u8")
        decoded, left = decode_rows(rows, length, self.templates)
        for part in decoded:
            record = group[part.rows]
            batch.counts[record] = len(part.values)
            codes = [self._code(tag) for tag in part.tags]
            for rank, value in enumerate(part.values):
                code = codes[rank] if part.tag_of is None else np.array(codes)[part.tag_of]
                batch.parts.append(Part(record, rank, code, part.step, part.wall_time, value))
        return group[left]

    def _read_singly(self, records: Records, indices: Ints, batch: Batch) -> None:
        """Read records one by one; each one's CRC is checked unless it is bulk."""
        events: list[tuple[int, Event]] = []
        for index in indices.tolist():
            event = self._event(records, index)
            if event is not None:
                events.append((index, event))
        self._take(events, batch)

    def _event(self, records: Records, index: int) -> Event | None:
        """The event in one record; None if there is none, which is noted."""
        payload = records.payload(index)
        if len(payload) >= _BULK_BYTES and (known := self.templates.bulk_event(payload)) is not None:
            return known
        number, offset = records.number + index, records.frame_offset(index)
        try:
            event: Event | None = parse_event(payload)
        except MalformedError:
            event = None
        if event is not None and event.is_bulk and len(payload) >= _BULK_BYTES:
            self.templates.keep_bulk(payload, event)
            return event
        if crc32c.mask(crc32c.crc32c(payload)) != records.stored_crc(index):
            self._damaged(number, offset, len(payload))
            return None
        if event is None:
            self._meaningless(number, offset, len(payload))
        return event

    def _damaged(self, number: int, offset: int, length: int) -> None:
        self._add_damage(number, f"record at byte {offset} ({length} bytes) fails its checksum; left out")

    def _meaningless(self, number: int, offset: int, length: int) -> None:
        self._add_damage(number, f"record at byte {offset} ({length} bytes) is intact but no event; left out")

    def _take(self, events: list[tuple[int, Event]], batch: Batch) -> None:
        """Note what single events say and gather their numbers into one part."""
        places: list[tuple[int, int, int]] = []
        numbers: list[tuple[float, float, float]] = []
        for index, event in events:
            self._note(event, batch.first_number + index)
            batch.counts[index] = len(event.scalars)
            for rank, scalar in enumerate(event.scalars):
                places.append((index, rank, self._code((scalar.tag, scalar.is_tensor))))
                numbers.append((float(event.step), event.wall_time, scalar.value))
        if places:
            batch.parts.append(Part(*np.array(places, np.int64).T, *np.array(numbers, np.float64).T))

    def _note(self, event: Event, number: int) -> None:
        notes, own_number = self._place(number)
        notes.add(event, own_number)

    def _add_damage(self, number: int, reason: str) -> None:
        notes, own_number = self._place(number)
        notes.damage.append((own_number, reason))

    def _place(self, number: int) -> tuple[Notes, int]:
        """The notes of the file that a record stands in, and the record's number there."""
        file = bisect_right(self.first_numbers, number) - 1
        return self.notes[file], number - self.first_numbers[file] + 1

    def _code(self, tag: Tag) -> int:
        return self.tags.setdefault(tag, len(self.tags))

    def _add(self, batch: Batch, end: int) -> Points:
        """Write down the numbers of a batch that reaches to byte `end` of the file."""
        total = batch.total
        density = (self.store.used + total) / end
        room = self.store.room(total, int(1.05 * density * self.size))
        batch.write(room)
        return room

    def points(self) -> Points:
        """All numbers."""
        return self.store.points()


def _groups(lengths: Ints, chosen: Ints) -> Iterator[Ints]:
    """The chosen indices, ascending ones, of records of equal length, one array for each length."""
    order = chosen[np.argsort(lengths[chosen].astype(np.uint16), kind="stable")]  # a radix sort for 16 bits
    borders = np.flatnonzero(np.diff(lengths[order])) + 1
    yield from np.split(order, borders)
