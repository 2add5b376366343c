"""JSON documents read part by part: where each part stands, and what is still readable of a document cut off."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: where one comes twice, damage has made one object of two."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


_DECODER = json.JSONDecoder()
_ROW_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
_MOST_TRIED = 64 << 20
_DEEP = 1 << 16  # characters that a value is reckoned to cost which is nested too deeply
_SPACE = " \t\r\n"
_LINE_END = re.compile("\n")


@dataclass(frozen=True)
class Part:
    """A member of an object or an element (`key` empty) of an array: its value and its place `text[start:end]`.

    `cut`: the text ends, or is damaged, inside the value, which is then None.
    """

    key: str
    value: Any
    start: int
    end: int
    cut: bool = False


def read_parts(text: str, start: int) -> tuple[list[Part], bool]:
    """The parts of the object or array that opens at `text[start]`, and whether it is complete."""
    closer = "}" if text[start] == "{" else "]"
    parts: list[Part] = []
    at = _skip(text, start + 1)
    while at < len(text) and text[at] != closer:
        key = ""
        if closer == "}":
            key, at = _read_key(text, at)
            if at < 0:
                return parts, False
        part, at = _read_value(text, key, at)
        parts.append(part)
        if part.cut or text[at] not in f",{closer}":
            return parts, False
        at = _skip(text, at + 1) if text[at] == "," else at
    return parts, at < len(text)


def read_rows(text: str, start: int) -> tuple[list[Part], bool]:
    """The parts of the array that opens at `text[start]`, and whether it closes.

    Behind damage it goes on with the next object that has a key of those before; what lies between is one `cut` part.
    """
    parts: list[Part] = []
    keys: set[str] = set()
    tried = 0  # characters read in vain, so that time stays bounded
    at = _skip(text, start + 1)
    while at < len(text) and text[at] != "]":
        part, after = _read_value(text, "", at, _ROW_DECODER)
        if part.cut or text[after] not in ",]":
            found, cost = _next_object(text, at + 1, keys, _MOST_TRIED + 8 * len(text) - tried)
            tried += cost
            part, after = Part("", None, at, found, cut=True), found
        elif isinstance(part.value, dict):
            keys |= part.value.keys()
        parts.append(part)
        at = _skip(text, after + 1) if text[after : after + 1] == "," else after
    return parts, at < len(text)


def _next_object(text: str, start: int, keys: set[str], most: int) -> tuple[int, int]:
    """Where the next whole element of an array of objects begins (the end, if none does), and how much was tried."""
    tried, at = 0, text.find("{", start)
    while at >= 0 and tried < most:
        try:
            value, end = _ROW_DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            tried += error.pos - at + 1
        except (ValueError, RecursionError):
            tried += _DEEP
        else:
            tried += end - at
            if text.startswith((",", "]"), _skip(text, end)) and (not keys or keys & value.keys()):
                return at, tried
        at = text.find("{", at + 1)
    return len(text), tried


def _read_key(text: str, at: int) -> tuple[str, int]:
    """A member's name and where its value begins (-1: damaged)."""
    try:
        key, at = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return "", -1
    at = _skip(text, at)
    if not isinstance(key, str) or text[at : at + 1] != ":":
        return "", -1
    at = _skip(text, at + 1)
    return (key, at) if at < len(text) else ("", -1)


def _read_value(text: str, key: str, start: int, decoder: json.JSONDecoder = _DECODER) -> tuple[Part, int]:
    """The value at `start`, and where the text goes on; a number at the very end may lack digits: cut."""
    try:
        value, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return Part(key, None, start, len(text), cut=True), len(text)
    after = _skip(text, end)
    if after >= len(text):
        return Part(key, None, start, len(text), cut=True), len(text)
    return Part(key, value, start, end), after


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


class LineIndex:
    """Line numbers (from 1) of offsets in a text."""

    def __init__(self, text: str) -> None:
        self._ends = [found.start() for found in _LINE_END.finditer(text)]

    def line(self, offset: int) -> int:
        return bisect_right(self._ends, offset - 1) + 1

    def damage(self, text: str, part: Part) -> str:
        """The words for a part that cannot be read: its size and its lines."""
        size = len(text[part.start : part.end].encode("utf-8", "surrogatepass"))
        first, last = self.line(part.start), self.line(max(part.start, part.end - 1))
        return f"{size} bytes (lines {first} to {last}) are damaged or cut off: left out"

    @property
    def last(self) -> int:
        return len(self._ends) + 1


def key_offset(text: str, part: Part, key: str) -> int:
    """Where a member of a record begins (the record's own start if it is not found, e.g. for nested keys)."""
    found = text.find(f'"{key}"', part.start, part.end)
    return part.start if found < 0 else found
