"""Writes event files for tests, byte by byte, with a CRC-32C that shares no code with the reader."""

from __future__ import annotations

import struct
from collections.abc import Iterable

VERSION = b"brain.Event:2"


def _after_byte(register: int) -> int:
    for _ in range(8):
        register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register


_REGISTERS = [_after_byte(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _REGISTERS[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def header(length: int) -> bytes:
    """An intact header, whatever follows it."""
    size = struct.pack("<Q", length)
    return size + masked(size)


def record(payload: bytes) -> bytes:
    return header(len(payload)) + payload + masked(payload)


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


def integer(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def nested(number: int, content: bytes) -> bytes:
    """A length-delimited field: bytes, a string or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def float32(number: int, value: float) -> bytes:
    return varint(number << 3 | 5) + struct.pack("<f", value)


def float64(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def event(content: bytes = b"", *, step: int | None = None, wall_time: float | None = 1.7e9) -> bytes:
    """The payload of a record; `content` are further fields."""
    time = b"" if wall_time is None else float64(1, wall_time)
    return time + (b"" if step is None else integer(2, step)) + content


def version() -> bytes:
    return record(event(nested(3, VERSION)))


def summary(*values: bytes) -> bytes:
    return nested(5, b"".join(nested(1, value) for value in values))


def simple(tag: str | bytes, value: float) -> bytes:
    """A TF1 scalar."""
    return nested(1, tag if isinstance(tag, bytes) else tag.encode()) + float32(2, value)


def metadata(plugin: str, content: bytes = b"") -> bytes:
    return nested(9, nested(1, nested(1, plugin.encode()) + (nested(2, content) if content else b"")))


def tensor(tag: str, dtype: int, content: bytes, *, shape: Iterable[int] = (), plugin: str = "scalars") -> bytes:
    """A TF2 value; `content` are the fields of TensorProto that hold the numbers."""
    dimensions = b"".join(nested(2, integer(1, size)) for size in shape)
    proto = integer(1, dtype) + nested(2, dimensions) + content
    return nested(1, tag.encode()) + nested(8, proto) + (metadata(plugin) if plugin else b"")


def scalars(tag: str, values: Iterable[float], *, first_step: int = 0, seconds: float = 1.0) -> list[bytes]:
    """One record a value, at consecutive steps."""
    return [
        record(event(summary(simple(tag, value)), step=step or None, wall_time=1.7e9 + seconds * step))
        for step, value in enumerate(values, first_step)
    ]
