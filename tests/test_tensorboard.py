"""Event files: every scalar with its step, wall time and value; everything lost is named."""

from __future__ import annotations

import gzip
import math
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from event_files import (
    event,
    float32,
    float64,
    header,
    integer,
    metadata,
    nested,
    record,
    scalars,
    simple,
    summary,
    tensor,
    varint,
    version,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor_parsers import LogFile, Match, ParsedLog
from logdoctor_parsers.tensorboard import PARSER

NAME = "events.out.tfevents.1700000000.host.1.0"
Row = tuple[str, float, float, float, int]


def parse(data: bytes) -> ParsedLog:
    return PARSER.parse(LogFile(Path(NAME), NAME, data))


def sniff(data: bytes, name: str = "log") -> Match:
    return PARSER.sniff(LogFile(Path(name), name, data))


def rows(log: ParsedLog) -> list[Row]:
    """(tag, step, wall time, value, record number) in the table's order; NaN as text so that it compares."""
    table = log.table
    columns = (table.code, table.step, table.wall_time, table.value, table.line)
    return [
        (table.series[code].tag, step, time, value if value == value else "nan", line)  # type: ignore[misc]
        for code, step, time, value, line in zip(*(column.tolist() for column in columns), strict=True)
    ]


def values(log: ParsedLog) -> list[float]:
    return log.table.value.tolist()  # type: ignore[no-any-return]


def one(value: bytes) -> bytes:
    """A file of one event with one value."""
    return version() + record(event(summary(value), step=3))


def test_tf1_scalars_keep_step_time_value_and_record_number() -> None:
    log = parse(version() + b"".join(scalars("train/loss", [2.0, math.nan, math.inf], first_step=0)))
    assert rows(log) == [
        ("train/loss", 0, 1.7e9, 2.0, 2),
        ("train/loss", 1, 1.7e9 + 1, "nan", 3),
        ("train/loss", 2, 1.7e9 + 2, math.inf, 4),
    ]
    assert (log.format, log.lines, log.data, log.unreadable, log.problems) == ("tensorboard", 4, 3, 0, ())
    assert [(series.metric, series.split) for series in log.table.series] == [("loss", "train")]
    assert np.isnan(log.table.epoch).all()
    assert log.ending.kind == "open"


@pytest.mark.parametrize(
    ("dtype", "content", "expected"),
    [
        (1, float32(5, 0.25), 0.25),
        (1, nested(5, struct.pack("<f", 0.25)), 0.25),
        (1, nested(4, struct.pack("<f", 0.25)), 0.25),
        (2, nested(6, struct.pack("<d", 0.1)), 0.1),
        (2, float64(6, 0.1), 0.1),
        (2, nested(4, struct.pack("<d", 0.1)), 0.1),
        (3, integer(7, 7), 7.0),
        (3, nested(4, struct.pack("<i", -7)), -7.0),
        (9, nested(10, varint(-3)), -3.0),
        (9, nested(4, struct.pack("<q", 1 << 40)), float(1 << 40)),
        (10, integer(11, 1), 1.0),
        (14, integer(13, 0x3FC0), 1.5),
        (14, nested(4, b"\xc0\x3f"), 1.5),
        (19, nested(13, varint(0x3E00)), 1.5),
        (19, nested(4, b"\x00\x3e"), 1.5),
        (22, integer(16, 4_000_000_000), 4e9),
        (23, integer(17, 1 << 63), float(1 << 63)),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_tensor_scalars_of_every_type(dtype: int, content: bytes, expected: float, shape: tuple[int, ...]) -> None:
    log = parse(one(tensor("epoch_loss", dtype, content, shape=shape)))
    assert rows(log) == [("epoch_loss", 3, 1.7e9, expected, 2)]


@pytest.mark.parametrize("count", [3, 200])
@pytest.mark.parametrize("form", ["float", "double", "int64"])
def test_tensors_one_by_one_and_in_bulk(count: int, form: str) -> None:
    dtype, pack = {"float": (1, "<f"), "double": (2, "<d"), "int64": (9, "<q")}[form]
    contents = [nested(4, struct.pack(pack, step)) for step in range(count)]
    frames = [record(event(summary(tensor("loss", dtype, each)), step=step)) for step, each in enumerate(contents)]
    log = parse(b"".join(frames))
    assert values(log) == log.table.step.tolist() == list(range(count))


def test_tensors_that_are_no_scalars_are_left_alone() -> None:
    several = tensor("histogram", 1, nested(4, bytes(12)), shape=(3,), plugin="histograms")
    text = tensor("notes", 7, nested(8, b"hello"), plugin="text")
    log = parse(version() + record(event(summary(several, text, simple("loss", 1.0)), step=1)))
    assert rows(log) == [("loss", 1, 1.7e9, 1.0, 2)]
    assert log.problems == ()


def test_the_plugin_named_once_holds_for_the_tag() -> None:
    first = record(event(summary(tensor("x", 1, float32(5, 1.0), plugin="custom")), step=1))
    later = [record(event(summary(tensor("x", 1, float32(5, 1.0), plugin="")), step=step)) for step in range(2, 30)]
    assert len(parse(version() + first + b"".join(later)).table) == 0


def test_a_marked_scalar_without_one_number_is_a_problem() -> None:
    log = parse(one(tensor("loss", 1, nested(4, bytes(8)), shape=(2,))))
    assert [(problem.line, "'loss'" in problem.message) for problem in log.problems][-1] == (2, True)


def test_one_tag_as_number_and_as_tensor_is_one_series() -> None:
    second = record(event(summary(tensor("loss", 1, float32(5, 2.0))), step=1))
    log = parse(version() + b"".join(scalars("loss", [1.0])) + second)
    assert [series.tag for series in log.table.series] == ["loss"]
    assert values(log) == [1.0, 2.0]


def test_several_values_an_event_stay_in_order() -> None:
    frames = [record(event(summary(simple("a", step), simple("b", -step)), step=step)) for step in range(50)]
    log = parse(b"".join(frames))
    assert rows(log)[-2:] == [("a", 49, 1.7e9, 49.0, 50), ("b", 49, 1.7e9, -49.0, 50)]
    assert log.table.line.tolist() == [number for number in range(1, 51) for _ in "ab"]
    assert (log.lines, log.data) == (50, 50)


def test_tags_of_one_length_are_told_apart() -> None:
    tags = [f"tag{number:03d}" for number in range(60)]
    frames = [record(event(summary(simple(tag, step)), step=step)) for step in range(20) for tag in tags]
    table = parse(b"".join(frames)).table
    assert [table.series[code].tag for code in table.code] == tags * 20
    assert table.value.tolist() == [step for step in range(20) for _ in tags]


@pytest.mark.parametrize("step", [0, 1, 127, 128, 16_383, 16_384, 1 << 40, -1, -(1 << 62)])
def test_steps_of_every_width(step: int) -> None:
    frames = [record(event(summary(simple("loss", 1.0)), step=step)) for _ in range(20)]
    assert parse(b"".join(frames)).table.step.tolist() == [float(step)] * 20


def test_equal_steps_all_stay() -> None:
    assert len(parse(b"".join(scalars("epoch", [0.0], first_step=5) * 40)).table) == 40


def test_no_wall_time_and_no_version_record() -> None:
    log = parse(b"".join(record(event(summary(simple("loss", 1.0)), step=1, wall_time=None)) for _ in range(20)))
    assert len(log.table) == 20
    assert np.isnan(log.table.wall_time).all()


def test_tags_that_are_no_utf8_are_escaped() -> None:
    assert rows(parse(one(simple(b"lo\xffss", 1.0))))[0][0] == "lo\\xffss"


def test_images_and_histograms_are_stepped_over() -> None:
    image = nested(1, b"samples") + nested(4, nested(4, bytes(5000)))
    histogram = nested(1, b"weights") + nested(5, nested(6, bytes(800)))
    mixed = record(event(summary(image, simple("loss", 0.5), histogram), step=1))
    assert rows(parse(version() + mixed + record(event(summary(image))))) == [("loss", 1, 1.7e9, 0.5, 2)]


def test_a_number_beside_a_large_image() -> None:
    image = nested(1, b"samples") + nested(4, nested(4, random.Random(1).randbytes(100_000)))
    large = record(event(summary(simple("before", 1.0), image, simple("after", 2.0)), step=9))
    data = version() + large + b"".join(scalars("loss", [3.0]))
    assert [(row[0], row[1], row[3], row[4]) for row in rows(parse(data))] == [
        ("before", 9, 1.0, 2),
        ("after", 9, 2.0, 2),
        ("loss", 0, 3.0, 3),
    ]
    damaged = bytearray(data)
    damaged[60_000] ^= 1  # inside the image: the numbers beside it stand under the same checksum
    log = parse(bytes(damaged))
    assert values(log) == [3.0]
    assert [problem.line for problem in log.problems] == [2]


def test_session_starts_are_kept() -> None:
    start = record(event(nested(7, integer(1, 1)), step=40))
    stop = record(event(nested(7, integer(1, 2)), step=40))
    log = parse(b"".join([version(), *scalars("loss", [1.0]), stop, start, *scalars("loss", [1.0], first_step=40)]))
    assert log.starts == (4,)


def test_hyperparameters_are_facts() -> None:
    def entry(key: str, value: bytes) -> bytes:
        return nested(1, nested(1, key.encode()) + nested(2, value))

    info = entry("batch_size", float64(2, 64)) + entry("lr", float64(2, 0.1)) + entry("optimizer", nested(3, b"SGD"))
    value = nested(1, b"_hparams_/session_start_info") + metadata("hparams", nested(3, info))
    log = parse(version() + record(event(summary(value))) + b"".join(scalars("loss", [1.0])))
    facts = {fact.name: (fact.value, fact.line) for fact in log.facts}
    assert facts == {"batch_size": (64.0, 2), "base_lr": (0.1, 2), "optimizer": ("SGD", 2)}


def test_a_flipped_bit_costs_one_value() -> None:
    frames = scalars("loss", [float(step) for step in range(100)])
    damaged = bytearray(b"".join(frames))
    damaged[sum(map(len, frames[:70])) + 30] ^= 8
    log = parse(bytes(damaged))
    assert values(log) == [step for step in range(100) if step != 70]
    assert [(problem.line, "checksum" in problem.message) for problem in log.problems] == [(71, True)]
    assert (log.lines, log.data, log.unreadable) == (100, 99, 1)


def test_an_intact_record_that_is_no_event_is_skipped() -> None:
    frames = scalars("loss", [1.0, 2.0])
    log = parse(frames[0] + record(b"\xff" * 40) + frames[1])
    assert values(log) == [1.0, 2.0]
    assert [problem.line for problem in log.problems] == [2]
    assert log.table.line.tolist() == [1, 3]


def test_the_size_of_a_torn_end_is_told() -> None:
    frames = scalars("loss", [1.0, 2.0, 3.0], first_step=1)
    log = parse(b"".join(frames)[:-10])
    assert values(log) == [1.0, 2.0]
    assert log.ending.kind == "torn"
    assert log.ending.line == 3
    assert f"({len(frames[2]) - 10} of {len(frames[2])} bytes)" in log.ending.message
    assert log.problems == ()


def test_zeros_at_the_end_are_named() -> None:
    log = parse(b"".join(scalars("loss", [1.0])) + bytes(4096))
    assert values(log) == [1.0]
    assert "4096 zero bytes" in log.problems[0].message
    assert (log.ending.kind, log.ending.line) == ("torn", 2)


def test_a_claimed_length_reserves_nothing() -> None:
    first, second = scalars("loss", [1.0, 2.0])
    log = parse(first + header(1 << 40) + second)
    assert values(log) == [1.0, 2.0]
    assert [problem.line for problem in log.problems] == [2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 99\n", "git lfs pull"),
        (b"<!DOCTYPE html>\n<html>404</html>", "web page"),
        (gzip.compress(b"x"), "gzip"),
        (b"step,loss\n1,2\n", "text"),
        (bytes(300), "zero bytes"),
        (random.Random(3).randbytes(300), "not an event file"),
        (version(), "version record"),
        (record(event()), "version record"),
        (version() + record(event(nested(4, bytes(100)))), "1 graph"),
    ],
)
def test_files_without_a_number_say_why_in_one_sentence(data: bytes, words: str) -> None:
    log = parse(data)
    assert len(log.table) == 0
    assert log.problems[0].line == 0
    assert words in log.problems[0].message
    assert len(log.problems) == 1


def test_sniffing() -> None:
    assert sniff(version()) is Match.SURE
    assert sniff(b"".join(scalars("loss", [1.0]))) is Match.SURE
    assert sniff(record(event(nested(4, bytes(100_000))))[:65536]) is Match.SURE
    assert sniff(record(nested(1, b"a tf.Example"))) is Match.NO
    assert sniff(b"Epoch 1/10\n") is Match.NO
    assert sniff(b"", NAME) is Match.SURE
    assert sniff(b"version https://git-lfs.github.com/spec/v1\n", NAME) is Match.SURE
    assert sniff(b"<html></html>", NAME) is Match.SURE
    assert sniff(b"loss 1.0\n", NAME) is Match.MAYBE


def test_files_on_disk_and_compressed(tmp_path: Path) -> None:
    data = version() + b"".join(scalars("loss", [1.0, 2.0]))
    plain, packed, damaged = tmp_path / NAME, tmp_path / f"{NAME}.gz", tmp_path / "damaged.gz"
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data))
    damaged.write_bytes(gzip.compress(data)[:20] + b"\xff\xff\xff" + gzip.compress(data)[23:])
    for path in (plain, packed):
        assert values(PARSER.parse(LogFile(path, path.name))) == [1.0, 2.0]
    with pytest.raises(OSError, match="damaged"):
        PARSER.parse(LogFile(damaged, damaged.name))


