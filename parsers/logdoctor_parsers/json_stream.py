"""JSON documents read part by part: where each part stands, and what is still readable of a document cut off."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

_DECODER = json.JSONDecoder()
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


def _read_value(text: str, key: str, start: int) -> tuple[Part, int]:
    """The value at `start`, and where the text goes on; a number at the very end may lack digits: cut."""
    try:
        value, end = _DECODER.raw_decode(text, start)
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

    @property
    def last(self) -> int:
        return len(self._ends) + 1


def key_offset(text: str, part: Part, key: str) -> int:
    """Where a member of a record begins (the record's own start if it is not found, e.g. for nested keys)."""
    found = text.find(f'"{key}"', part.start, part.end)
    return part.start if found < 0 else found
