"""Rows read from a text log, sorted by what their lines mean: as they come, then as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from logdoctor_parsers.contract import Floats, Ints
from logdoctor_parsers.readings import Reading
from logdoctor_parsers.shapes import number, numbers

_PER_LINE = ("line", "epoch", "count", "wall_time", "rank")
Labels = Sequence[tuple[int, str]]  # lines at which a counter is named, and its value
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


@dataclass(frozen=True)
class Columns:
    """Lines of one reading, shape (n,) each; NaN (rank: -1) where a line says nothing.

    `values` by a number's place in the line. `bar`: printed by a progress bar.
    """

    reading: Reading
    bar: bool
    line: Ints
    epoch: Floats
    count: Floats
    wall_time: Floats
    rank: Ints
    values: Mapping[int, Floats]

    def __len__(self) -> int:
        return len(self.line)

    def numbers(self, index: int) -> Floats:
        """The numbers at `index` of each line; NaN for index -1."""
        return np.full(len(self), np.nan) if index < 0 else self.values[index]

    def take(self, index: Ints) -> Columns:
        """These rows, in this order."""
        values = {place: column[index] for place, column in self.values.items()}
        columns: dict[str, Any] = {name: getattr(self, name)[index] for name in _PER_LINE}
        return replace(self, values=values, **columns)

    def followed_by(self, *others: Columns) -> Columns:
        """The rows of several in file order, under the reading of the first."""
        parts = (self, *others)
        if len(parts) == 1:
            return self
        columns: dict[str, Any] = {n: np.concatenate([getattr(part, n) for part in parts]) for n in _PER_LINE}
        values = {place: np.concatenate([part.values[place] for part in parts]) for place in self.values}
        joined = replace(self, values=values, **columns)
        in_order = bool(np.all(joined.line[1:] >= joined.line[:-1]))
        return joined if in_order else joined.take(np.argsort(joined.line, kind="stable"))

    @property
    def trains(self) -> bool:
        """Whether its lines tell a train loss."""
        return len(self) > 0 and any("loss" in f.metric and f.split not in ("val", "test") for f in self.reading.fields)

    @property
    def evaluates(self) -> bool:
        """Whether its lines speak of validation or test data."""
        return self.reading.evaluates

    @property
    def stands(self) -> bool:
        """Whether its lines make a curve: they say where they stand, or some of them tell a loss or a split."""
        if self.reading.counted or not (np.isnan(self.epoch).all() and np.isnan(self.count).all()):
            return True
        return len(self) >= MIN_REPEATS and any(
            "loss" in f.metric or f.metric == "reward" or f.split for f in self.reading.fields
        )


@dataclass
class Track:
    """All lines of one reading: `rows` read one by one, `blocks` read at once.

    `bar`: printed by a progress bar. `last`: the numbers of the last line. `reached`: the furthest an evaluation came.
    """

    reading: Reading
    bar: bool
    rows: list[Row] = field(default_factory=list)
    blocks: list[Columns] = field(default_factory=list)
    last: Sequence[str] = ()
    reached: float = -1.0

    @property
    def evaluates(self) -> bool:
        """Whether its lines speak of validation or test data."""
        return self.reading.evaluates

    def append(self, row: Row) -> None:
        """Add one row."""
        self.rows.append(row)
        self.last = row.numbers

    def append_block(self, block: Columns, last: Sequence[str]) -> None:
        """Add the rows of a block, whose last line has the numbers `last`."""
        self.blocks.append(block)
        self.last = last

    def columns(self) -> Columns:
        """All rows in file order."""
        singly = Columns(
            self.reading,
            self.bar,
            np.array([row.line for row in self.rows], np.int64),
            _counters([row.epoch for row in self.rows]),
            _counters([row.iteration for row in self.rows]),
            np.array([row.wall_time for row in self.rows], np.float64),
            np.array([row.rank for row in self.rows], np.int64),
            {place: np.array(numbers([row.numbers[place] for row in self.rows])) for place in self.reading.places},
        )
        return singly.followed_by(*self.blocks)


def _counters(texts: Sequence[str]) -> Floats:
    """Numbers of counters; they repeat, so each text is converted once."""
    value = {text: number(text) if text else np.nan for text in set(texts)}
    return np.array([value[text] for text in texts], np.float64)


def tell_training(tracks: Sequence[Columns]) -> bool:
    """Whether some lines tell a metric of the vocabulary or count epochs: simulations and servers count steps too."""
    return any(len(track) and (track.reading.known or not np.isnan(track.epoch).all()) for track in tracks)


def without_other_ranks(tracks: Sequence[Columns]) -> tuple[list[Columns], int]:
    """Of lines that several ranks print those of the lowest, and how many others there were."""
    kept = []
    for track in tracks:
        ranks = np.unique(track.rank)
        several = len(ranks) > 1 and ranks[0] >= 0
        kept.append(track.take(np.flatnonzero(track.rank == ranks[0])) if several else track)
    return kept, sum(map(len, tracks)) - sum(map(len, kept))


def labelled_backwards(track: Columns, epochs: Labels, counts: Labels) -> Columns:
    """Where the epoch or the step is named behind its values (`Loss: 0.5`, then `Epoch: 3`), each row with the label it
    awaits.

    So it is where values stand before the first label and none behind the last. A single epoch named among them says
    nothing of the rows around it, unless it is the first.
    """
    if track.reading.epoch < 0 and _is_lone(epochs) and len(track) and np.isnan(track.epoch[0]):
        return replace(track, epoch=np.full(len(track), np.nan))
    if track.reading.epoch < 0 and _await(track, track.epoch, epochs):
        return replace(track, epoch=_awaited(track, epochs))
    if not track.reading.iterates and _await(track, track.count, counts):
        awaited = _awaited(track, counts)
        if 2 * len(np.unique(awaited)) > len(track):  # each record has its own
            return replace(track, count=awaited)
    return track


def _is_lone(labels: Labels) -> bool:
    """Whether a later epoch than the first is the only one named."""
    return len(labels) == 1 and number(labels[0][1]) > 1


def _await(track: Columns, told: Floats, labels: Labels) -> bool:
    return len(labels) > 1 and len(track) > 0 and bool(np.isnan(told[0])) and bool(track.line[-1] < labels[-1][0])


def _awaited(track: Columns, labels: Labels) -> Floats:
    """The label behind each row."""
    places = np.searchsorted([line for line, _ in labels], track.line, side="right")
    return _counters([label for _, label in labels])[places]


def unified(tracks: Sequence[Columns]) -> list[Columns]:
    """The tracks; lines printed before the log first names a split go on in what it then calls training."""
    training = {(track.reading, track.bar): track for track in tracks if track.reading.role == "train" and len(track)}
    for track in tracks:
        key = (track.reading.with_split("train"), track.bar)
        if not track.reading.role and key in training:
            training[key] = training[key].followed_by(track)
    return [
        training.get((track.reading, track.bar), track)
        for track in tracks
        if track.reading.role or (track.reading.with_split("train"), track.bar) not in training
    ]


def without_repeated_rates(tracks: Sequence[Columns]) -> list[Columns]:
    """The tracks; lines of an evaluation do not count the rate once more that training's own lines tell."""
    told = {
        f.tag
        for track in tracks
        if len(track) and not track.evaluates
        for f in track.reading.fields
        if f.metric == "lr"
    }
    return [_without_rates(track, told) if track.evaluates else track for track in tracks]


def _without_rates(track: Columns, told: set[str]) -> Columns:
    fields = tuple(f for f in track.reading.fields if f.metric != "lr" or f.tag not in told)
    return replace(track, reading=replace(track.reading, fields=fields))
