"""Runs of lines of one shape: read with one pattern for prefix and values, without working out each line anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from logdoctor_parsers.prefix import PREFIX, posix, rank_of
from logdoctor_parsers.readings import Reading
from logdoctor_parsers.text import TextLines

CHUNK = 4096  # lines read at once
DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class LineFormat:
    """The whole format of a line, prefix and all; the groups of `regex` are its numbers.

    `date` and `clock`: where they stand in the line; both empty where it has none.
    """

    regex: re.Pattern[str]
    date: slice
    clock: slice

    def wall_times(self, lines: Sequence[str]) -> list[float]:
        """POSIX seconds of lines of this format; NaN without a date."""
        if not self.clock.stop:
            return [float("nan")] * len(lines)
        return [posix(line[self.date], line[self.clock]) for line in lines]


def line_format(raw: str, text: str, values: re.Pattern[str]) -> LineFormat | None:
    """The format of `raw`, of which `text` is left without its prefix; None where the prefix must be read each time."""
    prefix = raw[: len(raw) - len(text)]
    if not raw.isascii() or not raw.endswith(text) or rank_of(raw) >= 0:
        return None
    match = PREFIX.match(prefix)
    if match is None or match["month"]:
        return None
    date, clock = (slice(*match.span(name)) if match[name] else slice(0, 0) for name in ("date", "clock"))
    constant = DIGIT.sub(r"\\d", re.escape(prefix))
    return LineFormat(re.compile(constant + values.pattern), date, clock)


@dataclass(frozen=True)
class Alike:
    """Consecutive lines of one shape, the columns of their rows; `end`: index of the text behind the last."""

    end: int
    last: str
    lines: list[int]
    wall_times: list[float]
    numbers: list[Sequence[str]]

    def column(self, index: int) -> list[str]:
        """The numbers at `index` of each line."""
        return [numbers[index] for numbers in self.numbers]


def alike(form: LineFormat, lines: TextLines, start: int, last: int, reading: Reading, before: Sequence[str]) -> Alike:
    """The lines from `start`, at most to `last` (not included), that have the format and the totals of the one before.

    They end before a copy: what to do about that is not decided here.
    """
    numbers: list[Sequence[str]] = []
    totals = [index for index in (reading.epochs, reading.total) if index >= 0]
    for place in range(start, min(last, start + CHUNK)):  # line by line: what ends a run at once must cost one line
        match = form.regex.match(lines.texts[place])
        if match is None or (found := match.groups()) == before or any(found[i] != before[i] for i in totals):
            break
        numbers.append(found)
        before = found
    end = start + len(numbers)
    wall_times = form.wall_times(lines.texts[start:end])
    return Alike(end, lines.texts[end - 1], lines.numbers[start:end], wall_times, numbers)


def is_plain(reading: Reading) -> bool:
    """Whether lines of a reading are training's own: each gives its row, whatever stands around it."""
    return reading.counted and not (reading.evaluates or reading.progress or reading.summary)
