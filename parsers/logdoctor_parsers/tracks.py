"""Rows read from a text log → the common table, whole columns at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.collected import (
    Columns,
    Labels,
    labelled_backwards,
    tell_training,
    unified,
    without_repeated_rates,
)
from logdoctor_parsers.contract import Floats, Ints, Table
from logdoctor_parsers.readings import AVERAGE
from logdoctor_parsers.table_builder import TableBuilder

SUMMARY = " (epoch)"  # what the tag of a value over the whole epoch ends with, where another tells its batches


def table_of(tracks: Sequence[Columns], epochs: Labels, counts: Labels) -> Table:
    """All rows as one table; `epochs` and `counts`: lines at which an epoch or a step is named.

    What progress bars say counts only where no printed line tells the train loss.
    """
    tracks = unified(tracks) if tell_training(tracks) else []
    tracks = [labelled_backwards(track, epochs, counts) for track in tracks]
    if any(track.trains and not track.bar for track in tracks):
        tracks = [track for track in tracks if not track.bar]
    columns = [track for track in without_repeated_rates(tracks) if len(track) and track.stands]
    inner = _counters_within_epochs(columns)
    trained = _Training(_Trained.of(columns, inner, within=True), _Trained.of(columns, inner, within=False))
    finer = _told_by_batch(columns, inner)
    builder = TableBuilder()
    for each in columns:
        _extend(builder, each, inner, trained, finer)
    return builder.build()


def _told_by_batch(columns: Sequence[Columns], inner: set[str]) -> set[str]:
    """The tags of training values that are told several times an epoch."""
    found: set[str] = set()
    for c in columns:
        reading = c.reading
        if reading.count >= 0 and reading.counter in inner and not reading.evaluates and not c.bar:
            epochs = np.unique(c.epoch[np.isfinite(c.epoch)])
            if len(c) >= len(epochs) > 0:
                found.update(f.tag for f in reading.fields)
    return found


def _counters_within_epochs(columns: Sequence[Columns]) -> set[str]:
    """The counters that start anew with each epoch (they count batches); others count over the whole run."""
    seen: dict[str, list[npt.NDArray[np.float64]]] = {}
    sure: set[str] = set()
    for c in columns:
        reading = c.reading
        if reading.count < 0 or reading.evaluates or c.bar:
            continue
        seen.setdefault(reading.counter, []).append(np.stack([c.line, c.epoch, c.count]))
        if reading.in_epoch or (reading.total >= 0 and reading.epoch >= 0):
            sure.add(reading.counter)
    return {counter for counter, parts in seen.items() if _starts_anew(np.concatenate(parts, axis=1), counter in sure)}


def _starts_anew(rows: npt.NDArray[np.float64], otherwise: bool) -> bool:
    """Whether a counter falls back with most new epochs. `rows`: line, epoch, count, shape (3, n)."""
    rows = rows[:, np.isfinite(rows[1])]
    _, epoch, count = rows[:, np.argsort(rows[0], kind="stable")]
    new = np.diff(np.floor(epoch)) > 0
    if not new.any():
        return otherwise and not np.any(epoch % 1)  # a share of an epoch says more than its batch
    moved = np.diff(count)
    return bool(np.mean(moved[new] < 0) > 0.5 or np.all(moved == 0))


@dataclass(frozen=True)
class _Trained:
    """Where training stood at each of its lines, in file order; shape (n,) each. `count`: of batches or of steps."""

    line: Floats
    epoch: Floats
    count: Floats
    total: Floats

    @classmethod
    def of(cls, columns: Sequence[Columns], inner: set[str], *, within: bool) -> _Trained:
        """Collect the lines that count batches inside an epoch (`within`) or steps over the whole run."""
        parts = [
            np.stack([c.line, c.epoch, c.count, c.numbers(c.reading.total)])
            for c in columns
            if c.reading.count >= 0 and not c.evaluates and (c.reading.counter in inner) == within
        ]
        rows = np.concatenate(parts, axis=1) if parts else np.empty((4, 0))
        return cls(*rows[:, np.argsort(rows[0], kind="stable")])

    def inside(self, line: Ints, epoch: Floats) -> tuple[Floats, Floats]:
        """Count and total at lines where an epoch was not over yet: training went on in the same epoch afterwards.

        What follows the last line of training is taken to lie inside its epoch where all before it did.
        """
        if len(self.line) < 2:
            return np.full(len(line), np.nan), np.full(len(line), np.nan)
        following = np.searchsorted(self.line, line)
        after = np.clip(following, 1, len(self.line) - 1)
        before = np.clip(following - 1, 0, len(self.line) - 1)
        within = (self.line[after] > line) & (self.line[before] < line) & (self.count[after] > self.count[before])
        within &= (self.epoch[after] == self.epoch[before]) & (self.epoch[before] == epoch)
        last = (following == len(self.line)) & (self.epoch[before] == epoch)
        if not last.all() and within[~last].all():
            within |= last
        return np.where(within, self.count[before], np.nan), np.where(within, self.total[before], np.nan)


@dataclass(frozen=True)
class _Training:
    """The lines of training that count batches inside epochs, and those that count steps over the whole run."""

    inside: _Trained
    whole: _Trained


def _extend(builder: TableBuilder, columns: Columns, inner: set[str], trained: _Training, finer: set[str]) -> None:
    """Add the rows of one track. A line that closes an epoch does not continue the series (`finer`) of its batches."""
    reading = columns.reading
    if not reading.fields:  # all it told was a repeated rate
        return
    step, batch, batches = _position(columns, inner, trained)
    stepwise = bool(np.all(np.isnan(columns.epoch))) and not reading.evaluates
    closes = reading.count < 0 and bool(np.all(np.isfinite(columns.epoch))) and not reading.evaluates
    codes = []
    for f in reading.fields:
        metric = f"{f.metric}_since_start" if stepwise and f.tag.endswith(AVERAGE) else f.metric
        tag = f.tag + SUMMARY if closes and f.tag in finer and f.split not in ("val", "test") else f.tag
        codes.append(builder.code(tag, metric, f.split))
    values = np.stack([columns.numbers(f.index) for f in reading.fields], axis=1)
    builder.extend_rows(
        codes, values, columns.line,
        step=step, epoch=columns.epoch, batch=batch, batches=batches, wall_time=columns.wall_time,
    )  # fmt: skip


def _position(columns: Columns, inner: set[str], trained: _Training) -> tuple[Floats, Floats, Floats]:
    """Step, batch and batches of a track's rows. An evaluation's own counter is no position in training."""
    reading = columns.reading
    nan = np.full(len(columns.line), np.nan)
    if reading.count >= 0:
        within = reading.in_epoch or reading.counter in inner
    else:  # a count announced by a line before
        within = _starts_anew(np.stack([columns.line, columns.epoch, columns.count]), False)
    step = nan if within else columns.count
    if reading.step >= 0:
        step = columns.numbers(reading.step)
    if not reading.evaluates:
        return step, columns.count if within else nan, columns.numbers(reading.total) if within else nan
    if within or reading.count < 0:
        steps, _ = trained.whole.inside(columns.line, columns.epoch)
        return np.where(np.isnan(step), steps, step), *trained.inside.inside(columns.line, columns.epoch)
    return step, nan, nan
