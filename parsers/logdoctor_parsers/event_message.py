"""The messages in event files: one `Event` at a time, as far as it concerns numbers.

Field numbers are those of tensorflow/core/util/event.proto and framework/summary.proto. Unknown fields are stepped
over, as the wire format asks.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field

from logdoctor_parsers.event_hparams import Hparam, session_hparams
from logdoctor_parsers.event_tensor import scalar_tensor
from logdoctor_parsers.event_wire import BYTES, FIXED32, VARINT, Field, MalformedError, fields, signed

SUMMARY, VALUE = 5, 1  # the fields that lead from an event to its values
SESSION_START = 1

_SCALAR, _TENSOR = "scalar", "tensor"
_EVENT_KINDS = {4: "graph", 6: "log message", 8: "run metadata", 9: "graph"}
_VALUE_KINDS = {3: "histogram", 4: "image", 5: "histogram", 6: "audio"}
_BULK = {*_EVENT_KINDS.values(), *_VALUE_KINDS.values(), _TENSOR}


@dataclass(frozen=True)
class Scalar:
    """One number under the tag that stands at `tag_span`.

    `form` is the number's numpy format at byte `start`; empty if it is a varint or needs converting.
    """

    tag: bytes
    tag_span: tuple[int, int]
    value: float
    start: int
    form: str
    is_tensor: bool


@dataclass
class Event:
    """What one event holds; offsets count from its first byte.

    `plugins` maps tags to the plugin their metadata names, `kinds` counts what is in the event (`scalar`, `image`, …),
    `not_numbers` are tags that claim to be scalars without holding one number, `unread` are spans not looked into.
    """

    wall_time: float = float("nan")
    wall_time_start: int | None = None
    step: int = 0
    step_span: tuple[int, int] | None = None
    file_version: str = ""
    session_status: int = 0
    scalars: list[Scalar] = field(default_factory=list)
    not_numbers: list[bytes] = field(default_factory=list)
    plugins: dict[bytes, bytes] = field(default_factory=dict)
    hparams: dict[str, Hparam] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    unread: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_bulk(self) -> bool:
        """Whether all of it is known to be something that no table or report shows: images, histograms, graphs."""
        return bool(self.kinds) and self.kinds.keys() <= _BULK and not self.not_numbers and not self.hparams


def parse_event(data: bytes) -> Event:
    """The event in `data`. Errors: MalformedError."""
    event = Event()
    for item in fields(data):
        match item.number, item.wire:
            case 1, 1:
                (event.wall_time,) = struct.unpack_from("<d", data, item.start)
                event.wall_time_start = item.start
            case 2, 0:
                event.step, event.step_span = signed(item.value), (item.start, item.end)
            case 3, 2:
                event.file_version = data[item.start : item.end].decode("utf-8", "replace")
            case 5, 2:
                for inner in fields(data, item.start, item.end):
                    if (inner.number, inner.wire) == (VALUE, BYTES):
                        _add_value(event, data, inner)
            case 7, 2:
                event.session_status = _session_status(data, item)
                event.kinds["session log"] += 1
            case ((4 | 6 | 8 | 9), 2):
                event.kinds[_EVENT_KINDS[item.number]] += 1
                event.unread.append((item.start, item.end))
    return event


def _session_status(data: bytes, item: Field) -> int:
    """SessionLog.status; some writers put something else into this field, which says nothing then."""
    try:
        return next((inner.value for inner in fields(data, item.start, item.end) if inner[:2] == (1, VARINT)), 0)
    except MalformedError:
        return 0


def _add_value(event: Event, data: bytes, item: Field) -> None:
    """One Summary.Value: the last of its alternatives counts, as in any oneof."""
    tag_span, plugin = (0, 0), b""
    chosen: Field | None = None
    for inner in fields(data, item.start, item.end):
        if (inner.number, inner.wire) == (1, BYTES):
            tag_span = (inner.start, inner.end)
        elif (inner.number, inner.wire) == (9, BYTES):
            plugin = _add_metadata(event, data, inner)
        elif inner.number in (2, 3, 4, 5, 6, 8):
            chosen = inner
    tag = data[slice(*tag_span)]
    if plugin:
        event.plugins[tag] = plugin
    found: tuple[float, int, str] | None = None
    kind = _VALUE_KINDS.get(chosen.number, "") if chosen else ""
    if chosen and (chosen.number, chosen.wire) == (2, FIXED32):
        found = struct.unpack_from("<f", data, chosen.start)[0], chosen.start, "<f4"
    elif chosen and (chosen.number, chosen.wire) == (8, BYTES):
        kind = _TENSOR
        found = scalar_tensor(data, chosen) if plugin in (b"", b"scalars") else None
        if found is None and plugin == b"scalars":
            event.not_numbers.append(tag)
    elif chosen and kind and chosen.wire == BYTES:
        event.unread.append((chosen.start, chosen.end))
    if found:
        event.scalars.append(Scalar(tag, tag_span, *found, is_tensor=kind == _TENSOR))
    event.kinds[_SCALAR if found else kind or "other"] += 1


def _add_metadata(event: Event, data: bytes, metadata: Field) -> bytes:
    """The name of the plugin in SummaryMetadata.plugin_data."""
    name = content = b""
    for item in fields(data, metadata.start, metadata.end):
        if (item.number, item.wire) == (1, BYTES):
            for inner in fields(data, item.start, item.end):
                if (inner.number, inner.wire) == (1, BYTES):
                    name = data[inner.start : inner.end]
                elif (inner.number, inner.wire) == (2, BYTES):
                    content = data[inner.start : inner.end]
    if name == b"hparams":
        event.hparams |= session_hparams(content)
    return name
