"""Framing: chains, damage, torn ends, and the checksum."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from event_files import crc32c as plain_crc32c
from event_files import header, record
from hypothesis import given
from hypothesis import strategies as st

from logdoctor_parsers import crc32c
from logdoctor_parsers.event_columns import crc_of_rows
from logdoctor_parsers.tfrecord import Damage, LargeRecord, Records, Source, Torn, walk
from logdoctor_parsers.tfrecord_chain import payload_length

SEED = random.Random(7)


def pieces(data: bytes) -> list[tuple[object, ...]]:
    """What `walk` finds, as (kind, number, offset, …) with payloads copied out of the window."""
    found: list[tuple[object, ...]] = []
    for piece in walk(Source.of(io.BytesIO(data))):
        match piece:
            case Records():
                found += [("record", piece.number + index, piece.payload(index)) for index in range(len(piece))]
            case LargeRecord():
                found.append(("large", piece.number, piece.length))
            case Damage():
                found.append(("damage", piece.number, piece.offset, piece.size, piece.zeros))
            case Torn():
                found.append(("torn", piece.number, piece.offset, piece.present, piece.expected))
    return found


def payloads(data: bytes) -> list[object]:
    return [piece[2] for piece in pieces(data) if piece[0] == "record"]


def noise(size: int) -> bytes:
    return bytes(SEED.randrange(1, 256) for _ in range(size))


@pytest.mark.parametrize("size", [0, 1, 9, 63, 64, 65, 1023, 1024, 1025, 4097])
def test_crc_agrees_with_the_bitwise_definition(size: int) -> None:
    data = SEED.randbytes(size)
    assert crc32c.crc32c(data) == plain_crc32c(data)
    assert crc32c.crc32c(data[size // 3 :], crc32c.crc32c(data[: size // 3])) == plain_crc32c(data)


def test_crc_of_the_standard_text() -> None:
    assert crc32c.crc32c(b"123456789") == 0xE3069283


def test_crc_of_rows() -> None:
    rows = np.frombuffer(SEED.randbytes(5 * 40), np.uint8).reshape(5, 40)
    assert crc32c.crc_rows(rows).tolist() == [plain_crc32c(row.tobytes()) for row in rows]


@pytest.mark.parametrize("count", [5, 5000])
@pytest.mark.parametrize("length", [9, 12, 40, 61])
@pytest.mark.parametrize("dense", [False, True])
def test_crc_of_rows_from_the_bits_that_change(count: int, length: int, dense: bool) -> None:
    rng = np.random.default_rng(count + length)
    width = length + 4
    changing = rng.integers(0, 256, width, np.uint8) & (255 if dense else rng.integers(0, 256, width, np.uint8))
    changing[rng.random(width) < 0.4] = 0
    rows = rng.integers(0, 256, width, np.uint8) ^ (rng.integers(0, 256, (count, width), np.uint8) & changing)
    assert crc_of_rows(rows, length, changing).tolist() == crc32c.crc_rows(rows[:, :length]).tolist()


@pytest.mark.parametrize("following", [0, 1, 63, 64, 200, 5000])
def test_contributions_add_up(following: int) -> None:
    tail = bytes(following)
    assert crc32c.contribution(following)[0xA5] == plain_crc32c(b"\xa5" + tail) ^ plain_crc32c(b"\0" + tail)


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_every_record_comes_back(contents: list[bytes]) -> None:
    assert payloads(b"".join(record(content) for content in contents)) == contents


def test_records_of_many_zeros_are_no_headers() -> None:
    contents = [bytes(size) for size in range(40)] + [b"\x01" + bytes(250), bytes(300), record(b"inner") * 3]
    assert payloads(b"".join(map(record, contents))) == contents


def test_records_across_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logdoctor_parsers.tfrecord._WINDOW", 1 << 17)
    contents = [SEED.randbytes(SEED.choice([10, 55, 255, 256, 900, 30_000])) for _ in range(120)]
    assert payloads(b"".join(map(record, contents))) == contents


def test_large_records_are_stepped_over() -> None:
    data = record(b"a") + record(SEED.randbytes(70_000)) + record(b"b")
    assert pieces(data) == [("record", 1, b"a"), ("large", 2, 70_000), ("record", 3, b"b")]


def test_a_damaged_length_costs_one_record() -> None:
    good = record(noise(30))
    broken = bytearray(good)
    broken[0] ^= 4
    assert pieces(good + bytes(broken) + good) == [
        ("record", 1, good[12:-4]),
        ("damage", 2, 46, 46, False),
        ("record", 3, good[12:-4]),
    ]


@pytest.mark.parametrize("length", [1 << 31, 1 << 40, 1 << 60, (1 << 64) - 1])
def test_a_claimed_length_is_not_believed(length: int) -> None:
    data = record(b"one") + header(length) + record(b"two")
    assert payloads(data) == [b"one", b"two"]
    assert ("damage", 2, 19, 12, False) in pieces(data)


def test_bytes_put_in_or_left_out_cost_the_record_they_hit() -> None:
    contents = [noise(50) for _ in range(6)]
    frames = [record(content) for content in contents]
    stray = b"".join(frames[:3]) + noise(100) + b"".join(frames[3:])
    assert payloads(stray) == contents
    shortened = b"".join(frames[:2]) + frames[2][:20] + frames[2][27:] + b"".join(frames[3:])
    assert payloads(shortened) == contents[:2] + contents[3:]
    assert ("damage", 3, 132, 59, False) in pieces(shortened)


def test_zeros_in_the_middle_and_at_the_end() -> None:
    good = record(noise(20))
    assert pieces(good + bytes(4096) + good + bytes(512)) == [
        ("record", 1, good[12:-4]),
        ("damage", 2, 36, 4096, True),
        ("record", 3, good[12:-4]),
        ("damage", 4, 36 * 2 + 4096, 512, True),
    ]


@pytest.mark.parametrize("present", range(1, 36))
def test_a_torn_end(present: int) -> None:
    good = record(noise(20))
    expected = 36 if present >= 12 else None
    assert pieces(good + good[:present]) == [("record", 1, good[12:-4]), ("torn", 2, 36, present, expected)]


def test_a_torn_large_record() -> None:
    frame = record(noise(70_000))
    assert pieces(record(b"a") + frame[:50_000]) == [("record", 1, b"a"), ("torn", 2, 17, 50_000, 70_016)]


def test_no_record_at_all() -> None:
    assert pieces(b"") == []
    assert pieces(b"<html>no such file</html>") == [("damage", 1, 0, 25, False)]


def test_headers() -> None:
    assert payload_length(header(41)) == 41
    assert payload_length(header(41)[:11]) is None
    assert payload_length(bytes(12)) is None
