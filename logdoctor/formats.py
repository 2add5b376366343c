"""`logdoctor formats`: what can be read, and how one file was read. The quickest way to trust the reader."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

import numpy as np

from logdoctor.diagnosis import Unread
from logdoctor.discover import discover
from logdoctor.masking import masked
from logdoctor.options import Options
from logdoctor.read import patterns
from logdoctor.reading import all_parsers, named, read_files
from logdoctor.report.escape import visible
from logdoctor.rows import from_table
from logdoctor_parsers import LogFile, Match, ParsedLog, Parser, Series
from logdoctor_parsers.leftover import repeated_lines
from logdoctor_parsers.pattern import Pattern, template_for
from logdoctor_parsers.text import lines_of

SHOWN_PROBLEMS = 5
SHOWN_FACTS = 20
WIDTH = 120  # characters shown of a line


def list_formats() -> str:
    """One line a parser."""
    parsers = all_parsers()
    width = max((len(parser.name) for parser in parsers), default=0)
    return "\n".join(f"{parser.name:{width}}  {parser.description}" for parser in parsers)


def describe_file(path: str, options: Options) -> str:
    """As what a file was recognised and why, its series with counts and last values, facts, what was not understood.

    Errors: LogDoctorError where the path does not exist or the parser is unknown.
    """
    parsers = all_parsers()
    chosen = (named(parsers, options.parser),) if options.parser else parsers
    found = discover([path], options.read_limits)
    blocks = [visible(f"{unread.path}: {unread.reason}") for unread in found.unread]
    lines = patterns(options)
    blocks += ["\n".join(visible(masked(line)) for line in _describe(file, chosen, lines)) for file in found.files]
    return "\n\n".join(blocks)


def _describe(file: LogFile, parsers: tuple[Parser, ...], lines: Sequence[Pattern]) -> Iterator[str]:
    (read,) = read_files([file], parsers, lines)
    if isinstance(read, Unread):
        yield f"{read.path}: {read.reason}"
        yield from _leftover(file.name, _repeated(file))
        return
    log = read.log
    yield f"{file.name}: {log.format}{f' ({log.dialect})' if log.dialect else ''}"
    yield f"  recognised: {_claims(file, parsers, log)}"
    rest = max(log.lines - log.data - log.unreadable, 0)
    understood = (
        f"{log.data:,} with numbers that were read, {log.unreadable:,} that look like data and were not understood"
    )
    yield f"  {log.lines:,} lines: {understood}, {rest:,} others"
    yield from _series(log)
    yield from _facts(log)
    if log.ending.kind != "open":
        place = f", line {log.ending.line}" if log.ending.line else ""
        yield f"  ends: {log.ending.kind}{place} {log.ending.message}".rstrip()
    for problem in log.problems[:SHOWN_PROBLEMS]:
        yield f"  line {problem.line}: {problem.message}" if problem.line else f"  {problem.message}"
    if len(log.problems) > SHOWN_PROBLEMS:
        yield f"  and {len(log.problems) - SHOWN_PROBLEMS} more problems"
    yield from _leftover(file.name, log.leftover)


def _repeated(file: LogFile) -> list[tuple[int, str]]:
    """The lines with numbers that a file nobody recognised repeats most."""
    try:
        return repeated_lines(lines_of(file.head))
    except (OSError, EOFError):
        return []


def _leftover(name: str, lines: Sequence[tuple[int, str]]) -> Iterator[str]:
    """The first lines that look like data and were not understood, and what would read them."""
    if not lines:
        return
    yield "  looks like data, not understood:"
    for number, text in lines:
        yield f"    line {number}: {text.strip()[:WIDTH]}"
    if template := template_for(lines[0][1]):
        yield "  a pattern reads them; put your names into the braces ({_} skips a number) and try:"
        yield f"    logdoctor formats {shlex.quote(name)} --pattern {shlex.quote(template)}"
        yield "  or, for every run: [[pattern]] template = … in logdoctor.toml; for a known format: --parser NAME"


def _claims(file: LogFile, parsers: tuple[Parser, ...], log: ParsedLog) -> str:
    answers = [(parser.name, parser.sniff(file)) for parser in parsers]
    claims = [f"{name} is {'sure' if match is Match.SURE else 'able to read it'}" for name, match in answers if match]
    if log.format == "pattern":
        return "by the pattern given"
    return ", ".join(claims) or "only because --parser says so"


def _series(log: ParsedLog) -> Iterator[str]:
    table = log.table
    yield f"  {'series':32} {'means':28} {'points':>8}  {'first':>10}  {'last':>10}  at"
    for series, index in zip(table.series, from_table(table).by_series(), strict=True):
        if len(index):
            first, last = table.value[index[0]], table.value[index[-1]]
            numbers = f"{len(index):8,}  {first:10.5g}  {last:10.5g}"
            yield f"  {series.tag:32} {_meaning(series):28} {numbers}  {_place(log, index[-1])}"


def _meaning(series: Series) -> str:
    return f"{series.metric} ({series.split})" if series.split else series.metric


def _place(log: ParsedLog, row: np.int64) -> str:
    table = log.table
    counters = [(name, getattr(table, name)[row]) for name in ("epoch", "batch", "step")]
    said = [f"{name} {value:g}" for name, value in counters if np.isfinite(value)]
    return ", ".join([*said, f"line {table.line[row]}"])


def _facts(log: ParsedLog) -> Iterator[str]:
    for fact in log.facts[:SHOWN_FACTS]:
        yield f"  {fact.name} = {str(fact.value)[:80]}  (line {fact.line})"
    if len(log.facts) > SHOWN_FACTS:
        yield f"  and {len(log.facts) - SHOWN_FACTS} more facts"
