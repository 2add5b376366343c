"""Hyperparameters as TensorBoard's hparams plugin stores them in a summary's metadata.

Field numbers are those of tensorboard/plugins/hparams/plugin_data.proto and google/protobuf/struct.proto.
"""

from __future__ import annotations

import struct

from logdoctor_parsers.event_wire import BYTES, Field, MalformedError, fields

Hparam = int | float | str | bool


def session_hparams(content: bytes) -> dict[str, Hparam]:
    """The hyperparameters in HParamsPluginData.session_start_info, as a map of google.protobuf.Value."""
    found: dict[str, Hparam] = {}
    try:
        for info in fields(content):
            if (info.number, info.wire) == (3, BYTES):
                for entry in fields(content, info.start, info.end):
                    found |= _hparam(content, entry) if (entry.number, entry.wire) == (1, BYTES) else {}
    except MalformedError:
        return {}  # metadata that cannot be read is no reason to lose the event
    return found


def _hparam(content: bytes, entry: Field) -> dict[str, Hparam]:
    """One entry of the map, empty if its value is no number, string or boolean."""
    parts = {item.number: item for item in fields(content, entry.start, entry.end) if item.wire == BYTES}
    if 1 not in parts or 2 not in parts:
        return {}
    key = content[parts[1].start : parts[1].end].decode("utf-8", "backslashreplace")
    for item in fields(content, parts[2].start, parts[2].end):
        match item.number, item.wire:
            case 2, 1:
                number = float(struct.unpack_from("<d", content, item.start)[0])
                return {key: int(number) if number.is_integer() else number}  # the message knows doubles only
            case 3, 2:
                return {key: content[item.start : item.end].decode("utf-8", "backslashreplace")}
            case 4, 0:
                return {key: bool(item.value)}
    return {}
