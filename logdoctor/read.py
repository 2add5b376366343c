"""Paths → runs: discovery, parsing and grouping in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from logdoctor.assemble import assemble, named_rows
from logdoctor.axis import Given
from logdoctor.chosen_roles import with_roles
from logdoctor.diagnosis import Unread
from logdoctor.discover import discover
from logdoctor.errors import LogDoctorError
from logdoctor.options import NUMBERS, Options
from logdoctor.reading import GIVEN, Read, all_parsers, named, read_files
from logdoctor.rows import RunRows
from logdoctor.run import Run
from logdoctor_parsers.pattern import Pattern, PatternError


def read_runs(
    paths: Sequence[str], options: Options, progress: Callable[[str], None] = lambda step: None
) -> tuple[list[Run], list[Unread]]:
    """Everything under `paths`: runs in the order of their names, and each file not read with the reason."""
    reads, unread, root = _read(paths, options, progress)
    runs, failed = assemble(reads, root, lambda name: given(name, options))
    return with_roles(runs, options.roles), [*unread, *failed]


def read_rows(
    paths: Sequence[str], options: Options, progress: Callable[[str], None] = lambda step: None
) -> tuple[list[RunRows], list[Unread]]:
    """The same for who wants the logged numbers alone: nothing is placed on an axis."""
    reads, unread, root = _read(paths, options, progress)
    rows, failed = named_rows(reads, root)
    return rows, [*unread, *failed]


def _read(
    paths: Sequence[str], options: Options, progress: Callable[[str], None]
) -> tuple[list[Read], list[Unread], Path]:
    found = discover(paths, options.read_limits)
    parsers = all_parsers()
    if options.parser:
        parsers = (named(parsers, options.parser),)
    reads, unread = read_files(found.files, parsers, patterns(options), progress)
    return reads, [*found.unread, *unread], found.root


def patterns(options: Options) -> list[Pattern]:
    """The user's line formats, that of the command line first. Errors: LogDoctorError for one that cannot be used."""
    chosen = [Pattern(options.template, GIVEN)] if options.template else []
    chosen += [Pattern(p["template"], p.get("name", ""), p.get("split", "")) for p in options.pattern]
    try:
        for pattern in chosen:
            _ = pattern.regex
    except PatternError as error:
        raise LogDoctorError(str(error)) from None
    return chosen


def given(name: str, options: Options) -> Given:
    """What the user said of one run: the entries of `runs` that match its name, over what holds for all."""
    numbers = {key: getattr(options, key) for key in NUMBERS}
    for pattern, known in options.runs.items():
        if fnmatchcase(name, pattern):
            numbers.update(known)
    return Given(**numbers)
