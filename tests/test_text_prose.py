"""Lines known to tell nothing by their words alone: never one that a full reading finds something in."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from logdoctor_parsers import line_shapes
from logdoctor_parsers.prefix import strip
from logdoctor_parsers.prose import is_prose, without_paths
from logdoctor_parsers.shapes import split
from logdoctor_parsers.text import lines_of
from logdoctor_parsers.text_generic import read_text

DIALECTS = sorted(Path(__file__).parent.joinpath("dialects").glob("*.log"))


def _tells(text: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a full reading finds anything in a line."""
    with monkeypatch.context() as patched:
        patched.setattr(line_shapes, "is_prose", lambda text, parts: False)
        shape = line_shapes.shape_of(split(text), text)
    reading = shape.reading
    said = reading.fields or reading.counted or reading.role or reading.progress
    return bool(said or shape.header or shape.facts or shape.start or shape.repeats or shape.unread)


def test_no_line_that_tells_something_is_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a line made of words, numbers and signs of all dialects at random."""
    lines = {text for path in DIALECTS for raw in path.read_text("utf-8", "replace").splitlines()[:40]
             for text in (raw, strip(raw)[0])}  # fmt: skip
    draw = random.Random(1)
    words = sorted({word for line in lines for word in line.split()})
    plain = [word for word in words if is_prose(f"xxxxxxxx {word}", split(f"xxxxxxxx {word}"))]
    lines |= {" ".join(draw.choices([*plain, "3", "0.5", "[", "/", "(", ":", "of"], k=5)) for _ in range(3000)}
    prose = [line for line in sorted(lines) if is_prose(line, split(line))]
    assert len(prose) > 500
    assert [line for line in prose if _tells(line, monkeypatch)] == []


@pytest.mark.parametrize("text", [
    "worker 7 fetched shard-0012 of the corpus in 0.18s", "opened /data/x1/f587cf2c-e232.tar", "cache=123 mb",
])  # fmt: skip
def test_debug_lines_are_prose(text: str) -> None:
    assert is_prose(text, split(text))


@pytest.mark.parametrize("text", [
    "# foo_a foo_b", "progress 3/90 and counting", "[ 12, 200] whatever 0.5", "mIoU 0.5", "trainacc 0.5", "perte 0.5",
    "buffers s: 12", "G: 0.5 D: 0.4", "OPTIMIZER: Adamax", "Starting fold 3", "1.0 2.0 3.0",
])  # fmt: skip
def test_what_may_tell_is_no_prose(text: str) -> None:
    assert not is_prose(text, split(text))


def test_lines_that_end_in_different_paths_are_read_alike() -> None:
    lines = [f"step {i} loss 0.{i:03} worst sample abc/img_{i}x.jpg" for i in range(1, 50)]
    lines[20] = "step 21 loss 0.021 worst sample val/img_21x.jpg"
    found = read_text(lines_of("\n".join(lines).encode() + b"\n"))
    assert found.table.value.tolist() == [float(f"0.{i:03}") for i in range(1, 50)]
    assert found.table.step.tolist() == list(range(1, 50))


def test_only_paths_that_tell_nothing_are_set_aside() -> None:
    assert without_paths(" of file /data/x.jpg") == " of file \0"
    assert without_paths(" of file val/x.jpg") == " of file val/x.jpg"
    assert without_paths(" images/sec") == " images/sec"
