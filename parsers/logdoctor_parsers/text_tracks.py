"""The rows read from a text log by what their lines mean; of an evaluation or a bar the last line counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from logdoctor_parsers.collected import Row, Track
from logdoctor_parsers.contract import Problem
from logdoctor_parsers.known_shapes import KnownReadings
from logdoctor_parsers.readings import AVERAGE, Reading
from logdoctor_parsers.shapes import number
from logdoctor_parsers.text_context import Context

WHOLE = 0.9  # of the furthest an evaluation came: one that stops before was cut off


class Tracks:
    """A track for each reading; `pending`: the last line of the evaluation or the bar under way."""

    def __init__(self, readings: KnownReadings, context: Context) -> None:
        self._readings, self._context = readings, context
        self._tracks: dict[tuple[int, bool], Track] = {}
        self.pending: tuple[Track, Row] | None = None

    def of(self, reading: Reading, *, bar: bool) -> Track:
        """The track of a reading, made on first use."""
        key = (id(reading), bar)
        found = self._tracks.get(key)
        if found is None:
            found = self._tracks[key] = Track(reading, bar)
        return found

    def all(self) -> list[Track]:
        """In the order in which they began."""
        return list(self._tracks.values())

    def progress(self, track: Track, row: Row) -> None:
        """One of many lines of an evaluation or a bar: the last one counts."""
        if self.pending is not None:
            before, last = self.pending
            if before is not track or _begins_anew(track, row, last):
                self.end_evaluation()
        self.pending = (track, row)

    def end_evaluation(self, following: Reading | None = None) -> None:
        """Keep its last line: averages rather than values of the last batch, nothing that `following` sums up."""
        if self.pending is None:
            return
        (track, row), self.pending = self.pending, None
        fields = track.reading.fields
        if track.evaluates:
            summarised = {f.metric for f in following.fields} if following and following.evaluates else set()
            track.reached = max(track.reached, number(row.numbers[track.reading.count]))
            averaged = {f.tag.removesuffix(AVERAGE) for f in fields if f.tag.endswith(AVERAGE)}
            fields = tuple(f for f in fields if f.metric not in summarised and f.tag not in averaged)
        if fields:
            own = -1 if track.evaluates and not track.bar else track.reading.count  # of the evaluation, not of training
            reading = replace(track.reading, fields=fields, count=own, total=-1 if own < 0 else track.reading.total)
            count = row.iteration if own >= 0 else "" if self._context.epoch else self._context.count
            self.of(self._readings.same(reading), bar=track.bar).append(row._replace(iteration=count))

    def finish(self) -> list[Problem]:
        """End the evaluation under way, or leave it out where the log ends inside it."""
        problems = []
        if self.pending is not None:
            track, row = self.pending
            if track.evaluates and number(row.numbers[track.reading.count]) < WHOLE * track.reached:
                message = "the log ends inside an evaluation: its running values are left out"
                problems.append(Problem(row.line, message))
                self.pending = None
        self.end_evaluation()
        return problems

    def ends_short(self, number_of: int, printed: str) -> bool:
        """Whether a last number is printed shorter than ever before at the end of lines with so many numbers."""
        lasts: list[Sequence[str]] = [track.last for track in self.all() if track.last]
        before = [last[-1] for last in lasts if len(last) == number_of]
        return bool(before) and _extent(printed) < min(map(_extent, before))


def _begins_anew(track: Track, row: Row, last: Row) -> bool:
    """Whether a line's counter does not go on from that of the line before (a bar shows its last state twice)."""
    index = track.reading.count
    done, reached = number(row.numbers[index]), number(last.numbers[index])
    again = track.bar and done == reached and row.epoch == last.epoch
    return done <= reached and not again


def _extent(printed: str) -> tuple[int, int]:
    """How far a number is printed: decimals, else digits. `10.0951` is cut beside `5.70706`, though not shorter."""
    decimals = len(printed.partition(".")[2])
    return decimals, 0 if decimals else len(printed)
