"""What a parser is given and what it returns.

A parser reads one file and says what stands in it. It never judges and never guesses: what the log does not say
is NaN. Deriving epochs from steps, joining files and choosing the main loss are done by whoever calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from logdoctor_parsers.unpack import DEFAULT_LIMITS, ReadLimits, read_path

HEAD_BYTES = 64 * 1024
COLUMNS = ("run", "attempt", "metric", "split", "tag", "step", "epoch", "wall_time", "value", "source", "line")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Match(IntEnum):
    """How sure a parser is, from the first 64 KiB, that a file is of its format."""

    NO = 0
    MAYBE = 1
    SURE = 2


@dataclass(frozen=True)
class LogFile:
    """One file to read: `name` is how reports call it; `content` is set for standard input only."""

    path: Path
    name: str
    content: bytes | None = field(default=None, repr=False)
    limits: ReadLimits = DEFAULT_LIMITS
    _head: list[bytes] = field(default_factory=list, repr=False, compare=False)
    _damage: list[str] = field(default_factory=list, repr=False, compare=False)

    @property
    def head(self) -> bytes:
        """The first 64 KiB, decompressed. Errors: OSError where the file cannot be read."""
        if not self._head:
            self._head.append(self.read(HEAD_BYTES))
        return self._head[0]

    def forget_head(self) -> None:
        """Free the memory of `head`; it is read again when it is asked for."""
        self._head.clear()

    def read(self, size: int = -1) -> bytes:
        """The first `size` bytes (all: -1), decompressed; of a packed file cut off what is left. Errors: OSError."""
        if self.content is not None:
            return self.content if size < 0 else self.content[:size]
        content, damage = read_path(self.path, size, self.limits)
        if damage and damage not in self._damage:
            self._damage.append(damage)
        return content

    @property
    def damage(self) -> str:
        """What of the packed file was found to be missing while reading it (empty: nothing)."""
        return "; ".join(self._damage)


@dataclass(frozen=True)
class Fact:
    """Something the log states about the run (`batch_size`, `base_lr`, …) and the line it stands on."""

    name: str
    value: Any
    line: int


@dataclass(frozen=True)
class Problem:
    """Something that looked like data and could not be read, or was left out on purpose. `line` 0: the whole file."""

    line: int
    message: str


@dataclass(frozen=True)
class Ending:
    """How a log closes.

    kind: `finished` (the log says so in its own way), `early-stopping` (the log says so), `crashed` (traceback, out of
    memory, killed, signal, failed check), `stopped` (by hand), `torn` (cut inside a line or record), `open` (says
    nothing).
    """

    kind: str = "open"
    line: int = 0
    message: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """What the log says was saved on `line`: a file or folder, or (`path` empty) the log's own words alone.

    `step`: optimizer updates done by then, where that is told apart from the line's place in the log.
    """

    path: str
    line: int
    text: str = ""
    step: float = float("nan")


@dataclass(frozen=True)
class Series:
    """Identity of a column of numbers: the name as logged and what it means (`split` empty: the log does not say)."""

    tag: str
    metric: str
    split: str


@dataclass(frozen=True)
class Table:
    """Numbers in the order they stand in the file, one row a number, all arrays of one length.

    `code` indexes `series`. `step` counts optimizer updates, `epoch` is the log's own label or fractional epoch,
    `batch` and `batches` are the position inside that epoch where the log gives one (`[10/5005]`; any unit, both the
    same). `wall_time` is POSIX seconds. NaN where the log says nothing. `line` counts from 1 (records in event files).
    """

    series: tuple[Series, ...]
    code: npt.NDArray[np.int32]
    step: Floats
    epoch: Floats
    batch: Floats
    batches: Floats
    wall_time: Floats
    value: Floats
    line: Ints

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class ParsedLog:
    """All a parser found in one file.

    `lines`: physical lines (or records) seen; `data`: those that gave numbers; `unreadable`: those that look like data
    and could not be read (the first few are in `problems`). `starts`: lines where the log itself says that a process
    (re)started. `tail`: the last lines of a text log, for crash reports. `dialect`: a finer name than the format's.
    `leftover`: the first lines, with their numbers, that looked like data and gave nothing. `checkpoints`: those
    written and not deleted again, by line.
    """

    format: str
    table: Table
    facts: tuple[Fact, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: int = 0
    data: int = 0
    unreadable: int = 0
    starts: tuple[int, ...] = ()
    ending: Ending = Ending()
    tail: tuple[str, ...] = ()
    dialect: str = ""
    leftover: tuple[tuple[int, str], ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


class Parser(Protocol):
    """A format. `name` is what users type after `--parser`; `description` is one line for `logdoctor formats`.

    A parser may say `exclusive = True`: its SURE rests on a checksum or a magic number, and no other is asked. Such a
    one may also have `parse_many(files)`, which returns for each file what `parse` would, in less time. Where `sniff`
    takes long before it says MAYBE, `surely(file)` may tell sooner whether it would say SURE.
    """

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    def sniff(self, file: LogFile) -> Match:
        """How sure, from `file.head` and the name; cheap, never raises."""
        ...

    def parse(self, file: LogFile) -> ParsedLog:
        """Everything in the file. Errors: OSError where it cannot be read; damage is a `Problem`, not an exception."""
        ...


class AmbiguousFormatError(ValueError):
    """Two parsers claim one file."""


def choose(file: LogFile, parsers: Sequence[Parser]) -> Parser | None:
    """The one parser that is SURE, else the first MAYBE, else None. Errors: AmbiguousFormatError if two are SURE."""
    answers: list[tuple[Match, Parser]] = []
    for parser in parsers:
        surely = getattr(parser, "surely", None)
        if surely is not None and any(other is Match.SURE for other, _ in answers):
            match = Match.SURE if surely(file) else Match.NO
        else:
            match = parser.sniff(file)
        if match is Match.SURE and getattr(parser, "exclusive", False):
            return parser
        answers.append((match, parser))
    sure = [parser for match, parser in answers if match is Match.SURE]
    if len(sure) > 1:
        names = " and ".join(parser.name for parser in sure)
        raise AmbiguousFormatError(f"{file.name}: both {names} claim this file; say which with --parser {sure[0].name}")
    maybe = sure or [parser for match, parser in answers if match is Match.MAYBE]
    return maybe[0] if maybe else None


def first_problems(lines: Iterable[tuple[int, str]], limit: int = 20) -> tuple[Problem, ...]:
    """The first `limit` of many like problems, and one that counts the rest."""
    found = [Problem(line, message) for line, message in lines]
    if len(found) > limit:
        found[limit:] = [Problem(0, f"{len(found) - limit} more lines like these could not be read")]
    return tuple(found)
