"""Lines of one format → columns of numbers, all lines of a block at once.

Lines that differ in their numbers alone are walked side by side: the constant text before a number is compared, the
number read, then the next text, until the lines end. Lines that do not fit are left behind on the way.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.byte_lines import ByteLines, Words
from logdoctor_parsers.contract import Floats, Ints
from logdoctor_parsers.decimals import Mask, numbers_at

_GOES_ON = re.compile(rb"[.,:]?(?:[eE][-+]?)?")  # texts that may belong to the number before them
_IN_CLOCK: Mask = np.isin(np.arange(256), list(b"0123456789:.,"))
_DIGITS = (ord("0"), ord("9"))


@dataclass(frozen=True)
class Gap:
    """The text before a number, which blanks may follow. `padded`: they do. `clock`: the number is a time of day."""

    text: bytes
    padded: bool = False
    clock: bool = False


@dataclass(frozen=True)
class LineColumns:
    """The lines that fit (their `index` counts from the first one read) and their numbers by place, shape (n,) each."""

    index: Ints
    values: Mapping[int, Floats]

    def only(self, kept: Mask) -> LineColumns:
        """Fewer of the lines."""
        if kept.all():
            return self
        return LineColumns(self.index[kept], {place: value[kept] for place, value in self.values.items()})


@dataclass(frozen=True)
class LineFormat:
    """What lines of one format have in common: `lead` with any digit for each `0`, a gap for each number, `tail`.

    `json`: the numbers are written as JSON has them.
    """

    gaps: tuple[Gap, ...]
    tail: bytes
    lead: bytes = b""
    json: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether it is clear where each number ends."""
        behind = [gap.text for gap in self.gaps[1:] if not gap.padded] + [self.tail] * bool(self.tail)
        return bool(self.gaps) and not any(_GOES_ON.fullmatch(text) for text in behind)

    def read(self, lines: ByteLines, low: int, high: int, wanted: Collection[int]) -> LineColumns:
        """The lines from `low` to `high` that have this format, with the numbers `wanted`."""
        walk = _Walk(lines, lines.starts[low:high])
        walk.pass_lead(self.lead)
        for place, gap in enumerate(self.gaps):
            walk.pass_text(gap.text)
            walk.pass_blanks(needed=gap.padded and (not gap.text or bool(_GOES_ON.fullmatch(gap.text))))
            if gap.clock:
                walk.pass_clock()
            else:
                if self.json:
                    walk.keep(_may_be_json(lines, walk.at))
                walk.pass_number(place if place in wanted else None)
        walk.pass_text(self.tail)
        walk.pass_blanks()
        walk.keep(walk.at == lines.ends[low:high][walk.index])
        clocks = {place: np.full(len(walk.index), np.nan) for place in wanted if self.gaps[place].clock}
        return LineColumns(walk.index, {**walk.values, **clocks})


@dataclass
class _Walk:
    """Lines walked side by side: where each has got to (`at`), which they are (`index`), what they said."""

    lines: ByteLines
    at: Ints
    index: Ints = field(init=False)
    values: dict[int, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index = np.arange(len(self.at))

    def keep(self, fits: Mask) -> None:
        """Leave behind the lines that do not fit."""
        if not fits.all():
            self.at, self.index = self.at[fits], self.index[fits]
            self.values = {place: value[fits] for place, value in self.values.items()}

    def pass_text(self, text: bytes) -> None:
        for start in range(0, len(text), 8):
            part = text[start : start + 8]
            mask = np.uint64((1 << 8 * len(part)) - 1)
            word = self.lines.words[self.at + start] & mask
            self.keep(word == np.uint64(int.from_bytes(part, "little")))
        self.at = self.at + len(text)

    def pass_lead(self, lead: bytes) -> None:
        """Any digits where `lead` has zeros."""
        for start in range(0, len(lead), 8):
            part = lead[start : start + 8].ljust(8, b"\0")
            digits, fixed = _mask(part, b"0"), ~_mask(part, b"0\0")
            word = self.lines.words[self.at + start]
            same = (word ^ np.uint64(int.from_bytes(part, "little"))) & fixed == 0
            self.keep(same & _are_digits(word, digits))
        self.at = self.at + len(lead)

    def pass_blanks(self, *, needed: bool = False) -> None:
        blank = self.lines.buffer[self.at] == ord(" ")
        if needed:
            self.keep(blank)
            blank = blank[blank]
        while blank.any():
            self.at = self.at + blank
            blank = self.lines.buffer[self.at] == ord(" ")

    def pass_number(self, place: int | None) -> None:
        """A number, kept under its place."""
        numbers = numbers_at(self.lines, self.at, convert=place is not None)
        self.at = numbers.end
        if place is not None:
            self.values[place] = numbers.value
        self.keep(numbers.found)

    def pass_clock(self) -> None:
        start, inside = self.at, _IN_CLOCK[self.lines.buffer[self.at]]
        while inside.any():
            self.at = self.at + inside
            inside = _IN_CLOCK[self.lines.buffer[self.at]]
        first, last = self.lines.buffer[start], self.lines.buffer[self.at - 1]
        self.keep((self.at > start) & (np.minimum(first, last) >= _DIGITS[0]) & (np.maximum(first, last) <= _DIGITS[1]))


def _may_be_json(lines: ByteLines, at: Ints) -> Mask:
    """Whether a number at each offset, if any, is one that JSON has: no `.5`, `007`, `nan` or `inf`."""
    first = lines.buffer[at]
    at = at + (first == ord("-"))
    first, second = lines.buffer[at], lines.buffer[at + 1]
    padded = (first == ord("0")) & (second >= ord("0")) & (second <= ord("9"))
    named = (first == ord("I")) | ((first == ord("N")) & (second == ord("a")) & (lines.buffer[at + 2] == ord("N")))
    return np.asarray(((first >= ord("0")) & (first <= ord("9")) & ~padded) | named)


def _mask(part: bytes, octets: bytes) -> np.uint64:
    """The word that covers those of eight bytes that are among `octets`."""
    return np.uint64(int.from_bytes(bytes(0xFF if octet in octets else 0 for octet in part), "little"))


def _are_digits(word: Words, mask: np.uint64) -> Mask:
    """Whether the bytes under a mask are digits, in each word."""
    bits = (word ^ np.uint64(0x3030303030303030)) & mask
    beyond = ((bits & np.uint64(0x7F7F7F7F7F7F7F7F)) + np.uint64(0x7676767676767676)) | bits
    found: npt.NDArray[np.bool_] = beyond & np.uint64(0x8080808080808080) == 0
    return found
