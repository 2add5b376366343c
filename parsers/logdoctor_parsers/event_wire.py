"""The wire format of protocol buffers: a message as fields, each a number, a wire type and its content.

Reference: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class MalformedError(ValueError):
    """The bytes are no such message."""


class Field(NamedTuple):
    """A field of a message: where its content stands; `value` holds varints."""

    number: int
    wire: int
    start: int
    end: int
    value: int


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the message in `data[start:end]`. Errors: MalformedError where it is cut off or no message."""
    end = len(data) if end is None else end
    while start < end:
        key, start = read_varint(data, start, end)
        number, wire, value = key >> 3, key & 7, 0
        if wire == VARINT:
            value, stop = read_varint(data, start, end)
        elif wire == BYTES:
            size, start = read_varint(data, start, end)
            stop = start + size
        elif wire in (FIXED64, FIXED32):
            stop = start + (8 if wire == FIXED64 else 4)
        else:
            raise MalformedError(f"wire type {wire}")
        if number == 0 or stop > end:
            raise MalformedError("field out of bounds")
        yield Field(number, wire, start, stop, value)
        start = stop


def read_varint(data: bytes, start: int, end: int) -> tuple[int, int]:
    """An unsigned varint at `start` and the place behind it. Errors: MalformedError."""
    if start < end and data[start] < 0x80:  # by far the most
        return data[start], start + 1
    result = shift = 0
    while start < end and shift < 70:
        byte = data[start]
        start += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & (1 << 64) - 1, start
        shift += 7
    raise MalformedError("varint")


def signed(value: int) -> int:
    """A varint read as int64."""
    return value - (1 << 64) if value >> 63 else value
