"""Decimal numbers printed in bytes → float64, thousands at once.

A number's digits are looked at eight bytes at a time, as one machine word. They make an integer; where it and the power
of ten that scales it are exact, one division or multiplication rounds as `float` does (Clinger 1990): up to 15 digits
in a float, up to 19 in the longer one that most processors have, unless that lies half-way between two floats. All
others go through `float`, so every value is the one that `float` reads.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.byte_lines import Bytes, Words, gather
from logdoctor_parsers.contract import Floats, Ints

Mask = npt.NDArray[np.bool_]
_Real = npt.NDArray[np.floating[Any]]

EXACT_DIGITS = 15
EXACT_POWER = 22
POWERS: Floats = np.array([10.0**power for power in range(EXACT_POWER + 1)], np.float64)
LONGEST = 40  # characters of a number
_LONG_DIGITS = 19  # that an unsigned word holds
_WHOLE_POWERS = np.array([10**power for power in range(_LONG_DIGITS + 1)], np.uint64)
_LONG_IS_LONG = np.finfo(np.longdouble).nmant in (63, 112)
_LONG_POWERS: npt.NDArray[np.longdouble] = np.array([10**power for power in range(EXACT_POWER + 1)], np.longdouble)

_ONES = np.uint64(0x0101010101010101)
_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_BEYOND_NINE = np.uint64(0x7676767676767676)  # added to a byte above 9 it sets the highest bit
_ZEROS = np.uint64(0x3030303030303030)
_THREE_BITS = np.uint64(3)
_LOWER_CASE = np.uint64(0x2020202020202020)
_BYTE, _THREE, _FIVE = np.uint64(0xFF), np.uint64(0xFFFFFF), np.uint64(0xFFFFFFFFFF)
_NAN, _INF, _INITY = (np.uint64(int.from_bytes(word, "little")) for word in (b"nan", b"inf", b"inity"))


class Text(Protocol):
    """Bytes to read numbers from, with 64 more behind them; `words` are the eight bytes from each offset on."""

    @property
    def data(self) -> bytes: ...

    @property
    def buffer(self) -> Bytes: ...

    @property
    def words(self) -> Words: ...


class Numbers(NamedTuple):
    """Numbers that begin at given offsets, shape (n,) each: value, offset behind the last character, whether it is one.

    `value` is NaN throughout where only the ends were asked for.
    """

    value: Floats
    end: Ints
    found: Mask


class _Digits(NamedTuple):
    """Consecutive digits: how many, and the integer they make; shape (n,) each."""

    digits: Ints
    value: Words


class _Printed(NamedTuple):
    """Numbers by their digits: ± `mantissa` · 10 ** `power`, from `start` to `end`; arrays of shape (n,)."""

    start: Ints
    end: Ints
    negative: Mask
    digits: Ints
    mantissa: Words
    power: Ints


def numbers_at(lines: Text, at: Ints, *, convert: bool = True) -> Numbers:
    """The number that begins at each offset: `12`, `-0.5`, `.5`, `6.1e-05`, `nan`, `inf`; no plus sign."""
    printed = _short(lines, at) or _printed_at(lines, at)
    found = printed.digits > 0
    value = _values(lines, printed) if convert else np.full(len(at), np.nan)
    numbers = Numbers(value, printed.end, found & (printed.end - at < LONGEST))
    return numbers if found.all() else _with_words(lines.words, numbers, printed)


def _short(lines: Text, start: Ints) -> _Printed | None:
    """The numbers as their first sixteen characters tell them, read once; None where one may go on behind them."""
    near, far = lines.words[start], lines.words[start + 8]
    negative = (near & _BYTE) == ord("-")
    if negative.any():
        near, far = (
            _from(near, far, negative.astype(np.uint64)),
            _from(far, np.zeros_like(far), negative.astype(np.uint64)),
        )
    whole = _eight(near)
    if whole.digits.max(initial=0) > 7:
        return None
    behind = _from(near, far, whole.digits.astype(np.uint64))
    points = (behind & _BYTE) == ord(".")
    if not (points | (((behind | _LOWER_CASE) & _BYTE) == ord("e"))).any():
        none = np.zeros(len(start), np.int64)
        return _Printed(start, start + negative + whole.digits, negative, whole.digits, whole.value, none)
    part = _eight(_from(near, far, whole.digits.astype(np.uint64) + np.uint64(1)))
    dotted = points & (part.digits > 0)
    decimals = np.where(dotted, part.digits, 0)
    used = whole.digits + decimals + dotted
    rest = _from(near, far, used.astype(np.uint64))
    exponential = ((rest | _LOWER_CASE) & _BYTE) == ord("e")
    if part.digits.max(initial=0) > 7 or used.max(initial=0) > (9 if exponential.any() else 15):
        return None
    mantissa = whole.value * _WHOLE_POWERS[decimals] + np.where(dotted, part.value, np.uint64(0))
    power, length = _exponent_in(rest, exponential)
    end = start + negative + used + length
    return _Printed(start, end, negative, whole.digits + decimals, mantissa, power - decimals)


def _from(near: Words, far: Words, octets: Words) -> Words:
    """The eight bytes that begin so many further on; shifts by more than a word leave nothing."""
    bits = octets << _THREE_BITS
    return np.asarray((near >> bits) | (far << (np.uint64(64) - bits)) | (far >> (bits - np.uint64(64))), np.uint64)


def _exponent_in(rest: Words, exponential: Mask) -> tuple[Ints, Ints]:
    """The power of ten that words begin with, and its length in characters; 0 and 0 where there is none."""
    if not exponential.any():
        none = np.zeros(len(rest), np.int64)
        return none, none
    sign = (rest >> np.uint64(8)) & _BYTE
    signed = (sign == ord("-")) | (sign == ord("+"))
    digits = _eight(rest >> np.where(signed, np.uint64(16), np.uint64(8)))
    here = exponential & (digits.digits > 0) & (digits.digits < 5)
    value = digits.value.astype(np.int64)
    power = np.where(sign == ord("-"), -value, value)
    return np.where(here, power, 0), np.where(here, 1 + signed + digits.digits, 0)


def _printed_at(lines: Text, start: Ints) -> _Printed:
    negative = lines.buffer[start] == ord("-")
    at = start + negative if negative.any() else start
    whole = _digits(lines.words, at)
    at = at + whole.digits
    part = _digits(lines.words, at + 1)
    dotted = (lines.buffer[at] == ord(".")) & (part.digits > 0)
    decimals = np.where(dotted, part.digits, 0)
    mantissa = whole.value * _WHOLE_POWERS[np.minimum(decimals, _LONG_DIGITS)]
    mantissa += np.where(dotted, part.value, np.uint64(0))
    exponent, end = _exponent(lines, at + (decimals + dotted))
    return _Printed(start, end, negative, whole.digits + decimals, mantissa, exponent - decimals)


def _values(lines: Text, printed: _Printed) -> Floats:
    """The floats nearest to numbers; of those without a digit any."""
    size = np.abs(printed.power)
    large = size > EXACT_POWER
    size = np.minimum(size, EXACT_POWER)
    value = _scaled(printed.mantissa.astype(np.float64), POWERS[size], printed.power)
    if (places := np.flatnonzero((printed.digits > EXACT_DIGITS) | large)).size:
        mantissa, scale = printed.mantissa[places].astype(np.longdouble), _LONG_POWERS[size[places]]
        long = _scaled(mantissa, scale, printed.power[places])
        value[places] = long
        error, spacing = np.abs(long - value[places]), np.spacing(value[places])
        halfway = (error == spacing / 2) | (error == spacing / 4)  # the latter below a power of two
        unsure = large[places] | (printed.digits[places] > _LONG_DIGITS) | halfway | (not _LONG_IS_LONG)
        places = places[unsure & (printed.digits[places] > 0) & (printed.end - printed.start < LONGEST)[places]]
        value[places] = np.abs(_by_float(lines, printed.start[places], printed.end[places]))
    return np.asarray(np.where(printed.negative, -value, value) if printed.negative.any() else value, np.float64)


def _digits(words: Words, at: Ints) -> _Digits:
    """The digits that stand at each offset; the integer wraps around beyond 19 of them."""
    count, value = _eight(words[at])
    many = count == 8
    while many.any():  # the number goes on in the next word
        places = np.flatnonzero(many)
        more, digits = _eight(words[at[places] + count[places]])
        value[places] = value[places] * _WHOLE_POWERS[more] + digits
        count[places] += more
        many[places] = (more == 8) & (count[places] < LONGEST)
    return _Digits(count, value)


def _eight(word: Words) -> _Digits:
    """The digits a word begins with: how many of its eight bytes, and what they say."""
    digits = digits_of(word)
    others = no_digits(digits)
    below = (others & (~others + np.uint64(1))) - np.uint64(1)  # all bits below the first of them
    count = ((below & _ONES) * _ONES) >> np.uint64(56)
    value = eight_digits(digits << (np.uint64(64) - (count << np.uint64(3))))  # zeros before the first
    return _Digits(count.astype(np.int64), value)


def digits_of(word: Words) -> Words:
    """The characters of each word, as what they are worth as digits; more than nine where they are none."""
    return word ^ _ZEROS


def no_digits(digits: Words) -> Words:
    """Which bytes of each word are none: 1 in each byte beyond nine, else 0."""
    return ((((digits & _LOW_BITS) + _BEYOND_NINE) | digits) >> np.uint64(7)) & _ONES


def eight_digits(value: Words) -> Words:
    """The integer that the eight bytes of each word make, all of them from 0 to 9, the lowest leading."""
    value = (value * np.uint64(10) + (value >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    value = (value * np.uint64(100) + (value >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (value * np.uint64(10000) + (value >> np.uint64(32))) & np.uint64(0x00000000FFFFFFFF)


def _exponent(lines: Text, at: Ints) -> tuple[Ints, Ints]:
    """The power of ten that stands at each offset (0: none does), and the offset behind it."""
    power = np.zeros(len(at), np.int64)
    places = np.flatnonzero((lines.buffer[at] | 0x20) == ord("e"))
    if not len(places):
        return power, at
    sign = lines.buffer[at[places] + 1]
    signed = (sign == ord("-")) | (sign == ord("+"))
    digits = _digits(lines.words, at[places] + 1 + signed)
    here = (digits.digits > 0) & (digits.digits < 5)
    value = digits.value.astype(np.int64)
    power[places] = np.where(here, np.where(sign == ord("-"), -value, value), 0)
    at = at.copy()
    at[places] += np.where(here, 1 + signed + digits.digits, 0)
    return power, at


def _scaled(mantissa: _Real, scale: _Real, power: Ints) -> _Real:
    """`mantissa` times or, where `power` is negative, divided by `scale`."""
    if power.max(initial=0) == 0:
        return np.asarray(mantissa / scale)
    return np.where(power < 0, mantissa / scale, mantissa * scale)


def _by_float(lines: Text, start: Ints, end: Ints) -> list[float]:
    """What `float` says of each number of at most `LONGEST` characters."""
    characters = gather(lines.buffer, start, LONGEST)
    characters[np.arange(LONGEST) >= (end - start)[:, None]] = 0
    return list(map(float, characters.view(f"S{LONGEST}").ravel().tolist()))


def _with_words(words: Words, numbers: Numbers, printed: _Printed) -> Numbers:
    """The numbers with `nan` and `inf`, in capitals or not, where no digit was found."""
    value, end, found = numbers.value.copy(), numbers.end.copy(), numbers.found.copy()
    places = np.flatnonzero(printed.digits == 0)
    at = printed.start[places] + printed.negative[places]
    word = words[at] | _LOWER_CASE
    infinite, unknown = (word & _THREE) == _INF, (word & _THREE) == _NAN
    long = infinite & (((words[at + 3] | _LOWER_CASE) & _FIVE) == _INITY)
    found[places] = infinite | unknown
    end[places] = at + np.where(infinite | unknown, 3, 0) + np.where(long, 5, 0)
    value[places] = np.where(infinite, np.where(printed.negative[places], -np.inf, np.inf), np.nan)
    return Numbers(value, end, found)
