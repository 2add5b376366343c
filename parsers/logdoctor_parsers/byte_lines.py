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

PADDING = bytes(64)  # behind the text, so that words read at its end stay inside
_AT_ONCE = 4096  # lines decoded together


class ByteLines(Sequence[str]):
    """Line `i` is `data[starts[i]:ends[i]]`, UTF-8 without its line end; `starts` and `ends` have shape (lines,)."""

    def __init__(self, text: bytes) -> None:
        """`text`: sound UTF-8, lines parted by line feeds; one at the end does not begin another line."""
        self.data = b"".join((text, b"" if text.endswith(b"\n") or not text else b"\n", PADDING))
        self.buffer: Bytes = np.frombuffer(self.data, np.uint8)
        self.ends: Ints = np.flatnonzero(self.buffer == ord("\n"))
        self.starts: Ints = np.concatenate(([0], self.ends[:-1] + 1)) if len(self.ends) else self.ends

    @cached_property
    def words(self) -> Words:
        """The eight bytes from each offset on as one little-endian word: shape (bytes - 7,), in no memory."""
        return np.ndarray((len(self.data) - 7,), "<u8", self.data, strides=(1,))

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
