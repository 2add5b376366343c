"""Log files made of text, and what a parser read from them, in a form tests can compare."""

from __future__ import annotations

from pathlib import Path

from logdoctor_parsers import PARSERS, LogFile, Match, ParsedLog


def log_file(text: str | bytes, name: str = "train.log") -> LogFile:
    """A file that exists only in memory."""
    return LogFile(Path(name), name, text.encode() if isinstance(text, str) else text)


def values(log: ParsedLog, tag: str, split: str | None = None) -> list[float]:
    """The numbers of a tag in file order."""
    table = log.table
    codes = [i for i, s in enumerate(table.series) if s.tag == tag and split in (None, s.split)]
    return [float(value) for value, code in zip(table.value, table.code, strict=True) if code in codes]


def column(log: ParsedLog, name: str, tag: str) -> list[float]:
    """Another column (`step`, `epoch`, `batch`, `wall_time`, `line`) of a tag's rows."""
    table = log.table
    codes = [i for i, s in enumerate(table.series) if s.tag == tag]
    return [float(value) for value, code in zip(getattr(table, name), table.code, strict=True) if code in codes]


def meaning(log: ParsedLog, tag: str) -> set[tuple[str, str]]:
    """(metric, split) of all series of a tag."""
    return {(s.metric, s.split) for s in log.table.series if s.tag == tag}


def facts(log: ParsedLog) -> dict[str, object]:
    return {fact.name: fact.value for fact in log.facts}


def claims(file: LogFile) -> list[str]:
    """The names of all parsers that are SURE of a file."""
    return [parser.name for parser in PARSERS if parser.sniff(file) is Match.SURE]


def recognised(file: LogFile) -> bool:
    """Whether any parser would read the file."""
    return any(parser.sniff(file) is not Match.NO for parser in PARSERS)
