"""Random files read twice: by our parsers, and by slow readers that share no code with them.

Hundreds of files each; a thousand where LOGDOCTOR_LONG_TESTS is set, as `.ci/run` does, and as many as
LOGDOCTOR_RANDOM_FILES says. The numbers agree exactly.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import struct
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor_parsers import ParsedLog
from logdoctor_parsers.caffe import PARSER as CAFFE
from logdoctor_parsers.csv_table import PARSER as CSV
from logdoctor_parsers.tensorboard import PARSER as TENSORBOARD
from tests.event_files import crc32c, event, masked, record, simple, summary, version
from tests.parsed import log_file

Number = tuple[str, float, float, int]  # tag, step, value, line
TAGS = st.sampled_from(["loss", "acc", "val_loss", "lr", "a/b c", "Ä"])
LEAST = int(os.environ.get("LOGDOCTOR_RANDOM_FILES", 1000 if os.environ.get("LOGDOCTOR_LONG_TESTS") else 0))
floats32 = st.floats(width=32)


def told(log: ParsedLog) -> list[Number]:
    table = log.table
    rows = zip(table.code, table.step, table.value, table.line, strict=True)
    return [(table.series[code].tag, float(step), float(value), int(line)) for code, step, value, line in rows]


def comparable(numbers: list[Number]) -> list[str]:
    """NaN equals NaN; the order inside a record is not compared."""
    return sorted(map(repr, numbers))


# event files ----------------------------------------------------------------------------------------------------------


def slow_records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and payload of each record whose two checksums hold; stops at the first that does not."""
    position = number = 0
    while position + 12 <= len(content):
        length, stored = struct.unpack_from("<QI", content, position)
        if struct.unpack("<I", masked(content[position : position + 8]))[0] != stored:
            return
        payload = content[position + 12 : position + 12 + length]
        end = content[position + 12 + length : position + 16 + length]
        number += 1
        if len(end) < 4 or masked(payload) != end:
            return
        yield number, payload
        position += 16 + length


