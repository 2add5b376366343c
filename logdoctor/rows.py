"""The numbers of one or several files in the order they were written: what runs are cut and stitched from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from logdoctor_parsers import Series, Table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.signedinteger[Any]]

_FEW = 256  # rows, among which all series are met as a rule


@dataclass(frozen=True)
class Rows:
    """One row a number, arrays of one length in writing order; columns as in `logdoctor_parsers.Table`.

    `source` numbers the files, `attempt` the starts of the run. `series` names what `code` indexes.
    """

    series: tuple[Series, ...]
    code: Codes
    step: Floats
    epoch: Floats
    batch: Floats
    batches: Floats
    wall_time: Floats
    value: Floats
    line: Ints
    source: Ints
    attempt: Ints

    def __len__(self) -> int:
        return len(self.value)

    def take(self, rows: Mask | Ints) -> Rows:
        """The chosen rows (mask or indices, shape (k,))."""
        arrays = {f.name: _taken(getattr(self, f.name), rows) for f in fields(self) if f.name != "series"}
        return Rows(self.series, **arrays)

    @cached_property
    def order(self) -> Ints:
        """The indices of all rows, series after series, in writing order within each; shape (n,)."""
        narrow = self.code.astype(np.uint16) if len(self.series) < 1 << 16 else self.code  # a radix sort for 16 bits
        return np.asarray(np.argsort(narrow, kind="stable"))

    @cached_property
    def bounds(self) -> Ints:
        """Where in `order` each series begins, and its end: shape (number of series + 1,)."""
        counts = np.bincount(self.code, minlength=len(self.series))
        return np.concatenate(([0], np.cumsum(counts)))

    @cached_property
    def labels(self) -> Floats:
        """Epoch as the log counts it, with the fraction inside the epoch where a batch is given; NaN where unknown."""
        if not any_known(self.batch):
            return self.epoch
        with np.errstate(invalid="ignore", divide="ignore"):
            fraction = self.batch / batches_in_epoch(self)
        fraction[np.isnan(fraction)] = 0.0
        return np.asarray(np.clip(fraction, 0.0, 1.0, out=fraction) + self.epoch)

    def by_series(self) -> list[Ints]:
        """For each series the indices of its rows, in writing order."""
        return [self.order[low:high] for low, high in pairwise(self.bounds.tolist())]

    def ends(self) -> tuple[Ints, Ints]:
        """The first and the last row of each series, -1 where there is none: shape (number of series,) each."""
        first, last = np.full((2, len(self.series)), -1)
        for count in (min(_FEW, len(self)), len(self)):  # of several rows assigned to a series the last one counts
            first[self.code[:count][::-1]] = np.arange(count)[::-1]
            last[self.code[len(self) - count :]] = np.arange(len(self) - count, len(self))
            if min(first.min(), last.min()) >= 0:
                break
        return first, last


@dataclass(frozen=True)
class RunRows:
    """The numbers of one run; `sources` are the files that `rows.source` indexes."""

    name: str
    rows: Rows
    sources: tuple[str, ...]


def from_table(table: Table, source: int = 0) -> Rows:
    """The rows of one file."""
    n = len(table)
    return Rows(
        table.series, table.code, table.step, table.epoch, table.batch, table.batches, table.wall_time,
        table.value, table.line, constant(source, n), constant(0, n),
    )  # fmt: skip


def constant(value: int, n: int) -> Ints:
    """The same number n times, in no memory; read-only."""
    return np.ndarray((n,), np.int64, np.int64(value).tobytes(), strides=(0,))


def ascends(column: Floats) -> bool:
    """Whether no number is below the one before; not where one of them is NaN."""
    return bool((column[1:] >= column[:-1]).all())


def any_known(column: Floats) -> bool:
    """Whether any number of a column is finite; a column that repeats one number is asked once."""
    return bool(np.isfinite(column[:1] if column.strides == (0,) else column).any())


def _taken(column: npt.NDArray[Any], rows: Mask | Ints) -> npt.NDArray[Any]:
    if column.strides == (0,) and len(column):
        count = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
        return np.broadcast_to(column[0], count)
    return column[rows]


def concat(parts: Sequence[Rows]) -> Rows:
    """Rows of several files one after the other; equal series share a code."""
    if len(parts) == 1:
        return parts[0]
    codes: dict[Series, int] = {}
    maps = [np.array([codes.setdefault(s, len(codes)) for s in part.series], np.int32) for part in parts]
    moved = [replace(part, code=to[part.code]) if len(part) else part for part, to in zip(parts, maps, strict=True)]
    arrays = {
        f.name: np.concatenate([getattr(part, f.name) for part in moved]) for f in fields(Rows) if f.name != "series"
    }
    return Rows(tuple(codes), **arrays)


def batches_in_epoch(rows: Rows) -> Floats:
    """Batches in each row's epoch: as logged, else the largest batch number seen plus half a logging interval."""
    if not (np.isfinite(rows.batch) & ~np.isfinite(rows.batches)).any():
        return rows.batches
    seen = np.unique(rows.batch[np.isfinite(rows.batch) & ~np.isfinite(rows.batches)])
    guess = float(seen[-1] + np.median(np.diff(seen)) / 2) if len(seen) > 1 else np.nan
    return np.where(np.isfinite(rows.batches), rows.batches, guess)
