"""Paths a user gives → files to read, and a reason for each that is not read."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from logdoctor.diagnosis import Unread
from logdoctor.errors import LogDoctorError
from logdoctor.file_names import as_text
from logdoctor.options import CONFIG_NAME, PROJECT_NAME
from logdoctor.own_files import HEAD_BYTES, is_own, read_report
from logdoctor_parsers import LogFile
from logdoctor_parsers.unpack import DEFAULT_LIMITS, ReadLimits

SKIPPED_FOLDERS = {".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", "node_modules"}
REPORT_FILES = ("report.json", "report.md", "plots")
OWN_SUFFIXES = (".json", ".html", ".htm", ".xml", ".csv", ".jsonl")
KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class Found:
    """`files` in a stable order, `unread` with reasons, `root`: the folder that names are relative to."""

    files: tuple[LogFile, ...]
    unread: tuple[Unread, ...]
    root: Path


def discover(paths: Sequence[str], limits: ReadLimits = DEFAULT_LIMITS) -> Found:
    """All regular files under `paths` (`-`: standard input), to be read within `limits`.

    Errors: LogDoctorError where a path does not exist, or standard input is beyond the limits.
    """
    reached = [found for given in paths for found in _reach(given, limits)]
    unread = tuple(found for found in reached if isinstance(found, Unread))
    files = [found for found in reached if isinstance(found, LogFile)]
    if len(paths) > 1 or any(file.path.is_symlink() for file in files):
        files = _once(files)
    return Found(tuple(replace(file, limits=limits) for file in files), unread, _root(paths))


def _once(files: Sequence[LogFile]) -> list[LogFile]:
    """The files, those reached in several ways once."""
    seen: dict[str, LogFile] = {}
    for number, file in enumerate(files):
        seen.setdefault(os.path.realpath(file.path) if file.content is None else f"\0{number}", file)
    return list(seen.values())


def is_report(folder: str | Path) -> bool:
    """Whether a folder holds a former report of ours (its report.json has the key `logdoctor`)."""
    return read_report(Path(folder, "report.json")) is not None


def _root(paths: Sequence[str]) -> Path:
    """A folder given alone is the root; files count by the folder they lie in; several paths have a common parent."""
    absolute = [Path(path).absolute() for path in paths if path != "-"]
    if len(absolute) == 1:
        return absolute[0] if absolute[0].is_dir() else absolute[0].parent
    parents = {str(path.parent) for path in absolute} or {str(Path.cwd())}
    return Path(os.path.commonpath(parents))


def _reach(given: str, limits: ReadLimits) -> Iterator[LogFile | Unread]:
    path = Path(given)
    if given == "-":
        yield LogFile(Path("stdin"), "stdin", _standard_input(limits.max_bytes))
    elif not os.path.lexists(given):
        raise LogDoctorError(f"{given}: no such file or folder")
    elif path.is_dir():
        yield from _walk(given)
    else:
        yield _examine(given)


def _standard_input(most: int) -> bytes:
    content = sys.stdin.buffer.read(most + 1)
    if len(content) > most:
        raise LogDoctorError(
            f"standard input: more than {most:,} bytes, which are read at most: raise max_gigabytes in logdoctor.toml"
        )
    return content


def _walk(folder: str) -> Iterator[LogFile | Unread]:
    """Depth first, by name; links to folders are not followed, former reports and tools' own folders left out."""
    ours = REPORT_FILES if is_report(folder) else ()  # logs may lie beside them: `-o` may be the folder examined
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Unread(as_text(folder), f"folder cannot be opened: {error.strerror}")
        return
    for entry in entries:
        if entry.name in ours:
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in SKIPPED_FOLDERS:
                yield from _walk(os.path.join(folder, entry.name))  # noqa: PTH118 - keeps the argument as typed
        elif entry.name in (CONFIG_NAME, PROJECT_NAME):
            continue  # settings, our own among them
        elif _is_own_report(entry):
            continue
        elif entry.is_file(follow_symlinks=False):
            yield LogFile(Path(entry.path), as_text(entry.path))  # as the folder says: no need to ask the file
        elif entry.is_symlink() and Path(entry.path).is_dir():  # a loop of links is no folder, and no error
            yield Unread(as_text(entry.path), "a link to a folder; links are not followed: give its target as a path")
        else:
            yield _examine(entry.path)


def _is_own_report(entry: os.DirEntry[str]) -> bool:
    """Whether a file is a report that `--json`, `--html` or `--junit` wrote, or an exported table."""
    if not entry.name.endswith(OWN_SUFFIXES) or not entry.is_file():
        return False
    try:
        with Path(entry.path).open("rb") as stream:
            return is_own(stream.read(HEAD_BYTES))
    except OSError:
        return False  # reading it says what is wrong


def _examine(path: str) -> LogFile | Unread:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError as error:
        return Unread(as_text(path), _unreachable(path, error))
    kind = next((words for test, words in KINDS if test(mode)), None)
    return Unread(as_text(path), f"not a regular file but {kind}") if kind else LogFile(Path(path), as_text(path))


def _unreachable(path: str, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a link that leads back to itself"
    if os.path.islink(path):  # noqa: PTH114
        return "a dangling link"
    return f"cannot be opened: {error.strerror}"
