"""Builds the table of a file: number by number, array by array, or many series at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.contract import Floats, Ints, Series, Table
from logdoctor_parsers.names import canonical

_Number = TypeVar("_Number", np.float64, np.int64)
COUNTERS = ("step", "epoch", "batch", "batches", "wall_time")


@dataclass(frozen=True)
class _Lines:
    """Lines with a number of each of k series: `codes` (k,) or, of k = 1, (n, 1); `values` (n, k); `line` (n,).

    `counters`, by name: (n,), or without a shape where all say the same.
    """

    codes: npt.NDArray[np.int32]
    values: Floats
    line: Ints
    counters: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.values)


class TableBuilder:
    """Collects numbers row by row or array by array and builds a `Table`."""

    def __init__(self) -> None:
        self._codes: dict[Series, int] = {}
        self._by_tag: dict[tuple[str, str | None, str | None], int] = {}
        self._rows: list[tuple[float, ...]] = []
        self._blocks: list[_Lines] = []

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
        told = {name: _told(np.asarray(counters.pop(name, np.nan), np.float64)) for name in COUNTERS}
        if counters:
            raise TypeError(f"no such counter: {', '.join(counters)}")
        lines = np.broadcast_to(np.asarray(line).astype(np.int64, copy=False), len(values))
        self._blocks.append(_Lines(np.array(codes, np.int32), values, lines, told))

    def _flush(self) -> None:
        if self._rows:
            code, *counters, value, line = np.array(self._rows, np.float64).T
            told = dict(zip(COUNTERS, counters, strict=True))
            codes = code.astype(np.int32)[:, None]
            self._blocks.append(_Lines(codes, value[:, None], line.astype(np.int64), told))
            self._rows = []

    def build(self, *, sort: bool = True) -> Table:
        """The table, in file order (stable by line) unless `sort` is false."""
        self._flush()
        line = np.concatenate([np.empty(0, np.int64), *(block.line for block in self._blocks)])
        order = np.argsort(line, kind="stable") if sort and np.any(line[1:] < line[:-1]) else None
        series = np.repeat([block.values.shape[1] for block in self._blocks], list(map(len, self._blocks)))
        series = _ordered(series.astype(np.int64), order)  # numbers on each line
        step, epoch, batch, batches, wall_time = (
            _repeated(_ordered(self._column(name), order), series) for name in COUNTERS
        )
        code, value = np.empty(int(series.sum()), np.int32), np.empty(int(series.sum()))
        self._place(code, value, np.cumsum(series) - series, order)
        line = _repeated(_ordered(line, order), series)
        return Table(tuple(self._codes), code, step, epoch, batch, batches, wall_time, value, line)

    def _place(self, code: npt.NDArray[np.int32], value: Floats, first: Ints, order: Ints | None) -> None:
        """Put codes and values where they stand in the table; `first`: the row at which each line, ordered, begins."""
        if order is not None:
            at = np.empty(len(order), np.int64)
            at[order] = first
            first = at
        done = 0
        for block in self._blocks:
            lines, series = block.values.shape
            mine = first[done : done + lines]
            done += lines
            if order is None:
                rows = slice(int(mine[0]), int(mine[0]) + lines * series) if lines else slice(0, 0)
                code[rows].reshape(lines, series)[:] = block.codes
                value[rows].reshape(lines, series)[:] = block.values
                continue
            for number in range(series):
                code[mine + number] = block.codes[..., number]
                value[mine + number] = block.values[:, number]

    def _column(self, name: str) -> Floats:
        """A counter of all lines; where all say the same single thing, that in no memory (read-only)."""
        parts = [(len(block), block.counters[name]) for block in self._blocks]
        constant = [float(part) for _, part in parts if part.ndim == 0]
        if len(constant) == len(parts) and (np.isnan(constant).all() or len(set(constant)) == 1):
            found = _without_infinities(np.float64(constant[0] if constant else np.nan))
            return np.broadcast_to(found, sum(count for count, _ in parts))
        return _without_infinities(np.concatenate([np.broadcast_to(part, count) for count, part in parts]))


def _repeated(column: npt.NDArray[_Number], times: Ints) -> npt.NDArray[_Number]:
    """Each element so many times in a row; one that stands for all in no memory."""
    if column.strides == (0,) and len(column):
        return np.broadcast_to(column[0], int(times.sum()))
    return column if len(times) == 0 or times.max() == 1 == times.min() else np.repeat(column, times)


def _ordered(column: npt.NDArray[_Number], order: Ints | None) -> npt.NDArray[_Number]:
    return column if order is None or column.strides == (0,) else column[order]


def _told(counter: Floats) -> Floats:
    """A column that says the same in each line, as that alone."""
    if counter.ndim == 0 or not len(counter):
        return counter
    first = counter[0]
    same = np.isnan(counter).all() if np.isnan(first) else (counter == first).all()
    return np.asarray(first) if same else counter


def _without_infinities(counter: npt.ArrayLike) -> Floats:
    """A step of 1e999 is none."""
    infinite = np.isinf(counter)
    return np.where(infinite, np.nan, counter) if infinite.any() else np.asarray(counter, np.float64)
