"""Lines of one format → columns of numbers, all lines of a block at once.

Lines that differ in their numbers alone are walked side by side: the constant text before a number is compared, the
number read, then the next text, until the lines end. Lines that do not fit are left behind on the way.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from logdoctor_parsers.byte_lines import ByteLines, Words
from logdoctor_parsers.contract import Floats, Ints
from logdoctor_parsers.decimals import Mask, digits_of, no_digits, numbers_at

_GOES_ON = re.compile(rb"[.,:]?(?:[eE][-+]?)?")  # texts that may belong to the number before them
_IN_CLOCK: Mask = np.isin(np.arange(256), list(b"0123456789:.,"))
_QUOTE, _ESCAPE = b'"\\'
_DIGITS = (ord("0"), ord("9"))
_OCTET, _THREE_OCTETS, _ZERO, _NAN = (
    np.uint64(n) for n in (0xFF, 0xFFFFFF, ord("0"), int.from_bytes(b"NaN", "little"))
)


@dataclass(frozen=True)
class Gap:
    """The text before a number, which blanks may follow. `padded`: they do. `clock`: the number is a time of day.

    `string`: no number but a string of JSON follows, up to its closing quote; this one in one of the lines.
    """

    text: bytes
    padded: bool = False
    clock: bool = False
    string: bytes | None = None

    @property
    def needs_blank(self) -> bool:
        """Whether without a blank the number might belong to what stands before it."""
        return self.padded and (not self.text or bool(_GOES_ON.fullmatch(self.text)))


@dataclass(frozen=True)
class LineColumns:
    """The lines that fit (their `index` counts from the first one read) and their numbers by place, shape (n,) each.

    `spans`: where the strings begin and end, by place.
    """

    index: Ints
    values: Mapping[int, Floats]
    spans: Mapping[int, tuple[Ints, Ints]] = field(default_factory=dict)

    def only(self, kept: Mask) -> LineColumns:
        """Fewer of the lines."""
        if kept.all():
            return self
        values, spans = _kept(kept, self.values, self.spans)
        return LineColumns(self.index[kept], values, spans)


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
        return self.read_lines(lines, np.arange(low, high), wanted)

    def read_lines(self, lines: ByteLines, places: Ints, wanted: Collection[int]) -> LineColumns:
        """The same of the lines at `places`, shape (n,) and ascending; `index` counts these."""
        places = places[: np.searchsorted(places, lines.amid)]
        walk = _Walk(lines, lines.starts[places], int(lines.ends[places[-1]]) if len(places) else 0)
        walk.pass_lead(self.lead)
        for place, gap in enumerate(self.gaps):
            if not len(walk.index):
                strings = [number for number, other in enumerate(self.gaps) if other.string is not None]
                return LineColumns(
                    walk.index, dict.fromkeys(wanted, np.empty(0)), dict.fromkeys(strings, (places[:0],) * 2)
                )
            walk.pass_text(gap.text)
            if gap.string is not None:
                walk.pass_string(place, gap.string)
                continue
            walk.pass_blanks(needed=gap.needs_blank)
            if gap.clock:
                walk.pass_clock()
            else:
                if self.json:
                    walk.keep(_may_be_json(lines, walk.at))
                walk.pass_number(place if place in wanted else None)
        walk.pass_text(self.tail)
        walk.pass_blanks()
        walk.keep(walk.at == lines.ends[places[walk.index]])
        clocks = {place: np.full(len(walk.index), np.nan) for place in wanted if self.gaps[place].clock}
        return LineColumns(walk.index, {**walk.values, **clocks}, walk.spans)


@dataclass
class _Walk:
    """Lines walked side by side: where each has got to (`at`), which they are (`index`), what they said.

    `stop`: where the last of them ends.
    """

    lines: ByteLines
    at: Ints
    stop: int
    index: Ints = field(init=False)
    values: dict[int, Floats] = field(default_factory=dict)
    spans: dict[int, tuple[Ints, Ints]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index = np.arange(len(self.at))

    def keep(self, fits: Mask) -> None:
        """Leave behind the lines that do not fit."""
        if not fits.all():
            self.at, self.index = self.at[fits], self.index[fits]
            self.values, self.spans = _kept(fits, self.values, self.spans)

    def pass_text(self, text: bytes) -> None:
        for start in range(0, len(text), 8):
            self.keep(self._say(text[start : start + 8], start))
        self.at = self.at + len(text)

    def _say(self, part: bytes, ahead: int) -> Mask:
        """Whether each line goes on with up to eight bytes, so many ahead."""
        word = self.lines.words[self.at + ahead] & np.uint64((1 << 8 * len(part)) - 1)
        return np.asarray(word == np.uint64(int.from_bytes(part, "little")))

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

    def pass_string(self, place: int, usual: bytes) -> None:
        """A string without escapes, up to its closing quote; `usual` may be it in all the lines."""
        text = usual + b'"'
        if all(self._say(text[start : start + 8], start).all() for start in range(0, len(text), 8)):
            end = self.at + len(usual)
        else:
            end = self._marks[np.searchsorted(self._marks, self.at)]
        self.spans[place], self.at = (self.at, end), end
        self.keep(self.lines.buffer[end] == _QUOTE)

    @cached_property
    def _marks(self) -> Ints:
        """Where the lines have quotes and what no plain string holds: escapes, line ends, control characters."""
        first = int(self.at[0]) if len(self.at) else self.stop
        octets = self.lines.buffer[first : self.stop + 1]
        return np.flatnonzero((octets == _QUOTE) | (octets == _ESCAPE) | (octets < ord(" "))) + first

    def pass_clock(self) -> None:
        start, inside = self.at, _IN_CLOCK[self.lines.buffer[self.at]]
        while inside.any():
            self.at = self.at + inside
            inside = _IN_CLOCK[self.lines.buffer[self.at]]
        first, last = self.lines.buffer[start], self.lines.buffer[self.at - 1]
        self.keep((self.at > start) & (np.minimum(first, last) >= _DIGITS[0]) & (np.maximum(first, last) <= _DIGITS[1]))


def _kept(
    fits: Mask, values: Mapping[int, Floats], spans: Mapping[int, tuple[Ints, Ints]]
) -> tuple[dict[int, Floats], dict[int, tuple[Ints, Ints]]]:
    """The numbers and strings of those lines that fit."""
    return (
        {place: value[fits] for place, value in values.items()},
        {place: (start[fits], end[fits]) for place, (start, end) in spans.items()},
    )


def _may_be_json(lines: ByteLines, at: Ints) -> Mask:
    """Whether a number at each offset, if any, is one that JSON has: no `.5`, `007`, `nan` or `inf`."""
    word = lines.words[at]
    negative = (word & _OCTET) == ord("-")
    if negative.any():
        word = np.where(negative, word >> np.uint64(8), word)
    first = word & _OCTET
    digit = first - _ZERO < 10  # without a sign: what comes before a zero wraps around
    padded = (first == _ZERO) & (((word >> np.uint64(8)) & _OCTET) - _ZERO < 10)
    plain: Mask = np.asarray(digit & ~padded)
    if plain.all():
        return plain
    return np.asarray(plain | (first == ord("I")) | ((word & _THREE_OCTETS) == _NAN))


def _mask(part: bytes, octets: bytes) -> np.uint64:
    """The word that covers those of eight bytes that are among `octets`."""
    return np.uint64(int.from_bytes(bytes(0xFF if octet in octets else 0 for octet in part), "little"))


def _are_digits(word: Words, mask: np.uint64) -> Mask:
    """Whether the bytes under a mask are digits, in each word."""
    return np.asarray(no_digits(digits_of(word) & mask) == 0)