finite_or_not = st.floats(width=32)
points = st.lists(
    st.tuples(
        st.sampled_from(["loss", "acc", "val_loss", "lr"]), st.integers(-5, 1 << 40), finite_or_not, st.booleans()
    ),
    max_size=60,
)


@given(points, st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(written: list[tuple[str, int, float, bool]], repeated: int) -> None:
    frames, expected = [version()], []
    for number, (tag, step, value, is_tensor) in enumerate(written * repeated, 2):
        content = tensor(tag, 1, float32(5, value)) if is_tensor else simple(tag, value)
        frames.append(record(event(summary(content), step=step, wall_time=number / 8)))
        expected.append((tag, float(step), number / 8, value if value == value else "nan", number))
    assert rows(parse(b"".join(frames))) == expected


def test_truncation_at_every_byte_never_invents_a_value() -> None:
    frames = [version(), *scalars("loss", [float(step) for step in range(12)]), *scalars("acc", [0.5] * 3)]
    data = b"".join(frames)
    whole, ends = rows(parse(data)), np.cumsum([len(frame) for frame in frames])
    for size in range(len(data)):
        log = parse(data[:size])
        complete = int(np.searchsorted(ends, size, side="right"))
        assert rows(log) == whole[: max(0, complete - 1)]
        assert (log.ending.kind == "torn") == (size > 0 and size not in ends)


def damage(data: bytes, randomness: random.Random) -> bytes:
    """A bit flipped, a stretch left out, zeroed or put in, or the end cut off."""
    place, size = randomness.randrange(len(data)), randomness.choice([1, 5, 40, 300])
    match randomness.randrange(5):
        case 0:
            return data[:place] + bytes([data[place] ^ 1 << randomness.randrange(8)]) + data[place + 1 :]
        case 1:
            return data[:place] + data[place + size :]
        case 2:
            return data[:place] + bytes(min(size, len(data) - place)) + data[place + size :]
        case 3:
            return data[:place] + randomness.randbytes(size) + data[place:]
    return data[:place]


def test_damage_never_changes_a_number_and_is_always_named() -> None:
    randomness = random.Random(11)
    frames = [version()]
    for step in range(40):
        frames += [record(event(summary(simple("loss", step), simple("acc", -step)), step=step))]
        frames += scalars("val/loss", [randomness.random()], first_step=step)
        frames += [record(event(summary(nested(1, b"w") + nested(5, randomness.randbytes(1500)))))]
    data = b"".join(frames)
    whole = {row[:4] for row in rows(parse(data))}
    for _ in range(250):
        log = parse(damage(data, randomness))
        found = {row[:4] for row in rows(log)}
        assert found <= whole
        assert len(log.table) == len(found)
        assert found == whole or log.problems or log.ending.kind == "torn"
