"""What a damaged log must still give: every point that the damage did not touch, and no number that is not there.

A text has no checksums: where the damage itself writes a number into a line, that number stands in the log. What
counts there is that it stands at the line given, whole, between bytes that cannot belong to it (letters behind it
are a unit only where the undamaged log has that unit).
"""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from logdoctor.diagnosis import Unread
from logdoctor.reading import Read, read_file
from logdoctor_parsers import PARSERS, LogFile, ParsedLog
from tests.damage.damages import Damage

NUMBERS = re.compile(
    rb"(?<![\w.\x00\x80-\xff])([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\d.\x00\x80-\xff])([A-Za-z]*)"
    rb"|([-+]?\b(?:nan|inf|infinity)\b)", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One logged number; floats as text, so that NaN equals NaN."""

    line: int
    tag: str
    step: str
    epoch: str
    value: str
    number: float = field(default=math.nan, compare=False)


@dataclass(frozen=True)
class Outcome:
    """What became of the `whole` points of a file: `wrong` and `silent` are sentences, empty where all is well.

    `intact`: those that stand on lines (in records) which the damage did not touch.
    """

    whole: int
    intact: int
    recovered: int
    wrong: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


def points(log: ParsedLog) -> list[Point]:
    """All numbers of a log."""
    table = log.table
    columns = (table.code, table.line, table.step, table.epoch, table.value)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        Point(line, table.series[code].tag, _text(step), _text(epoch), _text(value), value)
        for code, line, step, epoch, value in rows
    ]


def _text(number: float) -> str:
    return f"{number:.9e}"


def examine(path: Path, content: bytes, truth: Sequence[Point], damage: Damage) -> Outcome:
    """Read the damaged file as logdoctor reads it, and account for every point."""
    damaged = damage.of(content)
    read = read_file(LogFile(path, path.name, damaged), PARSERS)
    if path.name.startswith("events."):
        return _of_records(content, truth, damage, read)
    if isinstance(read, Unread):
        intact = sum(Extent.between(content, damaged).now(point.line) is not None for point in truth)
        return Outcome(len(truth), intact, 0, _unread(read))
    return _of_lines(content, damaged, truth, read.log)


def _unread(unread: Unread) -> tuple[str, ...]:
    """A whole file that is not read is listed with the reason; it is wrong only where that is a fault of ours."""
    return (unread.reason,) if "bug" in unread.reason or not unread.reason else ()


# event files ----------------------------------------------------------------------------------------------------------


def _of_records(content: bytes, truth: Sequence[Point], damage: Damage, read: Read | Unread) -> Outcome:
    """Records carry checksums: nothing may be read that was not written, and only what was touched may be missing."""
    found = Counter((p.tag, p.step, p.value) for p in (points(read.log) if isinstance(read, Read) else ()))
    written = Counter((p.tag, p.step, p.value) for p in truth)
    touched = {
        number
        for number, (start, end) in enumerate(records(content), 1)
        if start < max(damage.end, damage.start + 1) and end > damage.start
    }
    kept = Counter((p.tag, p.step, p.value) for p in truth if p.line not in touched)
    if isinstance(read, Unread):
        return Outcome(len(truth), kept.total(), 0, _unread(read))
    return Outcome(
        len(truth),
        kept.total(),
        (found & written).total(),
        tuple(f"{key} was never written" for key in found.keys() - written.keys()),
        tuple(f"{key} is lost, though intact" for key in (kept - found).elements()),
    )


def records(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the records of an undamaged event file begin and end."""
    start = 0
    while start + 12 <= len(content):
        end = start + 16 + struct.unpack_from("<Q", content, start)[0]
        yield start, end
        start = end


# texts ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extent:
    """Lines of the damaged file: the first `before` and the last `after` are as they were."""

    lines: Sequence[bytes]
    before: int
    after: int
    shift: int
    units: frozenset[bytes]

    @classmethod
    def between(cls, content: bytes, damaged: bytes) -> Extent:
        """What two states of a file have in common."""
        old, new = content.split(b"\n"), damaged.split(b"\n")
        most = min(len(old), len(new))
        before = next((n for n in range(most) if old[n] != new[n]), most)
        most -= before
        after = next((n for n in range(most) if old[-1 - n] != new[-1 - n]), most)
        units = frozenset(unit for _, unit, _ in NUMBERS.findall(content))
        return cls(new, before, after, len(new) - len(old), units)

    def now(self, line: int) -> int | None:
        """Where a line of the undamaged file stands now; None: the damage touched it."""
        if line <= self.before:
            return line
        return line + self.shift if line + self.shift > len(self.lines) - self.after else None

    def together(self, lines: range) -> bool:
        """Whether consecutive lines of the undamaged file are still intact and consecutive."""
        now = [self.now(line) for line in lines]
        return None not in now and now[-1] - now[0] == len(now) - 1  # type: ignore[operator]

    def says(self, line: int, tag: str) -> bool:
        """Whether a line itself names a series (else a header or an opening bracket does, which may be damaged)."""
        return tag.rpartition("/")[2].encode() in self.lines[line - 1]

    def standing(self, line: int) -> set[str]:
        """The numbers that stand whole on a line of the damaged file (none, where there is no such line)."""
        found = NUMBERS.findall(b"".join(self.lines[max(line - 1, 0) : line]))
        return {_text(float(number or word)) for number, unit, word in found if unit in self.units}


@dataclass(frozen=True)
class Truth:
    """The points of an undamaged text, and the lines among which it says where each of them belongs."""

    points: Sequence[Point]
    places: Mapping[tuple[str, str], range]

    @classmethod
    def of(cls, points: Sequence[Point]) -> Truth:
        """The step or epoch of points is said behind the last point before them and before the next one behind."""
        groups = [list(group) for _, group in groupby(points, lambda point: (point.step, point.epoch))]
        ends = [0, *(group[-1].line for group in groups)]
        begins = [*(group[0].line for group in groups[1:]), groups[-1][-1].line + 1]
        places: dict[tuple[str, str], range] = {}
        for group, end, begin in zip(groups, ends, begins, strict=False):
            places.setdefault((group[0].step, group[0].epoch), range(end + 1, max(begin, group[-1].line + 1)))
        return cls(points, places)


def _of_lines(content: bytes, damaged: bytes, truth: Sequence[Point], log: ParsedLog) -> Outcome:
    extent = Extent.between(content, damaged)
    found = points(log)
    wrong = [*_not_standing(found, truth, extent), *_displaced(found, Truth.of(truth), extent)]
    kept = Counter((line, p.tag, p.value) for p in truth if (line := extent.now(p.line)) is not None)
    missing = kept - Counter((p.line, p.tag, p.value) for p in found)
    named, more = _named(log)
    copied = {(extent.now(p.line), p.tag, p.value) for p in _told(truth, found)}
    silent = [
        (line, tag, value)
        for line, tag, value in missing.elements()
        if line not in named and not _renamed(line, tag, value, found, extent)
        if not _outdone(line, tag, truth, found, extent)
        if (line, tag, value) not in copied
    ]
    if len({line for line, *_ in silent}) <= more:
        silent = []
    recovered = Counter((p.tag, p.step, p.epoch, p.value) for p in found)
    recovered &= Counter((p.tag, p.step, p.epoch, p.value) for p in truth)
    lost = tuple(f"{key} is lost without a word" for key in silent)
    return Outcome(len(truth), kept.total(), recovered.total(), tuple(wrong), lost)


def _told(truth: Sequence[Point], found: Sequence[Point]) -> Iterator[Point]:
    """The points whose number was found at their step or epoch, on their line or on a copy that the damage made."""
    there = {(p.tag, p.step, p.epoch, p.value) for p in found if {p.step, p.epoch} != {_text(math.nan)}}
    return (p for p in truth if (p.tag, p.step, p.epoch, p.value) in there)


def _renamed(line: int, tag: str, value: str, found: Sequence[Point], extent: Extent) -> bool:
    """Whether a number is there under another name: another header's or bracket's, or one told apart (`accuracy #0`)."""
    new = {point.tag for point in found if (point.line, point.value) == (line, value)}
    return bool(new) and (not extent.says(line, tag) or any(tag in each for each in new))


def _outdone(line: int, tag: str, truth: Sequence[Point], found: Sequence[Point], extent: Extent) -> bool:
    """Whether the next line, which the damage touched, now tells the same: of an evaluation the last line counts."""
    if line != extent.before:
        return False
    tags = {tag, tag.removesuffix(" (avg)")}
    now = {(p.step, p.epoch) for p in found if p.line == line + 1 and p.tag in tags}
    return any((p.step, p.epoch) in now for p in truth if (p.line, p.tag) == (line, tag))


def _named(log: ParsedLog) -> tuple[set[int], int]:
    """The lines that problems name, one or `lines A to B`, and how many more they count without naming them."""
    named = {problem.line for problem in log.problems} | ({log.ending.line} if log.ending.kind == "torn" else set())
    more = 0
    for problem in log.problems:
        if stretch := re.search(r"lines (\d+) to (\d+)", problem.message):
            named |= set(range(int(stretch[1]), int(stretch[2]) + 1))
        if counted := re.match(r"(\d+) more lines", problem.message):
            more += int(counted[1])
    return named, more


def _not_standing(found: Sequence[Point], truth: Sequence[Point], extent: Extent) -> Iterator[str]:
    """Numbers that their line does not hold, nor held in front of the first damaged byte."""
    cut = {(p.line, p.tag, p.value) for p in truth if p.line == extent.before + 1}
    for point in found:
        if point.value not in extent.standing(point.line) and (point.line, point.tag, point.value) not in cut:
            yield f"{point}: no such number stands there: {extent.lines[point.line - 1 : point.line]!r}"


def _displaced(found: Sequence[Point], truth: Truth, extent: Extent) -> Iterator[str]:
    """Points of intact lines at a step or epoch that they did not have, though the line that says it is intact."""
    was = {(now, p.tag, p.value): p for p in truth.points if (now := extent.now(p.line)) is not None}
    for point in found:
        old = was.get((point.line, point.tag, point.value))
        if old is None:
            continue
        here = extent.standing(point.line) | extent.standing(point.line - 1) | {_text(math.nan)}
        if all(getattr(point, name) in {getattr(old, name), *here} for name in ("step", "epoch")):
            continue
        if extent.together(truth.places[old.step, old.epoch]):
            yield f"{point}: it was at {old}"
