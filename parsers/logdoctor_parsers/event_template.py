"""The layout of an event: what is constant in all records of its kind, and where their numbers stand.

Most records of an event file differ in wall time, step and value alone. One of them is parsed in full; another one that
agrees with it in every other byte has its numbers in the same places.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.event_columns import Bytes, Numbers, column, word_at
from logdoctor_parsers.event_message import Event, Scalar, parse_event
from logdoctor_parsers.event_wire import MalformedError, signed

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Tag = tuple[bytes, bool]  # a tag, and whether it is a tensor's

_MOST_KEPT = 64  # templates of one length
_HEAD = 512  # bytes of a bulk event before its content


@dataclass(frozen=True)
class Template:
    """The layout of an event of `length` bytes.

    `constant` and `mask` are its bytes as one little-endian number, the latter all ones where it is the former.
    `any_tag`: the tag's bytes are not compared.
    """

    length: int
    constant: int
    mask: int
    wall_time_start: int
    step_span: tuple[int, int] | None
    scalars: tuple[Scalar, ...]
    any_tag: bool

    @classmethod
    def of(cls, payload: bytes, event: Event, any_tag: bool = False) -> Template | None:
        """The template of an event; None where its layout says nothing of other rows (numbers of varying width)."""
        if event.wall_time_start is None or not (event.is_bulk or _is_numbers(event)):
            return None
        mask = bytearray(b"\xff" * len(payload))
        mask[event.wall_time_start : event.wall_time_start + 8] = bytes(8)
        if event.step_span:  # how many bytes the step takes is part of the layout
            mask[slice(*event.step_span)] = b"\x80" * (event.step_span[1] - event.step_span[0])
        spans = [(scalar.start, scalar.start + np.dtype(scalar.form).itemsize) for scalar in event.scalars]
        for low, high in [*spans, *event.unread]:
            mask[low:high] = bytes(high - low)
        any_tag = any_tag and len(event.scalars) == 1
        if any_tag:
            low, high = event.scalars[0].tag_span
            mask[low:high] = bytes(high - low)
        bits = int.from_bytes(mask, "little")
        places = (event.wall_time_start, event.step_span, tuple(event.scalars))
        return cls(len(payload), int.from_bytes(payload, "little") & bits, bits, *places, any_tag)

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags of its scalars."""
        return tuple((scalar.tag, scalar.is_tensor) for scalar in self.scalars)

    def fits(self, payload: int) -> bool:
        """Whether a payload of this length, as a little-endian number, agrees with the constant part."""
        return payload & self.mask == self.constant

    def covers(self, changing: Bytes) -> bool:
        """Whether the bits that change, shape (length,), are none of the constant part."""
        return not int.from_bytes(changing.tobytes(), "little") & self.mask

    def matches(self, rows: Words, changing: Words) -> Flags:
        """Which rows (n, words) agree with the constant part: shape (n,).

        The `changing` bits (words,) are compared: in the others one row that fits speaks for all.
        """
        if self.covers(changing.view(np.uint8)):
            return np.ones(len(rows), np.bool_)
        width = 8 * rows.shape[1]
        mask = np.frombuffer(self.mask.to_bytes(width, "little"), "<u8")
        constant = np.frombuffer(self.constant.to_bytes(width, "little"), "<u8")
        difference = np.zeros(len(rows), np.uint64)
        for word in np.flatnonzero(mask & changing).tolist():
            difference |= (rows[:, word] & mask[word]) ^ constant[word]
        return np.asarray(difference == 0)

    def numbers(self, rows: Bytes, changing: Bytes) -> tuple[Numbers, Numbers, tuple[Numbers, ...]]:
        """Step, wall time and values of rows (n, `length` bytes or more) that match; the values may be views."""
        values = tuple(column(rows, scalar.start, scalar.form) for scalar in self.scalars)
        wall_time = np.ascontiguousarray(column(rows, self.wall_time_start, "<f8"))  # else copied slowly, unaligned
        return self._steps(rows, changing), wall_time, values

    def _steps(self, rows: Bytes, changing: Bytes) -> Numbers:
        """The step, a varint of one width in all rows; 0 where the event has none."""
        low, high = self.step_span or (0, 0)
        digits = [at for at in range(low, high) if changing[at]]
        constant = sum((int(rows[0, at]) & 0x7F) << 7 * (at - low) for at in range(low, high) if at not in digits)
        step = np.full(len(rows), signed(constant & (1 << 64) - 1))
        for start in range(low, high, 8):
            if inside := [at for at in digits if start <= at < start + 8]:
                first, octets = word_at(rows, start)
                for at in inside:
                    step |= (octets >> 8 * (at - first) & 0x7F) << 7 * (at - low)
        return step


@dataclass(frozen=True)
class Templates:
    """The templates met so far, by length; a payload is parsed only if none of them fits.

    `bulk` are those of events without a number, with what such an event says.
    """

    known: dict[int, list[Template]] = field(default_factory=dict)
    bulk: dict[int, list[tuple[Template, Event]]] = field(default_factory=dict)

    def of(self, payload: bytes) -> Template | None:
        """The template of a payload; None where it has none."""
        number = int.from_bytes(payload, "little")
        kept = self.known.setdefault(len(payload), [])
        found = next((template for template in kept if template.fits(number)), None)
        if found is None:
            found = template_of(payload)
            if found is not None and len(kept) < _MOST_KEPT:
                kept.append(found)
        return found

    def bulk_event(self, payload: bytes) -> Event | None:
        """What an event says that differs from a bulk event met before in its content, wall time and step alone."""
        head = int.from_bytes(payload[:_HEAD], "little")
        return next((event for template, event in self.bulk.get(len(payload), ()) if template.fits(head)), None)

    def keep_bulk(self, payload: bytes, event: Event) -> None:
        """Remember a bulk event if its head tells all but its content."""
        kept = self.bulk.setdefault(len(payload), [])
        template = Template.of(payload, event)
        if template is not None and template.mask.bit_length() <= 8 * _HEAD and len(kept) < _MOST_KEPT:
            kept.append((template, event))


def _is_numbers(event: Event) -> bool:
    """Whether all of an event is numbers of fixed width."""
    plain = all(plugin == b"scalars" for plugin in event.plugins.values())  # others say more than numbers
    return plain and bool(event.scalars) and all(scalar.form for scalar in event.scalars)


def template_of(payload: bytes, any_tag: bool = False) -> Template | None:
    """The template of a payload, which is parsed for it; None where it has none, or holds no number."""
    try:
        event = parse_event(payload)
    except MalformedError:
        return None
    return Template.of(payload, event, any_tag) if event.scalars else None
