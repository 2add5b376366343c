"""Finding words and reading numbers in blocks of bytes, whole arrays at a time.

A Caffe log is hundreds of thousands of short lines that differ in their numbers only. Looked at one line at a time,
Python spends seconds on 100 MB; numpy on blocks small enough for the processor's cache spends tenths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.byte_lines import Words
from logdoctor_parsers.contract import Floats, Ints
from logdoctor_parsers.decimals import numbers_at

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

BLOCK_BYTES = 1 << 20
PADDING = b" " * 64  # after the last block, so that windows at its end stay inside
TERMINATORS = np.isin(np.arange(256), list(b" ,\t\r\n)"))
TOKEN = re.compile(rb"[^\s,;]*")
MSVC = re.compile(r"([-+]?)(?:nan\(\w+\)|1\.#(\w+?)\d*)")  # -nan(ind), 1.#QNAN, -1.#INF00


@dataclass(frozen=True)
class Block:
    """Whole lines: `data` and `buffer` are the same bytes, with more behind them; line `i` is `starts[i]:ends[i]`.

    `end`: where the lines end; what follows belongs to the next block or is padding. `first_line` is
    the number, counted from 1, of the block's first line in its file.
    """

    data: bytes
    buffer: Bytes
    starts: Ints
    ends: Ints
    first_line: int
    end: int

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def words(self) -> Words:
        """The eight bytes from each offset on as one little-endian word: shape (bytes - 7,), in no memory."""
        return np.ndarray((len(self.data) - 7,), "<u8", self.data, strides=(1,))

    def line(self, index: int) -> bytes:
        """The text of one line of the block."""
        return self.data[self.starts[index] : self.ends[index]]


class Numbers(NamedTuple):
    """Numbers read at given offsets: value (NaN where unreadable), length in bytes, and whether it could be read."""

    value: Floats
    length: Ints
    readable: Mask


def blocks(data: bytes) -> Iterator[Block]:
    """Cut a file into blocks of about a megabyte, at line ends."""
    start, first_line = 0, 1
    while start < len(data):
        stop = data.rfind(b"\n", start, start + BLOCK_BYTES) + 1
        if not stop:
            stop = data.find(b"\n", start + BLOCK_BYTES) + 1 or len(data)
        block = _block(data, start, stop, first_line)
        yield block
        start, first_line = stop, first_line + len(block)


def _block(data: bytes, start: int, stop: int, first_line: int) -> Block:
    end = stop - start
    text = data[start : stop + len(PADDING)]
    if len(text) < end + len(PADDING):
        text += PADDING
    buffer = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(buffer[:end] == ord("\n"))
    if buffer[end - 1] != ord("\n"):
        ends = np.append(ends, end)
    starts = np.concatenate(([0], ends[:-1] + 1))
    return Block(text, buffer, starts, ends, first_line, end)


def positions(block: Block, word: bytes) -> Ints:
    """Offsets, ascending, at which a word of 4 to 64 bytes stands."""
    first = int.from_bytes(word[:4], "little")
    places = []
    for shift in range(4):
        fours = block.buffer[shift : shift + max(0, block.end - shift) // 4 * 4].view("<u4")
        places.append(4 * np.flatnonzero(fours == first) + shift)
    offsets = np.sort(np.concatenate(places))
    return offsets[stands_at(block, offsets, word)]


def stands_at(block: Block, offsets: Ints, word: bytes) -> Mask:
    """Whether a word of at most 64 bytes stands at each offset."""
    stands = np.ones(len(offsets), np.bool_)
    for start in range(0, len(word), 8):
        part = word[start : start + 8]
        mask = np.uint64((1 << 8 * len(part)) - 1)
        stands &= (block.words[offsets + start] & mask) == np.uint64(int.from_bytes(part, "little"))
    return stands


def numbers(block: Block, offsets: Ints) -> Numbers:
    """The number that begins at each offset and ends before a space, comma, bracket or line end.

    Windows' spellings go through `parse_number`.
    """
    if not len(offsets):
        return Numbers(np.empty(0), np.empty(0, np.int64), np.empty(0, np.bool_))
    printed = numbers_at(block, offsets)
    value, length = printed.value, printed.end - offsets
    readable = printed.found & TERMINATORS[block.buffer[printed.end]]
    for i in np.flatnonzero(~readable).tolist():
        token = TOKEN.match(block.data, int(offsets[i]))[0]  # type: ignore[index]  # matches the empty text too
        found = parse_number(token)
        value[i], readable[i], length[i] = (np.nan if found is None else found), found is not None, len(token)
    return Numbers(value, length, readable)


@lru_cache(maxsize=4096)
def parse_number(token: bytes) -> float | None:
    """A number as C's printf wrote it, None for anything else. Windows' `-nan(ind)` and `1.#QNAN` are NaN."""
    text = token.strip().decode("latin-1").rstrip(")").lower() if b"(" not in token else token.decode("latin-1").lower()
    if windows := MSVC.fullmatch(text):
        infinite = (windows[2] or "").startswith("inf")
        return float(f"{windows[1]}inf") if infinite else float("nan")
    try:
        return None if "_" in text or not text.isascii() else float(text)
    except ValueError:
        return None
