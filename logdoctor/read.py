"""Paths → runs: discovery, parsing and grouping in one call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from logdoctor.announce import Progress, silent
from logdoctor.assemble import grouped, named_rows, run_names, runs_of
from logdoctor.axis import Given
from logdoctor.chosen_roles import Roles
from logdoctor.diagnosis import Unread
from logdoctor.discover import Found, discover
from logdoctor.errors import LogDoctorError
from logdoctor.gathering import folder_by_folder, gather
from logdoctor.grouping import Group
from logdoctor.options import NUMBERS, Options
from logdoctor.reading import AT_ONCE, GIVEN, MANY_AT_ONCE, Read, all_parsers, named, read_files
from logdoctor.rows import RunRows
from logdoctor.run import Run
from logdoctor_parsers.pattern import Pattern, PatternError

_NUMBER = re.compile(r"#\d+$")  # of several runs in one file


def read_runs(paths: Sequence[str], options: Options, progress: Progress = silent) -> tuple[list[Run], list[Unread]]:
    """Everything under `paths`: runs in the order of their names, and each file not read with the reason."""
    found = list(stream_runs(discover(paths, options.read_limits), options, progress))
    runs = sorted((each for each in found if isinstance(each, Run)), key=lambda run: _NUMBER.sub("", run.name))
    return runs, [each for each in found if isinstance(each, Unread)]


def stream_runs(found: Found, options: Options, progress: Progress = silent) -> Iterator[Run | Unread]:
    """Each run as soon as all its files are read, then each file not read with the reason, in the order found.

    Errors: LogDoctorError, at the end, for a pattern that fits no file and a role whose tags no run has.
    """
    unread: list[Unread] = []
    failed: list[Unread] = []
    folders: set[str] = set()
    roles = Roles(options.roles)
    for groups, ungrouped in gather(_reads(found, options, progress, unread), grouped):
        failed += ungrouped
        names = run_names(groups, found.root, folders)
        folders |= {name for one, name in zip(groups, names, strict=True) if one.is_folder}
        for each in _taken_apart(groups, names, options):
            if isinstance(each, Run):
                yield roles.applied(each)
            else:
                failed.append(each)
    roles.insist()
    yield from (*found.unread, *unread, *failed)


def _taken_apart(groups: list[Group], names: Sequence[str], options: Options) -> Iterator[Run | Unread]:
    """The runs of the groups, each group forgotten when its runs are made."""
    for name in names:
        yield from runs_of(groups.pop(0), name, lambda run: given(run, options), options.max_runs_per_file)


def read_rows(
    paths: Sequence[str], options: Options, progress: Progress = silent
) -> tuple[list[RunRows], list[Unread]]:
    """The same for who wants the logged numbers alone: nothing is placed on an axis."""
    found = discover(paths, options.read_limits)
    unread: list[Unread] = []
    rows, failed = named_rows(list(_reads(found, options, progress, unread, MANY_AT_ONCE)), found.root)
    return rows, [*found.unread, *unread, *failed]


def _reads(
    found: Found, options: Options, progress: Progress, unread: list[Unread], at_once: int = AT_ONCE
) -> Iterator[Read]:
    """The files that can be read, folder by folder; the others are added to `unread` in the order found."""
    parsers = all_parsers()
    if options.parser:
        parsers = (named(parsers, options.parser),)
    files = folder_by_folder(found.files)
    place = {id(file): number for number, file in enumerate(found.files)}
    missed: list[tuple[int, Unread]] = []
    for result, file in zip(read_files(files, parsers, patterns(options), progress, at_once), files, strict=True):
        if isinstance(result, Read):
            yield result
        else:
            missed.append((place[id(file)], result))
    unread += [each for _, each in sorted(missed, key=lambda pair: pair[0])]


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
