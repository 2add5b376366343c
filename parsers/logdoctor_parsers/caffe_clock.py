"""glog's time stamps: `I0621 17:36:52.042147` (no year) and `I20260621 17:36:52.042147` → POSIX seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import numpy as np

from logdoctor_parsers.caffe_scan import Block, Bytes
from logdoctor_parsers.contract import Floats, Ints, LogFile

WIDTH = 26  # bytes of the longer form
RANK = re.compile(rb"^\[\d+\] ")  # Intel's multi-node runs
LETTERS = np.isin(np.arange(256), list(b"IWEF"))
CREATED = re.compile(rb"^Log file created at: (\d{4})/", re.MULTILINE)
DATED = re.compile(r"(?<!\d)(20[0-3]\d)[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:[0-2]\d|3[01])(?!\d)")
HALF_YEAR = 183 * 86400.0
DAY = 86400.0
# What each character of `hh:mm:ss.uuuuuu` is worth in seconds; separators nothing.
SECONDS = np.array([36000, 3600, 0, 600, 60, 0, 10, 1, 0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6])


def stamps(block: Block, offsets: Ints) -> Floats:
    """Date (as the number yyyymmdd, year 0 where unwritten) and second of the day at each offset, shape (n, 2).

    NaN where no stamp stands.
    """
    return _stamps(np.lib.stride_tricks.sliding_window_view(block.buffer, WIDTH)[offsets])


def stamps_of(lines: Sequence[bytes]) -> Floats:
    """The same of single lines."""
    window = np.frombuffer(b"".join(RANK.sub(b"", line[: WIDTH + 8])[:WIDTH].ljust(WIDTH) for line in lines), np.uint8)
    return _stamps(window.reshape(len(lines), WIDTH))


def _stamps(window: Bytes) -> Floats:
    fields = np.full((len(window), 2), np.nan)
    letter = LETTERS[window[:, 0]]
    for year_digits in (0, 4):
        rows = letter & (window[:, 5 + year_digits] == ord(" "))
        if rows.any():
            fields[rows] = _fields(window[rows], year_digits)
    return fields


def _fields(window: Bytes, year_digits: int) -> Floats:
    """Numbers at the fixed columns of `Iyyyymmdd hh:mm:ss.uuuuuu`; NaN rows where a column holds no digit."""
    digits = window - ord("0")
    time_of_day = digits[:, 6 + year_digits : 21 + year_digits]
    date = digits[:, 1 : 5 + year_digits]
    fields = np.column_stack((date @ 10.0 ** np.arange(3 + year_digits, -1, -1), time_of_day @ SECONDS))
    fields[(date > 9).any(axis=1) | (time_of_day[:, SECONDS > 0] > 9).any(axis=1)] = np.nan
    return fields


def posix_seconds(fields: Floats, file: LogFile, data: bytes) -> Floats:
    """POSIX seconds of stamps in file order, shape (n,); glog writes local time without a zone, taken as UTC.

    A classic glog stamp has no year. It is that of glog's own file header, else of a date in the file's name, else the
    latest one that does not put the last stamp after the file's time of change (so a copied file may be dated too late
    by whole years; distances between stamps are right all the same). Stamps that go back by more than half a year
    have passed a new year.
    """
    date, second = fields.T
    first = np.flatnonzero(np.diff(date, prepend=np.nan) != 0)  # rows at which a day begins; each row without a stamp
    midnight = date[first]
    stamped = np.isfinite(midnight)
    if stamped.any():
        midnight[stamped] = _midnights(midnight[stamped], float(second[first[stamped][-1]]), file, data)
    return np.asarray(np.repeat(midnight, np.diff(first, append=len(date))) + second)


def _midnights(date: Floats, second: float, file: LogFile, data: bytes) -> Floats:
    """POSIX seconds at which each day begins; `second` of the day of a stamp on the last one."""
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if not year.all():
        year = np.where(year == 0, _year(month, day, second, file, data) + _new_years(month, day), year)
    months = np.clip((year - 1970) * 12 + month - 1, -1e4, 1e5).astype("timedelta64[M]") + np.datetime64("1970-01")
    return np.asarray((months.astype("datetime64[D]").astype(np.int64) + day - 1) * DAY)


def _new_years(month: Floats, day: Floats) -> Floats:
    """How many new years have passed at each day since the first one."""
    of_year = (month * 31 + day) * DAY
    return np.concatenate(([0.0], np.cumsum(np.diff(of_year) < -HALF_YEAR)))


def _year(month: Floats, day: Floats, second: float, file: LogFile, data: bytes) -> float:
    """The year of the first of the days given; `second` of the last one."""
    if stated := CREATED.search(data[: 1 << 16]):
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
