"""What is fuzzed: every parser, the choice among them, the user's patterns and settings, and the way to the reports.

A target takes any bytes and raises only where a promise is broken. The same targets replay the findings in
`tests/test_fuzz_findings.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from logdoctor.diagnosis import Report, Unread
from logdoctor.errors import LogDoctorError
from logdoctor.judging import chosen_analyzers, diagnose_run
from logdoctor.options import Options
from logdoctor.reading import read_file
from logdoctor.report.github import job_summary, workflow_commands
from logdoctor.report.html import to_html
from logdoctor.report.json_report import dumps
from logdoctor.report.junit import to_junit
from logdoctor.report.markdown import to_markdown
from logdoctor.settings import read_config
from logdoctor_parsers import PARSERS, AmbiguousFormatError, LogFile, Match, ParsedLog, Parser, choose
from logdoctor_parsers.pattern import Pattern, PatternError, PatternParser
from tests.assembled import assemble

Target = Callable[[bytes], None]
NOW = 1.8e9  # POSIX seconds: reports of equal bytes are equal


def parse(parser: Parser, data: bytes) -> None:
    """A parser on bytes of any format: it answers, and what it returns is consistent."""
    file = _file(data)
    if parser.sniff(file) not in set(Match):
        raise AssertionError("sniff answers NO, MAYBE or SURE")
    assert_consistent(parser.parse(file))


def assert_consistent(log: ParsedLog) -> None:
    """What every `ParsedLog` promises: places that exist, counts that fit, codes that name a series."""
    table = log.table
    columns = (table.code, table.step, table.epoch, table.batch, table.batches, table.wall_time, table.line)
    assert {len(column) for column in columns} == {len(table)}
    if len(table):
        assert 0 <= table.code.min() <= table.code.max() < len(table.series)
        assert 1 <= table.line.min() <= table.line.max() <= max(log.lines, 1)
    assert np.isinf(table.step).sum() + np.isinf(table.epoch).sum() == 0, "a counter is a number or NaN"
    assert all(0 <= problem.line <= max(log.lines, 1) and problem.message for problem in log.problems)
    assert all(0 <= fact.line <= max(log.lines, 1) for fact in log.facts)
    assert 0 <= log.ending.line <= log.lines + 1  # a record cut off comes behind those counted
    assert log.data >= 0
    assert log.unreadable >= 0


def choice(data: bytes) -> None:
    """One parser, none, or a clear answer which two claim the file."""
    with suppress(AmbiguousFormatError):
        choose(_file(data), PARSERS)


def pattern(data: bytes) -> None:
    """The first line is a template of a user, the rest the log."""
    template, _, log = data.partition(b"\n")
    with suppress(PatternError):
        assert_consistent(PatternParser((Pattern(template.decode("utf-8", "replace")),)).parse(_file(log)))


def settings(data: bytes) -> None:
    """Any `logdoctor.toml` is read or refused in a sentence."""
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        Path(file.name).write_bytes(data)
        with suppress(LogDoctorError):
            read_config(Path(file.name))


def report(data: bytes) -> None:
    """Any file becomes a report in every form, or a reason why not; no analyzer and no assembly fails on it."""
    read = read_file(_file(data), PARSERS)
    if isinstance(read, Unread):
        assert "please report" not in read.reason, read.reason
        render(Report((), (read,)))
        return
    runs, unread = assemble([read], Path.cwd())
    assert not unread, unread
    diagnoses = tuple(diagnose_run(run, chosen_analyzers(Options()), NOW) for run in runs)
    failed = [failure for diagnosis in diagnoses for failure in diagnosis.failed]
    assert not failed, failed
    render(Report(diagnoses))


def render(report: Report) -> None:
    """Every textual form of a report."""
    to_markdown(report, plots=False)
    dumps(report)
    to_html(report)
    to_junit(report)
    workflow_commands(report)
    job_summary(report)


def _file(data: bytes) -> LogFile:
    return LogFile(Path("train.log"), "train.log", data)


TARGETS: Mapping[str, Target] = {
    **{parser.name: partial(parse, parser) for parser in PARSERS},
    "choose": choice,
    "pattern": pattern,
    "settings": settings,
    "report": report,
}
