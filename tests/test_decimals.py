"""Numbers read thousands at once are those that `float` reads one by one."""

from __future__ import annotations

import math
import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from logdoctor_parsers.byte_lines import MARGIN, ByteLines
from logdoctor_parsers.decimals import numbers_at

printed = st.one_of(
    st.floats().map(repr),
    st.floats(-1e6, 1e6).flatmap(
        lambda value: st.sampled_from(["%.4f", "%g", "%.4e", "%.12f"]).map(lambda f: f % value)
    ),
    st.integers(-(10**22), 10**22).map(str),
    st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,24})?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["nan", "NaN", "-inf", "Infinity", ".5", "-.25e3", "-0", "007", "1e400", "9007199254740993"]),
)


class Lines(ByteLines):
    """Lines with enough bytes behind them to be read in words."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(("\n".join(texts) + "\n").encode() + b" " * MARGIN)
        self.starts, self.ends = self.starts[: len(texts)], self.ends[: len(texts)]


def bits(value: float) -> bytes:
    return b"NaN" if math.isnan(value) else struct.pack("<d", value)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(printed.filter(lambda text: len(text) < 40), min_size=1, max_size=30))
def test_as_float_reads_them(texts: list[str]) -> None:
    lines = Lines(texts)
    numbers = numbers_at(lines, lines.starts)
    assert [bits(value) for value in numbers.value] == [bits(float(text)) for text in texts]
    assert list(numbers.end) == list(lines.ends)
    assert numbers.found.all()
    assert list(numbers_at(lines, lines.starts, convert=False).end) == list(lines.ends)


def test_halfway_cases_round_to_even() -> None:
    texts = [str(2**53 + odd) for odd in range(40)] + [f"1.{2**52 * 5**3 + k:019d}" for k in range(-9, 9)]
    texts += [
        "1.00000000000000011102230246251565",
        "0.99999999999999994449",
        "4503599627370497.5",
        "4503599627370496.5",
    ]
    lines = Lines(texts)
    np.testing.assert_array_equal(numbers_at(lines, lines.starts).value, [float(text) for text in texts])


def test_what_is_no_number_is_told() -> None:
    texts = ["", "x", "-", ".", "e5", "+1", "-x", "n", "1" * 50]
    lines = Lines(texts)
    assert not numbers_at(lines, lines.starts).found.any()


def test_the_end_is_where_the_number_ends() -> None:
    texts = ["1.", "1.x", "1e", "1e+", "1.5.2", "12:30", "1,5", "nano", "5Epoch"]
    lines = Lines(texts)
    assert list(numbers_at(lines, lines.starts).end - lines.starts) == [1, 1, 1, 1, 3, 2, 1, 3, 1]
