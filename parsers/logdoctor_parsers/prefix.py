"""What loggers and launchers put before a message: time stamps, ranks, level and module."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_CLOCK = r"\d\d?:\d\d:\d\d"
_DATE = (
    rf"(?P<date>\d{{4}}[-/]\d\d?[-/]\d\d?|\d\d/\d\d/\d\d(?:\d\d)?)[ T,]+(?P<clock>{_CLOCK})(?:[.,:](?:\d+|%f))?"
    r"(?:Z|[+-]\d\d:?\d\d)?"
)
_NAMED_DATE = (
    rf"[A-Z][a-z]{{2}},? +(?P<month>[A-Z][a-z]{{2}}) +(?P<day>\d\d?) +(?P<time>{_CLOCK})"
    r" +(?:[A-Z]{3,4} +)?(?P<year>\d{4})"
)
_SHORT_DATE = (
    rf"\d\d/\d\d {_CLOCK}(?:\.\d+)?|{_CLOCK}(?:[.,]\d+)?|[A-Z][a-z]{{2}} +\d\d? {_CLOCK}"
    rf"|[A-Z][a-z]{{2}},? +\d\d? +[A-Z][a-z]{{2}} +\d{{4}} +{_CLOCK}"
)
_LOGGER = r"(?:[A-Z]{4,8}|[\w.]+\.py:\d+[^\]\[]*|[Rr]ank \d+|\w+(?:\.\w+)+)"  # in brackets of its own
PREFIX = re.compile(
    r"\s*(?:\([^()]*\bpid=\d+[^()]*\)\s*)?"  # Ray
    r"(?:\[pod/[\w./-]+\]\s+"  # containers
    r"|(?!(?i:epoch|ep|step|iter|batch|round|fold))[\w.-]+-\d+\s+\|\s"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]+ [\w.-]+\[\d+\]:\s)?"
    r"(?:\[?(?:[Rr]ank|RANK|default|gpu|GPU)[ =:_-]{0,3}\d++(?!:\d+/)\]?:?\s*|\d{1,3}: +(?=[\[{:A-Za-z])"  # one of many
    r"|\[\d+,\d+\]<std(?:out|err)>:\s*)?"
    r"(?:\[[A-Za-z][\w.:/-]*\] +(?=\d{4}[-/]))?"  # a machine's name
    rf"(?:[IWEF]\d{{4}} (?:\d\d:\d\d:\d\d)\.\d+\s+\d+ [\w.-]+:\d+\] ?"  # glog
    r"|(?:(?:INFO|DEBUG|WARNING)[ :-]*)?(?P<open>\[)?\s?(?:(?:INFO|DEBUG|WARNING) ?: )?"
    rf"(?:{_DATE}|{_NAMED_DATE}|{_SHORT_DATE})(?:\s-\s\d+:\d\d:\d\d)?"
    rf"(?(open)[^\]\[|]*\](?!\s*$)(?:\s-\s(?=[|+]))?(?:\s*\[{_LOGGER}\])*(?:\s*\([\w.]+ \d+\):)?"
    r"|(?=\s|$)))?"
    r"(?:\s*\(\w+:\d+\)(?=\s(?:INFO|WARN|DEBUG))"  # file and line
    r"|\s*(?:[A-Z]{4,8}\s)?[\[(][\w.]+\.py[: ]\d+[\])]:?)?"
    r"(?:\s*\|\s*[A-Z]+\s*\|\s*[\w.<>]+:(?:[\w<>]+:)?\d+ - )?"  # Loguru
    r"(?: std(?:out|err) [FP] )?"  # container runtimes
    r"(?:\s*-\s*(?:INFO|DEBUG|WARNING)\s*-\s*(?:\w+(?:\.\w+)+|__main__|root)\s*-\s+)?"  # a logger's name
)
_RANK = re.compile(
    r"\s*(?:\[?(?:[Rr]ank|RANK|default|gpu|GPU)[ =:_-]{0,3}(\d++)(?!:\d+/)|(\d{1,3}): +[\[{:A-Za-z]|\[\d+,(\d+)\]<std"
    r"|(?!(?i:epoch|ep|step|iter|batch|round|fold))[\w.-]+-(\d+)(?:\s+\| |: ))"
)
_LEVELLED = re.compile(  # process, logger, file or line number before the level
    r"(?:\s++(?=[A-Za-z_<\[|-])(?=\S*[._/:\[|-]|l\d)[\w.:<>/\[\]|-]++(?<![:=])(?=\s))++"
    r"\s++(?:INFO|DEBUG|WARNING)\b[\]:|]*\s?"
)
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def rank_of(line: str) -> int:
    """The rank a launcher says printed a line; -1 where none is said."""
    match = _RANK.match(line)
    return -1 if match is None else int(next(group for group in match.groups() if group))


def strip(line: str) -> tuple[str, float]:
    """A line without its prefix, and its time in POSIX seconds (NaN without a date; clocks are read as UTC)."""
    match = PREFIX.match(line)
    if match is None or match[0].isspace() or not match.end():
        return line, float("nan")
    if match["clock"]:
        end = match.end()
        levelled = _LEVELLED.match(line, end) if " INFO" in line or " DEBUG" in line else None
        return line[levelled.end() if levelled else end :], posix(match["date"], match["clock"])
    if match["month"]:
        date = f"{match['year']}-{_MONTHS.find(match['month']) // 3 + 1}-{match['day']}"
        return line[match.end() :], posix(date, match["time"])
    return line[match.end() :], float("nan")


def posix(date: str, clock: str) -> float:
    """POSIX seconds of a date and a clock as prefixes print them, read as UTC; NaN for what is no date."""
    hours, minutes, seconds = clock.split(":")
    return _midnight(date) + 3600 * int(hours) + 60 * int(minutes) + int(seconds)


@lru_cache(maxsize=4096)
def _midnight(date: str) -> float:
    """POSIX seconds at which a day begins; NaN for what is no date."""
    parts = [int(part) for part in re.split(r"[-/]", date)]
    if len(date.split("/")[0]) == 2:
        month, day, year = parts
        parts = [year + 2000 if year < 100 else year, month, day]
    try:
        return datetime(*parts[:3], tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]
    except ValueError:
        return float("nan")
