"""Tables printed with one header row: skorch, fastai, flair, YOLO and whatever looks like them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from logdoctor_parsers.keys import Kind, kind_of

MIN_COLUMNS = 3
_NAME = re.compile(r"[#*]?[A-Za-z_#][\w@/.\-%()+# ]{0,40}$")
_CELL = re.compile(
    r"[*]?([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf))(?:/(\d+))?([A-Za-z%]*)\*?$", re.IGNORECASE
)
_WORD = re.compile(r"\S+")


class Cell(NamedTuple):
    """One number of a row: its column, text, and the total where it stands as `3/20`."""

    column: int
    value: str
    total: str


@dataclass(frozen=True)
class Header:
    """A table's column names.

    `edges`: where each name ends, for tables aligned by blanks (empty: split at `separator`).
    """

    names: tuple[str, ...]
    separator: str
    edges: tuple[int, ...] = ()

    def row(self, line: str) -> list[Cell]:
        """The numbers of a row; empty where the line is no row of this table."""
        cells = self._cells(line)
        found = []
        for column, text in cells:
            match = _CELL.match(text)
            if match and not (
                match[3] and match[3] != "%" and not match[2] and kind_of(self.names[column]) is Kind.METRIC
            ):
                found.append(Cell(column, match[1], match[2] or ""))
            elif text and text[0].isalpha() and kind_of(self.names[column]) in (Kind.EPOCH, Kind.COUNTER, Kind.METRIC):
                return []
        if len(found) < 2 or (self.classes and not line.lstrip().startswith("all ")):
            return []
        return found if self.classes or any(cell.column == self.position for cell in found) else []

    @property
    def classes(self) -> bool:
        """Whether rows are classes, as in YOLO's evaluation; only the row of all classes counts."""
        return self.names[0].lower() == "class"

    @property
    def position(self) -> int:
        """The column that counts epochs, else the one that counts iterations."""
        kinds = [kind_of(name) for name in self.names]
        return kinds.index(Kind.EPOCH) if Kind.EPOCH in kinds else kinds.index(Kind.COUNTER)

    def _cells(self, line: str) -> list[tuple[int, str]]:
        if self.separator:
            texts = [text.strip() for text in line.strip("|" if self.separator == "|" else "\n").split(self.separator)]
            return list(enumerate(texts)) if len(texts) == len(self.names) else []
        found = list(_WORD.finditer(line))
        if len(found) == len(self.names):
            return [(column, match[0]) for column, match in enumerate(found)]
        texts = [text for match in found for text in _unglued(match[0])]
        if len(texts) == len(self.names):
            return list(enumerate(texts))
        if not MIN_COLUMNS <= len(found) < len(self.names):
            return []
        return [(self._nearest(match.end()), match[0]) for match in found]

    def _nearest(self, edge: int) -> int:
        """The column whose name ends nearest to `edge`: tables align to the right and leave cells empty."""
        return min(range(len(self.edges)), key=lambda column: abs(self.edges[column] - edge))


def _unglued(text: str) -> list[str]:
    """Numbers that outgrew their columns and touch, all with as many decimals: `11373.5978190.933333`."""
    decimals = len(text) - text.rfind(".") - 1
    if text.count(".") < 2 or not decimals:
        return [text]
    parts = re.findall(rf"-?\d+\.\d{{{decimals}}}", text)
    return parts if "".join(parts) == text else [text]


def header_of(line: str) -> Header | None:
    """The header a line may be: names only, one of which counts epochs or iterations, and a metric."""
    if len(line) > 1000 or ":" in line or "=" in line:
        return None
    separator = "\t" if "\t" in line.strip() else "|" if line.count("|") >= MIN_COLUMNS - 1 else ""
    if separator:
        names = [name.strip() for name in line.strip("|" if separator == "|" else "").split(separator)]
        edges: list[int] = []
    else:
        found = list(_WORD.finditer(line))
        names, edges = [match[0] for match in found], [match.end() for match in found]
    if len(names) < MIN_COLUMNS or not all(_NAME.match(name) for name in names):
        return None
    kinds = [kind_of(name) for name in names]
    positions = [i for i, kind in enumerate(kinds) if kind in (Kind.EPOCH, Kind.COUNTER)]
    if names[0].lower() == "class" and Kind.METRIC in kinds:
        return Header(tuple(names), separator, tuple(edges))
    if not positions or positions[0] > 2 or not _tells(kinds, names, bool(separator)):
        return None
    return Header(tuple(names), separator, tuple(edges))


def _tells(kinds: list[Kind], names: list[str], separated: bool) -> bool:
    """Whether the names are those of a table, not of a sentence."""
    if separated:
        return Kind.METRIC in kinds
    plain = sum(
        kind in (Kind.METRIC, Kind.EPOCH, Kind.COUNTER, Kind.SIDE) or "_" in name
        for kind, name in zip(kinds, names, strict=True)
    )
    return plain >= len(names) - 3 and plain >= 2
