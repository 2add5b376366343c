"""glog's time stamps: `I0621 17:36:52.042147` (no year) and `I20260621 17:36:52.042147` → POSIX seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from logdoctor_parsers.byte_lines import ByteLines, Words
from logdoctor_parsers.contract import Floats, Ints, LogFile
from logdoctor_parsers.decimals import Text, digits_of, eight_digits, no_digits

RANK = re.compile(rb"^\[\d+\] ")  # Intel's multi-node runs
LETTERS = np.isin(np.arange(256), list(b"IWEF"))
CREATED = re.compile(rb"^Log file created at: (\d{4})/", re.MULTILINE)
DATED = re.compile(r"(?<!\d)(20[0-3]\d)[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:[0-2]\d|3[01])(?!\d)")
HALF_YEAR = 183 * 86400.0
DAY = 86400.0
YEAR_DIGITS = 4
SPACE = ord(" ")
NO_DATE = -1
# Bits of a word of eight characters.
TWO_CHARACTERS, FOUR_CHARACTERS = np.uint64(16), np.uint64(32)
MINUTES, SECONDS, PAIR = np.uint64(24), np.uint64(48), np.uint64(0xFF)  # where they begin in `hh:mm:ss`
BETWEEN = np.uint64(0x0000FF0000FF0000)  # its colons


class Stamps(NamedTuple):
    """`date`, the number yyyymmdd (year 0 where unwritten, `NO_DATE` where no stamp stands), and second of the day."""

    date: Ints
    second: Floats


def stamps(text: Text, at: Ints) -> Stamps:
    """The stamp at each offset, shape (n,)."""
    short = text.buffer[at + 5] == SPACE
    long = ~short & (text.buffer[at + 5 + YEAR_DIGITS] == SPACE)
    clock = at + 6 + YEAR_DIGITS * long
    date = digits_of(text.words[at + 1]) << np.where(long, np.uint64(0), FOUR_CHARACTERS)
    time_of_day = digits_of(text.words[clock])
    fraction = digits_of(text.words[clock + 9]) << TWO_CHARACTERS
    torn = (no_digits(date) | (no_digits(time_of_day) & ~BETWEEN) | no_digits(fraction)) != 0
    missing = torn | ~LETTERS[text.buffer[at]] | ~(short | long)
    day, second = eight_digits(date).astype(np.int64), _seconds(time_of_day, fraction)
    return Stamps(np.where(missing, NO_DATE, day), np.where(missing, np.nan, second))


def _seconds(time_of_day: Words, fraction: Words) -> Floats:
    """The second of the day of the digits in `hh:mm:ss` and `uuuuuu`."""
    pairs = time_of_day * np.uint64(10) + (time_of_day >> np.uint64(8))
    minutes = (pairs & PAIR) * np.uint64(60) + ((pairs >> MINUTES) & PAIR)
    seconds = minutes * np.uint64(60) + ((pairs >> SECONDS) & PAIR)
    return np.asarray((seconds * np.uint64(10**6) + eight_digits(fraction)) / 1e6, np.float64)


def stamps_of(lines: Sequence[bytes]) -> Stamps:
    """The stamps of single lines."""
    text = ByteLines(b"".join(RANK.sub(b"", line) + b"\n" for line in lines))
    return stamps(text, text.starts)


def posix_seconds(parts: Sequence[tuple[Ints, Stamps]], file: LogFile, head: bytes) -> list[Floats]:
    """POSIX seconds of the stamps of several kinds of lines, each ascending, that one clock runs through.

    glog writes local time without a zone, taken as UTC. A classic stamp has no year. It is that of glog's own file
    header in the `head` of the file, else of a date in the file's name, else the latest one that does not put the last
    stamp after the file's time of change (so a copied file may be dated too late by whole years; distances between
    stamps are right all the same). Stamps that go back by more than half a year have passed a new year.
    """
    first = [np.flatnonzero(np.diff(stamps.date, prepend=NO_DATE - 1)) for _, stamps in parts]  # where days begin
    line = np.concatenate([lines[rows] for (lines, _), rows in zip(parts, first, strict=True)])
    date = np.concatenate([stamps.date[rows] for (_, stamps), rows in zip(parts, first, strict=True)])
    second = np.concatenate([stamps.second[rows] for (_, stamps), rows in zip(parts, first, strict=True)])
    stamped = np.argsort(line, kind="stable")
    stamped = stamped[date[stamped] != NO_DATE]
    midnight = np.full(len(line), np.nan)
    if len(stamped):
        midnight[stamped] = _midnights(date[stamped].astype(np.float64), float(second[stamped[-1]]), file, head)
    days = np.split(midnight, np.cumsum(list(map(len, first))))
    return [
        np.repeat(day, np.diff(rows, append=len(stamps.date))) + stamps.second
        for day, rows, (_, stamps) in zip(days, first, parts, strict=False)
    ]


def _midnights(date: Floats, second: float, file: LogFile, head: bytes) -> Floats:
    """POSIX seconds at which each day begins; `second` of the day of a stamp on the last one."""
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if not year.all():
        year = np.where(year == 0, _year(month, day, second, file, head) + _new_years(month, day), year)
    months = np.clip((year - 1970) * 12 + month - 1, -1e4, 1e5).astype("timedelta64[M]") + np.datetime64("1970-01")
    return np.asarray((months.astype("datetime64[D]").astype(np.int64) + day - 1) * DAY)


def _new_years(month: Floats, day: Floats) -> Floats:
    """How many new years have passed at each day since the first one."""
    of_year = (month * 31 + day) * DAY
    return np.concatenate(([0.0], np.cumsum(np.diff(of_year) < -HALF_YEAR)))


def _year(month: Floats, day: Floats, second: float, file: LogFile, head: bytes) -> float:
    """The year of the first of the days given; `second` of the last one."""
    if stated := CREATED.search(head):
        return float(stated[1])
    if dated := DATED.search(file.path.name):
        return float(dated[1])
    changed = time.gmtime(_changed(file) + DAY)
    later = (month[-1], day[-1], second) > (changed.tm_mon, changed.tm_mday, changed.tm_hour * 3600.0)
    last = changed.tm_year - int(later)
    while ((month == 2) & (day == 29)).any() and last % 4:
        last -= 1
    return float(last - _new_years(month, day)[-1])


def _changed(file: LogFile) -> float:
    """When the file was last changed; now, for standard input."""
    if file.content is not None:
        return time.time()
    return file.path.stat().st_mtime
