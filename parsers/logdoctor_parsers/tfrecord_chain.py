"""The records of a window: an unbroken chain from its first byte on, found mostly at once.

Two ways lead along it. Intact headers are found by comparing words, wherever they are, and followed from end to head.
Where a file writes the same records over and over, a period whose headers are intact is compared with the next one: as
long as the bytes of the headers stay as they are, the chain goes on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c
from logdoctor_parsers.byte_lines import gather

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Unsigned = npt.NDArray[np.unsignedinteger[Any]]

HEADER_BYTES = 12
FRAME_BYTES = 16  # header and the payload's CRC
LARGE = 1 << 16  # payloads from here on are stepped over one by one and read only where needed

_HEADER = struct.Struct("<QI")
_SMALL = 256
_PROBE = 32 << 10  # bytes in which a repetition has to show
_LONGEST_PERIOD = 64  # records
_FEWEST_TIMES = 64  # a period that comes more seldom gains nothing
_BLOCK = 64 << 10  # bytes compared with the period before them, at first


@dataclass(frozen=True)
class Repeat:
    """Records that repeat the lengths of the `period` first of them: from the index `first` on, `times` periods.

    `changing` (bytes of a period,) are the bits in which not all periods are equal, from the first header on.
    """

    first: int
    period: int
    times: int
    changing: Bytes


@dataclass(frozen=True)
class Chain:
    """`starts` and `lengths` (n,) are payloads, `end` is where the last record ends, `repeats` ascend."""

    starts: Ints
    lengths: Ints
    end: int
    repeats: tuple[Repeat, ...] = ()


def payload_length(header: bytes) -> int | None:
    """The payload's length from the 12 bytes of a header; None if there are fewer, or the CRC does not hold."""
    if len(header) < HEADER_BYTES:
        return None
    length, stored = _HEADER.unpack_from(header)
    return int(length) if _header_crc(length) == stored else None


