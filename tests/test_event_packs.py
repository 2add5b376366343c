"""Small event files read together say what each says alone, whatever the files beside them hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from event_files import event, record, simple, summary, version

from logdoctor_parsers import LogFile, ParsedLog, Table
from logdoctor_parsers.tensorboard import PARSER

NAME = "events.out.tfevents.1700000000.host.1.0"
TAGS = ("loss", "accuracy", "lr")


def run(seed: int, steps: int = 300, tags: tuple[str, ...] = TAGS) -> bytes:
    content = [
        record(event(summary(simple(tag, seed + step / 7)), step=step, wall_time=1e9 + seed + step))
        for step in range(steps)
        for tag in tags
    ]
    return b"".join([version(), *content])


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


def swapped(content: bytes) -> bytes:
    """Of the same size, but with two records of different lengths in the other order."""
    one, other = (record(event(summary(simple(tag, 1.5)), step=299, wall_time=1e9)) for tag in ("accuracy", "lr"))
    return content[: len(content) - len(one) - len(other)] + other + one


def written(folder: Path, contents: list[bytes]) -> list[LogFile]:
    files = []
    for number, content in enumerate(contents):
        path = folder / f"run_{number}" / NAME
        path.parent.mkdir()
        path.write_bytes(content)
        files.append(LogFile(path, str(path)))
    return files


def columns(table: Table) -> list[list[float]]:
    return [np.nan_to_num(getattr(table, f.name), nan=-1.0).tolist() for f in fields(table) if f.name != "series"]


def without_table(log: ParsedLog) -> list[object]:
    return [log.table.series, *(getattr(log, f.name) for f in fields(log) if f.name != "table")]


ODD: dict[str, Callable[[], bytes]] = {
    "another size": lambda: run(3, steps=200),
    "other tags of equal lengths": lambda: run(3, tags=("cost", "f1_score", "mu")),
    "records in another order": lambda: swapped(run(3)),
    "a damaged length": lambda: flipped(run(3), len(version())),
    "a damaged value": lambda: flipped(run(3), len(run(3)) - 5),
    "torn": lambda: run(3)[:-3],
    "equal, but torn and refilled": lambda: run(3)[:-30] + bytes(30),
    "empty": lambda: b"",
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_files_read_together_say_what_each_says_alone(tmp_path: Path, odd: str, place: int) -> None:
    contents = [run(seed) for seed in range(5)]
    contents[place] = ODD[odd]()
    files = written(tmp_path, [*contents, run(9, steps=250)])
    together = PARSER.parse_many(files)
    alone = [PARSER.parse(file) for file in files]
    assert [without_table(log) for log in together] == [without_table(log) for log in alone]
    assert [columns(log.table) for log in together] == [columns(log.table) for log in alone]
    assert sum(len(log.table) == 900 for log in together) >= 4
