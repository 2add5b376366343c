"""Rows of named numbers, as CSV files and JSON lines hold them: what a file says, key by key.

Sparse rows are normal: a key has entries only in the rows that name it. `record_table` makes the table of them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Floats, Ints

MISSING = {"", "na", "n/a", "none", "null", "-", "--"}
_SPECIAL = {"-nan": np.nan, "nan(ind)": np.nan, "-nan(ind)": np.nan, "1.#inf": np.inf, "-1.#inf": -np.inf,
            "1.#qnan": np.nan, "-1.#ind": np.nan, "1.#ind": np.nan}  # fmt: skip
_WRAPPED = re.compile(
    r"^(?:tensor|np\.float\d+|array)?[(\[]+\s*([^\s,()\[\]]+)\s*(?:,\s*(?:device|dtype|grad_fn)=[^)]*)?[)\]]+$"
)


def number(text: str) -> float | None:
    """The float64 a cell says (NaN, ±inf, `12.5%` → 12.5, `tensor(0.5)` → 0.5), or None where it is no number."""
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        pass
    text = text.strip()
    if (special := _SPECIAL.get(text.lower())) is not None:
        return special
    if text.endswith("%"):
        return number(text[:-1])
    wrapped = _WRAPPED.match(text)
    return number(wrapped[1]) if wrapped else None


@dataclass(frozen=True)
class Column:
    """The entries of one key: row index, number and physical line of each, shape (n,)."""

    row: Ints
    value: Floats
    line: Ints

    def take(self, kept: npt.NDArray[np.bool_] | Ints) -> Column:
        """Fewer of the entries (mask or indices)."""
        return Column(self.row[kept], self.value[kept], self.line[kept])


_Part = tuple[Ints, Floats, Ints | None]  # row, number, and line where it is not the row's own


class Records:
    """Collects rows of (key, number) and (key, text); rows and keys stay in file order."""

    def __init__(self) -> None:
        self.lines: array[int] = array("q")
        self.texts: dict[str, dict[int, str]] = {}
        self._entries: dict[str, array[float]] = {}  # row, number, line; row, number, line; …
        self._columns: dict[str, list[_Part]] = {}  # numbers of many rows at once, of keys that have entries too

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def keys(self) -> list[str]:
        """Keys with at least one number."""
        return list(self._entries)

    def begin(self, line: int) -> int:
        """Start a row that stands at `line`; returns its index."""
        self.lines.append(line)
        return len(self.lines) - 1

    def begin_many(self, lines: Ints) -> int:
        """Start rows that stand at `lines`; returns the index of the first."""
        self.lines.frombytes(lines.tobytes())
        return len(self.lines) - len(lines)

    def put(self, key: str, value: float, line: int | None = None, row: int = -1) -> None:
        """A number of a row (-1: the current one); `line` where it does not stand at the row's own line."""
        row = len(self.lines) - 1 if row < 0 else row
        entry = (row, value, self.lines[row] if line is None else line)
        if key in self._entries:
            self._entries[key].extend(entry)
        else:
            self._entries[key] = array("d", entry)

    def put_column(self, key: str, row: Ints, value: Floats, line: Ints | None = None) -> None:
        """The numbers of many rows, shape (n,) each; `line` where they do not stand at the rows' own lines."""
        self._entries.setdefault(key, array("d"))
        self._columns.setdefault(key, []).append((row, value, line))

    def put_text(self, key: str, text: str, row: int = -1) -> None:
        """A text of a row (-1: the current one): a role, a time stamp, a name."""
        self.texts.setdefault(key, {})[len(self.lines) - 1 if row < 0 else row] = text

    def put_texts(self, key: str, row: Ints, texts: Iterable[str]) -> None:
        """A text of each of many rows."""
        self.texts.setdefault(key, {}).update(zip(row.tolist(), texts, strict=False))

    def put_sum(self, key: str, parts: list[str]) -> None:
        """A key that adds up others, in the rows that have them all, at the line of the last."""
        last, complete = self.column(parts[-1]), np.ones(len(self), np.bool_)
        for part in parts:
            complete &= self._named(part)
        kept = last.take(complete[last.row])
        total = np.sum([self.dense(part)[kept.row] for part in parts], axis=0)
        self.drop(key)
        self.put_column(key, kept.row, total, kept.line)

    def drop(self, key: str) -> None:
        """Forget a key."""
        self._entries.pop(key, None)
        self._columns.pop(key, None)

    def rename(self, key: str, name: str) -> None:
        """Call a key something else."""
        self._entries[name] = self._entries.pop(key)
        self._columns[name] = self._columns.pop(key, [])

    def spread(self, key: str, names: Mapping[int, str]) -> None:
        """Divide the numbers of a key over the names their rows give them; rows without a name are left out."""
        column = self.column(key)
        self.drop(key)
        codes: dict[str | None, int] = {None: 0}
        told = (codes.setdefault(names.get(row), len(codes)) for row in column.row.tolist())
        code = np.fromiter(told, np.int64, len(column.row))
        together = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code, minlength=len(codes)))[:-1])
        for name, rows in zip(codes, together, strict=True):
            if name is not None:
                part = column.take(rows)
                self.put_column(name, part.row, part.value, part.line)

    def column(self, key: str) -> Column:
        """All numbers of a key, by row."""
        parts = self._columns.get(key, [])
        if entries := self._entries[key]:
            row, value, line = np.array(entries, np.float64).reshape(-1, 3).T
            parts = [(row.astype(np.int64), value.copy(), line.astype(np.int64)), *parts]  # mostly the first rows
            self._entries[key] = array("d")
        rows, values, own = parts[0] if len(parts) == 1 else _joined(parts, np.array(self.lines))
        column = Column(rows, values, np.array(self.lines)[rows] if own is None else own)
        self._columns[key] = [(rows, values, column.line)]
        return column

    def dense(self, key: str) -> Floats:
        """One number a row, shape (rows,), NaN where the row does not name the key."""
        if key not in self._entries:
            return np.full(len(self), np.nan)
        column = self.column(key)
        out = np.full(len(self), np.nan)
        out[column.row] = column.value
        return out

    def _named(self, key: str) -> npt.NDArray[np.bool_]:
        """Whether each row names a key, shape (rows,)."""
        named = np.zeros(len(self), np.bool_)
        named[self.column(key).row] = True
        return named


def _joined(parts: Sequence[_Part], lines: Ints) -> _Part:
    """Entries of several, ordered by row; those of one row as they come. `lines`: where each row stands."""
    row, value = np.concatenate([row for row, _, _ in parts]), np.concatenate([value for _, value, _ in parts])
    own = all(line is None for _, _, line in parts)
    line = None if own else np.concatenate([lines[row] if line is None else line for row, _, line in parts])
    if np.all(row[1:] >= row[:-1]):
        return row, value, line
    place = np.full(len(lines), -1)
    place[row] = np.arange(len(row))
    order = place[place >= 0]
    if len(order) < len(row):  # a row that names the key twice
        order = np.argsort(row, kind="stable")
    return row[order], value[order], None if line is None else line[order]
