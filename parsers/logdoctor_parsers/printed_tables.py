"""Tables printed with one header row: skorch, fastai, flair, YOLO and whatever looks like them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from logdoctor_parsers.keys import Kind, is_loss, kind_of, name_of, numbers_counter, of_trade
from logdoctor_parsers.names import SPLITS
from logdoctor_parsers.positions import ROLE

MIN_COLUMNS = 3
_NAME = re.compile(r"[#*]?[A-Za-z_#][\w@/.\-%()+# :]{0,40}$")
_SENTENCE = re.compile(r"=|:(?!\.?\d)")  # `mAP@.5:.95` is a name
_CELL = re.compile(
    r"[*\[]?([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf))(?:/(\d+))?([A-Za-z%]*)[*\]]?$", re.IGNORECASE
)
_WORD = re.compile(r"\S+")
_WIDE_CELL = re.compile(r"\S+(?: \S+)*")  # names of several words, two blanks apart
_CLOCK = re.compile(r"\([hms:]+\)")  # how a column writes its times
_LOSS_PARTS = {"obj", "cls"}  # columns that show a table to be YOLO's
_PARTS = _LOSS_PARTS | {"box", "dfl", "giou", "total"}
_MISSING = ("n/a", "na", "-", "--", "none", "")


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
            elif (
                text
                and text[0].isalpha()
                and column_kind(self.names[column]) in (Kind.EPOCH, Kind.COUNTER, Kind.METRIC)
            ):
                return []
        if len(found) < 2 or (self.classes and not line.lstrip().startswith("all ")):
            return []
        if self.position < 0 and not self.classes:
            return found if len(found) == len(self.names) else []
        return found if self.classes or any(cell.column == self.position for cell in found) else []

    def role(self, line: str) -> str:
        """The split a row is of, where a column of the table names it; empty for others."""
        for column, text in self._cells(line) if self._role_column >= 0 else []:
            if column == self._role_column:
                return SPLITS.get(text.lower(), "")
        return ""

    @cached_property
    def _role_column(self) -> int:
        return next((column for column, name in enumerate(self.names) if name.lower() in ROLE), -1)

    @property
    def classes(self) -> bool:
        """Whether rows are classes, as in YOLO's evaluation; only the row of all classes counts."""
        return self.names[0].lower() == "class"

    def meaning(self, column: int) -> str:
        """A column's name; YOLO's parts of the loss (`box`, `obj`, `cls`, `total`) are called so."""
        name = self.names[column]
        return f"{name}_loss" if name.lower() in _PARTS and _has_loss_parts(self.names) else name

    @property
    def position(self) -> int:
        """The column that counts epochs, else the one that counts iterations; -1 without any."""
        kinds = [column_kind(name) for name in self.names]
        return next((kinds.index(kind) for kind in (Kind.EPOCH, Kind.COUNTER) if kind in kinds), -1)

    def _cells(self, line: str) -> list[tuple[int, str]]:
        if self.separator:
            row = line.strip().strip("|") if self.separator == "|" else line.strip("\n")
            texts = [text.strip() for text in row.split(self.separator)]
            return list(enumerate(texts)) if len(texts) == len(self.names) else []
        found = list(_WORD.finditer(line))
        if len(found) == len(self.names) + 1 and self._indented and found[0].start() == 0 and found[0][0].isdigit():
            del found[0]  # a data frame's index
        if len(found) == len(self.names):
            return [(column, match[0]) for column, match in enumerate(found)]
        texts = [text for match in found for text in _unglued(match[0])]
        if len(texts) == len(self.names):
            return list(enumerate(texts))
        if not MIN_COLUMNS <= len(found) < len(self.names):
            return []
        return [(self._nearest(match.end()), match[0]) for match in found]

    @property
    def _indented(self) -> bool:
        return bool(self.edges) and self.edges[0] > len(self.names[0])

    def _nearest(self, edge: int) -> int:
        """The column whose name ends nearest to `edge`: tables align to the right and leave cells empty."""
        return min(range(len(self.edges)), key=lambda column: abs(self.edges[column] - edge))


@dataclass(frozen=True)
class Matrix:
    """A table whose columns are splits and whose rows are metrics: `Training | Validation`, `loss | 0.40 | 0.50`."""

    splits: tuple[str, ...]

    def row(self, line: str) -> tuple[str, list[Cell]]:
        """The row's metric and its numbers; no numbers where the line is no row of this table."""
        name, *texts = [text.strip() for text in re.split(r"\s*\|\s*|\s{2,}", line.strip().strip("|").strip())]
        if len(texts) != len(self.splits) or kind_of(name) not in (Kind.METRIC, Kind.VALUE):
            return name, []
        cells = [(column, _CELL.match(text)) for column, text in enumerate(texts) if text.lower() not in _MISSING]
        if not all(match is not None for _, match in cells):
            return name, []
        return name, [Cell(column, match[1], "") for column, match in cells if match is not None]


def matrix_of(line: str) -> Matrix | None:
    """The table of splits that a line may begin: nothing but words for different splits."""
    cells = [cell for cell in re.split(r"\s*\|\s*|\s{2,}|\t", line.strip().strip("|").strip()) if cell]
    if cells and cells[0].lower() in ("metric", "metrics", "name"):
        cells = cells[1:]
    splits = [SPLITS.get(cell.lower(), "") for cell in cells]
    return Matrix(tuple(splits)) if len(cells) > 1 and all(splits) and len(set(splits)) == len(cells) else None


