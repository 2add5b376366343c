"""The text outputs in a notebook's JSON: those of a whole document, and what can be read of a damaged one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from logdoctor_parsers.json_stream import LineIndex

_OPENED = re.compile(r'"([^"\\]+)": \[(\])?,?$')  # a string of an array has its quotes escaped
_SINGLE = re.compile(r'"(?:text|text/plain)": (".*),?$')
_STRUCTURE = re.compile(r'"[^"\\]+": .*|[][{}]+,?$|$')
_LOGGED = ("text", "text/plain")
_ARRAYS = (*_LOGGED, "source", "traceback", "cells", "outputs", "tags")  # in a notebook as Jupyter writes it
_UNIT = re.compile(r'^( +)"cells": \[$', re.MULTILINE)  # the indentation of one level
_LEVELS_OF_OUTPUT = (6, 7)  # at which the strings of outputs stand, and of no source: cells[{outputs[{text[
_DAMAGED = "damaged: no string of a notebook's output can be read here"
_NO_USE = "an output or a source: the line that says which is damaged; left out"


@dataclass(frozen=True)
class Output:
    """The text a cell printed and, for each of its lines, the line of the notebook file."""

    text: str
    lines: list[int]


def outputs(text: str, cells: list[Any]) -> Iterator[Output]:
    """One text a cell, in file order."""
    index, behind, line = LineIndex(text), 0, 1
    for cell in cells:
        parts: list[str] = []
        numbers: list[int] = []
        for piece, last in _pieces(cell):
            written = _as_written(text, piece, behind)
            if (found := text.find(written, behind)) >= 0:
                behind, line = found + len(written), index.line(found)
            parts.append(piece if last else _ended(piece))
            numbers.extend([line] * parts[-1].count("\n"))
        if parts:
            yield Output("".join(parts), [*numbers, line])


def _pieces(cell: Any) -> Iterator[tuple[str, bool]]:
    """The strings of a cell's stream outputs and plain-text results, and whether each is the last of its array."""
    for output in cell.get("outputs", []) if isinstance(cell, dict) else []:
        text = output.get("text") or (output.get("data") or {}).get("text/plain") or []
        pieces = [text] if isinstance(text, str) else [piece for piece in text if isinstance(piece, str)]
        yield from ((piece, number == len(pieces)) for number, piece in enumerate(pieces, 1))


def _as_written(text: str, piece: str, position: int) -> str:
    """A string as it stands in the file: non-ASCII characters plain (as Jupyter writes) or escaped."""
    plain = json.dumps(piece, ensure_ascii=False)
    return plain if piece.isascii() or text.find(plain, position) >= 0 else json.dumps(piece)


@dataclass
class _Salvage:
    """Reads a notebook's lines as Jupyter writes them, one string a line. `use`: the key whose strings follow.

    `unit`: the spaces of one level of indentation, 0 where nothing says so.
    """

    unit: int
    found: list[Output] = field(default_factory=list)
    lost: list[tuple[int, str]] = field(default_factory=list)
    use: str = "?"
    _pieces: list[str] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)

    def read(self, number: int, raw: str) -> None:
        line = raw.strip()
        if (opened := _OPENED.search(line)) is not None:
            # else an array opens inside another, or its name is damaged
            trusted = opened[1] in _LOGGED or (self.use in ("", "?") and opened[1] in _ARRAYS)
            self.close("" if opened[2] else opened[1] if trusted else "?")
        elif (single := _SINGLE.match(line)) is not None and (piece := _string(single[1])) is not None:
            self.close(_LOGGED[0])
            self._take(number, piece)
            self.close("")
        elif (piece := _string(line)) is not None:
            if self.use in ("", "?") and len(raw) - len(raw.lstrip(" ")) in self._deep:
                self.close(_LOGGED[0])
            self._take(number, piece)
        elif _STRUCTURE.match(line):
            self.close("")
        else:
            self.lost.append((number, _DAMAGED))
            self.use = self.use if self.use in _LOGGED else "?"

    @property
    def _deep(self) -> tuple[int, ...]:
        return tuple(self.unit * level for level in _LEVELS_OF_OUTPUT) if self.unit else ()

    def _take(self, number: int, piece: str) -> None:
        if self.use in ("", "?"):
            self.lost.append((number, _NO_USE))
        elif self.use in _LOGGED:
            self._pieces.append(_ended(piece))
            self._lines += [number] * max(1, piece.count("\n"))

    def close(self, use: str) -> None:
        """An array ends; what follows belongs to the key `use`."""
        if self._pieces:
            self.found.append(Output("".join(self._pieces), [*self._lines, self._lines[-1]]))
        self.use, self._pieces, self._lines = use, [], []


def left_outputs(text: str) -> tuple[list[Output], list[tuple[int, str]]]:
    """What is left of the outputs of a damaged notebook, and the lines that cannot be read."""
    unit = _UNIT.search(text)
    salvage = _Salvage(len(unit[1]) if unit else 0)
    for number, line in enumerate(text.split("\n"), 1):
        salvage.read(number, line)
    salvage.close("")
    return salvage.found, salvage.lost


def _ended(piece: str) -> str:
    """A string within an array is a whole line, though damage may have taken its end."""
    return piece if piece.endswith("\n") else f"{piece}\n"


def _string(line: str) -> str | None:
    """The string that is all of a line, but for a comma."""
    if not line.startswith('"'):
        return None
    try:
        found = json.loads(line.removesuffix(","))
    except ValueError:
        return None
    return found if isinstance(found, str) else None
