"""Files → what stands in them: picks the parser, and keeps one file's failure from costing the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points

from logdoctor.diagnosis import Unread
from logdoctor.errors import LogDoctorError
from logdoctor_parsers import PARSERS, AmbiguousFormatError, LogFile, ParsedLog, Parser, choose

NOT_RECOGNISED = "not recognised as a training log (name its format with --parser; `logdoctor formats` lists them)"


@dataclass(frozen=True)
class Read:
    """A file and what its parser found; `modified` is the file's time of last change, POSIX seconds (NaN for standard input)."""

    file: LogFile
    log: ParsedLog
    modified: float


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
    files: Iterable[LogFile], parsers: Sequence[Parser], progress: Callable[[str], None] = lambda name: None
) -> tuple[list[Read], list[Unread]]:
    """Each file through the parser that claims it; the rest with the reason why it was not read."""
    reads: list[Read] = []
    unread: list[Unread] = []
    for file in files:
        progress(file.name)
        result = read_file(file, parsers)
        (reads if isinstance(result, Read) else unread).append(result)  # type: ignore[arg-type]
    return reads, unread


def read_file(file: LogFile, parsers: Sequence[Parser]) -> Read | Unread:
    """One file. A parser that fails is named in the reason; nothing is raised."""
    try:
        if not file.head:
            return Unread(file.name, "the file is empty (0 bytes)")
        parser = parsers[0] if len(parsers) == 1 else choose(file, parsers)
        if parser is None:
            return Unread(file.name, _why_not(file.head))
        log = parser.parse(file)
        modified = float("nan") if file.content is not None else file.path.stat().st_mtime
    except AmbiguousFormatError as error:
        return Unread(file.name, str(error))
    except (OSError, EOFError) as error:
        return Unread(file.name, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    except Exception as error:
        return Unread(file.name, f"the parser failed ({type(error).__name__}: {error}); please report this as a bug")
    if not len(log.table) and log.ending.kind not in ("crashed", "torn"):
        return Unread(
            file.name, log.problems[0].message if log.problems else f"no training curve found (read as {log.format})"
        )
    return Read(file, log, modified)


def _why_not(head: bytes) -> str:
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself: run `git lfs pull`"
    if b"\0" in head[:4096] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a binary file, not recognised as a training log"
    return NOT_RECOGNISED
