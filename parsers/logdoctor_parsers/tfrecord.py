"""TFRecord framing: a file as records of eight bytes length, CRC of the length, payload, CRC of the payload.

Nothing is taken on trust: a record counts only if the CRC of its length holds, so a chain of records is as sure as a
walk from the first byte on, though most of it is found at once by comparing words. After damage reading goes on at the
next intact header. No memory is ever reserved from a length that a file claims.

Reference: tensorflow/core/lib/io/record_writer.h; all integers are little-endian.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c
from logdoctor_parsers.byte_lines import gather
from logdoctor_parsers.tfrecord_chain import (
    FRAME_BYTES,
    HEADER_BYTES,
    LARGE,
    Repeat,
    chain,
    payload_length,
    within,
)

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SLACK = 16  # bytes that may be read, though not used, behind the last record of a window

_WINDOW = 4 << 20
_KEPT = 16 << 20
_FIRST_WINDOW = 1 << 20  # after damage or a large record, where more of the same is likely
_SEARCH = 1 << 20
_FIRST_SEARCH = 4 << 10  # most damage is small
_MOST_VERIFIED = 64 << 20


Stream = io.RawIOBase | io.BufferedIOBase  # what `open(…, "rb")` gives, buffered or not, and BytesIO


@dataclass(frozen=True)
class Source:
    """Random access to a binary stream. `size` is taken once: what is appended later is not read.

    `verified` counts the payload bytes whose CRC was worked out to tell records from damage.
    """

    stream: Stream
    size: int
    verified: list[int] = field(default_factory=lambda: [0], compare=False)

    @classmethod
    def of(cls, stream: Stream) -> Source:
        return cls(stream, stream.seek(0, io.SEEK_END))

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on, fewer at the end."""
        self.stream.seek(offset)
        return self.stream.read(max(0, min(size, self.size - offset)))

    def fill(self, target: Bytes, offset: int) -> int:
        """Read from `offset` into `target` until it is full or the file ends; the number of bytes read."""
        self.stream.seek(offset)
        filled = 0
        while filled < len(target) and (count := self.stream.readinto(target[filled:].data)):
            filled += count
        return filled


