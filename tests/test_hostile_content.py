"""Broken and hostile content: whatever a file holds, each parser answers consistently and within bounded time."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import zstandard

from logdoctor import load
from logdoctor.diagnosis import Unread
from logdoctor.judging import examine
from logdoctor.options import Options
from logdoctor.reading import Read, read_file
from logdoctor.settings import read_config
from logdoctor_parsers import PARSERS, LogFile, ParsedLog, choose
from logdoctor_parsers.unpack import ReadLimits
from tests.event_files import event, header, nested, record, scalars, simple, summary, tensor, varint, version
from tests.fuzz.targets import TARGETS, assert_consistent
from tests.parsed import log_file, values

SAMPLES = Path(__file__).parents[1] / "sample_logs"
FILES = sorted(p for p in SAMPLES.rglob("*") if p.is_file() and p.name not in ("SOURCES.md", "logdoctor.toml"))
GENEROUS = 30.0  # seconds: against quadratic time, not a measure of speed
DATE = b"I1122 16:15:56.530028 20327 solver.cpp:228] "

NUMBERS = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

each_sample = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def parse(path: Path, content: bytes) -> ParsedLog:
    """By the parser of the undamaged sample."""
    parser = choose(LogFile(path, path.name), PARSERS)
    assert parser is not None
    return parser.parse(LogFile(path, path.name, content))


def told(log: ParsedLog) -> set[tuple[int, str]]:
    """Line and number of each value; to ten digits, as a CSV cell of full precision may lack the last one."""
    return {(int(line), f"{value:.9e}") for line, value in zip(log.table.line, log.table.value, strict=True)}


def standing(content: bytes, line: int) -> set[tuple[int, str]]:
    """All numbers that stand at a line of a text."""
    text = content.split(b"\n")[line - 1] if line <= content.count(b"\n") + 1 else b""
    return {(line, f"{float(number):.9e}") for number in NUMBERS.findall(text)}


@each_sample
def test_cut_at_any_byte_no_number_is_another_one(path: Path) -> None:
    content = path.read_bytes()
    whole = told(parse(path, content))
    chance = random.Random(path.name)
    cuts = max(6, min(50, 400_000 // len(content)))
    ends = [*chance.sample(range(len(content) - 3 * cuts, len(content)), cuts), *chance.sample(range(len(content)), 4)]
    for end in ends:
        cut = parse(path, content[:end])
        assert_consistent(cut)
        wrong = [each for each in told(cut) - whole if each not in standing(content, each[0])]
        assert not wrong, (end, content[max(0, end - 60) : end])


@each_sample
def test_flipped_bits_zeroed_inserted_and_repeated_blocks(path: Path) -> None:
    content = path.read_bytes()
    chance = random.Random(path.name)
    for damaged in (*flips(content, chance), *blocks(content, chance)):
        log = parse(path, damaged)
        assert_consistent(log)
        found = read_file(LogFile(path, path.name, damaged), PARSERS)
        assert isinstance(found, Read) or "bug" not in found.reason


def flips(content: bytes, chance: random.Random) -> Iterator[bytes]:
    for _ in range(4):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        yield bytes(damaged)


def blocks(content: bytes, chance: random.Random) -> Iterator[bytes]:
    start = chance.randrange(len(content))
    size = chance.choice((1, 17, 512, 4096))
    yield content[:start] + bytes(size) + content[start + size :]
    yield content[:start] + bytes(chance.randrange(256) for _ in range(size)) + content[start:]
    yield content[:start] + content[max(0, start - size) :]


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_files_swapped_each_parser_reads_those_of_all_others(parser: object) -> None:
    for path in FILES[::3]:
        TARGETS[parser.name](path.read_bytes()[:20_000])  # type: ignore[attr-defined]


def test_damage_in_the_middle_of_an_event_file_costs_only_what_it_touches() -> None:
    records = scalars("loss", [float(n) for n in range(100)])
    content = bytearray(version() + b"".join(records))
    content[len(content) // 2] ^= 4
    log = parse_events(bytes(content))
    assert len(values(log, "loss")) >= 98
    assert set(values(log, "loss")) <= {float(n) for n in range(100)}
    assert log.problems[0].line == pytest.approx(50, abs=3)


def parse_events(content: bytes) -> ParsedLog:
    parser = next(parser for parser in PARSERS if parser.name == "tensorboard")
    return parser.parse(log_file(content, "events.out.tfevents.1.host"))


@pytest.mark.parametrize(
    "content",
    [
        version() + header(1 << 60) + b"x" * 100,
        version() + header((1 << 64) - 1) * 1000,
        (header(60_000) + bytes(100)) * 600,
        version() + record(event(nested(5, varint(1 << 3 | 2) + varint(1 << 62) + b"x"))) * 100,
        version() + record(event(summary(tensor("loss", 1, b"", shape=(1 << 40, 1 << 20))))),
        version() + bytes(1_000_000),
        version() + record(event(nested(5, nested(1, b"\x0a" * 50_000)))),
        version() + record(event(summary(simple("t" * 500_000, 1.0)))),
    ],
    ids=["2^60", "2^64", "lying-lengths", "field-2^62", "shape-2^60", "zeros", "nested", "long-tag"],
)
def test_event_files_that_claim_huge_lengths(content: bytes) -> None:
    began = time.monotonic()
    assert_consistent(parse_events(content))
    assert time.monotonic() - began < GENEROUS


HISTORY = {
    "loss": [1 / (n + 1.5) for n in range(20)],
    "val_loss": [2 / (n + 1.5) for n in range(20)],
    "accuracy": [n / 21.7 for n in range(20)],
    "lr": [1e-5] * 20,
}
HISTORIES = {
    "json": json.dumps(HISTORY),
    "indented": json.dumps(HISTORY, indent=4),
    "pandas": json.dumps({key: {str(n): each for n, each in enumerate(told)} for key, told in HISTORY.items()}),
    "arrays": repr(HISTORY).replace("[", "array([").replace("]", "], dtype=float32)"),
}


@pytest.mark.parametrize("size", [1, 2, 9, 40, 200])
@pytest.mark.parametrize("form", HISTORIES)
def test_a_history_whose_first_bytes_are_overwritten_names_the_list_it_loses(form: str, size: int) -> None:
    found = read_file(log_file(b"x" * size + HISTORIES[form].encode()[size:], "history.json"), PARSERS)
    assert isinstance(found, Read)
    assert [len(values(found.log, tag)) for tag in ("accuracy", "lr")] == [20, 20]
    lost = 20 - len(values(found.log, "loss"))
    assert [problem.line for problem in found.log.problems] == ([1] if lost else [])


def test_a_dict_in_a_log_whose_lists_are_whole_is_no_damage() -> None:
    text = (
        "epochs: [1, 2],\n0.25, 0.5]\n{'params': {'epochs': 3, 'steps': 4}, 'mixed': ['a', 2], 'cm': [[1, 2], [3, 4]], "
    )
    text += repr(HISTORY)[1:]
    found = read_file(log_file(text.encode(), "train.log"), PARSERS)
    assert isinstance(found, Read)
    assert found.log.format == "keras-history"
    assert not found.log.problems


TEXTS = {
    "deep-json": b'{"step": 1, "loss": ' + b"[" * 50_000 + b"]" * 50_000 + b"}\n",
    "deep-json-objects": b'{"loss":' * 50_000 + b"1" + b"}" * 50_000,
    "open-brackets": b"[" * 200_000,
    "deep-history": b'{"loss": ' + b"[" * 100_000,
    "deep-notebook": b'{"cells": [' + b'{"cell_type":' * 50_000,
    "deep-trainer-state": b'{"log_history": [' + b"[" * 50_000,
    "deep-pickle": b"\x80\x04]" + b"\x94]" * 20_000 + b"loss",
    "pickle-that-claims-2-gib": b"\x80\x02lossX\xff\xff\xff\x7f",
    "open-braces-in-caffe": DATE.replace(b"228] ", b"45] Initializing solver from parameters: \n") + b"layer {\n" * 20_000,
    "4000-outputs-in-caffe": b"".join(DATE + b"    Train net output #%d: l%d = 0.5\n" % (n, n) for n in range(4_000)),
    "long-name-in-caffe": DATE + b"    Train net output #0: %s = 0.5\n" % (b"n" * 5000) + DATE + b"    Train net output #1: b = 1\n",
    "json-number-of-5000-digits": b'{"step": 1, "loss": ' + b"9" * 5000 + b'}\n{"step": 2, "loss": 0.5}\n',
    "bare-number-of-5000-digits": b"9" * 5000,
    "loss-of-10^400": b"epoch,loss\n" + b"".join(b"%d,1%s\n" % (n, b"0" * 400) for n in range(5)),
    "step-of-10^400": b"epoch,loss\n" + b"".join(b"1%s,0.5\n" % (b"0" * 400) for n in range(5)),
    "progress-bar": b"Epoch 1/2\n" + b"\r 50%|#####     | 1/2 [00:01<00:01] loss=0.5" * 10_000,
    "backspaces": b"Epoch 1/2\n1/2 [=>..] - loss: 0.5" + b"\x08" * 1_000_000,
    "escapes": b"\x1b[31m" * 200_000 + b"loss: 1\n",
    "open-escapes": b"\x1b]" * 300_000,
    "blanks": b"loss:" + b" " * 300_000 + b"1\n",
    "nul": bytes(1_000_000),
    "line-feeds": b"\n" * 300_000,
    "carriage-returns": b"\r" * 300_000,
    "marks": b"\xef\xbb\xbf" * 100_000,
    "no-utf8": b"\xff" * 200_000,
    "combining": ("loss" + "\u0301" * 100_000).encode(),
    **{f"only-{sign.decode()}": sign * 100_000 for sign in (b":", b"=", b"|", b"(", b'"', b",", b".", b"-", b"1e", b"1,")},
    "one-line-of-pairs": b"loss=1 " * 50_000,
    "one-line-of-dicts": b"{'loss': 0.5, " * 20_000,
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_every_parser_survives_and_ends(name: str) -> None:
    began = time.monotonic()
    for target in (*(parser.name for parser in PARSERS), "choose"):
        TARGETS[target](TEXTS[name])
    TARGETS["report"](TEXTS[name])
    assert time.monotonic() - began < GENEROUS


def test_a_line_of_4_mb_ends_and_hides_nothing_behind_it() -> None:
    before = b"".join(b"epoch %d loss: 0.5\n" % n for n in range(1, 21))
    content = before + b"a" * (1 << 22) + b"\nepoch 21 loss: 0.4\nepoch 22 loss: 0.3\n"
    began = time.monotonic()
    read = read_file(log_file(content), PARSERS)
    assert time.monotonic() - began < 2 * GENEROUS
    assert isinstance(read, Read)
    assert read.log.table.value.tolist()[-3:] == [0.5, 0.4, 0.3]
    assert read.log.table.line.tolist()[-3:] == [20, 22, 23]


def table_of(columns: int) -> bytes:
    names, cells = ([f"{word}{n}" for n in range(columns)] for word in ("loss", "0."))
    return "\n".join([",".join(["epoch", *names]), *(",".join([str(row), *cells]) for row in (1, 2))]).encode() + b"\n"


def test_10000_columns_are_read_and_1000000_refused() -> None:
    began = time.monotonic()
    read = read_file(log_file(table_of(10_000), "wide.csv"), PARSERS)
    assert isinstance(read, Read)
    assert len(read.log.table) == 20_000
    refused = read_file(log_file(table_of(1_000_000), "wide.csv"), PARSERS)
    assert isinstance(refused, Unread)
    assert refused.reason == "a table of 1,000,001 columns is no training log; up to 20,000 are read"
    assert time.monotonic() - began < GENEROUS


def test_a_line_of_1_gb_of_zeros_ends_and_costs_nothing_before_it(tmp_path: Path) -> None:
    """So long where LOGDOCTOR_LONG_TESTS is set, as `.ci/run` does; else a sixteenth."""
    path = tmp_path / "train.log"
    path.write_bytes(b"".join(b"epoch %d loss: 0.5\n" % n for n in range(1, 21)))
    os.truncate(path, 1 << (30 if os.environ.get("LOGDOCTOR_LONG_TESTS") else 26))  # takes no room on the disk
    began = time.monotonic()
    read = read_file(LogFile(path, path.name), PARSERS)
    assert isinstance(read, Read)
    assert len(read.log.table) == 20
    assert time.monotonic() - began < GENEROUS


def test_more_runs_in_one_file_than_are_judged_are_refused_with_the_way_out(tmp_path: Path) -> None:
    settings = tmp_path / "logdoctor.toml"
    settings.write_text("max_runs_per_file = 3\n")
    for name, count in (("few", 3), ("many", 4)):
        rows = [json.dumps({"step": n, "loss": (run + 1) / (n + 1)}) for run in range(count) for n in range(5)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
    report = examine([str(tmp_path)], read_config(settings))
    assert [diagnosis.run.name for diagnosis in report.runs] == ["few", "few#2", "few#3"]
    (unread,) = report.unread
    assert "it would be 4 runs; up to 3 of one file are judged (raise max_runs_per_file in" in unread.reason
    assert "`logdoctor export` writes them all" in unread.reason
    assert len(examine([str(tmp_path)], Options()).runs) == 7
    assert load(tmp_path / "many.jsonl")["run"].nunique() == 4


def test_a_json_number_too_long_costs_its_line_only() -> None:
    content = b'{"step": 0, "loss": 0.6}\n' + TEXTS["json-number-of-5000-digits"]
    log = next(p for p in PARSERS if p.name == "json-lines").parse(log_file(content))
    assert values(log, "loss") == [0.6, 0.5]
    assert [problem.line for problem in log.problems] == [2]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1e999", np.inf), ("-1e999", -np.inf), ("-nan(ind)", np.nan), ("1.#QNAN", np.nan), ("-1.#INF", -np.inf),
        ("nan", np.nan), ("Infinity", np.inf), ("1" + "0" * 400, np.inf), ("1e-999", 0.0), ("0." + "0" * 400 + "1", 0.0),
    ],
)  # fmt: skip
def test_numbers_at_the_edge_of_floats_are_kept_as_evidence(cell: str, number: float) -> None:
    rows = "".join(f"{n},{value}\n" for n, value in enumerate(["0.5", "0.4", cell, "0.3"]))
    read = read_file(log_file(f"epoch,loss\n{rows}", "m.csv"), PARSERS)
    assert isinstance(read, Read)
    assert read.log.table.value.tolist() == pytest.approx([0.5, 0.4, number, 0.3], nan_ok=True)


def test_a_counter_that_is_no_number_is_unknown() -> None:
    TARGETS["report"](b"epoch,loss\n1,0.5\n1e999,0.4\nnan,0.3\n4,0.2\n")
    TARGETS["report"](
        b"".join(b'{"step": %s, "loss": 0.5}\n' % step for step in (b"1", b"1e999", b"-1e999", b"NaN", b"9"))
    )
    TARGETS["report"](b"".join(b"Iteration %s loss: 0.5\n" % step for step in (b"1", b"9" * 400, b"2", b"3", b"4")))


def test_surrogates_that_json_can_name_and_no_file_can_hold(tmp_path: Path) -> None:
    import logdoctor

    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps({"step": n, "loss\ud800": 1 / n, "loss": 1 / n}) + "\n" for n in range(1, 9)))
    frame = logdoctor.load(str(path))
    assert set(frame["tag"]) == {"loss", "loss\\ud800"}
    logdoctor.diagnose(str(path)).to_markdown().encode()


# packed files ---------------------------------------------------------------------------------------------------------

PACKED = pytest.mark.parametrize(
    ("suffix", "pack"),
    [("gz", gzip.compress), ("zst", zstandard.ZstdCompressor(write_checksum=True).compress)],
    ids=["gzip", "zstd"],
)
Pack = Callable[[bytes], bytes]
LINES = b"".join(b"epoch %d loss: %f\n" % (n, 1 / (n + 1)) for n in range(2000))


def reason(path: Path, limits: ReadLimits) -> str:
    found = read_file(LogFile(path, path.name, limits=limits), PARSERS)
    assert isinstance(found, Unread)
    return found.reason


@PACKED
def test_a_bomb_is_refused_with_the_way_out(tmp_path: Path, suffix: str, pack: Pack) -> None:
    bomb = tmp_path / f"bomb.log.{suffix}"
    bomb.write_bytes(pack(b"epoch 1 loss: 0.5\n" * 50_000))
    said = reason(bomb, ReadLimits(free_bytes=1 << 17))
    assert "times as much: raise max_unpacking_ratio in logdoctor.toml" in said
    assert "unpacks to more than the 512 KiB" in reason(bomb, ReadLimits(max_bytes=1 << 19))
    assert isinstance(read_file(LogFile(bomb, bomb.name), PARSERS), Read), "0.9 MB are no bomb"


def test_a_plain_file_beyond_the_limit_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "large.log"
    path.write_bytes(b"epoch 1 loss: 0.5\n" * 100_000)
    assert "raise max_gigabytes in logdoctor.toml" in reason(path, ReadLimits(max_bytes=1 << 20))


@PACKED
@pytest.mark.parametrize("missing", [1, 8, 9, 40])
def test_a_packed_file_cut_off_gives_what_is_left_and_says_so(
    tmp_path: Path, missing: int, suffix: str, pack: Pack
) -> None:
    path = tmp_path / f"train.log.{suffix}"
    path.write_bytes(b"".join(map(pack, (LINES[:-40], LINES[-40:])))[:-missing])
    read = read_file(LogFile(path, path.name), PARSERS)
    assert isinstance(read, Read)
    assert 1900 < len(read.log.table) <= 2000
    assert read.log.table.value.tolist() == pytest.approx([1 / (n + 1) for n in range(len(read.log.table))], abs=1e-6)
    assert "cut off" in read.log.problems[0].message
    assert read.log.ending.kind == "torn"


@PACKED
def test_a_packed_file_damaged_inside_is_not_believed(tmp_path: Path, suffix: str, pack: Pack) -> None:
    content = bytearray(pack(LINES))
    content[len(content) // 2] ^= 16
    path = tmp_path / f"train.log.{suffix}"
    path.write_bytes(content)
    assert "damaged" in reason(path, ReadLimits())


@PACKED
def test_members_and_padding_are_one_file(tmp_path: Path, suffix: str, pack: Pack) -> None:
    halves = [b"".join(b"epoch %d loss: 0.%d\n" % (n, n) for n in part) for part in (range(1, 5), range(5, 9))]
    path = tmp_path / f"train.log.{suffix}"
    path.write_bytes(pack(halves[0]) + pack(halves[1]) + bytes(512))
    read = read_file(LogFile(path, path.name), PARSERS)
    assert isinstance(read, Read)
    assert len(read.log.table) == 8
    assert not read.log.problems


def test_without_zstandard_a_zst_file_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "train.log.zst"
    path.write_bytes(zstandard.compress(LINES))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert "pip install 'logdoctor[zstd]'" in reason(path, ReadLimits())
