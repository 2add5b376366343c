"""Lines read by their layout say what the walk along each line says, whatever the widths of their numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor_parsers.byte_lines import MARGIN, ByteLines
from logdoctor_parsers.line_columns import Gap, LineFormat
from logdoctor_parsers.line_layouts import LayoutReader

FORM = LineFormat(
    (Gap(b"step", padded=True), Gap(b" loss", padded=True), Gap(b" (", padded=True), Gap(b") at", padded=True, clock=True),
     Gap(b"", padded=True)),
    b"%", b"[00] ",
)  # fmt: skip
WANTED = (0, 1, 2, 3, 4)

numbers = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(-1e4, 1e4).flatmap(lambda v: st.sampled_from(["%.4f", "%7.2f", "%.3e", "%g", "%r"]).map(lambda f: f % v)),
    st.sampled_from(
        ["nan", "inf", "-0.0", ".5", "1.", "1e400", "12345678901234567890", "1e12345", "x", "", "1,5", "1 2"]
    ),
)
one_line = st.builds(
    "[{}] step{} loss{} ({}) at {}{}%{}".format,
    st.sampled_from(["12", "07", "1a", " 3"]), numbers.map(lambda n: f" {n}"), numbers.map(lambda n: f"{n:>9}"), numbers,
    st.sampled_from(["0:12", "12:30", "7", "1:x"]), numbers.map(lambda n: f" {n}"), st.sampled_from(["", " ", "."]),
)  # fmt: skip


def text_of(lines: list[str]) -> ByteLines:
    return ByteLines(("\n".join(lines) + "\n").encode() + b" " * MARGIN)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(one_line, st.integers(1, 40)), min_size=1, max_size=12), st.randoms())
def test_layouts_find_what_the_walk_finds(kinds: list[tuple[str, int]], random: object) -> None:
    lines = [line for line, count in kinds for _ in range(count)]
    random.shuffle(lines)  # type: ignore[attr-defined]
    text, reader = text_of(lines), LayoutReader(FORM)
    for low in range(0, len(lines), 150):  # layouts learned in one block are used in the next
        high = min(low + 150, len(lines))
        found, walked = reader.read(text, low, high, WANTED), FORM.read(text, low, high, WANTED)
        np.testing.assert_array_equal(found.index, walked.index)
        for place in WANTED:
            np.testing.assert_array_equal(found.values[place], walked.values[place])


def test_digits_are_told_apart_in_the_same_columns() -> None:
    lines = [
        f"[{i % 100:02d}] step {i:6d} loss {i / 7:9.4f} ({-i}e-05) at 0:{i % 60:02d} {i % 997}%" for i in range(3000)
    ]
    text = text_of(lines)
    found = LayoutReader(FORM).read(text, 0, len(lines), WANTED)
    assert list(found.index) == list(range(3000))
    assert list(found.values[0]) == list(range(3000))
    assert list(found.values[1]) == [float(f"{i / 7:9.4f}") for i in range(3000)]
    assert list(found.values[2]) == [float(f"{-i}e-05") for i in range(3000)]
    assert list(found.values[4]) == [i % 997 for i in range(3000)]
    assert np.isnan(found.values[3]).all()


def test_padding_lies_before_digits_only() -> None:
    lines = [f"[00] step {i} loss 1{i % 10}.5 (1) at 7 5%" for i in range(100, 140)]
    lines[7] = lines[7].replace("step 107", "step 1 7")
    lines[9] = lines[9].replace("step 109", "step  09")
    found = LayoutReader(FORM).read(text_of(lines), 0, len(lines), WANTED)
    assert list(found.index) == [*range(7), *range(8, 40)]
    assert list(found.values[0])[6:9] == [106, 108, 9]
