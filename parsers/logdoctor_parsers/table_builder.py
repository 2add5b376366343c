"""Builds the table of a file: number by number, array by array, or many series at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Floats, Ints, Series, Table
from logdoctor_parsers.names import canonical

_Column = npt.NDArray[Any]
COUNTERS = ("step", "epoch", "batch", "batches", "wall_time")
_CODE, _VALUE, _LINE = 0, 6, 7  # places in a row; the counters stand between


class TableBuilder:
    """Collects numbers row by row or array by array and builds a `Table`."""

    def __init__(self) -> None:
        self._codes: dict[Series, int] = {}
        self._by_tag: dict[tuple[str, str | None, str | None], int] = {}
        self._rows: list[tuple[float, ...]] = []
        self._blocks: list[tuple[int, tuple[_Column, ...]]] = []  # rows, and the columns as arrays of them or of one

    def code(self, tag: str, metric: str | None = None, split: str | None = None) -> int:
        """The index of a series, made on first use; `metric` and `split` come from the vocabulary unless given."""
        key = (tag, metric, split)
        found = self._by_tag.get(key)
        if found is None:
            tag = tag.encode("utf-8", "backslashreplace").decode()  # JSON can name surrogates that no file can hold
            name = canonical(tag)
            series = Series(tag, name.metric if metric is None else metric, name.split if split is None else split)
            found = self._by_tag[key] = self._codes.setdefault(series, len(self._codes))
        return found

    def add(
        self,
        tag: str,
        value: float,
        line: int,
        *,
        step: float = np.nan,
        epoch: float = np.nan,
        batch: float = np.nan,
        batches: float = np.nan,
        wall_time: float = np.nan,
        metric: str | None = None,
        split: str | None = None,
    ) -> None:
        """Append one number."""
        self._rows.append((self.code(tag, metric, split), step, epoch, batch, batches, wall_time, value, line))

    def extend(
        self,
        tag: str,
        value: npt.ArrayLike,
        line: npt.ArrayLike,
        *,
        metric: str | None = None,
        split: str | None = None,
        **counters: npt.ArrayLike,
    ) -> None:
        """Append whole arrays of one series (shape (n,), or scalars that hold for all); `counters` as in `add`."""
        self.extend_rows([self.code(tag, metric, split)], np.asarray(value, np.float64)[:, None], line, **counters)

    def extend_rows(self, codes: Sequence[int], values: Floats, line: npt.ArrayLike, **counters: npt.ArrayLike) -> None:
        """Append lines that hold a number of each series in `codes`: `values` (n, series), the rest (n,) or scalars."""
        self._flush()
        lines, series = values.shape
        told = [_told(np.asarray(counters.pop(name, np.nan), np.float64)) for name in COUNTERS]
        if counters:
            raise TypeError(f"no such counter: {', '.join(counters)}")
        rows = [_repeated(column, series) for column in (*told, np.asarray(line))]
        code = np.int32(codes[0]) if series == 1 else np.tile(np.array(codes, np.int32), lines)
        self._blocks.append((lines * series, (np.asarray(code), *rows[:-1], values.reshape(-1), rows[-1])))

    def _flush(self) -> None:
        if self._rows:
            self._blocks.append((len(self._rows), tuple(np.array(self._rows, np.float64).T)))
            self._rows = []

    def build(self, *, sort: bool = True) -> Table:
        """The table, in file order (stable by line) unless `sort` is false."""
        self._flush()
        line: Ints = self._column(_LINE).astype(np.int64, copy=False)
        order = np.argsort(line, kind="stable") if sort and np.any(line[1:] < line[:-1]) else None
        code, *counters, value = (_ordered(self._column(number), order) for number in range(_LINE))
        step, epoch, batch, batches, wall_time = map(_without_infinities, counters)
        line = _ordered(line, order)
        codes = code.astype(np.int32, copy=False)
        return Table(tuple(self._codes), codes, step, epoch, batch, batches, wall_time, value, line)

    def _column(self, number: int) -> _Column:
        """One column of all blocks; where all say the same single thing, that in no memory (read-only)."""
        parts = [(count, columns[number]) for count, columns in self._blocks]
        constant = [float(part) for _, part in parts if part.ndim == 0]
        if len(constant) == len(parts) and (np.isnan(constant).all() or len(set(constant)) == 1):
            return np.broadcast_to(np.float64(constant[0] if constant else np.nan), sum(count for count, _ in parts))
        return np.concatenate([np.broadcast_to(part, count) for count, part in parts])


def _repeated(column: _Column, times: int) -> _Column:
    """Each element so many times in a row; one that holds for all as it is."""
    return column if column.ndim == 0 or times == 1 else np.repeat(column, times)


def _ordered(column: _Column, order: Ints | None) -> _Column:
    return column if order is None or column.strides == (0,) else column[order]


def _told(counter: Floats) -> Floats:
    """A column that says the same in each line, as that alone."""
    if counter.ndim == 0 or not len(counter):
        return counter
    first = counter[0]
    same = np.isnan(counter).all() if np.isnan(first) else (counter == first).all()
    return np.asarray(first) if same else counter


def _without_infinities(counter: Floats) -> Floats:
    """A step of 1e999 is none."""
    if counter.strides == (0,) and len(counter):
        return np.broadcast_to(np.nan, len(counter)) if np.isinf(counter[0]) else counter
    infinite = np.isinf(counter)
    return np.where(infinite, np.nan, counter) if infinite.any() else counter
