"""Event records of one length, decoded as a matrix: one row a record, one parse for all rows of the same layout.

Most records of an event file differ in wall time, step and value alone. The first row of a group is parsed in full;
what is constant in it is compared with the others, and rows that agree have their numbers where the first has them.
Rows that do not agree are left to the next template. The CRC of a row is that of the bytes all rows share, XOR what
each of the others contributes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import crc32c
from logdoctor_parsers.event_message import Event, Scalar, parse_event
from logdoctor_parsers.event_wire import MalformedError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

MIN_ROWS = 8  # fewer rows are parsed faster one by one
_EXACT_TEMPLATES = 4  # after so many, the next ones match rows of any tag
_MAX_TEMPLATES = 12


@dataclass(frozen=True)
class Decoded:
    """The numbers of rows of one layout.

    `rows`, `wall_time` and `step` (n,); one of `values` (n,) and one of `tags` for each scalar. With `tag_of` (n,)
    there is one array of values, and row i has the tag `tags[tag_of[i]]`. A tag comes with whether it is a tensor's.
    """

    rows: Ints
    wall_time: Floats
    step: Floats
    values: tuple[Floats, ...]
    tags: tuple[tuple[bytes, bool], ...]
    tag_of: Ints | None


@dataclass(frozen=True)
class Template:
    """The layout of an event: what is constant, as words under a mask, and where its numbers stand.

    `constant` and `mask` (words,) cover payload, CRC and padding. `any_tag`: the tag's bytes are not compared.
    """

    constant: Words
    mask: Words
    wall_time_start: int
    step_span: tuple[int, int] | None
    scalars: tuple[Scalar, ...]
    any_tag: bool

    @classmethod
    def of(cls, payload: bytes, event: Event, any_tag: bool) -> Template | None:
        """The template of an event; None where its layout says nothing of other rows (numbers of varying width)."""
        if event.wall_time_start is None or not event.scalars or not all(scalar.form for scalar in event.scalars):
            return None
        if any(plugin != b"scalars" for plugin in event.plugins.values()):  # says more than numbers
            return None
        mask = np.zeros(row_width(len(payload)), np.uint8)
        mask[: len(payload)] = 0xFF
        mask[event.wall_time_start : event.wall_time_start + 8] = 0
        if event.step_span:
            mask[slice(*event.step_span)] = 0x80  # how many bytes the step takes is part of the layout
        for scalar in event.scalars:
            mask[scalar.start : scalar.start + np.dtype(scalar.form).itemsize] = 0
        any_tag = any_tag and len(event.scalars) == 1
        if any_tag:
            mask[slice(*event.scalars[0].tag_span)] = 0
        row = np.frombuffer(payload.ljust(len(mask), b"\0"), np.uint8) & mask
        places = (event.wall_time_start, event.step_span, tuple(event.scalars))
        return cls(row.view("<u8"), mask.view("<u8"), *places, any_tag)

    def matches(self, rows: Words, changing: Words) -> Flags:
        """Which rows (n, words) agree with the constant part: shape (n,). The `changing` bits (words,) are compared."""
        difference = np.zeros(len(rows), np.uint64)
        for column in np.flatnonzero(self.mask & changing).tolist():
            difference |= (rows[:, column] & self.mask[column]) ^ self.constant[column]
        return np.asarray(difference == 0)

    def decode(self, rows: Words, places: Ints) -> Decoded:
        """The numbers in matching rows; `places` (n,) is what the rows are known by."""
        wall_time = _column(rows, self.wall_time_start, "<f8").astype(np.float64)
        values = tuple(_column(rows, scalar.start, scalar.form).astype(np.float64) for scalar in self.scalars)
        tags = tuple((scalar.tag, scalar.is_tensor) for scalar in self.scalars)
        tag_of: Ints | None = None
        if self.any_tag:
            tags, tag_of = self._tags(rows)
        return Decoded(places, wall_time, self._steps(rows), values, tags, tag_of)

    def _steps(self, rows: Words) -> Floats:
        """The step, a varint of one width in all rows; 0 where the event has none."""
        step = np.zeros(len(rows), np.int64)
        if self.step_span:
            octets = _octets(rows)
            for place, column in enumerate(range(*self.step_span)):
                step |= (octets[:, column] & 0x7F).astype(np.int64) << (7 * place)
        return step.astype(np.float64)

    def _tags(self, rows: Words) -> tuple[tuple[tuple[bytes, bool], ...], Ints]:
        """The different tags and which one each row has."""
        (scalar,) = self.scalars
        start, end = scalar.tag_span
        names = np.ascontiguousarray(_octets(rows)[:, start:end]).view(f"V{end - start}").reshape(-1)
        different, tag_of = np.unique(names, return_inverse=True)
        return tuple((name.tobytes(), scalar.is_tensor) for name in different), tag_of.reshape(-1)


def row_width(length: int) -> int:
    """Bytes of a row that holds a payload and its CRC, padded to whole words."""
    return -(-(length + 4) // 8) * 8


def decode_rows(rows: Words, length: int) -> tuple[list[Decoded], Ints]:
    """The numbers in records of one length, shape (n, words), and which rows are left to be read one by one.

    Every number returned stands in a row whose CRC holds.
    """
    changing = _changing_bits(rows)
    found: list[Decoded] = []
    left, odd = np.arange(len(rows)), []
    checked = False
    for attempt in range(_MAX_TEMPLATES):
        if len(left) < MIN_ROWS:
            break
        template = _template(_octets(rows)[left[0], :length].tobytes(), any_tag=attempt >= _EXACT_TEMPLATES)
        if template is None:
            odd.append(left[:1])
            left = left[1:]
            continue
        if not checked:  # not before: a group without numbers needs no check here
            left, damaged = _split(left, _intact(_take(rows, left), length, changing))
            odd.append(damaged)
            checked = True
        matching, left = _split(left, template.matches(_take(rows, left), changing))
        if len(matching):
            found.append(template.decode(_take(rows, matching), matching))
    return found, np.concatenate([*odd, left])


def _changing_bits(rows: Words) -> Words:
    """The bits in which not all rows (n, words) are equal: shape (words,)."""
    count, words = rows.shape
    block = 64 if count >= 64 else 1  # many rows taken as one are several times faster to reduce than narrow ones
    whole = count // block * block
    wide, rest = rows[:whole].reshape(-1, block * words), rows[whole:]
    ones = np.concatenate([np.bitwise_or.reduce(wide, axis=0).reshape(block, words), rest])
    both = np.concatenate([np.bitwise_and.reduce(wide, axis=0).reshape(block, words), rest])
    return np.asarray(np.bitwise_or.reduce(ones, axis=0) ^ np.bitwise_and.reduce(both, axis=0))


def _intact(rows: Words, length: int, changing: Words) -> Flags:
    """Which rows have the CRC that is stored behind their payload: shape (n,).

    Bytes that are equal in all rows are summed up once; each of the others adds what it contributes.
    """
    octets = _octets(rows)
    columns = np.flatnonzero(changing.view(np.uint8)[:length])
    constant = octets[0, :length].copy()
    constant[columns] = 0
    crc = np.full(len(rows), crc32c.crc32c(constant.tobytes()), np.uint32)
    for column in columns.tolist():
        crc ^= crc32c.contribution(length - 1 - column).take(octets[:, column])
    return np.asarray(crc32c.mask_array(crc) == _column(rows, length, "<u4"))


def _template(payload: bytes, any_tag: bool) -> Template | None:
    try:
        return Template.of(payload, parse_event(payload), any_tag)
    except MalformedError:
        return None


def _split(places: Ints, flags: Flags) -> tuple[Ints, Ints]:
    """The places with the flag and those without."""
    return (places, places[:0]) if flags.all() else (places[flags], places[~flags])


def _take(rows: Words, places: Ints) -> Words:
    """The rows at ascending places, without a copy where these are all of them."""
    return rows if len(places) == len(rows) else rows.take(places, axis=0)


def _octets(rows: Words) -> Bytes:
    return rows.view(np.uint8)


def _column(rows: Words, start: int, form: str) -> npt.NDArray[np.generic]:
    """The numbers at byte `start` of each row, whatever their alignment: shape (n,)."""
    return _octets(rows)[:, start : start + np.dtype(form).itemsize].view(form)[:, 0]
