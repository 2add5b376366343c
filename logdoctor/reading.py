"""Files → what stands in them: picks the parser, and keeps one file's failure from costing the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from itertools import islice

import numpy as np

from logdoctor.announce import Progress, silent
from logdoctor.diagnosis import Unread
from logdoctor.errors import LogDoctorError
from logdoctor.masking import masked, masked_name
from logdoctor_parsers import (
    PARSERS,
    AmbiguousFormatError,
    Ending,
    LogFile,
    Match,
    ParsedLog,
    Parser,
    Problem,
    Series,
    choose,
)
from logdoctor_parsers.conformity import insist_on_contract
from logdoctor_parsers.names import canonical
from logdoctor_parsers.pattern import Pattern, PatternError, PatternParser
from logdoctor_parsers.text import is_binary

NOT_RECOGNISED = "not recognised as a training log (name its format with --parser; `logdoctor formats` lists them)"

GIVEN = "--pattern"  # the name of a pattern given on the command line: there it must fit something
AT_ONCE = 64  # files whose contents are held together while they are parsed
MANY_AT_ONCE = 512  # the same where all numbers are kept anyway: then those of small files can lie in one piece
PROSE_SHARE = 0.2  # of a file's lines: below it single numbers are mentioned, not logged


@dataclass(frozen=True)
class Read:
    """A file and what its parser found.

    `modified`: time of last change, POSIX seconds (NaN for standard input); `size`: bytes on disk.
    """

    file: LogFile
    log: ParsedLog
    modified: float
    size: int = 0


def all_parsers() -> tuple[Parser, ...]:
    """The built-in parsers and those installed under the entry point group `logdoctor.parsers`."""
    return PARSERS + tuple(point.load() for point in entry_points(group="logdoctor.parsers"))


def named(parsers: Sequence[Parser], name: str) -> Parser:
    """The parser called `name`. Errors: LogDoctorError that lists the names."""
    found = next((parser for parser in parsers if parser.name == name), None)
    if found is None:
        raise LogDoctorError(f"no parser is called {name!r}; there are: {', '.join(p.name for p in parsers)}")
    return found


def read_files(
    files: Iterable[LogFile],
    parsers: Sequence[Parser],
    patterns: Sequence[Pattern] = (),
    progress: Progress = silent,
    at_once: int = AT_ONCE,
) -> Iterator[Read | Unread]:
    """Each file in turn, by the user's patterns, else through the parser that claims it; or the reason why not.

    Errors: LogDoctorError, at the end, where the pattern of the command line fits no line of any file.
    """
    misses: list[str] = []
    fitted = False
    remaining = iter(files)
    while batch := list(islice(remaining, at_once)):
        known = {} if patterns else _parsed_together(batch, parsers)
        for file in batch:
            result = _by_pattern(file, patterns, misses) or read_file(file, parsers, known.pop(id(file), None))
            file.forget_head()
            progress(file.name, result.size if isinstance(result, Read) else 0)
            fitted |= isinstance(result, Read) and result.log.format == "pattern"
            yield result
            del result  # else it is held while the next one is read
    if misses and any(p.name == GIVEN for p in patterns) and not fitted:
        raise LogDoctorError(misses[0])


def _by_pattern(file: LogFile, patterns: Sequence[Pattern], misses: list[str]) -> Read | None:
    """The file read by the user's patterns; None where none fits (the reason goes to `misses`) or it is no text."""
    try:
        if not patterns or not file.head or is_binary(file.head):
            return None
        return _read(file, PatternParser(tuple(patterns)).parse(file))
    except PatternError as error:
        misses.append(str(error))
    except (OSError, EOFError):
        pass  # the parsers will say so
    return None


def _parsed_together(files: Sequence[LogFile], parsers: Sequence[Parser]) -> dict[int, ParsedLog]:
    """By their ids the files that a parser reads faster together; where that fails, each is left to be read alone."""
    found: dict[int, ParsedLog] = {}
    for parser in parsers:
        parse_many = getattr(parser, "parse_many", None)
        if parse_many is None or not getattr(parser, "exclusive", False):
            continue
        mine = [file for file in files if _is_surely(file, parser)]
        with suppress(Exception):
            found |= zip(map(id, mine), parse_many(mine), strict=True)
    return found


def _is_surely(file: LogFile, parser: Parser) -> bool:
    try:
        sure = parser.sniff(file) is Match.SURE
    except Exception:
        return False  # reading it alone says what is wrong
    if sure:
        file.forget_head()  # else those of all are held until they are read
    return sure


def read_file(file: LogFile, parsers: Sequence[Parser], known: ParsedLog | None = None) -> Read | Unread:
    """One file; `known`: what stands in it, where that is read already.

    A parser that fails is named in the reason; nothing is raised.
    """
    try:
        if known is None and not file.head:
            return Unread(file.name, "the file is empty (0 bytes)")
        chosen = [parser for parser in parsers if known is not None and parser.name == known.format] or parsers
        parser = chosen[0] if len(chosen) == 1 else choose(file, parsers)
        if parser is None:
            return Unread(file.name, _why_not(file.head))
        log = known or parser.parse(file)
        insist_on_contract(log)
        read = _read(file, log)
    except AmbiguousFormatError as error:
        return Unread(file.name, str(error))
    except (OSError, EOFError) as error:
        return Unread(file.name, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    except Exception as error:
        said = masked(f"{type(error).__name__}: {error}")
        return Unread(file.name, f"the parser failed ({said}); please report this as a bug")
    log = read.log
    if not len(log.table) and log.ending.kind not in ("crashed", "torn"):
        reason = masked(log.problems[0].message) if log.problems else f"no training curve found (read as {log.format})"
        return Unread(file.name, reason)
    if len(parsers) > 1 and _is_prose(log) and parser.sniff(file) is Match.MAYBE:
        return Unread(file.name, NOT_RECOGNISED)
    return read


def _with_damage(file: LogFile, log: ParsedLog) -> ParsedLog:
    """The log with what its packed file lacks among its problems and as its end."""
    if not file.damage:
        return log
    ending = Ending("torn", log.lines, file.damage) if log.ending.kind == "open" else log.ending
    return replace(log, problems=(Problem(0, file.damage), *log.problems), ending=ending)


def _without_secrets(log: ParsedLog) -> ParsedLog:
    """The log with what looks like a key or a token in its tags masked."""
    series = tuple(map(_named_without_secret, log.table.series))
    return log if series == log.table.series else replace(log, table=replace(log.table, series=series))


def _named_without_secret(series: Series) -> Series:
    tag = masked_name(series.tag)
    return series if tag == series.tag else Series(tag, canonical(tag).metric, series.split)


def _is_prose(log: ParsedLog) -> bool:
    """Whether a text merely mentions numbers: no series has two values, and few lines gave any."""
    few = len(log.table) > 0 and log.data < PROSE_SHARE * log.lines
    return few and int(np.bincount(log.table.code).max()) < 2


def _read(file: LogFile, log: ParsedLog) -> Read:
    log = _without_secrets(_with_damage(file, log))
    if file.content is not None:
        return Read(file, log, float("nan"), len(file.content))
    status = file.path.stat()
    return Read(file, log, status.st_mtime, status.st_size)


def _why_not(head: bytes) -> str:
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself: run `git lfs pull`"
    if is_binary(head):
        return "a binary file, not recognised as a training log"
    return NOT_RECOGNISED
