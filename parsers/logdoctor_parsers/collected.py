"""Rows read from a text log, sorted by what their lines mean; columns are lists, for logs have millions of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from logdoctor_parsers.readings import Reading

MIN_REPEATS = 3  # lines of one shape that make a curve where the log gives no counter at all


class Row(NamedTuple):
    """One data line: where it stands, and its numbers as texts.

    `iteration` is its own count or the one announced before; `rank` printed it (-1: not said).
    """

    line: int
    epoch: str
    iteration: str
    wall_time: float
    numbers: Sequence[str]
    rank: int = -1


@dataclass
class Track:
    """All lines of one reading, a list for each column of `Row`.

    `bar`: printed by a progress bar. `reached`: the furthest an evaluation came.
    """

    reading: Reading
    bar: bool
    lines: list[int] = field(default_factory=list)
    epochs: list[str] = field(default_factory=list)
    iterations: list[str] = field(default_factory=list)
    wall_times: list[float] = field(default_factory=list)
    numbers: list[Sequence[str]] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    reached: float = -1.0

    def __len__(self) -> int:
        return len(self.lines)

    def append(self, row: Row) -> None:
        """Add one row."""
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def extend(self, rows: Track) -> None:
        """Add the rows of another track."""
        for column, values in zip(self._columns, rows._columns, strict=True):
            column.extend(values)

    def keep(self, order: Sequence[int]) -> None:
        """Keep the rows with these indexes, in this order."""
        for column in self._columns:
            column[:] = [column[i] for i in order]

    @property
    def _columns(self) -> tuple[list[Any], ...]:
        return self.lines, self.epochs, self.iterations, self.wall_times, self.numbers, self.ranks

    @property
    def trains(self) -> bool:
        """Whether its lines tell a train loss."""
        return bool(self.lines) and any(
            "loss" in f.metric and f.split not in ("val", "test") for f in self.reading.fields
        )

    @property
    def evaluates(self) -> bool:
        """Whether its lines speak of validation or test data."""
        return self.reading.evaluates

    @property
    def stands(self) -> bool:
        """Whether its lines make a curve: they say where they stand, or some of them tell a loss or a split."""
        if self.reading.counted or any(self.epochs) or any(self.iterations):
            return True
        return len(self) >= MIN_REPEATS and any("loss" in f.metric or f.split for f in self.reading.fields)


def tell_training(tracks: Sequence[Track]) -> bool:
    """Whether some lines tell a metric of the vocabulary or count epochs: simulations and servers count steps too."""
    return any(len(track) and (track.reading.known or any(track.epochs)) for track in tracks)


def drop_other_ranks(tracks: Sequence[Track]) -> int:
    """Of lines that several ranks print keep those of the lowest; returns how many others were dropped."""
    dropped = 0
    for track in tracks:
        ranks = set(track.ranks)
        if len(ranks) > 1 and -1 not in ranks:
            kept = [i for i, rank in enumerate(track.ranks) if rank == min(ranks)]
            dropped += len(track) - len(kept)
            track.keep(kept)
    return dropped


def label_backwards(track: Track, labels: Sequence[tuple[int, str]]) -> None:
    """Where the epoch is named behind its values (`Loss: 0.5`, then `Epoch: 3`), let each row take the label it awaits.

    So it is where values stand before the first label and none behind the last.
    """
    ahead = track.reading.epoch < 0 and len(labels) > 1 and len(track) and not track.epochs[0]
    if not ahead or track.lines[-1] >= labels[-1][0]:
        return
    places = np.searchsorted([line for line, _ in labels], track.lines, side="right")
    track.epochs = [labels[place][1] for place in places.tolist()]


def unified(tracks: Sequence[Track]) -> list[Track]:
    """The tracks; lines printed before the log first names a split go on in what it then calls training."""
    training = {(track.reading, track.bar): track for track in tracks if track.reading.role == "train"}
    kept = []
    for track in tracks:
        twin = None if track.reading.role else training.get((track.reading.with_split("train"), track.bar))
        if twin is None or not len(twin):
            kept.append(track)
        else:
            twin.extend(track)
            twin.keep(np.argsort(twin.lines, kind="stable").tolist())
    return kept


def without_repeated_rates(tracks: Sequence[Track]) -> list[Track]:
    """The tracks; lines of an evaluation do not count the rate once more that training's own lines tell."""
    told = {
        f.tag
        for track in tracks
        if len(track) and not track.evaluates
        for f in track.reading.fields
        if f.metric == "lr"
    }
    for track in tracks:
        if track.evaluates:
            fields = tuple(f for f in track.reading.fields if f.metric != "lr" or f.tag not in told)
            track.reading = replace(track.reading, fields=fields)
    return list(tracks)