def chain(window: Bytes, filled: int, probe: int = _PROBE) -> Chain:
    """The unbroken chain of records from the window's first byte on; repetitions must show in `probe` bytes."""
    found: list[tuple[Ints, Ints]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    repeats: list[Repeat] = []
    position, count, reach = 0, 0, probe
    while position < filled:
        singles = _single_records(window, filled, position)
        if len(singles):
            found.append((singles[:-1], singles[1:]))
            position, count, reach = int(singles[-1]), count + len(singles) - 1, probe
        limit = min(position + reach, filled)
        heads, ends = _small_records_from(window, position, limit)
        if not len(heads):
            break
        goes_on = limit < filled and limit - ends[-1] < FRAME_BYTES + _SMALL
        repeat = _repeat(window, filled, heads, ends) if goes_on else None
        if repeat is None:
            reach *= 8
        else:
            heads, ends = _unrolled(repeat, heads, ends)
            repeats.append(replace(repeat, first=count + repeat.first))
            reach = probe
        found.append((heads, ends))
        position, count = int(ends[-1]), count + len(heads)
    all_heads, all_ends = (np.concatenate(side) for side in zip(*found, strict=True))
    return Chain(all_heads + HEADER_BYTES, all_ends - all_heads - FRAME_BYTES, position, tuple(repeats))


def within(repeats: tuple[Repeat, ...], count: int) -> tuple[Repeat, ...]:
    """Those that are over before record `count`, counted from 0."""
    return tuple(each for each in repeats if each.first + each.period * each.times <= count)


def _repeat(window: Bytes, filled: int, heads: Ints, ends: Ints) -> Repeat | None:
    """How the last of these records go on to repeat themselves behind them."""
    lengths = ends - heads
    period = _period(lengths[-3 * _LONGEST_PERIOD :].tolist())
    if not period:
        return None
    breaks = np.flatnonzero(lengths[period:] != lengths[:-period])
    known = len(lengths) - (int(breaks[-1]) + 1 if len(breaks) else 0)
    first = len(lengths) - known // period * period
    start, width = int(heads[first]), int(ends[first + period - 1] - heads[first])
    in_header = np.zeros(width, np.bool_)
    in_header[(heads[first : first + period, None] - start + np.arange(HEADER_BYTES)).reshape(-1)] = True
    times, changing = _times(window[start:filled], width, in_header)
    return Repeat(first, period, times, changing) if times >= _FEWEST_TIMES else None


def _period(lengths: list[int]) -> int:
    """The fewest numbers at the end that stand there three times; 0: none."""
    for period in range(1, len(lengths) // 3 + 1):
        if lengths[-period:] == lengths[-2 * period : -period] == lengths[-3 * period : -2 * period]:
            return period
    return 0


def _times(content: Bytes, width: int, fixed: npt.NDArray[np.bool_]) -> tuple[int, Bytes]:
    """How many rows of `width` bytes agree in the `fixed` bytes, and the bits in which they do not all agree."""
    first = content[:width]
    changing = np.zeros(width, np.uint8)
    times, block = 1, max(1, _BLOCK // width)
    while rows := min(block, len(content) // width - times):
        here = content[times * width : (times + rows) * width].reshape(rows, width)
        bits = (first ^ here[0]) | changing_bits(here)
        if bits[fixed].any():
            rows = int(np.argmax((here[:, fixed] != first[fixed]).any(axis=1)))
            return times + rows, changing | changing_bits(np.vstack([first, here[:rows]]))
        changing |= bits
        times, block = times + rows, 2 * block
    return times, changing


def changing_bits(rows: Unsigned) -> Unsigned:
    """The bits in which not all rows (n, columns) are equal: shape (columns,)."""
    return _across(np.bitwise_or, rows) ^ _across(np.bitwise_and, rows)


def _across(operation: np.ufunc, rows: Unsigned) -> Unsigned:
    """A bitwise operation over all rows, shape (n, columns) → (columns,)."""
    count, columns = rows.shape
    block = 64 if count >= 64 and columns < 256 else 1  # many narrow rows taken as one are several times faster
    whole = count // block * block
    wide = operation.reduce(rows[:whole].reshape(-1, block * columns), axis=0).reshape(block, columns)
    return np.asarray(operation.reduce(np.concatenate([wide, rows[whole:]]), axis=0))


def _unrolled(repeat: Repeat, heads: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Heads and ends of the records before a repetition and of those in it."""
    first, last = repeat.first, repeat.first + repeat.period
    shift = (len(repeat.changing) * np.arange(repeat.times))[:, None]
    return (
        np.concatenate([heads[:first], (heads[first:last] + shift).reshape(-1)]),
        np.concatenate([ends[:first], (ends[first:last] + shift).reshape(-1)]),
    )


def _small_records_from(window: Bytes, position: int, filled: int) -> tuple[Ints, Ints]:
    """Heads and ends of the unbroken chain of small records from `position` on."""
    heads, ends = _small_records(window[position:filled], filled - position)
    index = int(np.searchsorted(heads, 0))
    if index == len(heads) or heads[index]:
        return heads[:0], ends[:0]
    broken = heads[index + 1 :] != ends[index:-1]
    after = index + 1 + int(np.argmax(broken)) if broken.any() else len(heads)
    return heads[index:after] + position, ends[index:after] + position


def _small_records(window: Bytes, filled: int) -> tuple[Ints, Ints]:
    """Where records of 1 to 255 bytes may begin and end: every place with an intact header.

    The length is one byte followed by seven zeros, which cover one aligned zero word whatever their alignment; the byte
    before the zeros is where the header begins.
    """
    words = window[: filled // 4 * 4].view("<u4")
    zero = np.flatnonzero(words == 0)
    zero = zero[np.searchsorted(zero, 1) :]
    before = words[zero - 1]
    heads = 4 * zero - 1
    for leading_zero_byte in (1 << 24, 1 << 16, 1 << 8):
        heads -= before < leading_zero_byte
    heads = heads[: np.searchsorted(heads, filled - FRAME_BYTES)]
    header = gather(window, heads, HEADER_BYTES).view("<u4")
    length = header[:, 0]
    good = (length < _SMALL) & (length > 0) & (header[:, 1] == 0)
    good &= header[:, 2] == _SMALL_CRCS[length & (_SMALL - 1)]
    heads = heads[good]
    ends = heads + (FRAME_BYTES + length[good].astype(np.int64))
    inside = ends <= filled
    return heads[inside], ends[inside]


def _single_records(window: Bytes, filled: int, position: int) -> Ints:
    """Steps one by one over records that `_small_records` does not find: n heads and the last end, or nothing."""
    heads = [position]
    while position + FRAME_BYTES <= filled:
        length, stored = _HEADER.unpack_from(window.data, position)
        if 0 < length < _SMALL or length >= LARGE or position + FRAME_BYTES + length > filled:
            break
        if _header_crc(length) != stored:
            break
        position += FRAME_BYTES + length
        heads.append(position)
    return np.array(heads if len(heads) > 1 else [], np.int64)


@lru_cache(maxsize=1024)
def _header_crc(length: int) -> int:
    """The masked CRC of a length."""
    return crc32c.mask(crc32c.crc32c(length.to_bytes(8, "little")))


def _small_crcs() -> npt.NDArray[np.uint32]:
    lengths = np.arange(_SMALL, dtype="<u8").view(np.uint8).reshape(-1, 8)
    return crc32c.mask_array(crc32c.crc_rows(lengths))


_SMALL_CRCS = _small_crcs()
