"""The numbers of one or several files in the order they were written: what runs are cut and stitched from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from logdoctor_parsers import COLUMNS, Series, Table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """One row a number, arrays of one length in writing order; columns as in `logdoctor_parsers.Table`.

    `source` numbers the files, `attempt` the starts of the run. `series` names what `code` indexes.
    """

    series: tuple[Series, ...]
    code: Ints
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
        arrays = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "series"}
        return Rows(self.series, **arrays)

    def by_series(self) -> list[Ints]:
        """For each series the indices of its rows, in writing order."""
        order = np.argsort(self.code, kind="stable")
        bounds = np.searchsorted(self.code[order], np.arange(len(self.series) + 1))
        return [order[low:high] for low, high in pairwise(bounds)]


def from_table(table: Table, source: int = 0) -> Rows:
    """The rows of one file."""
    n = len(table)
    return Rows(
        table.series, table.code.astype(np.int64), table.step, table.epoch, table.batch, table.batches, table.wall_time,
        table.value, table.line, np.full(n, source, np.int64), np.zeros(n, np.int64),
    )  # fmt: skip


def concat(parts: Sequence[Rows]) -> Rows:
    """Rows of several files one after the other; equal series share a code."""
    if len(parts) == 1:
        return parts[0]
    codes: dict[Series, int] = {}
    maps = [np.array([codes.setdefault(s, len(codes)) for s in part.series], np.int64) for part in parts]
    moved = [replace(part, code=to[part.code]) if len(part) else part for part, to in zip(parts, maps, strict=True)]
    arrays = {
        f.name: np.concatenate([getattr(part, f.name) for part in moved]) for f in fields(Rows) if f.name != "series"
    }
    return Rows(tuple(codes), **arrays)


def labels(rows: Rows) -> Floats:
    """Epoch as the log counts it, with the fraction inside the epoch where a batch is given; NaN where unknown."""
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.where(np.isfinite(rows.batch), rows.batch / batches_in_epoch(rows), 0.0)
    label: Floats = rows.epoch + np.clip(np.nan_to_num(fraction), 0.0, 1.0)
    return label


def batches_in_epoch(rows: Rows) -> Floats:
    """Batches in each row's epoch: as logged, else the largest batch number seen plus half a logging interval."""
    if not np.isfinite(rows.batch).any():
        return rows.batches
    seen = np.unique(rows.batch[np.isfinite(rows.batch) & ~np.isfinite(rows.batches)])
    guess = float(seen[-1] + np.median(np.diff(seen)) / 2) if len(seen) > 1 else np.nan
    return np.where(np.isfinite(rows.batches), rows.batches, guess)


def to_frame(name: str, rows: Rows, sources: Sequence[str]) -> pd.DataFrame:
    """The common DataFrame of one run (DESIGN section 2: one row a logged number, columns `COLUMNS`)."""
    def category(values: Sequence[str], index: Ints) -> pd.Categorical[str]:
        """The value each row's index points to; equal values of several series are one category."""
        position: dict[str, int] = {}
        code_of = np.array([position.setdefault(text, len(position)) for text in values], np.int64)
        codes = code_of[index] if len(index) else np.empty(0, np.int64)
        return pd.Categorical.from_codes(codes, categories=pd.Index(list(position)))

    return pd.DataFrame(
        {
            "run": category([name], np.zeros(len(rows), np.int64)),
            "attempt": rows.attempt.astype(np.int16),
            "metric": category([s.metric for s in rows.series], rows.code),
            "split": category([s.split for s in rows.series], rows.code),
            "tag": category([s.tag for s in rows.series], rows.code),
            "step": rows.step,
            "epoch": labels(rows),
            "wall_time": rows.wall_time,
            "value": rows.value,
            "source": category(sources, rows.source),
            "line": rows.line,
        },
        columns=list(COLUMNS),
    )