def column_kind(name: str) -> Kind:
    """What a column's name says; `#`, `E` and `It` are names of counters only in tables."""
    if name_of(name).metric == "lr":  # `Base Learning Rate`: what changes from row to row is no setting
        return Kind.METRIC
    return {"#": Kind.COUNTER, "e": Kind.EPOCH, "it": Kind.COUNTER, "example counter": Kind.COUNTER}.get(
        name.lower()
    ) or kind_of(name)


def _unglued(text: str) -> list[str]:
    """Numbers that outgrew their columns and touch, all with as many decimals: `11373.5978190.933333`."""
    decimals = len(text) - text.rfind(".") - 1
    if text.count(".") < 2 or not decimals:
        return [text]
    parts = re.findall(rf"-?\d+\.\d{{{decimals}}}", text)
    return parts if "".join(parts) == text else [text]


def header_of(line: str) -> Header | None:
    """The header a line may be: names only, one of which counts epochs or iterations, and a metric."""
    if len(line) > 1000 or _SENTENCE.search(line) is not None:
        return None
    separator = "\t" if "\t" in line.strip() else "|" if line.count("|") >= MIN_COLUMNS - 1 else ""
    if separator:
        names = [name.strip() for name in line.strip().strip("|" if separator == "|" else "").split(separator)]
        return _header(names, separator, [])
    for cell in (_WIDE_CELL, _WORD):
        found = [match for match in cell.finditer(line) if match[0] != "#" or match.start() > _indent(line)]
        if cell is _WIDE_CELL and any(_holds_counter(match[0]) for match in found):
            continue
        if (header := _header([match[0] for match in found], "", [match.end() for match in found])) is not None:
            return header
    return None


def header_in_two_rows(above: str, below: str) -> Header | None:
    """The header two lines may be whose names are divided over them, as MATLAB prints: `Validation` over `Loss`."""
    if "|" not in below:
        return _header_in_two_aligned_rows(above, below)
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in (above, below)]
    if len(rows[0]) != len(rows[1]) or len(rows[0]) < MIN_COLUMNS:
        return None
    return _header([_CLOCK.sub("", f"{upper} {lower}").strip() for upper, lower in zip(*rows, strict=True)], "|", [])


def _header_in_two_aligned_rows(above: str, below: str) -> Header | None:
    """The same without edges between columns, as Vowpal Wabbit prints: `example` over `counter`."""
    upper, lower = above.split(), below.split()
    if len(upper) != len(lower) or len(upper) < MIN_COLUMNS or not all(map(_NAME.match, upper + lower)):
        return None
    names = tuple(f"{first} {second}" for first, second in zip(upper, lower, strict=True))
    kinds = [column_kind(name) for name in names]
    if Kind.METRIC not in kinds or Kind.COUNTER not in kinds or not any(map(is_loss, names)):
        return None
    return Header(names, "", tuple(match.end() for match in _WORD.finditer(below)))


def _has_loss_parts(names: Sequence[str]) -> bool:
    return _LOSS_PARTS.issubset(name.lower() for name in names)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _holds_counter(cell: str) -> bool:
    """Whether a cell of several words has a counter among them: then each word is a name."""
    said = cell.split(" ")
    return (
        not numbers_counter(cell)
        and len(said) > 1
        and any(word.isalpha() and kind_of(word) in (Kind.EPOCH, Kind.COUNTER) for word in said)
    )


def _header(names: list[str], separator: str, edges: list[int]) -> Header | None:
    if len(names) < MIN_COLUMNS or not all(_NAME.match(name) for name in names) or any(map(of_trade, names)):
        return None
    kinds = [column_kind(name) for name in names]
    if _has_loss_parts(names):
        kinds = [Kind.METRIC if name.lower() in _PARTS else kind for name, kind in zip(names, kinds, strict=True)]
    positions = [i for i, kind in enumerate(kinds) if kind in (Kind.EPOCH, Kind.COUNTER)]
    if names[0].lower() == "class" and Kind.METRIC in kinds:
        return Header(tuple(names), separator, tuple(edges))
    if not positions and not separator and _tells_losses_only(names, kinds):
        return Header(tuple(names), "", tuple(edges))
    if not positions or positions[0] > 2 or not _tells(kinds, names, bool(separator)):
        return None
    return Header(tuple(names), separator, tuple(edges))


def _tells_losses_only(names: Sequence[str], kinds: Sequence[Kind]) -> bool:
    """Whether a table without a counter is one of training: `LOSS P R F`."""
    told = all(kind is Kind.METRIC or len(name) == 1 for kind, name in zip(kinds, names, strict=True))
    return told and is_loss(names[0]) and all(name.isalpha() for name in names)


def _tells(kinds: list[Kind], names: list[str], separated: bool) -> bool:
    """Whether the names are those of a table of training, not of a sentence or of a benchmark."""
    counters = [name for name, kind in zip(names, kinds, strict=True) if kind in (Kind.EPOCH, Kind.COUNTER)]
    if all(name.lower().startswith("batch") for name in counters) and not any(is_loss(name) for name in names):
        return False
    wide = any(" " in name for name in names)  # two blanks apart: no sentence
    if separated or (wide and kinds[0] in (Kind.EPOCH, Kind.COUNTER) and any(map(is_loss, names))):
        return Kind.METRIC in kinds
    plain = sum(
        kind in (Kind.METRIC, Kind.EPOCH, Kind.COUNTER, Kind.SIDE) or "_" in name
        for kind, name in zip(kinds, names, strict=True)
    )
    return plain >= len(names) - 3 and plain >= 2