def slow_fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field of a message: varints as integers, the rest as bytes."""
    position = 0
    while position < len(content):
        key, position = slow_varint(content, position)
        if key & 7 == 0:
            value, position = slow_varint(content, position)
            yield key >> 3, value
            continue
        size, position = {1: (8, position), 5: (4, position)}.get(key & 7) or slow_varint(content, position)
        yield key >> 3, content[position : position + size]
        position += size


def slow_varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = content[position]
        value, shift, position = value | (octet & 0x7F) << shift, shift + 7, position + 1
        if octet < 0x80:
            return value, position


def slow_events(content: bytes) -> list[Number]:
    found: list[Number] = []
    for number, payload in slow_records(content):
        step, summaries = 0, []
        for field, value in slow_fields(payload):
            if field == 2 and isinstance(value, int):
                step = value - (1 << 64) if value >> 63 else value
            elif field == 5 and isinstance(value, bytes):
                summaries += [each for _, each in slow_fields(value)]
        for each in summaries:
            parts = dict(slow_fields(each))
            value = struct.unpack("<f", parts[2])[0]
            found.append((parts[1].decode(), float(step), value, number))
    return found


points = st.lists(
    st.tuples(st.integers(-3, 1 << 40), st.lists(st.tuples(TAGS, floats32), min_size=1, max_size=3)), max_size=30
)


@settings(max_examples=max(150, LEAST), deadline=None)
@given(points=points)
def test_event_files_as_a_slow_reader_reads_them(points: list[tuple[int, list[tuple[str, float]]]]) -> None:
    content = version() + b"".join(
        record(event(summary(*(simple(*v) for v in values)), step=step)) for step, values in points
    )
    assert comparable(told(TENSORBOARD.parse(log_file(content, "events.out.tfevents.1.h")))) == comparable(
        slow_events(content)
    )


@settings(max_examples=max(150, LEAST), deadline=None)
@given(points=points, cut=st.integers(0, 3000))
def test_event_files_cut_anywhere_as_a_slow_reader_reads_them(
    points: list[tuple[int, list[tuple[str, float]]]], cut: int
) -> None:
    content = version() + b"".join(
        record(event(summary(*(simple(*v) for v in values)), step=step)) for step, values in points
    )
    content = content[: len(version()) + cut]
    assert comparable(told(TENSORBOARD.parse(log_file(content, "events.out.tfevents.1.h")))) == comparable(
        slow_events(content)
    )


@settings(max_examples=max(30, LEAST), deadline=None)
@given(points=points)
def test_event_files_as_tensorboard_reads_them(points: list[tuple[int, list[tuple[str, float]]]]) -> None:
    """Its accumulator, with nothing sampled and nothing purged; skipped without the extra `bench`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    content = version() + b"".join(
        record(event(summary(*(simple(*v) for v in values)), step=step)) for step, values in points
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.out.tfevents.1.h")
        path.write_bytes(content)
        events = accumulator.EventAccumulator(folder, {"scalars": 0}, purge_orphaned_data=False).Reload()
        theirs = [(tag, each.step, each.value) for tag in events.Tags()["scalars"] for each in events.Scalars(tag)]
    ours = [(tag, int(step), value) for tag, step, value, _ in told(TENSORBOARD.parse(log_file(content, path.name)))]
    assert sorted(map(repr, ours)) == sorted(map(repr, theirs))


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, B.4


# CSV ------------------------------------------------------------------------------------------------------------------

cells = st.one_of(
    st.floats().map(repr), st.integers(-(10**18), 10**18).map(str), st.just(""), st.floats(0, 1).map("{:.4f}".format),
    st.sampled_from(["nan", "inf", "-inf", "1e999", "1E+05", " 0.5 ", '"0.25"', ".5", "5."]),
)  # fmt: skip


@settings(max_examples=max(200, LEAST), deadline=None)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=20), end=st.sampled_from(["\n", "\r\n"]))
def test_csv_files_as_the_csv_module_reads_them(rows: list[tuple[str, str]], end: str) -> None:
    text = end.join(["step,train_loss,extra", *(f"{n},{a},{b}" for n, (a, b) in enumerate(rows, 1))]) + end
    expected = []
    for line, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), 2):
        told_here = [tag for tag in ("train_loss", "extra") if row[tag].strip()]
        expected += [(tag, float(row["step"]), float(row[tag]), line) for tag in told_here]
    assert comparable(told(CSV.parse(log_file(text, "m.csv")))) == comparable(expected)


# Caffe ----------------------------------------------------------------------------------------------------------------

LINE = re.compile(r"Iteration (\d+)(?: \([^)]*\))?, (loss|lr) = (\S+)")
numbers = st.floats(0, 1e30).map("{:.6g}".format) | st.sampled_from(["nan", "-nan", "inf", "1e-05", "87.3365"])


def caffe_line(second: int, said: str) -> str:
    return f"I1122 16:{second // 60 % 60:02}:{second % 60:02}.530028 20327 solver.cpp:228] {said}\n"


@settings(max_examples=max(200, LEAST), deadline=None)
@given(values=st.lists(st.tuples(numbers, numbers, st.booleans()), min_size=1, max_size=40))
def test_caffe_logs_as_a_line_by_line_reader_reads_them(values: list[tuple[str, str, bool]]) -> None:
    lines = []
    for n, (loss, rate, timed) in enumerate(values):
        speed = " (12.5 iter/s, 1.6s/20 iters)" if timed else ""
        lines.append(caffe_line(n, f"Iteration {20 * n}{speed}, loss = {loss}"))
        lines.append(caffe_line(n, f"Iteration {20 * n}, lr = {rate}"))
    found = [(number, match) for number, line in enumerate(lines, 1) if (match := LINE.search(line))]
    expected = [(float(match[1]), float(match[3].replace("-nan", "nan")), number) for number, match in found]
    read = [(step, value, line) for _, step, value, line in told(CAFFE.parse(log_file("".join(lines))))]
    assert sorted(map(repr, read)) == sorted(map(repr, expected))
    assert all(math.isnan(value) or value >= 0 for _, value, _ in read)