@dataclass(frozen=True)
class Records:
    """Consecutive records in one window; the next step of `walk` overwrites the window.

    `starts` and `lengths` (n,) are payloads in `window`, which holds at least SLACK readable bytes behind the last one.
    `number` counts from 1 and is the first record's, `offset` the place of the window in the file. `repeats` are
    stretches of them that repeat the same lengths.
    """

    window: Bytes
    starts: Ints
    lengths: Ints
    number: int
    offset: int
    repeats: tuple[Repeat, ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def payload(self, index: int) -> bytes:
        start = int(self.starts[index])
        return bytes(self.window.data[start : start + int(self.lengths[index])])

    def stored_crc(self, index: int) -> int:
        """The masked CRC stored behind the payload."""
        end = int(self.starts[index] + self.lengths[index])
        return int.from_bytes(self.window.data[end : end + 4], "little")

    def frame_offset(self, index: int) -> int:
        """Where in the file the record's header begins."""
        return self.offset + int(self.starts[index]) - HEADER_BYTES


@dataclass(frozen=True)
class LargeRecord:
    """A record of LARGE bytes or more; nothing of the payload has been read. `offset` is that of the header."""

    source: Source
    number: int
    offset: int
    length: int

    def intact(self) -> bool:
        """Whether the payload's CRC holds (reads all of it)."""
        return _payload_intact(self.source, self.offset, self.length)


@dataclass(frozen=True)
class Damage:
    """Bytes that are no record; counted as one record. `zeros`: all of them are zero."""

    number: int
    offset: int
    size: int
    zeros: bool


@dataclass(frozen=True)
class Torn:
    """The file ends inside a record: `present` of `expected` bytes are there (None: not even the length is)."""

    number: int
    offset: int
    present: int
    expected: int | None


Piece = Records | LargeRecord | Damage | Torn


def new_window(size: int) -> Bytes:
    """Room for so many bytes and SLACK behind them.

    First a larger piece of memory is taken and given back, untouched: from then on the C library (glibc) keeps that
    much of what is freed, where it would return it to the system and fetch it anew, page by page, for each window.
    """
    np.empty(_KEPT, np.uint8)
    return np.empty(size + SLACK, np.uint8)


def walk(source: Source) -> Iterator[Piece]:
    """All of a file in order: records in batches, large ones singly, damage and a torn end. Never raises on damage."""
    window = new_window(min(_WINDOW, source.size))
    position, number, reach = 0, 1, _WINDOW
    while position < source.size:
        filled = source.fill(window[:-SLACK][:reach], position)
        found = chain(window, filled)
        starts, lengths, stop = found.starts, found.lengths, position + found.end
        length = payload_length(source.read(stop, HEADER_BYTES))
        if length is None and stop < source.size and len(starts):
            # No record follows: then bytes may be missing in the last one, and it counts only if its own CRC holds.
            last = position + int(starts[-1]) - HEADER_BYTES
            if not _payload_intact(source, last, int(lengths[-1])):
                starts, lengths, stop = starts[:-1], lengths[:-1], last
        if len(starts):
            yield Records(window, starts, lengths, number, position, within(found.repeats, len(starts)))
            number += len(starts)
        position, reach = stop, min(2 * reach, _WINDOW)
        if position == source.size:
            break
        piece = _beyond_the_chain(source, position, number)
        if piece is None and not len(starts):  # the file has shrunk since its size was taken
            piece = Torn(number, position, filled, None)
            position = source.size
        while piece is not None:
            yield piece
            number, reach = number + 1, _FIRST_WINDOW
            position += _size(piece)
            more = isinstance(piece, LargeRecord) and position < source.size  # they often come in a row
            piece = _beyond_the_chain(source, position, number) if more else None


def _beyond_the_chain(source: Source, position: int, number: int) -> Piece | None:
    """What stands where the bulk path stopped; None: an ordinary record that only crosses the window's end."""
    length = payload_length(source.read(position, HEADER_BYTES))
    if length is not None and _plausible(source, position, length):
        return None if length < LARGE else LargeRecord(source, number, position, length)
    after = position + (1 if length is None else HEADER_BYTES)
    found = _find_header(source, after)
    if found is None:
        return _last_piece(source, position, number, length)
    return Damage(number, position, found - position, _all_zero(source, position, found))


def _plausible(source: Source, position: int, length: int) -> bool:
    """Whether a record whose header holds also ends well: at the end, before another header, or with a right CRC."""
    end = position + FRAME_BYTES + length
    if end > source.size:
        return False
    if end == source.size or payload_length(source.read(end, HEADER_BYTES)) is not None:
        return True
    return _payload_intact(source, position, length)


def _last_piece(source: Source, position: int, number: int, length: int | None) -> Piece:
    """The rest of the file when no further header is in it."""
    rest = source.size - position
    if length is not None and FRAME_BYTES + length > rest:
        return Torn(number, position, rest, FRAME_BYTES + length)
    zeros = _all_zero(source, position, source.size)
    if rest < HEADER_BYTES and not zeros:
        return Torn(number, position, rest, None)
    return Damage(number, position, rest, zeros)


def _size(piece: Piece) -> int:
    match piece:
        case LargeRecord():
            return FRAME_BYTES + piece.length
        case Damage():
            return piece.size
        case Torn():
            return piece.present
    raise TypeError(piece)


def _payload_intact(source: Source, offset: int, length: int) -> bool:
    """Whether the payload's CRC holds; no longer believed once headers that lie have cost many times the file."""
    source.verified[0] += length
    if source.verified[0] > _MOST_VERIFIED + 8 * source.size:
        return False
    start, crc = offset + HEADER_BYTES, 0
    for done in range(0, length, _SEARCH):
        crc = crc32c.crc32c(source.read(start + done, min(_SEARCH, length - done)), crc)
    return crc32c.mask(crc) == int.from_bytes(source.read(start + length, 4), "little")


def _all_zero(source: Source, start: int, end: int) -> bool:
    parts = (source.read(offset, min(_SEARCH, end - offset)) for offset in range(start, end, _SEARCH))
    return not any(part.strip(b"\0") for part in parts)


def _find_header(source: Source, start: int) -> int | None:
    """The first intact header of a non-empty record at or after `start`."""
    offset, after, reach = start, start, _FIRST_SEARCH
    while after <= source.size - HEADER_BYTES:
        offset, after = after, after + reach
        chunk = np.frombuffer(source.read(offset, reach + HEADER_BYTES - 1), np.uint8)
        reach = min(4 * reach, _SEARCH)
        zero = chunk == 0  # the upper half of any length below 4 GiB
        places = np.flatnonzero(zero[4:-7] & zero[5:-6] & zero[6:-5] & zero[7:-4])
        if not len(places):
            continue
        headers = gather(chunk, places, HEADER_BYTES)
        words = headers.view("<u4")
        good = (crc32c.mask_array(crc32c.crc_rows(headers[:, :8])) == words[:, 2]) & (words[:, 0] > 0)
        if good.any():
            return offset + int(places[int(np.argmax(good))])
    return None
