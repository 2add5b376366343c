"""Records that repeat over and over: followed and decoded as one, with every damage among them named."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from event_files import event, record, simple, summary, version

from logdoctor_parsers import LogFile, ParsedLog
from logdoctor_parsers.tensorboard import PARSER
from logdoctor_parsers.tfrecord_chain import chain

NAME = "events.out.tfevents.1700000000.host.1.0"
TAGS = ("loss", "accuracy", "lr")
STEPS = 1500
BEGAN = 200  # so that a step takes as many bytes throughout
Point = tuple[str, float, float, float]


def value(step: int, place: int) -> float:
    return struct.unpack("<f", struct.pack("<f", (step * 7919 % 1000) / 1000 - place))[0]  # type: ignore[no-any-return]


def point(tag: str, step: int) -> Point:
    return tag, float(step), 1e9 + step, value(step, TAGS.index(tag))


def one(tag: str, step: int, name: str = "") -> bytes:
    content = summary(simple(name or tag, value(step, TAGS.index(tag))))
    return record(event(content, step=step, wall_time=1e9 + step))


@pytest.fixture(scope="module")
def records() -> list[bytes]:
    return [one(tag, step) for step in range(BEGAN, BEGAN + STEPS) for tag in TAGS]


@pytest.fixture(scope="module")
def expected() -> list[Point]:
    return [point(tag, step) for step in range(BEGAN, BEGAN + STEPS) for tag in TAGS]


def parse(*parts: bytes) -> ParsedLog:
    return PARSER.parse(LogFile(Path(NAME), NAME, b"".join(parts)))


def points(log: ParsedLog) -> list[Point]:
    table = log.table
    columns = (table.code, table.step, table.wall_time, table.value)
    tags = [series.tag for series in table.series]
    return [(tags[code], *rest) for code, *rest in zip(*(c.tolist() for c in columns), strict=True)]  # type: ignore[misc]


def test_a_repetition_is_followed_to_its_last_whole_period(records: list[bytes]) -> None:
    window = np.frombuffer(b"".join([version(), *records, one("loss", 5), bytes(16)]), np.uint8)
    found = chain(window, len(window) - 16)
    (repeat,) = found.repeats
    assert repeat.period == len(TAGS)
    left = 1 + len(records) - (repeat.first + repeat.period * repeat.times)
    assert 0 <= left < repeat.period
    assert found.lengths.tolist() == [len(r) - 16 for r in [version(), *records, one("loss", 5)]]
    assert found.end == len(window) - 16


def test_every_number_of_a_repetition_comes_back(records: list[bytes], expected: list[Point]) -> None:
    log = parse(version(), *records)
    assert points(log) == expected
    assert log.table.line.tolist() == list(range(2, len(records) + 2))


@pytest.mark.parametrize("index", [3, 2000, 4499])
@pytest.mark.parametrize("byte", [20, -6, -2])  # in the wall time, in the value, in the checksum
def test_a_flipped_bit_costs_its_record_only(
    records: list[bytes], expected: list[Point], index: int, byte: int
) -> None:
    damaged = bytearray(records[index])
    damaged[byte] ^= 4
    log = parse(version(), *records[:index], bytes(damaged), *records[index + 1 :])
    assert points(log) == expected[:index] + expected[index + 1 :]
    assert [problem.line for problem in log.problems] == [index + 2]
    assert "fails its checksum" in log.problems[0].message


def test_another_tag_of_the_same_length_keeps_its_name(records: list[bytes], expected: list[Point]) -> None:
    index = 2001
    tag, step, *rest = expected[index]
    assert tag == "loss"
    log = parse(version(), *records[:index], one("loss", int(step), name="cost"), *records[index + 1 :])
    assert points(log) == [*expected[:index], ("cost", step, *rest), *expected[index + 1 :]]
    assert not log.problems


@pytest.mark.parametrize("lost", [1, 30, 700])
def test_reading_goes_on_behind_a_hole(records: list[bytes], expected: list[Point], lost: int) -> None:
    """What follows is a window that repeats from its first byte to its last."""
    content = b"".join(records)
    hole = len(b"".join(records[:600])) + 20
    log = parse(version(), content[:hole], content[hole + lost :])
    found = points(log)
    first = next(i for i in range(601, len(records)) if len(b"".join(records[:i])) >= hole + lost)
    assert found == expected[:600] + expected[first:]
    assert len(log.problems) == 1


def test_a_repetition_that_is_cut_off(records: list[bytes], expected: list[Point]) -> None:
    log = parse(version(), *records[:-1], records[-1][:-3])
    assert points(log) == expected[:-1]
    assert log.ending.kind == "torn"


def test_a_file_that_is_one_repetition(records: list[bytes], expected: list[Point]) -> None:
    """With the smallest shifts, some of which leave nothing before the repetition and nothing behind it."""
    whole = 0
    for first in range(4):
        for end in range(len(records) - 2, len(records) + 1):
            content = b"".join(records[first:end])
            repeats = chain(np.frombuffer(content + bytes(16), np.uint8), len(content)).repeats
            whole += repeats[0].period * repeats[0].times == end - first
            assert points(parse(content)) == expected[first:end]
    assert whole
