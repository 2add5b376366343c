"""Large event records, read without their large parts: an image of megabytes may share its event with a number."""

from __future__ import annotations

from logdoctor_parsers.event_message import SUMMARY, VALUE
from logdoctor_parsers.event_wire import MalformedError, read_varint
from logdoctor_parsers.tfrecord import LargeRecord, Source
from logdoctor_parsers.tfrecord_chain import HEADER_BYTES

_WHOLE = 16 * 1024  # no number takes more, metadata included
_HEAD = 20  # two varints


def abridged_event(record: LargeRecord) -> bytes:
    """The event with every part above 16 KiB emptied: the same fields, still a message. Errors: MalformedError."""
    start = record.offset + HEADER_BYTES
    return _abridge(record.source, start, start + record.length, (SUMMARY, VALUE))


def _abridge(source: Source, start: int, end: int, path: tuple[int, ...]) -> bytes:
    """The message between two offsets; `path` are the fields to descend into where they are large."""
    parts: list[bytes] = []
    while start < end:
        head = source.read(start, min(_HEAD, end - start))
        key, content, stop = _extent(head)
        if start + stop > end:
            raise MalformedError("field out of bounds")
        if stop <= _WHOLE:
            parts.append(source.read(start, stop))
        else:
            number = read_varint(key, 0, len(key))[0] >> 3
            inner = _abridge(source, start + content, start + stop, path[1:]) if path[:1] == (number,) else b""
            parts.append(key + _varint(len(inner)) + inner)
        start += stop
    return b"".join(parts)


def _extent(head: bytes) -> tuple[bytes, int, int]:
    """A field's key, and where its content and the next field begin, counted from the field's first byte."""
    key, at = read_varint(head, 0, len(head))
    match key & 7:
        case 0:
            stop = read_varint(head, at, len(head))[1]
        case 1:
            stop = at + 8
        case 5:
            stop = at + 4
        case 2:
            size, content = read_varint(head, at, len(head))
            return head[:at], content, content + size
        case _:
            raise MalformedError(f"wire type {key & 7}")
    return head[:at], at, stop


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])
