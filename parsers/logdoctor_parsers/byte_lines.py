"""The lines of a text kept as its bytes: a line becomes a string only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Ints

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

MARGIN = 64  # bytes behind a line that is read in words, so that these stay inside the text
_BLOCK = 1 << 20  # bytes searched for line ends at once
_AT_ONCE = 4096  # lines decoded together


def gather(octets: Bytes, places: Ints, width: int) -> Bytes:
    """The `width` bytes at each place, shape (n, width); one copy of whole rows."""
    windows = np.ndarray((max(0, len(octets) - width + 1),), f"V{width}", octets, strides=(1,))
    return windows[places].view(np.uint8).reshape(-1, width)


class ByteLines(Sequence[str]):
    """Line `i` is `data[starts[i]:ends[i]]`, UTF-8 without its line end; `starts` and `ends` have shape (lines,).

    Only the first `amid` lines, which enough text follows, can be read through `words`.
    """

    def __init__(self, text: bytes, *, padded: bool = True) -> None:
        """`text`: sound UTF-8, lines parted by line feeds; one at the end does not begin another line.

        `padded`: it is copied, with bytes behind it, so that all lines can be read through `words`.
        """
        size = len(text)
        if padded:
            size += not text.endswith(b"\n") and size > 0
            text = text.ljust(size, b"\n") + bytes(MARGIN)
        self.data = text
        self.buffer: Bytes = np.frombuffer(text, np.uint8)
        self.ends: Ints = _line_ends(self.buffer[:size])
        self.starts: Ints = np.concatenate(([0], self.ends[:-1] + 1)) if len(self.ends) else self.ends
        self.amid = int(np.searchsorted(self.ends, len(text) - MARGIN, side="right"))

    @cached_property
    def words(self) -> Words:
        """The eight bytes from each offset on as one little-endian word: shape (bytes - 7,), in no memory."""
        return np.ndarray((max(0, len(self.data) - 7),), "<u8", self.data, strides=(1,))

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, int):
            return self.data[self.starts[index] : self.ends[index]].decode()
        low, high, stride = index.indices(len(self))
        if stride != 1:
            return [self[place] for place in range(low, high, stride)]
        return self.data[self.starts[low] : self.ends[high - 1]].decode().split("\n") if low < high else []

    def __iter__(self) -> Iterator[str]:
        for low in range(0, len(self), _AT_ONCE):
            yield from self[low : low + _AT_ONCE]

    def cut(self, places: Ints, start: int, stop: int) -> npt.NDArray[np.bytes_]:
        """The characters from `start` to `stop` of several lines, which are at least so long: shape (n,)."""
        width = stop - start
        windows = np.ndarray((len(self.data) - width,), f"S{width}", self.data, strides=(1,))
        return windows[self.starts[places] + start]

    def having(self, *words: str) -> list[int]:
        """The lines, ascending, in which one of the words stands (words without line feeds)."""
        found: set[int] = set()
        for word in map(str.encode, words):
            at = self.data.find(word)
            while at >= 0:
                index = int(np.searchsorted(self.ends, at))
                found.add(index)
                at = self.data.find(word, int(self.ends[index]))
        return sorted(found)


def _line_ends(text: Bytes) -> Ints:
    """Where the lines of a text end, block by block: what is compared stays in the processor's cache."""
    parts = [np.flatnonzero(text[at : at + _BLOCK] == ord("\n")) + at for at in range(0, len(text), _BLOCK)]
    last = [len(text)] if len(text) and text[-1] != ord("\n") else []
    return np.concatenate([*parts, np.array(last, np.int64)])
